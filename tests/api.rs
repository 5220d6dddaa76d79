//! The API against its own description, by schemathesis: it makes up requests, good and bad, and compares the answers.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::{Lab, Reachd, run_to_end_within};
use crate::suite::{SharedLab, trial};

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![trial("api::schemathesis", lab, schemathesis)]
}

/// How long all requests may take that are made up: ten seconds, or many times that beside other tests.
const MADE_UP_WITHIN: Duration = Duration::from_secs(240);

/// One that fails and one that does not, under the names that the description has as examples.
const SITE: &str = "\
global: {interval: 1s, timeout: 1s, resolver: lab}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
routes: [direct]
endpoints:
  - {name: admin-service, service: site, url: \"https://expired.lab.test/\"}
  - {name: web, service: site, url: \"https://web.lab.test/\"}
";

fn schemathesis(lab: &Lab) {
    let config = lab.write("api.yml", SITE);
    let reachd = Reachd::start(lab, "api", &config);
    reachd.wait_until_ready();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("target/tools/python/bin/schemathesis"));
    command.current_dir(lab.dir());
    command.args([
        "run",
        &format!("http://{}/api/v1/openapi.json", reachd.address),
        "--checks=all",
        "--max-examples=40",
        "--seed=1",
        "--no-color",
        "--request-timeout=5",
        // It has no end that could be waited for; the unit tests read it.
        "--exclude-path=/api/v1/events",
    ]);
    let finished = run_to_end_within(MADE_UP_WITHIN, command, Stdio::null());
    assert_eq!(
        finished.exit_code, 0,
        "{}{}",
        finished.stdout, finished.stderr
    );
}
