//! Flags of the web server, as the Prometheus exporters have them, and of who asks it for its health.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::server::{HostFlag, PathFlag};

/// Flags of the web server.
#[derive(Debug, Clone, Args)]
pub struct WebArguments {
    /// The web configuration file: TLS, client certificates, logins, headers and a rate limit, in the format of the
    /// Prometheus exporters. Read anew when it changes.
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,

    /// Serve on the sockets that systemd opened, instead of --web.listen-address.
    #[arg(long = "web.systemd-socket", conflicts_with = "listen_addresses")]
    pub systemd_socket: bool,

    /// The path of the metrics, below the prefix.
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = "/metrics"
    )]
    pub telemetry_path: PathFlag,

    /// What stands before every path, as for a reverse proxy.
    #[arg(long = "web.route-prefix", value_name = "PATH", default_value = "/")]
    pub route_prefix: PathFlag,

    /// A name by which clients know reachd, such as a reverse proxy's; repeatable. Requests for another name are refused
    /// then. Without any, they are refused on loopback without TLS and logins, where pages of other sites could ask.
    #[arg(long = "web.host", value_name = "NAME")]
    pub hosts: Vec<HostFlag>,
}

/// Flags of `healthcheck`.
#[derive(Debug, Clone, Args)]
pub struct HealthcheckArguments {
    /// The address that the daemon serves on; of several, the first is asked.
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9797",
        value_parser = listen_address
    )]
    pub listen_addresses: Vec<SocketAddr>,

    /// The prefix of the daemon's paths.
    #[arg(long = "web.route-prefix", value_name = "PATH", default_value = "/")]
    pub route_prefix: PathFlag,

    /// The daemon's web configuration file. It says whether TLS is spoken, and which certificate the daemon shows: no
    /// other one is trusted then.
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,

    /// Where the daemon is, in place of the flags above: http://… or https://…, with its prefix.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["listen_addresses", "route_prefix", "web_config_file"]
    )]
    pub url: Option<Url>,

    /// Ask whether every check has run, too.
    #[arg(long)]
    pub ready: bool,

    /// How long the answer may take.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,

    /// Whom to trust over TLS (PEM), instead of the operating system's trust store.
    #[arg(long, value_name = "FILE", conflicts_with = "web_config_file")]
    pub ca_file: Option<PathBuf>,

    /// The certificate to show over TLS (PEM).
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_certificate: Option<PathBuf>,

    /// Its key (PEM).
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    pub client_key: Option<PathBuf>,

    /// The user to log in as.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub username: Option<String>,

    /// The file with the password.
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
}

/// An address with its port. Without an address in front of the port it is every one of this machine, as the exporters
/// have it.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix(':').and_then(|port| port.parse().ok()) {
        return Ok((Ipv6Addr::UNSPECIFIED, port).into());
    }
    text.parse().map_err(|_| {
        "an address is an IP address with a port, such as 127.0.0.1:9797, [::1]:9797 or :9797"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_for_the_exporters() {
        for (text, address) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:9797", "[::1]:9797"),
            (":9797", "[::]:9797"),
        ] {
            assert_eq!(listen_address(text), Ok(address.parse().unwrap()));
        }
        for text in [
            "",
            "9797",
            "localhost:9797",
            "127.0.0.1",
            ":99999",
            "::1:9797x",
        ] {
            assert!(listen_address(text).is_err(), "{text}");
        }
    }
}
