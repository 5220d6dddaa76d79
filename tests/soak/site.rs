//! The servers of the soak, of its own: they stop, freeze and misbehave, which other tests must not feel.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::time::Duration;

use crate::kit::{Daemon, Lab, as_squid, name_server_answers, squid_identity};

/// How long a server may take to end once it was told to: until the last of its connections is over.
const ENDS_WITHIN: Duration = Duration::from_secs(90);

/// Something that is wrong with a server for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    WebRefuses,
    WebFreezes,
    WebIsBadGateway,
    WebHangsUp,
    WebIsSlow,
    WebTrickles,
    NamesServfail,
    NamesNxdomain,
    NamesSilent,
    NamesSlow,
    ProxyRefuses,
    ProxyFreezes,
    ProxyDenies,
}

/// What can be wrong with one server; one thing at a time.
pub(super) const FAULTS: [&[Fault]; 3] = [
    &[
        Fault::WebRefuses,
        Fault::WebFreezes,
        Fault::WebIsBadGateway,
        Fault::WebHangsUp,
        Fault::WebIsSlow,
        Fault::WebTrickles,
    ],
    &[
        Fault::NamesServfail,
        Fault::NamesNxdomain,
        Fault::NamesSilent,
        Fault::NamesSlow,
    ],
    &[Fault::ProxyRefuses, Fault::ProxyFreezes, Fault::ProxyDenies],
];

/// A web server, a name server and a proxy, running or not.
pub(super) struct Site<'l> {
    lab: &'l Lab,
    web: Option<Daemon>,
    _names: Daemon,
    proxy: Option<Daemon>,
}

impl<'l> Site<'l> {
    /// Starts all of them; to be called on the thread on which they are to run.
    pub(super) fn start(lab: &'l Lab) -> Self {
        for folder in ["soak", "soak/nginx", "soak/squid", "soak/switches"] {
            fs::create_dir(lab.path(folder)).unwrap();
        }
        let (user, group) = squid_identity();
        chown(lab.path("soak/squid"), Some(user), Some(group)).unwrap();
        lab.write("soak/nginx.conf", include_str!("../lab/soak-nginx.conf"));
        lab.write(
            "soak/dnsdist.conf",
            include_str!("../lab/soak-dnsdist.conf"),
        );
        lab.write("soak/squid.conf", include_str!("../lab/soak-squid.conf"));
        lab.write("soak/denies.sh", include_str!("../lab/soak-denies.sh"));
        Self {
            lab,
            _names: start_names(lab),
            web: Some(start_web(lab)),
            proxy: Some(start_proxy(lab)),
        }
    }

    pub(super) fn begin(&mut self, fault: Fault) {
        match fault {
            // Both finish what they have begun, and write it down.
            Fault::WebRefuses => self.web().signal("QUIT"),
            Fault::ProxyRefuses => self.proxy().signal("TERM"),
            Fault::WebFreezes => self.web().signal_all("STOP"),
            Fault::ProxyFreezes => self.proxy().signal_all("STOP"),
            _ => {
                let (file, text) = switch(fault);
                let aside = self.lab.path("soak/aside");
                fs::write(&aside, text).unwrap();
                fs::rename(aside, self.switch(file)).unwrap();
            }
        }
    }

    /// Whether [`Site::end`] need not wait for the last connections of a server.
    pub(super) fn can_end(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::WebRefuses => self.web().has_ended(),
            Fault::ProxyRefuses => self.proxy().has_ended(),
            _ => true,
        }
    }

    pub(super) fn end(&mut self, fault: Fault) {
        match fault {
            Fault::WebRefuses => {
                self.web().wait_for_end(ENDS_WITHIN);
                self.web = Some(start_web(self.lab));
            }
            Fault::ProxyRefuses => {
                self.proxy().wait_for_end(ENDS_WITHIN);
                self.proxy = Some(start_proxy(self.lab));
            }
            Fault::WebFreezes => self.web().signal_all("CONT"),
            Fault::ProxyFreezes => self.proxy().signal_all("CONT"),
            _ => fs::remove_file(self.switch(switch(fault).0)).unwrap(),
        }
    }

    /// Ends what writes something down, so that all of it is written.
    pub(super) fn stop(&mut self) {
        self.begin(Fault::WebRefuses);
        self.begin(Fault::ProxyRefuses);
        self.web().wait_for_end(ENDS_WITHIN);
        self.proxy().wait_for_end(ENDS_WITHIN);
    }

    fn web(&mut self) -> &mut Daemon {
        self.web.as_mut().expect("the web server was started")
    }

    fn proxy(&mut self) -> &mut Daemon {
        self.proxy.as_mut().expect("the proxy was started")
    }

    fn switch(&self, file: &str) -> PathBuf {
        self.lab.path("soak/switches").join(file)
    }
}

/// The file that makes a server misbehave, and what it says.
fn switch(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::WebIsBadGateway => ("web-bad-gateway", ""),
        Fault::WebHangsUp => ("web-hangs-up", ""),
        Fault::WebIsSlow => ("web-slow", ""),
        Fault::WebTrickles => ("web-trickles", ""),
        Fault::NamesServfail => ("names", "servfail"),
        Fault::NamesNxdomain => ("names", "nxdomain"),
        Fault::NamesSilent => ("names", "silent"),
        Fault::NamesSlow => ("names", "slow"),
        Fault::ProxyDenies => ("proxy-denies", ""),
        other => panic!("{other:?} is no matter of a file"),
    }
}

fn start_names(lab: &Lab) -> Daemon {
    let conf = path(lab, "soak/dnsdist.conf");
    let command = ["dnsdist", "--supervised", "--disable-syslog", "-C", &conf];
    let mut names = Daemon::start("soak-names", &command, lab.dir());
    let address: SocketAddr = (lab.address("soak-names"), 53).into();
    names.wait_until(|| name_server_answers(address, "any.lab.test"));
    names
}

fn start_web(lab: &Lab) -> Daemon {
    let conf = path(lab, "soak/nginx.conf");
    let command = ["nginx", "-e", "stderr", "-c", &conf];
    let mut web = Daemon::start("soak-web", &command, lab.dir());
    web.wait_for((lab.address("soak-web"), 443));
    web
}

fn start_proxy(lab: &Lab) -> Daemon {
    let conf = path(lab, "soak/squid.conf");
    let tag = format!(
        "soak{}",
        lab.address("soak-proxy").to_string().replace('.', "x")
    );
    let command = as_squid(&["squid", "-N", "-n", &tag, "-f", &conf]);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut proxy = Daemon::start("soak-proxy", &command, lab.dir());
    proxy.wait_for((lab.address("soak-proxy"), 3128));
    proxy
}

fn path(lab: &Lab, file: &str) -> String {
    let path = lab.path(file);
    path.to_str().expect("a path in UTF-8").to_owned()
}
