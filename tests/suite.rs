//! Starts the lab if a test needs it, runs the tests, and ends the lab.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Trial};

use crate::kit::Lab;
use crate::{
    api, catalog, certificates, commands, dashboards, derived, diagnosis, discovery, exposition,
    history, holds, hostile, isolation, lanes, layers, lifecycle, pac, packages, page,
    prerequisites, prometheus, redirects, revocation, rules, scenarios, security, shards, soak,
    tickets, web, witness,
};

/// The tests wait for time-outs most of the time, so that there may be more of them at once than processors.
const THREADS: usize = 6;

/// The lab as the tests get it: it is there when the first of them runs.
pub(crate) type SharedLab = Arc<OnceLock<Lab>>;

pub(crate) fn run() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    let shared = SharedLab::default();
    let with_lab = with_lab(&shared);
    let is_needed = !arguments.list
        && with_lab
            .iter()
            .any(|trial| !arguments.is_filtered_out(trial));
    if is_needed {
        // Here and not in a test: the servers end with the thread that starts them.
        let _ = shared.set(Lab::start());
    }
    let without_lab = [
        layers::trials(),
        packages::trials(),
        rules::of_files(),
        security::of_files(),
    ];
    let trials = without_lab.into_iter().flatten().chain(with_lab).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn with_lab(lab: &SharedLab) -> Vec<Trial> {
    let rooms = [
        // The longest of all: the others run beside it.
        soak::trials(lab),
        scenarios::trials(lab),
        api::trials(lab),
        catalog::trials(lab),
        certificates::trials(lab),
        commands::trials(lab),
        dashboards::trials(lab),
        derived::trials(lab),
        diagnosis::trials(lab),
        discovery::trials(lab),
        exposition::trials(lab),
        history::trials(lab),
        holds::trials(lab),
        hostile::trials(lab),
        isolation::trials(lab),
        lanes::trials(lab),
        pac::trials(lab),
        prerequisites::trials(lab),
        tickets::trials(lab),
        revocation::trials(lab),
        witness::trials(lab),
        page::trials(lab),
        prometheus::trials(lab),
        redirects::trials(lab),
        security::trials(lab),
        shards::trials(lab),
        lifecycle::trials(lab),
        rules::trials(lab),
        web::trials(lab),
    ];
    rooms.into_iter().flatten().collect()
}

/// A test that needs the lab.
pub(crate) fn trial(name: impl Into<String>, lab: &SharedLab, test: fn(&Lab)) -> Trial {
    let lab = Arc::clone(lab);
    Trial::test(name, move || {
        test(lab.get().expect("the lab runs before its tests"));
        Ok(())
    })
}
