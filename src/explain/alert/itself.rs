//! Alerts about reachd itself.

use crate::explain::{Explanation, owner};

pub(super) const DOWN: Explanation = Explanation {
    what: "Prometheus cannot scrape a reachd: as long as that lasts, nobody knows what its checks would find.",
    likely: &[
        "The process ended or does not start: its configuration is refused, or its port is taken.",
        "The machine is down, or a firewall blocks the way from Prometheus.",
        "It listens on 127.0.0.1 only, or wants TLS or a password that Prometheus does not have.",
    ],
    steps: &[
        "Look at the error on the page Targets of Prometheus.",
        "On its machine: `systemctl status reachd`, `journalctl -u reachd`, `curl http://ADDRESS/-/healthy`.",
        "If it does not start, `reachd config check FILE` says what is wrong with its configuration.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const ABSENT: Explanation = Explanation {
    what: "Prometheus has no series of any reachd: nothing is being checked, or nobody collects it.",
    likely: &[
        "The scrape job was removed, or its discovery finds no target any more.",
        "No reachd runs any more.",
        "Relabelling of the scrape job drops the series.",
    ],
    steps: &[
        "Look for the job on the page Targets of Prometheus; if it is not there, in Prometheus' configuration.",
        "In Kubernetes, see whether a ServiceMonitor selects the service, and whether a pod is ready.",
        "See whether it runs: `curl http://ADDRESS/metrics` shows `reachd_build_info`.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const STALE: Explanation = Explanation {
    what: "reachd answers scrapes, but checks have not run for three times as long as they usually pause: their numbers are old.",
    likely: &[
        "Its machine was suspended, or has far too little processor time.",
        "`global.concurrency` is too small for probes that all wait for their timeout.",
        "The interval of many checks was raised, and what is usual is not known yet.",
        "The clocks of Prometheus and of reachd's machine differ.",
    ],
    steps: &[
        "See which: `time() - reachd_probe_last_run_timestamp_seconds`, sorted.",
        "Look at `reachd_probes_in_flight`, `reachd_scheduler_lag_seconds` and the processor time of the machine.",
        "Look for panics in its log. If it hangs, keep the log and restart it.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const PROBES_SKIPPED: Explanation = Explanation {
    what: "Checks keep missing their turn, for the probe before is still running or waiting: they run more rarely than configured.",
    likely: &[
        "`global.concurrency` is too small for so many checks.",
        "Many endpoints are silent, so that every probe takes its whole timeout: see the causes.",
        "An interval is shorter than the timeout.",
    ],
    steps: &[
        "See whether `reachd_probes_in_flight` stands at `global.concurrency`: if so, raise it.",
        "Give slow endpoints a shorter timeout or a longer interval.",
        "With thousands of checks give `global.workers` more threads, or spread the checks over several reachds.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const RELOAD_FAILED: Explanation = Explanation {
    what: "The configuration file was changed and cannot be loaded: reachd goes on with the one before, until it is restarted.",
    likely: &[
        "The file has a mistake: the log names each with its line.",
        "A file that it names is missing or cannot be read: a password, a certificate, a list of targets.",
    ],
    steps: &[
        "Read what is wrong: `reachd config check FILE`, or reachd's log at the time of the reload.",
        "Mend the file, and reload: `systemctl reload reachd`, or `POST /-/reload`.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const DISCOVERY_FAILING: Explanation = Explanation {
    what: "A source of targets cannot be read or asked: what it named before stays in force, and what is new is not checked.",
    likely: &[
        "The file has a mistake, or was removed: the log says which line.",
        "The server of the targets is down, refuses the login, or cannot be reached over its route.",
        "The answer is not what it should be: a proxy's page in place of JSON.",
    ],
    steps: &[
        "See since when: `time() - reachd_discovery_last_success_timestamp_seconds` of this source.",
        "Read why in reachd's log, or try it: `reachd config check FILE` reads the files of targets, too.",
        "Mend the source; reachd looks again by itself.",
    ],
    owner: owner::CONFIGURATION,
};

pub(super) const HISTORY_NOT_WRITTEN: Explanation = Explanation {
    what: "The history of outages does not reach the disk: it is kept in memory alone, and is lost when reachd ends.",
    likely: &[
        "The disk is full, or its file system became read-only.",
        "`state_dir` does not belong to the user that reachd runs as.",
        "Another reachd has the same `state_dir` open.",
    ],
    steps: &[
        "Read why in reachd's log: it names the file and the error.",
        "Look at the disk and the rights: `df -h STATE_DIR`, `ls -ld STATE_DIR`.",
        "Mend it: reachd tries again every ten seconds. What it could not open at its start, it opens at the next one.",
    ],
    owner: owner::CONFIGURATION,
};
