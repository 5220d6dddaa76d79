//! A real Prometheus that scrapes what it is told to.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{Daemon, Lab, http, wait};

/// How long anything may take until Prometheus has it.
const SOON: Duration = Duration::from_secs(60);

/// It ends with the value.
pub(crate) struct Prometheus {
    daemon: Daemon,
    pub(crate) address: SocketAddr,
}

impl Prometheus {
    /// Starts it with these targets, and with more flags.
    pub(crate) fn start(lab: &Lab, name: &str, targets: &[SocketAddr], flags: &[&str]) -> Self {
        Self::start_every("1s", lab, name, targets, flags)
    }

    /// The same for answers that take their time: it waits for one as long as it waits until the next.
    pub(crate) fn start_every(
        interval: &str,
        lab: &Lab,
        name: &str,
        targets: &[SocketAddr],
        flags: &[&str],
    ) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/prometheus.yml");
        let template = fs::read_to_string(path).unwrap();
        let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let config = lab.write(
            &format!("prometheus-{name}.yml"),
            &template
                .replace("@interval@", interval)
                .replace("@target@", &targets.join("\", \"")),
        );
        let address = free_port(lab.address("prometheus"));
        let own = [
            "prometheus".to_owned(),
            format!("--config.file={}", config.display()),
            format!(
                "--storage.tsdb.path={}",
                lab.path(&format!("tsdb-{name}")).display()
            ),
            format!("--web.listen-address={address}"),
        ];
        let own = own.each_ref().map(String::as_str);
        let command = [&own[..], flags].concat();
        let mut daemon = Daemon::start(&format!("prometheus-{name}"), &command, lab.dir());
        daemon.wait_for(address);
        Self { daemon, address }
    }

    /// What a path of its API answers as `data`; or what is wrong.
    pub(crate) fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        let answer = http::get(self.address, &format!("{path}?{}", query.finish()));
        let answer = answer.map_err(|error| error.to_string())?;
        let mut value: Value =
            serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
        match value["status"].as_str() {
            Some("success") => Ok(value["data"].take()),
            _ => Err(format!("{parameters:?}: {}", value["error"])),
        }
    }

    /// The series that a query has now; or what is wrong with it.
    pub(crate) fn query(&self, query: &str) -> Result<Vec<Value>, String> {
        let data = self.ask("/api/v1/query", &[("query", query)])?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// The only value that a query has now.
    pub(crate) fn value(&self, query: &str) -> Option<f64> {
        match &self.query(query).ok()?[..] {
            [one] => one["value"][1].as_str()?.parse().ok(),
            _ => None,
        }
    }

    /// Looks until there is what is looked for.
    pub(crate) fn wait_for<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        let found = wait::within(SOON, look);
        found.unwrap_or_else(|| panic!("{what}: not within {SOON:?}\n{}", self.log()))
    }

    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }
}

/// A port of an address that is the lab's own, so that nobody takes it meanwhile.
fn free_port(address: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).expect("an address of the lab");
    listener.local_addr().expect("a bound listener")
}
