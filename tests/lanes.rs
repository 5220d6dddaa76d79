//! A proxy or a resolver that is dead keeps only those waiting that need it.

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::kit::{Lab, Reachd};
use crate::suite::{SharedLab, trial};

/// How long anything may take that is waited for.
const SOON: Duration = Duration::from_secs(180);

/// Checks behind each of the dead: at any moment, many times as many as may run at once.
const BEHIND_EACH: u32 = 60;

/// Checks that need neither.
const WELL: u32 = 3;

/// How many probes each of those must come to meanwhile.
const ROUNDS: f64 = 4.0;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![trial("lanes::the_dead_keep_nobody_waiting", lab, dead)]
}

fn dead(lab: &Lab) {
    // Both take what comes, and never answer.
    let proxy = TcpListener::bind((lab.address("nobody"), 0)).expect("an address of the lab");
    let server = UdpSocket::bind((lab.address("nobody"), 0)).expect("an address of the lab");
    let [proxy_address, server_address] =
        [proxy.local_addr(), server.local_addr()].map(|address| address.expect("it is bound"));
    let config = lab.write("lanes.yml", &configuration(proxy_address, server_address));
    let reachd = Reachd::start(lab, "lanes", &config);
    let metrics = reachd.wait_for_metrics("the others go on", SOON, |metrics| {
        let labels = [("service", "well"), ("result", "success")];
        let probes = metrics.matching("reachd_probes_total", &labels);
        probes.iter().filter(|probe| probe.value >= ROUNDS).count() == WELL as usize
    });
    let probes = |service, result| {
        let labels = [("service", service), ("result", result)];
        metrics.sum("reachd_probes_total", &labels)
    };
    let failed = probes("well", "failure");
    assert!(failed < 1.0, "{failed} failed: {}", reachd.daemon.log());
    // Had all waited for each other, those would have been probed as often.
    for service in ["behind-proxy", "behind-resolver"] {
        let rounds = probes(service, "failure") / f64::from(BEHIND_EACH);
        assert!(rounds > 0.0, "{service} was not probed");
        assert!(
            rounds < ROUNDS / 2.0,
            "{service}: {rounds} rounds meanwhile"
        );
        assert!(probes(service, "success") < 1.0, "{service} is not dead");
    }
}

fn configuration(proxy: SocketAddr, server: SocketAddr) -> String {
    let mut text = format!(
        "global: {{interval: 6s, timeout: 5s, retry_interval: off, resolver: lab, concurrency: 16}}\n\
         resolvers:\n\
         \x20 lab: {{servers: [\"@knot@:53\"], transport: udp}}\n\
         \x20 dead: {{servers: [\"{server}\"], transport: udp}}\n\
         tls: {{ca_file: \"@dir@/pki/root.pem\"}}\nrevocation: {{mode: off}}\n\
         proxies: {{dead: {{url: \"http://{proxy}\"}}}}\nroutes: [direct]\nendpoints:\n"
    );
    let mut add = |service: &str, number: u32, more: &str| {
        let url = format!("https://web.lab.test/status/200?{number}");
        writeln!(
            text,
            "  - {{name: e{number}, service: {service}, url: \"{url}\"{more}}}"
        )
        .unwrap();
    };
    for number in 0..BEHIND_EACH {
        add("behind-proxy", number, ", routes: [dead]");
        add("behind-resolver", number, ", resolver: dead");
    }
    for number in 0..WELL {
        add("well", number, "");
    }
    text
}
