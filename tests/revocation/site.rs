//! A site of its own for one test: hosts whose certificates the test issues, the lists about them, and who asked for
//! what. Its authority is the one of tests/lab/revocation.sh.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kit::{Daemon, Lab};

/// The moment at which everything was revoked that is, as openssl's index writes it.
const REVOKED_AT: &str = "260101000000Z";

/// The end of everything that openssl's index has.
const ENDS: &str = "491231235959Z";

/// A site. Its server ends with the value.
pub(super) struct Site<'a> {
    lab: &'a Lab,
    dir: PathBuf,
    lists_port: u16,
    hosts_port: u16,
    _nginx: Daemon,
}

impl<'a> Site<'a> {
    /// Starts its server, which has no hosts yet.
    pub(super) fn start(lab: &'a Lab, name: &str) -> Self {
        let dir = lab.path(&format!("site-{name}"));
        fs::create_dir(&dir).unwrap();
        let [lists, hosts] = [lab.fresh_address(), lab.fresh_address()];
        let conf = include_str!("../lab/nginx-revocation-site.conf")
            .replace("@site@", text(&dir))
            .replace("@lists@", &lists.port().to_string())
            .replace("@hosts@", &hosts.port().to_string());
        let conf = lab.write(&format!("site-{name}/nginx.conf"), &conf);
        let command = ["nginx", "-e", "stderr", "-c", text(&conf)];
        let mut nginx = Daemon::start("nginx", &command, &dir);
        nginx.wait_for((lab.address("nginx-revocation"), hosts.port()));
        Self {
            lab,
            dir,
            lists_port: lists.port(),
            hosts_port: hosts.port(),
            _nginx: nginx,
        }
    }

    /// Issues the certificate of a host, with what it says about revocation. Returns the host's URL.
    pub(super) fn issue(&self, host: &str, serial: u32, says: &str) -> String {
        let name = format!("{host}.rev.lab.test");
        let [subject, names] = [
            format!("/CN={name}"),
            format!("subjectAltName = DNS:{name}"),
        ];
        let (serial, leaf) = (format!("0x{serial:x}"), self.leaf(host));
        let mut arguments = vec!["req", "-x509", "-new", "-config", "ca.cnf", "-key"];
        arguments.extend(["leaf.key", "-CA", "inter.ca", "-CAkey", "inter.key"]);
        arguments.extend(["-days", "3650", "-subj", &subject, "-set_serial", &serial]);
        arguments.extend(["-addext", &names, "-addext", says, "-out", text(&leaf)]);
        self.openssl(&arguments);
        let chain = [leaf, self.lab.path("revocation/inter.ca")];
        let chain = chain.map(|path| fs::read_to_string(path).unwrap());
        fs::write(self.dir.join(format!("{name}.pem")), chain.concat()).unwrap();
        format!("https://{name}:{}/", self.hosts_port)
    }

    /// The certificate of a host, without that of its issuer.
    pub(super) fn leaf(&self, host: &str) -> PathBuf {
        self.dir.join(format!("{host}.leaf"))
    }

    /// Issues a list.
    pub(super) fn list(&self, name: &str, revoked: impl IntoIterator<Item = u32>) {
        let lines = revoked
            .into_iter()
            .fold(String::new(), |mut lines, serial| {
                writeln!(
                    lines,
                    "R\t{ENDS}\t{REVOKED_AT},keyCompromise\t{serial:04X}\tunknown\t/CN={serial}"
                )
                .unwrap();
                lines
            });
        let written = self.dir.join("list.pem");
        fs::write(self.dir.join("index.txt"), lines).unwrap();
        fs::write(self.dir.join("index.txt.attr"), "unique_subject = no\n").unwrap();
        fs::write(self.dir.join("crlnumber"), "01\n").unwrap();
        let authority = self.lab.path("revocation");
        let [config, certificate, key] =
            ["ca.cnf", "inter.ca", "inter.key"].map(|file| authority.join(file));
        let mut generate = Command::new("openssl");
        generate
            .args(["ca", "-gencrl", "-crldays", "7", "-config"])
            .arg(config)
            .arg("-cert")
            .arg(certificate)
            .arg("-keyfile")
            .arg(key)
            .arg("-out")
            .arg(&written)
            .current_dir(&self.dir);
        run(&mut generate);
        let served = self.dir.join(name);
        let convert = ["crl", "-in", text(&written), "-outform", "DER"];
        self.openssl(&[&convert[..], &["-out", text(&served)]].concat());
    }

    /// What a certificate says whose list is to be had here. The place makes one list into many.
    pub(super) fn says_list(&self, place: &str, name: &str) -> String {
        let port = self.lists_port;
        format!("crlDistributionPoints = URI:http://crl.rev.lab.test:{port}/list/{place}/{name}")
    }

    /// What a certificate says whose responder is behind a server that takes no GET.
    pub(super) fn says_posts(&self, place: &str, responder: u16) -> String {
        let port = self.lists_port;
        format!(
            "authorityInfoAccess = OCSP;URI:http://ocsp.rev.lab.test:{port}/responder/{place}/{responder}"
        )
    }

    /// An index such as a responder of openssl's answers from.
    pub(super) fn index(&self, name: &str, good: &[u32], revoked: &[u32]) -> PathBuf {
        let mut lines = String::new();
        for serial in good {
            writeln!(lines, "V\t{ENDS}\t\t{serial:04X}\tunknown\t/CN={serial}").unwrap();
        }
        for serial in revoked {
            let line = format!("R\t{ENDS}\t{REVOKED_AT},superseded\t{serial:04X}");
            writeln!(lines, "{line}\tunknown\t/CN={serial}").unwrap();
        }
        let path = self.dir.join(format!("{name}.index"));
        fs::write(&path, lines).unwrap();
        path
    }

    /// Who asked for something in that place, how, and for what, in order.
    pub(super) fn asked(&self, place: &str) -> Vec<String> {
        let of_place = format!("/{place}/");
        lines(&self.dir.join("asked.log"), &of_place)
    }

    /// Who came to the host.
    pub(super) fn visitors(&self, host: &str) -> Vec<String> {
        let name = format!(" {host}.rev.lab.test");
        let visits = lines(&self.dir.join("visited.log"), &name);
        let address = |visit: &String| visit.split(' ').next().unwrap_or_default().to_owned();
        visits.iter().map(address).collect()
    }

    /// Runs openssl where the authority's files are.
    fn openssl(&self, arguments: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl
            .args(arguments)
            .current_dir(self.lab.path("revocation"));
        run(&mut openssl);
    }

    pub(super) fn lab(&self) -> &'a Lab {
        self.lab
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
}

fn lines(log: &Path, word: &str) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap();
    let lines = log.lines().filter(|line| line.contains(word));
    lines.map(str::to_owned).collect()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
