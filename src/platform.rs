//! What is particular to the operating system. The lowest room: it knows nothing of endpoints or routes and
//! hands out what the machine says without a verdict on it.

mod kerberos;
mod names;
mod service;
mod signals;
mod sockets;
mod stamp;

pub use kerberos::{COMMAND as KERBEROS_COMMAND, IS_BUILT_IN as HAS_KERBEROS, Tokens};
pub use names::{NameSearch, NameSettings, NameSources, NameStamp};
pub use service::ServiceManager;
pub use signals::{Signal, Signals};
pub use sockets::{ListeningSocket, sockets_of_systemd};
pub use stamp::FileStamp;

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

/// The value of an environment variable; none where it is not set or not Unicode.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What the machine is called; none where it does not say.
#[must_use]
pub fn host_name() -> Option<String> {
    let of_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let of_kernel = of_kernel.map(|name| name.trim().to_owned());
    let of_kernel = of_kernel.filter(|name| !name.is_empty() && name != "(none)");
    of_kernel.or_else(|| environment("COMPUTERNAME"))
}

/// Makes a folder where there is none, with those above it, for the user of this process and nobody else.
///
/// # Errors
/// When it cannot be made.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// The program that runs, to be started once more with another command.
///
/// # Errors
/// When the operating system does not say.
pub fn this_program() -> io::Result<PathBuf> {
    // The file may have been replaced since by a newer release; this link leads to the one that runs.
    const LINK: &str = "/proc/self/exe";
    if cfg!(target_os = "linux") && std::fs::exists(LINK)? {
        return Ok(LINK.into());
    }
    std::env::current_exe()
}

/// If the machine has run out of what a connection takes, says so, and what to do.
#[must_use]
pub fn shortage(error: &io::Error) -> Option<String> {
    // Too many open files in this process and in the system, no room for buffers, no memory.
    const ON_UNIX: [i32; 4] = [24, 23, 105, 12];
    const ON_WINDOWS: [i32; 2] = [10024, 10055];
    let known: &[i32] = if cfg!(windows) { &ON_WINDOWS } else { &ON_UNIX };
    let code = error.raw_os_error()?;
    known.contains(&code).then(|| {
        format!(
            "this machine has nothing left for one more connection: {error}; nothing was sent. Raise the limit \
             (LimitNOFILE= in a systemd unit, `ulimit -n`), or lower `global.concurrency`"
        )
    })
}

/// What the environment says of proxies, as written. An empty variable counts as one that is not set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProxyVariables {
    /// `https_proxy`, else `HTTPS_PROXY`.
    pub https: Option<ProxyVariable>,
    /// `http_proxy`, else `HTTP_PROXY`.
    pub http: Option<ProxyVariable>,
    /// `all_proxy`, else `ALL_PROXY`.
    pub all: Option<ProxyVariable>,
    /// `no_proxy`, else `NO_PROXY`.
    pub no_proxy: Option<ProxyVariable>,
}

/// A variable that is set. Its value may hold a password, so it has no `Debug` that shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyVariable {
    /// As it is spelled in the environment.
    pub name: &'static str,
    /// As it is set, without blanks around it.
    pub value: String,
}

/// Reads the proxy variables with curl's precedence: the lower-case spelling wins.
pub fn proxies_of(lookup: impl Fn(&str) -> Option<String>) -> ProxyVariables {
    let first_of = |names: [&'static str; 2]| {
        names.into_iter().find_map(|name| {
            let value = lookup(name)?.trim().to_owned();
            (!value.is_empty()).then_some(ProxyVariable { name, value })
        })
    };
    ProxyVariables {
        https: first_of(["https_proxy", "HTTPS_PROXY"]),
        http: first_of(["http_proxy", "HTTP_PROXY"]),
        all: first_of(["all_proxy", "ALL_PROXY"]),
        no_proxy: first_of(["no_proxy", "NO_PROXY"]),
    }
}

impl std::fmt::Debug for ProxyVariable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyVariable")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_case_spelling_wins_and_empty_counts_as_unset() {
        let variables = proxies_of(|name| match name {
            "https_proxy" => Some("http://lower:1".to_owned()),
            "HTTPS_PROXY" => Some("http://upper:1".to_owned()),
            "http_proxy" => Some(" ".to_owned()),
            "HTTP_PROXY" => Some("http://user:hunter2@upper:2".to_owned()),
            _ => None,
        });
        let named = |name, value: &str| {
            Some(ProxyVariable {
                name,
                value: value.to_owned(),
            })
        };
        assert_eq!(variables.https, named("https_proxy", "http://lower:1"));
        assert_eq!(
            variables.http,
            named("HTTP_PROXY", "http://user:hunter2@upper:2")
        );
        assert_eq!(variables.all, None);
        assert!(!format!("{variables:?}").contains("hunter2"));
    }

    #[test]
    fn the_environment_is_read() {
        assert!(environment("PATH").is_some());
        assert_eq!(environment("REACHD_NEVER_SET"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_is_made_is_its_users_alone_and_others_stay_as_they_are() {
        use std::fs::{Permissions, metadata, set_permissions};
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (above, path) = (folder.path().join("a"), folder.path().join("a/b"));
        make_private_folder(&path).unwrap();
        let mode = |path: &Path| metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&above), mode(&path)), (0o700, 0o700));
        set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        make_private_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o750);
    }
}
