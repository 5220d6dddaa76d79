//! What the operating system knows of names: whom it asks, which domains it searches, and its hosts file.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hickory_resolver::Hosts;
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::Name;

/// More of a file is not read. Lists of blocked names fill hosts files with a few MiB.
const MOST_BYTES: u64 = 16 << 20;

/// More name servers than anybody asks in turn.
const MOST_SERVERS: usize = 8;

/// Where the operating system keeps what it knows of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameSources {
    /// The file with its name servers; none where it keeps them elsewhere, as Windows does.
    pub resolver: Option<PathBuf>,
    /// The hosts file, where there is one.
    pub hosts: Option<PathBuf>,
}

/// By what a change of the files is known. A file that is not there has a stamp, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameStamp {
    resolver: Option<FileStamp>,
    hosts: Option<FileStamp>,
}

type FileStamp = (SystemTime, u64);

/// What the operating system knows of names at one moment.
#[derive(Debug)]
pub struct NameSettings {
    /// Whom it asks, or what is wrong with its settings. Never an empty list.
    pub servers: Result<Vec<NameServerConfig>, String>,
    /// Which names it asks for besides the one that was given.
    pub search: NameSearch,
    /// The hosts file; empty where there is none.
    pub hosts: Hosts,
}

/// How the operating system completes a name that may not be the whole one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameSearch {
    /// In this order.
    pub domains: Vec<Name>,
    /// A name with so many dots is asked for as it is before it is searched for (`ndots` of resolv.conf).
    pub dots: usize,
    /// Whether a name with that many dots is searched for at all, once it is known that there is none as it is.
    pub whole_names: bool,
}

// === impl NameSources ===

impl NameSources {
    /// Those of this machine.
    #[must_use]
    pub fn of_system() -> Self {
        Self {
            resolver: RESOLVER_FILE.map(PathBuf::from),
            hosts: hosts_file(),
        }
    }

    /// Whether every change shows in the stamp.
    #[must_use]
    pub fn tell_changes(&self) -> bool {
        self.resolver.is_some()
    }

    /// The present stamp.
    #[must_use]
    pub fn stamp(&self) -> NameStamp {
        let stamp = |path: &Option<PathBuf>| {
            let metadata = path.as_deref()?.metadata().ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        NameStamp {
            resolver: stamp(&self.resolver),
            hosts: stamp(&self.hosts),
        }
    }

    /// Reads everything. What is wrong with the settings is part of the result.
    #[must_use]
    pub fn read(&self) -> NameSettings {
        let settings = resolver_settings(self.resolver.as_deref());
        let (servers, search) = match settings {
            Ok((config, options)) => (servers_of(&config), search_of(&config, &options)),
            Err(error) => (Err(error), NameSearch::default()),
        };
        NameSettings {
            servers: servers.map_err(|error| match &self.resolver {
                Some(path) => format!("{}: {error}", path.display()),
                None => error,
            }),
            search,
            hosts: self.hosts.as_deref().map(hosts_in).unwrap_or_default(),
        }
    }
}

/// Where the name servers are written down in a file (resolv.conf(5)).
#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
const RESOLVER_FILE: Option<&str> = Some("/etc/resolv.conf");

#[cfg(not(all(unix, not(any(target_os = "android", target_vendor = "apple")))))]
const RESOLVER_FILE: Option<&str> = None;

#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
fn resolver_settings(file: Option<&Path>) -> Result<(ResolverConfig, ResolverOpts), String> {
    let text = match file {
        Some(path) => read(path).map_err(|error| error.to_string())?,
        None => Vec::new(),
    };
    hickory_resolver::system_conf::parse_resolv_conf(text).map_err(|error| match error {
        NetError::Io(error) => error.to_string(),
        error => error.to_string(),
    })
}

#[cfg(not(all(unix, not(any(target_os = "android", target_vendor = "apple")))))]
fn resolver_settings(_: Option<&Path>) -> Result<(ResolverConfig, ResolverOpts), String> {
    hickory_resolver::system_conf::read_system_conf().map_err(|error| error.to_string())
}

/// Each server once: Windows lists those of every adapter.
fn servers_of(config: &ResolverConfig) -> Result<Vec<NameServerConfig>, String> {
    let mut servers: Vec<NameServerConfig> = Vec::new();
    for server in config.name_servers() {
        if servers.len() < MOST_SERVERS && servers.iter().all(|known| known.ip != server.ip) {
            servers.push(server.clone());
        }
    }
    if servers.is_empty() {
        return Err("no name server is configured".to_owned());
    }
    Ok(servers)
}

/// The search list, else the machine's own domain (on Windows its primary suffix). A root among them is how
/// `search .` and Windows say that there is none.
fn search_of(config: &ResolverConfig, options: &ResolverOpts) -> NameSearch {
    let own = config
        .domain()
        .filter(|_| config.search().is_empty())
        .into_iter();
    let mut domains: Vec<Name> = Vec::new();
    for domain in config.search().iter().chain(own) {
        if !domain.is_root() && !domains.contains(domain) {
            domains.push(domain.clone());
        }
    }
    NameSearch {
        domains,
        dots: options.ndots,
        // As glibc does. Windows and macOS search only for names of a single label unless told otherwise.
        whole_names: RESOLVER_FILE.is_some(),
    }
}

fn hosts_file() -> Option<PathBuf> {
    if cfg!(windows) {
        let root = super::environment("SystemRoot")?;
        return Some(Path::new(&root).join(r"System32\drivers\etc\hosts"));
    }
    cfg!(unix).then(|| PathBuf::from("/etc/hosts"))
}

/// A line that is not understood, or not in UTF-8, spoils only itself.
fn hosts_in(path: &Path) -> Hosts {
    let text = read(path).unwrap_or_default();
    let mut hosts = Hosts::default();
    let readable = String::from_utf8_lossy(&text);
    // Reading from memory cannot fail.
    hosts.read_hosts_conf(readable.as_bytes()).ok();
    hosts
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
#[cfg(all(unix, not(any(target_os = "android", target_vendor = "apple"))))]
mod tests {
    use std::fs;
    use std::str::FromStr;

    use hickory_resolver::proto::op::Query;
    use hickory_resolver::proto::rr::RecordType;
    use tempfile::TempDir;

    use super::*;

    fn sources(folder: &TempDir) -> NameSources {
        NameSources {
            resolver: Some(folder.path().join("resolv.conf")),
            hosts: Some(folder.path().join("hosts")),
        }
    }

    fn settings(resolver: &str) -> NameSettings {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("resolv.conf"), resolver).unwrap();
        sources(&folder).read()
    }

    fn domains(settings: &NameSettings) -> Vec<String> {
        let domains = settings.search.domains.iter();
        domains.map(Name::to_ascii).collect()
    }

    #[test]
    fn servers_and_search_list_are_read() {
        let settings = settings(
            "nameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver 192.0.2.53\n\
             search a.example b_c.example a.example\noptions ndots:3\n",
        );
        let servers = settings.servers.as_ref().unwrap().iter();
        let servers: Vec<String> = servers.map(|server| server.ip.to_string()).collect();
        assert_eq!(servers, ["192.0.2.53", "2001:db8::53"]);
        assert_eq!(domains(&settings), ["a.example", "b_c.example"]);
        assert_eq!(settings.search.dots, 3);
    }

    #[test]
    fn the_domain_stands_in_for_the_search_list() {
        let with_domain = settings("nameserver 192.0.2.53\ndomain corp.example\n");
        assert_eq!(domains(&with_domain), ["corp.example"]);
        let with_none = settings("nameserver 192.0.2.53\nsearch .\n");
        assert!(domains(&with_none).is_empty());
    }

    #[test]
    fn what_is_wrong_with_the_settings_is_a_value() {
        let table = [
            ("search corp.example\n", "no nameservers"),
            ("", "no nameservers"),
            ("nameserver 192.0.2.53\nsearch a..b\n", "resolv.conf"),
        ];
        for (text, expected) in table {
            let error = settings(text).servers.unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        let folder = TempDir::new().unwrap();
        let error = sources(&folder).read().servers.unwrap_err();
        assert!(error.contains("resolv.conf: No such file"), "{error}");
    }

    #[test]
    fn a_spoilt_line_of_the_hosts_file_spoils_only_itself() {
        let folder = TempDir::new().unwrap();
        let text = b"192.0.2.1 good_1\n192.0.2.2 caf\xe9\nnonsense\n192.0.2.3 Also.Good # no\n";
        fs::write(folder.path().join("hosts"), text).unwrap();
        let hosts = sources(&folder).read().hosts;
        for (name, known) in [("good_1", true), ("also.good", true), ("no", false)] {
            let query = Query::query(Name::from_str(name).unwrap(), RecordType::A);
            assert_eq!(hosts.lookup_static_host(&query).is_some(), known, "{name}");
        }
    }

    #[test]
    fn every_change_shows_in_the_stamp() {
        let folder = TempDir::new().unwrap();
        let sources = sources(&folder);
        let mut stamps = vec![sources.stamp()];
        for (file, text) in [
            ("resolv.conf", "nameserver 192.0.2.1"),
            ("resolv.conf", "nameserver 192.0.2.10"),
            ("hosts", ""),
            ("hosts", "192.0.2.1 a"),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
            assert!(!stamps.contains(&sources.stamp()), "{file}: {text}");
            assert_eq!(sources.stamp(), sources.stamp());
            stamps.push(sources.stamp());
        }
    }
}
