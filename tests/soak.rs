//! The soak: for a long time, faults come and go at random at a web server, a name server and a proxy, while the
//! configuration is reloaded, metrics are scraped and the page is read. Nothing of reachd grows; no probe is lost or
//! doubled: turns, probes, and what the servers wrote down agree.
//!
//! Two minutes of it are one of the tests. What the environment sets makes more of it:
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `SOAK_SECONDS` | 120 | How long faults come and go, 60 at least. |
//! | `SOAK_RATE` | 40 | Probes a second: as many checks, each once a second. |
//! | `SOAK_SEED` | at random | Decides which faults come when. It is printed. |
//! | `SOAK_PROGRAM` | the debug build | The reachd that is tested, such as `target/release/reachd`. |
//!
//! `SOAK_SECONDS=3600 SOAK_RATE=300 SOAK_PROGRAM=$PWD/target/release/reachd cargo test --all-features --test it -- soak::`
//!
//! Nothing that is asserted depends on how fast the machine is.

mod books;
mod ending;
mod plan;
mod settings;
mod site;
mod troubles;
mod usage;
mod witness;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use self::books::{Compared, whole};
use self::ending::{LastWords, started};
use self::plan::Plan;
use self::settings::{Random, Settings};
use self::site::{Fault, Site};
use self::troubles::Troubles;
use self::usage::Meter;
use self::witness::Witness;
use crate::kit::{Exposition, Lab, Reachd, http};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(60);

/// How long the first and greatest trouble lasts: every probe hangs, so that reachd has needed all it may need.
const STORM: Duration = Duration::from_secs(5);

/// A reload that comes in between: the guest comes or goes, checks change, nothing does, or the file is broken.
const RELOADS: [Reload; 4] = [
    Reload::Guest,
    Reload::Change,
    Reload::Nothing,
    Reload::Broken,
];

#[derive(Debug, Clone, Copy)]
enum Reload {
    Guest,
    Change,
    Nothing,
    Broken,
}

/// reachd, and everything around it.
struct Soak<'l> {
    lab: &'l Lab,
    settings: Settings,
    random: Random,
    site: Site<'l>,
    witness: Witness,
    plan: Plan,
    config: PathBuf,
    reachd: Reachd,
    begun: Instant,
    /// How long reachd probed.
    lived: Duration,
    /// How often checks changed.
    changes: u64,
    latest: Exposition,
    /// The check whose page was read last.
    looked_at: usize,
}

/// Something that is done every now and then.
struct Every {
    pause: Duration,
    next: Instant,
}

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![trial("soak::nothing_grows_and_no_probe_is_lost", lab, soak)]
}

fn soak(lab: &Lab) {
    let mut soak = Soak::start(lab, Settings::of_environment());
    let mut meter = Meter::new(&soak.reachd);
    soak.storm();
    let seen = soak.endure(&mut meter);
    soak.come_to_rest();
    meter.assert_all_went(&soak.reachd);
    let probes = started(&soak.reachd.metrics());
    let figures = meter.figures(&soak.reachd, probes);
    let last = soak.end();
    soak.site.stop();
    let compared = books::compare(lab, &soak.plan, &last);
    print(&format!(
        "\n## soak: {}\n\n{}{figures}\nfaults: {seen}\n",
        soak.settings,
        told(&compared, &last)
    ));
    soak.agrees_with_itself(&last);
    soak.log_is_clean();
    meter.growth(probes).assert_bounded();
}

impl<'l> Soak<'l> {
    fn start(lab: &'l Lab, settings: Settings) -> Self {
        print(&format!("soak: {settings}"));
        let site = Site::start(lab);
        let witness = Witness::start(lab.fresh_address());
        let plan = Plan::new(settings.rate, witness.address);
        let config = lab.write("soak/reachd.yml", &plan.text());
        let program = settings.program.as_str();
        let reachd = Reachd::start_program(lab, "soak", program, &config, &[], |_| {});
        let begun = Instant::now();
        reachd.wait_until_ready();
        Self {
            lab,
            random: Random::new(settings.seed),
            latest: reachd.metrics(),
            settings,
            site,
            witness,
            plan,
            config,
            reachd,
            begun,
            lived: Duration::ZERO,
            changes: 0,
            looked_at: 0,
        }
    }

    /// As many probes hang at once as ever will.
    fn storm(&mut self) {
        let all = [Fault::WebFreezes, Fault::ProxyFreezes];
        for fault in all {
            self.site.begin(fault);
        }
        thread::sleep(STORM);
        for fault in all {
            self.site.end(fault);
        }
    }

    /// Says which faults came how often.
    fn endure(&mut self, meter: &mut Meter) -> String {
        let mut troubles = Troubles::new(self.settings.seed);
        let [mut sample, mut scrape, mut read, mut reload] = [1, 2, 5, 9].map(Every::seconds);
        let end = Instant::now() + self.settings.length;
        let warm = Instant::now() + self.settings.warm_up();
        let mut is_warm = false;
        while Instant::now() < end {
            troubles.go_on(&mut self.site);
            if !is_warm && Instant::now() > warm {
                is_warm = true;
                meter.warm(started(&self.latest));
            }
            if sample.is_due() {
                meter.sample(&self.reachd);
            }
            if scrape.is_due() {
                self.scrape();
            }
            if read.is_due() {
                self.read();
            }
            if reload.is_due() {
                self.reload();
            }
            thread::sleep(Duration::from_millis(50));
        }
        troubles.end(&mut self.site);
        let seen = troubles.seen.iter();
        let seen: Vec<String> = seen
            .map(|(fault, times)| format!("{fault} {times}"))
            .collect();
        seen.join(", ")
    }

    /// No counter of a check falls.
    fn scrape(&mut self) {
        let former = std::mem::replace(&mut self.latest, self.reachd.metrics());
        for name in ["reachd_probes_total", "reachd_probe_failures_total"] {
            for sample in former.matching(name, &[]) {
                let labels: Vec<_> = sample.labels.iter().collect();
                let labels: Vec<_> = labels
                    .iter()
                    .map(|(l, v)| (l.as_str(), v.as_str()))
                    .collect();
                let now = self.latest.value(name, &labels);
                let is_guest = sample.labels["endpoint"] == "guest";
                let fell = now.is_none_or(|now| now < sample.value);
                assert!(is_guest || !fell, "{sample} is now {now:?}");
            }
        }
    }

    /// Whatever a person looks at.
    fn read(&mut self) {
        self.looked_at = (self.looked_at + 1) % self.plan.checks.len();
        let host = &self.plan.checks[self.looked_at];
        let route = if host.kind.is_proxied() {
            "corp"
        } else {
            "direct"
        };
        let page = format!("/checks/{:?}/{}/{route}", host.kind, host.host);
        for path in [
            "/",
            "/api/v1/status",
            "/api/v1/checks?limit=20",
            "/api/v1/causes",
            &page,
        ] {
            let answer = http::get(self.reachd.address, path).unwrap();
            // On a busy machine it may say that it does not come to it in time.
            assert!([200, 503].contains(&answer.status), "{path}: {answer:?}");
        }
    }

    fn reload(&mut self) {
        let reload = self.random.choose(&RELOADS);
        match reload {
            Reload::Guest => self.plan.has_guest = !self.plan.has_guest,
            Reload::Change => {
                self.plan.is_critical = !self.plan.is_critical;
                self.changes += 1;
            }
            Reload::Nothing | Reload::Broken => {}
        }
        let text = match reload {
            Reload::Broken => "endpoints: 7\n".to_owned(),
            _ => self.plan.text(),
        };
        self.write(&text);
        self.reachd.daemon.signal("HUP");
    }

    /// The file is exchanged as a whole: a reload may be reading it.
    fn write(&self, text: &str) {
        let aside = self.lab.write("soak/reachd.new", text);
        fs::rename(aside, &self.config).unwrap();
    }

    /// Without faults and without the guest.
    fn come_to_rest(&mut self) {
        self.plan.has_guest = false;
        self.write(&self.plan.text());
        self.reachd.daemon.signal("HUP");
        let successes =
            |metrics: &Exposition| metrics.sum("reachd_probes_total", &[("result", "success")]);
        let before = successes(&self.reachd.metrics());
        self.reachd.wait_for_metrics("rest", SOON, |metrics| {
            metrics.value("reachd_config_last_reload_successful", &[]) == Some(1.0)
                && metrics.all_with(&[("endpoint", "guest")]).is_empty()
                && successes(metrics) > before
        });
    }
}

impl Every {
    fn seconds(seconds: u64) -> Self {
        Self {
            pause: Duration::from_secs(seconds),
            next: Instant::now(),
        }
    }

    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next;
        if is_due {
            self.next = now + self.pause;
        }
        is_due
    }
}

fn told(compared: &Compared, last: &LastWords) -> String {
    let skipped = whole(last.metrics.sum("reachd_probes_skipped_total", &[]));
    let Compared {
        probes,
        requests,
        tunnels,
        unsure,
        by_reason,
    } = compared;
    let mut text = format!(
        "probes: {probes}, skipped turns: {skipped}\n\
         requests in the web server's log: {requests}, tunnels in the proxy's: {tunnels}; \
         {unsure} probes may or may not be in one\n"
    );
    for (way, count) in by_reason {
        writeln!(text, "  {way}: {count}").unwrap();
    }
    text
}

fn print(text: &str) {
    println!("{text}");
}
