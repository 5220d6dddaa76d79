//! The kit of the end-to-end tests: a lab of real servers, certificates made for the run, faults that no real
//! server has, and reachd itself as a process.

mod block;
mod daemon;
mod dns;
mod exposition;
mod faults;
mod hostile;
pub(crate) mod http;
mod login_faults;
mod logins;
mod mounted;
mod pki;
mod prometheus;
mod reachd;
mod servers;
pub(crate) mod wait;
pub(crate) mod yaml;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

pub(crate) use daemon::Daemon;
pub(crate) use dns::answers as name_server_answers;
pub(crate) use exposition::{Exposition, Sample};
pub(crate) use mounted::Mounted;
pub(crate) use prometheus::Prometheus;
pub(crate) use reachd::{
    Finished, Reachd, command, run_to_end, run_to_end_with, run_to_end_within, with_kerberos,
};
pub(crate) use servers::{RESOLVER, as_squid, squid_identity};
use tempfile::TempDir;

use self::block::Block;
use self::faults::Faults;
use self::pki::Pki;
use self::servers::Values;

/// The passwords of the users of proxies and servers, by the name of the file that a scenario names.
pub(crate) const SECRETS: [(&str, &str); 3] = [
    ("alice", "wonderland"),
    ("bob", "s3cret"),
    ("wrong", "not-the-password"),
];

/// Everything that runs beside reachd. It ends with the value.
pub(crate) struct Lab {
    // The servers end first, and the folder goes last.
    _servers: Vec<Daemon>,
    _faults: Faults,
    block: Block,
    values: Values,
    next_port: AtomicU16,
    dir: TempDir,
}

impl Lab {
    /// Starts everything; to be called from the main thread, for the servers end with the thread that starts them.
    pub(crate) fn start() -> Self {
        let block = Block::claim();
        let dir = tempfile::Builder::new()
            .prefix("reachd-lab-")
            .tempdir()
            .unwrap();
        // squid runs as a user of its own and has its configuration in here.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let secrets = dir.path().join("secrets");
        fs::create_dir(&secrets).unwrap();
        for (file, secret) in SECRETS {
            fs::write(secrets.join(file), format!("{secret}\n")).unwrap();
        }
        let pki = Pki::make(&dir.path().join("pki"));
        let faults = Faults::start(&block);
        hostile::start(&block, &dir.path().join("pki"));
        let dual_port = faults.dual_port.to_string();
        let path = dir.path().to_str().expect("a path in UTF-8");
        let silent = Faults::address(&block, "silent").to_string();
        let leaves = pki.leaves_sha256.borrow();
        let leaf = |name: &str| leaves[name].as_str();
        let more = [
            ("dir", path),
            ("dual-port", &dual_port),
            ("silent", &silent),
            ("root-sha256", &pki.root_sha256),
            ("self-signed-sha256", leaf("self-signed")),
            ("good-sha256", leaf("good")),
            ("expired-sha256", leaf("expired")),
            ("wrong-host-sha256", leaf("wrong-host")),
            ("unknown-issuer-sha256", leaf("unknown-issuer")),
        ];
        let values = Values::new(&block, &more);
        Self {
            _servers: servers::start_all(&block, dir.path(), &values),
            _faults: faults,
            block,
            values,
            next_port: AtomicU16::new(9797),
            dir,
        }
    }

    /// The address of a server by the name that templates and scenarios use.
    pub(crate) fn address(&self, server: &str) -> Ipv4Addr {
        self.block.address(server)
    }

    /// Where nobody listens yet: every caller gets another port.
    pub(crate) fn fresh_address(&self) -> SocketAddr {
        let port = self.next_port.fetch_add(1, Ordering::Relaxed);
        (self.block.address("reachd"), port).into()
    }

    /// The text with its placeholders filled.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.values.fill(text)
    }

    /// A file or folder of this run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder of this run.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a configuration of reachd, placeholders filled, and returns its path.
    pub(crate) fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.path(file);
        fs::write(&path, self.fill(text)).unwrap();
        path
    }
}
