//! Several reachd that share the checks of one configuration.

use std::collections::BTreeSet;
use std::fmt::Write;

use libtest_mimic::Trial;

use crate::kit::{Lab, Prometheus, Reachd, command, http, run_to_end};
use crate::suite::{SharedLab, trial};

/// How many endpoints there are, each over two routes.
const ENDPOINTS: usize = 20;

pub(crate) fn trials(lab: &SharedLab) -> Vec<Trial> {
    vec![
        trial("shards::three_run_each_check_once", lab, three),
        trial("shards::the_summary_adds_up", lab, summary),
        trial("shards::what_is_no_shard_is_refused", lab, refused),
    ]
}

fn configuration() -> String {
    let mut config = String::from(
        "global: {interval: 1s, timeout: 1s, resolver: lab}\n\
         resolvers: {lab: {servers: [\"@knot@:53\"], transport: udp}}\n\
         proxies: {squid: {url: \"http://squid.lab.test:3128\"}}\n\
         routes: [direct, squid]\n\
         endpoints:\n",
    );
    for number in 0..ENDPOINTS {
        let url = "http://web.lab.test/";
        writeln!(
            config,
            "- {{name: e{number}, service: site, url: \"{url}\"}}"
        )
        .unwrap();
    }
    config
}

fn three(lab: &Lab) {
    let config = lab.write("shards.yml", &configuration());
    let flags = ["--shard.index=0", "--shard.count=3"];
    let by_flags = Reachd::start_with(lab, "shard-0", &config, &flags);
    let by_environment = Reachd::start_in(lab, "shard-1", &config, &[], |command| {
        command
            .env("REACHD_SHARD_INDEX", "1")
            .env("REACHD_SHARD_COUNT", "3");
    });
    let flags = ["--shard.index", "auto", "--shard.count", "3"];
    let by_name = Reachd::start_in(lab, "shard-2", &config, &flags, |command| {
        command.env("REACHD_POD_NAME", "reachd-2");
    });
    let shards = [by_flags, by_environment, by_name];
    for (index, reachd) in shards.iter().enumerate() {
        reachd.wait_until_ready();
        let page = http::get(reachd.address, "/").unwrap().body;
        assert!(page.contains(&format!("shard {index} of 3")), "{page}");
    }

    let targets = shards.each_ref().map(|reachd| reachd.address);
    let prometheus = Prometheus::start(lab, "shards", &targets, &[]);
    prometheus.wait_for("all three", || {
        let shards = prometheus.query("reachd_shard_info == 1").ok()?;
        let indexes: BTreeSet<&str> = shards
            .iter()
            .filter(|shard| shard["metric"]["count"] == "3")
            .filter_map(|shard| shard["metric"]["index"].as_str())
            .collect();
        (indexes == BTreeSet::from(["0", "1", "2"])).then_some(())
    });
    let all = f64::from(u16::try_from(2 * ENDPOINTS).unwrap());
    let counts = [
        ("sum(reachd_checks)", all),
        ("count(reachd_probe_success)", all),
        (
            "count(count by (service, endpoint, route) (reachd_probe_success))",
            all,
        ),
        // Each has its share.
        ("count(reachd_checks > 0)", 3.0),
        // A service over all shards, as the documentation says it.
        ("max(reachd_service_status{route=\"direct\"})", 0.0),
    ];
    for (query, expected) in counts {
        prometheus.wait_for(query, || {
            let value = prometheus.value(query)?;
            ((value - expected).abs() < 0.5).then_some(())
        });
    }
}

fn summary(lab: &Lab) {
    let config = lab.write("shards-summary.yml", &configuration());
    let own = |index: usize, count: usize| -> usize {
        let (index, count) = (index.to_string(), count.to_string());
        let mut command = command(&["config", "check", "--shard.index", &index]);
        command.args(["--shard.count", &count]).arg(&config);
        let finished = run_to_end(command);
        assert_eq!(finished.exit_code, 0, "{finished:?}");
        let words = format!(" of which shard {index} of {count} runs,");
        let (before, _) = finished
            .stdout
            .split_once(&words)
            .unwrap_or_else(|| panic!("{finished:?}"));
        before
            .rsplit_once("40 checks, ")
            .unwrap()
            .1
            .parse()
            .unwrap()
    };
    for count in [3, 4] {
        let all: Vec<usize> = (0..count).map(|index| own(index, count)).collect();
        assert_eq!(all.iter().sum::<usize>(), 2 * ENDPOINTS, "{all:?}");
    }
}

fn refused(lab: &Lab) {
    let config = lab.write("shards-refused.yml", &configuration());
    let config = config.to_str().unwrap();
    let cases: [(&[&str], &str); 5] = [
        (
            &["--shard.index=3", "--shard.count=3"],
            "indexes go from 0 to 2",
        ),
        (
            &["--shard.index=0", "--shard.count=0"],
            "there is at least 1",
        ),
        (&["--shard.index=0"], "--shard.index needs --shard.count"),
        (&["--shard.count=2"], "--shard.count needs --shard.index"),
        (
            &["--shard.index=auto", "--shard.count=2"],
            "REACHD_POD_NAME `web` does not end with",
        ),
    ];
    for (flags, words) in cases {
        for verb in [&["run"][..], &["check"], &["config", "check"]] {
            let mut command = command(&[verb, &["--config.file", config], flags].concat());
            command.env("REACHD_POD_NAME", "web");
            let finished = run_to_end(command);
            assert_eq!(finished.exit_code, 64, "{flags:?}: {finished:?}");
            assert!(finished.stderr.contains(words), "{finished:?}");
        }
    }
}
