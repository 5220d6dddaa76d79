//! What reachd takes of the machine, and whether that grows.

use std::fmt::{self, Write};
use std::fs;
use std::time::{Duration, Instant};

use super::books::whole;
use crate::kit::{Reachd, wait};

/// By how much memory may grow from the end of the warm-up to the end: over the 4,000 probes of two minutes, two
/// kilobytes a probe; over the million of an hour, eight bytes.
const MOST_GROWTH: u64 = 8 << 20;

/// Samples that are taken together, for memory goes up and down.
const TOGETHER: usize = 10;

/// How long what a fault needed may take to go.
const GOES_WITHIN: Duration = Duration::from_secs(90);

/// How long is looked what there is while all is well.
const LOOKED_FOR: Duration = Duration::from_secs(4);

/// More than at the beginning that is no growth: a probe may be under way whenever one looks.
const SLACK: u64 = 4;

/// Of a process, at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) resident: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
    pub(super) tasks: u64,
}

/// What a process took over time.
pub(super) struct Meter {
    begun: Instant,
    /// What it needs when no probe is under way.
    idle: Usage,
    samples: Vec<(Duration, u64)>,
    most: Usage,
}

/// What is told at the end.
pub(super) struct Growth {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Usage {
    pub(super) fn of(reachd: &Reachd) -> Self {
        let tasks = reachd.metrics().sum("reachd_runtime_alive_tasks", &[]);
        let process = reachd.daemon.id();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let number = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let word = line.and_then(|line| line.split_whitespace().next());
            word.and_then(|word| word.parse().ok()).expect("a number")
        };
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
        Self {
            resident: number("VmRSS:") * 1024,
            descriptors: u64::try_from(descriptors).unwrap(),
            threads: number("Threads:"),
            tasks: whole(tasks),
        }
    }
}

impl Meter {
    /// To be called while all is well.
    pub(super) fn new(reachd: &Reachd) -> Self {
        let mut idle = Usage::of(reachd);
        let begun = Instant::now();
        while begun.elapsed() < LOOKED_FOR {
            let now = Usage::of(reachd);
            idle.descriptors = idle.descriptors.min(now.descriptors);
            idle.threads = idle.threads.max(now.threads);
            idle.tasks = idle.tasks.min(now.tasks);
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            begun,
            idle,
            samples: Vec::new(),
            most: idle,
        }
    }

    pub(super) fn sample(&mut self, reachd: &Reachd) {
        let now = Usage::of(reachd);
        self.samples.push((self.begun.elapsed(), now.resident));
        self.most.resident = self.most.resident.max(now.resident);
        self.most.descriptors = self.most.descriptors.max(now.descriptors);
        self.most.threads = self.most.threads.max(now.threads);
        self.most.tasks = self.most.tasks.max(now.tasks);
    }

    /// What was judged so far is forgotten: memory was taken for the first time.
    pub(super) fn warm(&mut self) {
        self.samples.clear();
    }

    /// Waits until descriptors, threads and tasks are as few as at the beginning.
    pub(super) fn assert_all_went(&self, reachd: &Reachd) {
        let mut now = self.idle;
        let went = wait::within(GOES_WITHIN, || {
            now = Usage::of(reachd);
            let is_back = now.descriptors <= self.idle.descriptors + SLACK
                && now.tasks <= self.idle.tasks + SLACK
                && now.threads <= self.idle.threads;
            is_back.then_some(())
        });
        let idle = self.idle;
        assert!(went.is_some(), "it was {idle:?}, and stays {now:?}");
    }

    /// Medians of the first and of the last samples.
    pub(super) fn growth(&self) -> Growth {
        let count = self.samples.len();
        assert!(count >= 2 * TOGETHER, "{count} samples are too few");
        let median = |samples: &[(Duration, u64)]| {
            let mut resident: Vec<u64> = samples.iter().map(|(_, resident)| *resident).collect();
            resident.sort_unstable();
            resident[resident.len() / 2]
        };
        Growth {
            first: median(&self.samples[..TOGETHER]),
            last: median(&self.samples[count - TOGETHER..]),
        }
    }

    /// What the report says.
    pub(super) fn figures(&self, reachd: &Reachd) -> String {
        let (idle, most) = (&self.idle, &self.most);
        let (growth, resident) = (self.growth(), most.resident / 1024);
        let mut text = format!("memory: {growth}, {resident} KiB at most\n");
        for (what, least, peak) in [
            ("descriptors", idle.descriptors, most.descriptors),
            ("threads", idle.threads, most.threads),
            ("tasks", idle.tasks, most.tasks),
        ] {
            writeln!(text, "{what}: {least} when idle, {peak} at most").unwrap();
        }
        let seconds = processor_seconds(reachd.daemon.id());
        text + &format!("processor: {seconds:.1} s")
    }
}

fn processor_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, after) = stat.rsplit_once(')').expect("a name in brackets");
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
    // In hundredths of a second (proc(5), USER_HZ).
    (ticks(11) + ticks(12)) / 100.0
}

impl Growth {
    pub(super) fn assert_bounded(&self) {
        let grown = self.last.saturating_sub(self.first);
        assert!(grown <= MOST_GROWTH, "memory grew by {grown} bytes: {self}");
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, last] = [self.first, self.last].map(|bytes| bytes / 1024);
        write!(f, "{first} KiB at first, {last} KiB at last")
    }
}
