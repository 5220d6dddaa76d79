//! The real servers of the lab, each with the configuration in tests/lab and a measure of being ready.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::block::Block;
use super::daemon::Daemon;
use super::dns;
use super::faults::Faults;

/// As whom squid runs: it refuses to run as root.
pub(super) const SQUID_USER: &str = "proxy";

/// What makes certificates for squid where it inspects TLS.
const SQUID_CERTIFICATES: &str = "/usr/lib/squid/security_file_certgen";

/// The user of kit.rs with her password's hash, made by `openssl passwd -apr1`.
const ALICE: &str = "alice:$apr1$reachdlb$vhEEcWBpOI8rX7EbduwIQ/\n";

/// The file in the folder of the run that makes the system's resolver ask the lab.
pub(crate) const RESOLVER: &str = "lab-resolv.conf";

/// What the placeholders `@name@` of templates and scenarios stand for.
pub(crate) struct Values(Vec<(String, String)>);

impl Values {
    /// The servers' addresses, and whatever else there is.
    pub(crate) fn new(block: &Block, more: &[(&str, &str)]) -> Self {
        let servers = block
            .servers()
            .map(|(name, address)| (name.to_owned(), address.to_string()));
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self(servers.chain(more).collect())
    }

    /// The text with its placeholders filled.
    pub(crate) fn fill(&self, template: &str) -> String {
        self.0
            .iter()
            .fold(template.to_owned(), |text, (name, value)| {
                text.replace(&format!("@{name}@"), value)
            })
    }
}

/// Writes every configuration and starts all servers at once; they are ready when this returns.
pub(crate) fn start_all(block: &Block, dir: &Path, values: &Values) -> Vec<Daemon> {
    let lab = Lab { block, dir, values };
    let mut daemons = vec![
        lab.knot(),
        lab.dnsdist(),
        lab.unbound(),
        lab.nginx(),
        lab.squid(),
        lab.tinyproxy(),
        lab.dante("dante", "none"),
        lab.dante("dante-password", "username"),
        lab.haproxy(),
    ];
    let mut kdc = lab.kdc();
    daemons.extend(lab.logins());
    kdc.wait_for(lab.at("kdc", 88));
    lab.tickets();
    for (daemon, ready) in &mut daemons {
        match *ready {
            Ready::Names(server) => daemon.wait_until(|| dns::answers(server, "web.lab.test")),
            Ready::Accepts(server) => daemon.wait_for(server),
        }
    }
    lab.expiry();
    let daemons = daemons.into_iter().map(|(daemon, _)| daemon);
    daemons.chain([kdc]).collect()
}

/// What the servers are started with.
pub(super) struct Lab<'a> {
    pub(super) block: &'a Block,
    pub(super) dir: &'a Path,
    values: &'a Values,
}

/// When a server is ready.
pub(super) enum Ready {
    /// When it answers a question.
    Names(SocketAddr),
    /// When it accepts a connection.
    Accepts(SocketAddr),
}

impl Lab<'_> {
    fn knot(&self) -> (Daemon, Ready) {
        fs::create_dir(self.dir.join("knot")).unwrap();
        let mut zone = self.values.fill(include_str!("../lab/lab.test.zone"));
        for (name, address) in Faults::names(self.block) {
            writeln!(zone, "{name}.fault A {address}").unwrap();
        }
        fs::write(self.dir.join("lab.test.zone"), zone).unwrap();
        let conf = self.write("knot.conf", include_str!("../lab/knot.conf"));
        let daemon = self.start("knot", &["knotd", "-c", &conf]);
        (daemon, Ready::Names(self.at("knot", 53)))
    }

    fn dnsdist(&self) -> (Daemon, Ready) {
        let conf = self.write("dnsdist.conf", include_str!("../lab/dnsdist.conf"));
        let command = ["dnsdist", "--supervised", "--disable-syslog", "-C", &conf];
        let daemon = self.start("dnsdist", &command);
        (daemon, Ready::Names(self.at("dnsdist", 53)))
    }

    fn unbound(&self) -> (Daemon, Ready) {
        let conf = self.write("unbound.conf", include_str!("../lab/unbound.conf"));
        let daemon = self.start("unbound", &["unbound", "-d", "-p", "-c", &conf]);
        (daemon, Ready::Names(self.at("unbound", 53)))
    }

    fn nginx(&self) -> (Daemon, Ready) {
        for dir in ["nginx", "www"] {
            fs::create_dir(self.dir.join(dir)).unwrap();
        }
        fs::write(self.dir.join("www/64k"), vec![b'x'; 64 * 1024]).unwrap();
        fs::write(self.dir.join("passwords"), ALICE).unwrap();
        self.scripts();
        self.revocation();
        self.write("nginx-paths.conf", include_str!("../lab/nginx-paths.conf"));
        let conf = self.write("nginx.conf", include_str!("../lab/nginx.conf"));
        let daemon = self.start("nginx", &["nginx", "-e", "stderr", "-c", &conf]);
        (daemon, Ready::Accepts(self.at("nginx", 443)))
    }

    /// Proxy scripts, where nginx serves them.
    fn scripts(&self) {
        let served = self.dir.join("www/pac");
        fs::create_dir(&served).unwrap();
        let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/pac");
        for entry in fs::read_dir(written).unwrap() {
            let entry = entry.unwrap();
            let script = self.values.fill(&fs::read_to_string(entry.path()).unwrap());
            fs::write(served.join(entry.file_name()), script).unwrap();
        }
        fs::write(served.join("large.pac"), vec![b' '; 2 << 20]).unwrap();
    }

    /// Certificates with lists and answers about them, and a server for each.
    fn revocation(&self) {
        let script = self.write("revocation.sh", include_str!("../lab/revocation.sh"));
        let dir = self.dir.join("revocation");
        let folder = dir.to_str().expect("a path in UTF-8").to_owned();
        run_to_end(&["sh".to_owned(), script, folder]);
        fs::copy(
            dir.join("crl/blocked.crl"),
            self.dir.join("www/blocked.crl"),
        )
        .unwrap();
        let mut servers = include_str!("../lab/nginx-revocation.conf").to_owned();
        let template = include_str!("../lab/nginx-revocation-host.conf");
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            let name = name.expect("a name in UTF-8");
            if path.extension() != Some("leaf".as_ref()) {
                continue;
            }
            let staple = match name.strip_prefix("stapled-") {
                Some(_) => {
                    format!("ssl_stapling on; ssl_stapling_file @dir@/revocation/ocsp/{name}.der;")
                }
                None => String::new(),
            };
            servers.push_str(
                &template
                    .replace("@name@", name)
                    .replace("@staple@", &staple),
            );
        }
        self.write("nginx-revocation.conf", &servers);
    }

    fn squid(&self) -> (Daemon, Ready) {
        let own = self.dir.join("squid");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("passwords"), ALICE).unwrap();
        let nginx = self.block.address("nginx");
        let hosts = format!("{nginx} only-the-proxy-knows.lab.test graph.microsoft.com\n");
        fs::write(own.join("hosts"), hosts).unwrap();
        let (user, group) = identity(SQUID_USER);
        chown(&own, Some(user), Some(group)).unwrap();
        let conf = self.write("squid.conf", include_str!("../lab/squid.conf"));
        let tag = self.block.tag();
        let made = own.join("made-certificates");
        let made = made.to_str().expect("a path in UTF-8");
        run_to_end(&as_squid(&[
            SQUID_CERTIFICATES,
            "-c",
            "-s",
            made,
            "-M",
            "4MB",
        ]));
        let command = as_squid(&["squid", "-N", "-n", &tag, "-f", &conf]);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let daemon = self.start("squid", &command);
        (daemon, Ready::Accepts(self.at("squid", 3128)))
    }

    fn tinyproxy(&self) -> (Daemon, Ready) {
        let conf = self.write("tinyproxy.conf", include_str!("../lab/tinyproxy.conf"));
        // It asks whom the system asks: show it a system of its own that asks the lab.
        let script = format!(
            "mount --bind {} /etc/resolv.conf && exec tinyproxy -d -c {conf}",
            self.resolver()
        );
        let command = ["unshare", "--mount", "sh", "-c", &script];
        let daemon = self.start("tinyproxy", &command);
        (daemon, Ready::Accepts(self.at("tinyproxy", 8888)))
    }

    /// Its users are the system's: show it a system of its own that has ALICE of kit.rs and asks the lab for names.
    fn dante(&self, name: &'static str, method: &str) -> (Daemon, Ready) {
        let listen = self.block.address(name).to_string();
        let conf = include_str!("../lab/dante.conf")
            .replace("@listen@", &listen)
            .replace("@method@", method);
        let conf = self.write(&format!("{name}.conf"), &conf);
        let users = "root:x:0:0::/:/bin/false\nalice:x:65000:65000::/:/bin/false\n";
        let users = self.write(&format!("{name}-passwd"), users);
        // Made by `openssl passwd -6`.
        let passwords = "root:*:1::::::\nalice:$6$reachdlb$FIY2ovvwc41JWJMSAJpVupk4lBczKP9YSRedoAcglErQ646nalSNS\
                         HwaHZkFpeLBUBvRXhH.OJZv29ACHpnB91:20000::::::\n";
        let passwords = self.write(&format!("{name}-shadow"), passwords);
        let script = format!(
            "mount --bind {} /etc/resolv.conf && mount --bind {users} /etc/passwd && \
             mount --bind {passwords} /etc/shadow && exec danted -f {conf} -p {conf}.pid",
            self.resolver()
        );
        // It is many processes, which end with the first of a namespace of their own.
        let namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"];
        let daemon = self.start(name, &[&namespaces[..], &["sh", "-c", &script]].concat());
        (daemon, Ready::Accepts(self.at(name, 1080)))
    }

    /// A resolv.conf that asks the lab.
    fn resolver(&self) -> String {
        let resolver = format!("nameserver {}\n", self.block.address("knot"));
        self.write(RESOLVER, &resolver)
    }

    fn haproxy(&self) -> (Daemon, Ready) {
        let conf = self.write("haproxy.cfg", include_str!("../lab/haproxy.cfg"));
        let daemon = self.start("haproxy", &["haproxy", "-db", "-f", &conf]);
        (daemon, Ready::Accepts(self.at("haproxy-answers", 1502)))
    }

    fn start(&self, name: &str, command: &[&str]) -> Daemon {
        Daemon::start(name, command, self.dir)
    }

    pub(super) fn at(&self, server: &str, port: u16) -> SocketAddr {
        (self.block.address(server), port).into()
    }

    /// A text with its placeholders filled.
    pub(super) fn filled(&self, template: &str) -> String {
        self.values.fill(template)
    }

    /// Writes a configuration and returns its path.
    pub(super) fn write(&self, file: &str, template: &str) -> String {
        let path: PathBuf = self.dir.join(file);
        fs::write(&path, self.filled(template)).unwrap();
        path.to_str().expect("a path in UTF-8").to_owned()
    }
}

/// Runs what has to be done before a server starts.
fn run_to_end(command: &[String]) {
    let output = Command::new(&command[0]).args(&command[1..]).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// The command as the user that squid runs as.
pub(crate) fn as_squid(command: &[&str]) -> Vec<String> {
    let (user, group) = identity(SQUID_USER);
    let (user, group) = (user.to_string(), group.to_string());
    // Changing the user clears the signal at the parent's death, so it is set again.
    let signal = ["setpriv", "--pdeathsig", "KILL"];
    let as_user = ["--reuid", &user, "--regid", &group, "--clear-groups", "--"];
    let whole = [&signal[..], &as_user, command].concat();
    whole.into_iter().map(str::to_owned).collect()
}

/// The numbers of the user that squid runs as.
pub(crate) fn squid_identity() -> (u32, u32) {
    identity(SQUID_USER)
}

/// The numbers of a system user.
pub(super) fn identity(user: &str) -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let mut entries = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let entry = entries.find(|entry| entry[0] == user);
    let entry = entry.unwrap_or_else(|| panic!("there is no user {user}: is squid installed?"));
    (entry[2].parse().unwrap(), entry[3].parse().unwrap())
}
