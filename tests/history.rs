//! What the history keeps over the end of the daemon, however it ends, and what a full disk does to it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use libtest_mimic::Trial;
use reachd::history::{History, Outage, OutageFilter};

use crate::kit::{Daemon, Lab, Reachd};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(45);

/// How often the daemon is killed.
const KILLS: u64 = 8;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("history::kill_9_loses_no_outage", lab, kill),
        trial("history::an_orderly_end_keeps_all", lab, orderly),
        trial("history::a_full_disk_is_told_once", lab, full_disk),
    ]
}

/// A web server that comes and goes, and a daemon that probes it.
struct Bed<'a> {
    lab: &'a Lab,
    name: &'a str,
    dir: PathBuf,
    server: String,
    port: u16,
    config: PathBuf,
}

impl<'a> Bed<'a> {
    fn new(lab: &'a Lab, name: &'a str, endpoints: usize) -> Self {
        let dir = lab.path(&format!("history-{name}"));
        fs::create_dir(&dir).unwrap();
        let address = lab.fresh_address();
        let state = dir.join("state");
        let mut config = format!(
            "state_dir: \"{}\"\nglobal: {{interval: 1s, timeout: 800ms}}\nendpoints:\n",
            state.display()
        );
        for number in 0..endpoints {
            let url = format!("http://{address}/{number}");
            writeln!(config, "  - {{name: web-{number}, url: \"{url}\"}}").unwrap();
        }
        let config = lab.write(&format!("history-{name}/reachd.yml"), &config);
        Self {
            lab,
            name,
            dir,
            server: address.to_string(),
            port: address.port(),
            config,
        }
    }

    fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    fn serve(&self) -> Daemon {
        let conf = format!(
            "daemon off; master_process off; pid {0}/nginx.pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off; \
             client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi; \
             uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;\nserver {{ listen {1}; return 204; }} }}\n",
            self.dir.display(),
            self.server
        );
        let conf = self
            .lab
            .write(&format!("history-{}/nginx.conf", self.name), &conf);
        let command = [
            "nginx",
            "-e",
            "stderr",
            "-c",
            conf.to_str().expect("a path in UTF-8"),
        ];
        let mut nginx = Daemon::start("nginx", &command, &self.dir);
        nginx.wait_for(self.server.parse::<std::net::SocketAddr>().unwrap());
        nginx
    }

    fn start(&self) -> Reachd {
        Reachd::start(self.lab, &format!("history-{}", self.name), &self.config)
    }

    /// Waits until the first check fares so.
    fn wait_until(&self, reachd: &Reachd, succeeds: bool) {
        let what = if succeeds { "success" } else { "failure" };
        reachd.wait_for_metrics(&format!("{what} on port {}", self.port), SOON, |metrics| {
            let success = metrics.value("reachd_probe_success", &[("endpoint", "web-0")]);
            success == Some(f64::from(u8::from(succeeds)))
        });
    }

    /// What the file has, the oldest first.
    fn kept(&self) -> Vec<Outage> {
        let history = History::kept_in(&self.state(), Box::new(|is_up| assert!(is_up)));
        let mut outages = history.outages(&OutageFilter::default(), usize::MAX);
        assert!(history.close());
        outages.reverse();
        outages
    }
}

/// Killed at any time after an outage ended, and in the middle of one, the daemon that comes next knows of them all.
fn kill(lab: &Lab) {
    let bed = Bed::new(lab, "kill", 1);
    for round in 0..KILLS {
        let server = bed.serve();
        let mut reachd = bed.start();
        bed.wait_until(&reachd, true);
        drop(server);
        bed.wait_until(&reachd, false);
        let is_over = round % 2 == 0;
        let server = is_over.then(|| {
            let server = bed.serve();
            bed.wait_until(&reachd, true);
            server
        });
        // From before its write begins to after it ended.
        sleep(Duration::from_millis(if is_over {
            round * 15
        } else {
            1_200
        }));
        reachd.daemon.signal("KILL");
        reachd.daemon.wait_for_end(SOON);
        drop(server);
    }
    let server = bed.serve();
    let mut reachd = bed.start();
    bed.wait_until(&reachd, true);
    let log = reachd.daemon.log();
    assert!(log.contains("the history goes on"), "{log}");
    reachd.daemon.signal("TERM");
    reachd.daemon.wait_for_end(SOON);
    drop(server);

    let outages = bed.kept();
    assert_eq!(outages.len() as u64, KILLS, "{outages:#?}");
    for outage in &outages {
        assert!(
            outage.end.is_some_and(|end| end >= outage.start),
            "{outage:?}"
        );
        assert_eq!(outage.worst.reason.as_str(), "refused", "{outage:?}");
    }
    let in_turn = outages
        .windows(2)
        .all(|pair| pair[0].end <= Some(pair[1].start));
    assert!(in_turn, "{outages:#?}");
    let set_aside = fs::read_dir(bed.state()).unwrap().flatten();
    let set_aside = set_aside.filter(|file| file.file_name().to_string_lossy().contains(".bad-"));
    assert_eq!(set_aside.count(), 0, "the file was good every time");
}

/// After a signal to stop, the file has everything, and the daemon that comes next shows it.
fn orderly(lab: &Lab) {
    let bed = Bed::new(lab, "orderly", 1);
    let server = bed.serve();
    let mut reachd = bed.start();
    bed.wait_until(&reachd, true);
    drop(server);
    bed.wait_until(&reachd, false);
    let up = reachd.metrics().value("reachd_history_store_up", &[]);
    assert_eq!(up, Some(1.0));
    reachd.daemon.signal("TERM");
    let status = reachd.daemon.wait_for_end(SOON);
    assert_eq!(status.code(), Some(0), "{}", reachd.daemon.log());

    let before = bed.kept();
    assert_eq!(before.len(), 1, "{before:#?}");
    let mut reachd = bed.start();
    bed.wait_until(&reachd, false);
    let server = bed.serve();
    bed.wait_until(&reachd, true);
    reachd.daemon.signal("TERM");
    reachd.daemon.wait_for_end(SOON);
    drop(server);
    let after = bed.kept();
    assert_eq!(after.len(), 1, "the same one goes on: {after:#?}");
    assert_eq!(after[0].start, before[0].start);
    assert!(after[0].end.is_some() && after[0].failures > before[0].failures);
}

/// A disk without room is told once, probes go on, and what could not be written comes later.
fn full_disk(lab: &Lab) {
    let bed = Bed::new(lab, "full", 400);
    let disk = bed.state();
    fs::create_dir(&disk).unwrap();
    let _mounted = Mounted::tmpfs(&disk, "4m");
    let server = bed.serve();
    let mut reachd = bed.start();
    reachd.wait_until_ready();
    fs::write(disk.join("filler"), vec![1; 8 << 20]).expect_err("there is no room for it");
    drop(server);
    let store_is = |up: f64| {
        reachd.wait_for_metrics(&format!("store_up {up}"), SOON * 2, |metrics| {
            metrics.value("reachd_history_store_up", &[]) == Some(up)
        })
    };
    let before = store_is(0.0).sum("reachd_probes_total", &[]);
    let probes = |metrics: &crate::kit::Exposition| metrics.sum("reachd_probes_total", &[]);
    reachd.wait_for_metrics("probes go on", SOON, |metrics| {
        probes(metrics) > before + 800.0
    });
    fs::remove_file(disk.join("filler")).unwrap();
    store_is(1.0);
    let log = reachd.daemon.log();
    assert_eq!(log.matches("does not reach the disk").count(), 1, "{log}");
    assert_eq!(log.matches("kept on disk again").count(), 1, "{log}");
    reachd.daemon.signal("TERM");
    reachd.daemon.wait_for_end(SOON);
    assert_eq!(bed.kept().len(), 400, "each of the checks has its outage");
}

/// A file system that ends with the value.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(folder: &Path, size: &str) -> Self {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder)
            .status()
            .unwrap();
        assert!(status.success(), "mount of {}", folder.display());
        Self(folder.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: the daemon may have its file open still.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
