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
use self::plan::{Kind, Plan};
use self::settings::{Random, Settings};
use self::site::{Fault, Site};
use self::troubles::Troubles;
use self::usage::Meter;
use self::witness::Witness;
use crate::kit::{Exposition, Lab, Reachd, http, wait};
use crate::suite::{SharedLab, trial};

/// How long anything that is waited for may take.
const SOON: Duration = Duration::from_secs(60);

/// How long the first and greatest trouble lasts: every probe hangs, so that reachd has needed all it may need.
const STORM: Duration = Duration::from_secs(5);

/// What a check may have more or less of turns than its time has seconds: at its beginning, at its end, and of those
/// that passed while its last probe was running.
const TURNS_AT_THE_ENDS: u64 = 5;

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
    reloads: u64,
    latest: Exposition,
}

/// The last that reachd said of itself.
struct LastWords {
    metrics: Exposition,
    /// Probes that may have ended after that.
    unseen: u64,
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
    let figures = meter.figures(&soak.reachd);
    let last = soak.end();
    soak.site.stop();
    let compared = books::compare(lab, &soak.plan, &last.metrics);
    print(&format!(
        "\n## soak: {}\n\n{}{figures}\nfaults: {seen}\n",
        soak.settings,
        told(&compared, &last)
    ));
    soak.agrees_with_itself(&last);
    soak.log_is_clean();
    meter.growth().assert_bounded();
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
            reloads: 0,
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
        let random = Random::new(self.settings.seed.wrapping_add(1));
        let mut troubles = Troubles::new(random);
        let [mut sample, mut scrape, mut read, mut reload] = [1, 2, 5, 9].map(Every::seconds);
        let end = Instant::now() + self.settings.length;
        let warm = Instant::now() + self.settings.warm_up();
        let mut is_warm = false;
        while Instant::now() < end {
            troubles.go_on(&mut self.site);
            if !is_warm && Instant::now() > warm {
                is_warm = true;
                meter.warm();
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
        let host = &self.random.choose(&[0, 1, 2, 3]);
        let host = &self.plan.checks[*host];
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
            Reload::Change => self.plan.is_critical = !self.plan.is_critical,
            Reload::Nothing | Reload::Broken => {}
        }
        let text = match reload {
            Reload::Broken => "endpoints: 7\n".to_owned(),
            _ => self.plan.text(),
        };
        self.write(&text);
        self.reachd.daemon.signal("HUP");
        self.reloads += 1;
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
        self.reloads += 1;
        let successes =
            |metrics: &Exposition| metrics.sum("reachd_probes_total", &[("result", "success")]);
        let before = successes(&self.reachd.metrics());
        self.reachd.wait_for_metrics("rest", SOON, |metrics| {
            metrics.value("reachd_config_last_reload_successful", &[]) == Some(1.0)
                && metrics.all_with(&[("endpoint", "guest")]).is_empty()
                && successes(metrics) > before
        });
    }

    /// Ends reachd. Meanwhile one probe is held up by the witness, so that there is time to ask what all the others
    /// came to.
    fn end(&mut self) -> LastWords {
        self.witness.hold();
        self.reachd.daemon.signal("TERM");
        self.lived = self.begun.elapsed();
        let stops = "stopping: probes under way may finish";
        let told = wait::within(SOON, || {
            self.reachd.daemon.log().contains(stops).then_some(())
        });
        assert!(told.is_some(), "it does not stop");
        let mut former: Option<Exposition> = None;
        let mut last = None;
        while let Ok(answer) = http::get(self.reachd.address, "/metrics") {
            if answer.status != 200 {
                continue;
            }
            let metrics = Exposition::parse(&answer.body);
            let is_final = former.as_ref().is_some_and(|former| {
                in_flight(former) == 1
                    && in_flight(&metrics) == 1
                    && started(former) == started(&metrics)
            });
            // What was under way when it was last asked may have ended while it answered.
            let under_way = former
                .as_ref()
                .map_or_else(|| in_flight(&metrics), in_flight);
            let unseen = if is_final { 0 } else { under_way };
            former = Some(metrics.clone());
            last = Some(LastWords { metrics, unseen });
            if is_final {
                break;
            }
        }
        self.witness.release();
        let status = self.reachd.daemon.wait_for_end(SOON);
        assert_eq!(status.code(), Some(0), "{}", self.reachd.daemon.log());
        last.expect("it answers while probes finish")
    }

    /// Every turn was a probe or was skipped, and every probe came to a result.
    fn agrees_with_itself(&self, last: &LastWords) {
        let LastWords { metrics, unseen } = last;
        let guests = u64::from(self.witness.requests_of_guest());
        let results = metrics.sum("reachd_probes_total", &[]);
        let accounted = whole(results) + guests + in_flight(metrics);
        let started = started(metrics);
        assert!(
            (started.saturating_sub(*unseen)..=started).contains(&accounted),
            "{started} probes started, {accounted} ended or are under way, {unseen} may be unseen; the guest asked {guests} times"
        );
        let panics = ["reachd_probe_panics_total", "reachd_web_panics_total"];
        for panics in panics {
            assert_eq!(metrics.value(panics, &[]), Some(0.0), "{panics}");
        }
        self.turns_agree(metrics, started - guests);
        let of_witness = metrics.sum("reachd_probes_total", &[("endpoint", "witness")]);
        let seen = u64::from(self.witness.requests());
        assert_eq!(whole(of_witness) + 1, seen, "with the one that is held up");
    }

    /// There were as many turns as seconds: of each check, and of each loop that took the place of another after a
    /// change, a few may be missing at the ends.
    fn turns_agree(&self, metrics: &Exposition, started: u64) {
        let checks = self.plan.checks.len();
        let changing = self.plan.count(Kind::Changing);
        let loops = count(checks + 1) + self.reloads * count(changing);
        let due = count(checks + 1) * self.lived.as_secs();
        let missing = loops * TURNS_AT_THE_ENDS;
        let skipped = whole(metrics.sum("reachd_probes_skipped_total", &[]));
        let of_retried = [("service", "Retried"), ("result", "failure")];
        let retries = whole(metrics.sum("reachd_probes_total", &of_retried));
        let turns = started + skipped;
        assert!(
            (due.saturating_sub(missing)..=due + missing + retries).contains(&turns),
            "{started} probes and {skipped} skipped turns, {due} turns were due, {retries} retries at most"
        );
    }

    fn log_is_clean(&self) {
        let log = self.reachd.daemon.log();
        for sign in ["panicked", "fault of reachd"] {
            let line = log.lines().find(|line| line.contains(sign));
            assert!(line.is_none(), "{line:?}");
        }
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

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap()
}

fn started(metrics: &Exposition) -> u64 {
    whole(metrics.sum("reachd_scheduler_lag_seconds_count", &[]))
}

fn in_flight(metrics: &Exposition) -> u64 {
    whole(metrics.sum("reachd_probes_in_flight", &[]))
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
