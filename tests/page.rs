//! The status page in Chromium, and the reports that browsers and CI servers read. tests/page has what is done there;
//! tests/run installs what that needs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::{Lab, Reachd, command, run_to_end, run_to_end_within};
use crate::suite::{SharedLab, trial};

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("page::looked_at", lab, looked_at),
        trial("page::follows_what_happens", lab, follows),
        trial("page::reports", lab, reports),
    ]
}

/// A browser without a graphics card draws slowly, the more so beside other tests.
const SCRIPT_WITHIN: Duration = Duration::from_secs(240);

/// Three routes, of which one is dead, and an endpoint that fails over each.
const SITE: &str = "\
global: {interval: 1s, timeout: 1s, resolver: lab}
resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}
tls: {ca_file: \"@dir@/pki/root.pem\"}
catalog: {features: [cmg-connection-point]}
proxies:
  corp: {url: \"http://@squid@:3128\"}
  branch: {url: \"http://@nobody@:3128\"}
routes: [direct, corp, branch]
endpoints:
  - {name: admin-service, service: site, url: \"https://expired.lab.test/AdminService/v1.0/\"}
  - {name: distribution-point, service: site, url: \"http://web.lab.test/SMS_DP/\"}
  - {name: management-point, service: site, url: \"https://web.lab.test/SMS_MP/\", hold: {for: 5s, interval: 10s}}
  - {name: graph, service: tenant-attach, url: \"https://web.lab.test/v1.0/me\"}
  - {name: gateway, service: tenant-attach, url: \"https://web.lab.test/gateway\"}
  - {name: sign-in, service: tenant-attach, url: \"https://web.lab.test/oauth2\"}
  - {name: telemetry, service: tenant-attach, url: \"https://late-answer.fault.lab.test/\", critical: false}
  - {name: content, service: updates-and-servicing, url: \"https://h2.lab.test/\"}
  - {name: updates, service: updates-and-servicing, url: \"https://web.lab.test/updates\"}
";

fn looked_at(lab: &Lab) {
    let config = lab.write("page.yml", SITE);
    let reachd = Reachd::start(lab, "page", &config);
    reachd.wait_until_ready();
    let url = format!("http://{}", reachd.address);
    python("page/look.py", &[&url]);
    // Drawing whole pages takes longer than all of that.
    if let Ok(folder) = env::var("PICTURES") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        python("page/pictures.py", &[&url, folder.to_str().unwrap()]);
    }
}

fn follows(lab: &Lab) {
    let address = lab.fresh_address();
    let server = lab.path("comes-and-goes.conf");
    let dir = lab.dir().display();
    let conf = format!(
        "daemon off;\nmaster_process off;\nuser root;\npid {dir}/comes-and-goes.pid;\nerror_log stderr warn;\n\
         events {{}}\nhttp {{\n  access_log off;\n  server {{ listen {address}; return 204; }}\n}}\n"
    );
    fs::write(&server, conf).unwrap();
    let config = format!(
        "global: {{interval: 1s, timeout: 1s}}\nendpoints:\n  \
         - {{name: comes-and-goes, service: site, url: \"http://{address}/\"}}\n"
    );
    let config = lab.write("follows.yml", &config);
    let reachd = Reachd::start(lab, "follows", &config);
    let url = format!("http://{}", reachd.address);
    let pid = reachd.daemon.id().to_string();
    python("page/live.py", &[&url, server.to_str().unwrap(), &pid]);
}

fn reports(lab: &Lab) {
    let config = lab.write(
        "reports.yml",
        "global: {resolver: lab, timeout: 2s}\n\
         resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}\n\
         tls: {ca_file: \"@dir@/pki/root.pem\"}\n\
         catalog: {features: [cmg-connection-point]}\n\
         endpoints:\n  \
         - {name: web, service: site, url: \"https://web.lab.test/\"}\n  \
         - {name: expired, service: site, url: \"https://expired.lab.test/\"}\n",
    );
    let written = |format: &str| -> PathBuf {
        let config = config.to_str().unwrap();
        let arguments = ["check", "--config.file", config, "--format", format];
        let finished = run_to_end(command(&arguments));
        assert_eq!(finished.exit_code, 2, "{finished:?}");
        let path = lab.path(&format!("report.{format}"));
        fs::write(&path, finished.stdout).unwrap();
        path
    };
    let [junit, html, markdown] = ["junit", "html", "markdown"].map(written);
    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(markdown.starts_with("# reachd: CRITICAL\n"), "{markdown}");
    let paths = [junit, html].map(|path| path.display().to_string());
    python("page/reports.py", &[&paths[0], &paths[1]]);
}

/// Runs a script of tests/ to its good end.
pub(crate) fn python(script: &str, arguments: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(root.join("target/tools/python/bin/python"));
    command
        .arg("-B")
        .arg(root.join("tests").join(script))
        .args(arguments);
    let finished = run_to_end_within(SCRIPT_WITHIN, command, Stdio::null());
    assert_eq!(finished.exit_code, 0, "{script}: {finished:#?}");
}
