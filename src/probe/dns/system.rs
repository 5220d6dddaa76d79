//! The operating system's name service, followed as it changes: DHCP and VPNs write other name servers, people
//! edit the hosts file, and reachd runs all day. No task watches; a probe that asks looks now and then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::Known;
use super::exchange::Servers;
use crate::platform::{NameSettings, NameSources, NameStamp};

/// The files are not looked at more often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Settings that are in no file, and so tell no change, are read anew as often as this.
const READ_EVERY: Duration = Duration::from_secs(60);

/// What the operating system knows of names, at most a few seconds old.
#[derive(Debug)]
pub(super) struct SystemNames {
    sources: NameSources,
    /// Without servers of its own: those come with the settings.
    template: Servers,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    known: Arc<Known>,
    stamp: NameStamp,
    looked: Instant,
    read: Instant,
}

impl SystemNames {
    pub(super) fn new(sources: NameSources, template: Servers) -> Self {
        // The stamp before the settings: what changes in between shows at the next look.
        let stamp = sources.stamp();
        let known = Arc::new(Known::of_system(sources.read(), &template));
        let now = Instant::now();
        Self {
            sources,
            template,
            state: Mutex::new(State {
                known,
                stamp,
                looked: now,
                read: now,
            }),
        }
    }

    /// What is known now. Files that do not let themselves be read until the deadline change nothing.
    pub(super) async fn known(&self, deadline: Instant) -> Arc<Known> {
        if let Some(former) = self.stamp_to_compare() {
            let sources = self.sources.clone();
            let look = spawn_blocking(move || changed_since(former, &sources));
            if let Ok(Ok(Some((stamp, settings)))) = timeout_at(deadline, look).await {
                self.replace(stamp, settings);
            }
        }
        Arc::clone(&self.state().known)
    }

    /// None while it is too early for another look; else the caller is to look, and nobody else for a while.
    fn stamp_to_compare(&self) -> Option<Former> {
        let mut state = self.state();
        let now = Instant::now();
        if now.duration_since(state.looked) < LOOK_EVERY {
            return None;
        }
        state.looked = now;
        let is_old = now.duration_since(state.read) >= READ_EVERY;
        if is_old && !self.sources.tell_changes() {
            return Some(Former::Outdated);
        }
        Some(Former::Stamp(state.stamp))
    }

    fn replace(&self, stamp: NameStamp, settings: NameSettings) {
        let known = Arc::new(Known::of_system(settings, &self.template));
        let mut state = self.state();
        state.known = known;
        state.stamp = stamp;
        state.read = Instant::now();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the present settings are compared with.
#[derive(Debug, Clone, Copy)]
enum Former {
    Stamp(NameStamp),
    Outdated,
}

fn changed_since(former: Former, sources: &NameSources) -> Option<(NameStamp, NameSettings)> {
    let stamp = sources.stamp();
    match former {
        Former::Stamp(former) if former == stamp => None,
        _ => Some((stamp, sources.read())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;
    use tokio::time::advance;

    use super::*;
    use crate::endpoint::ResolverSettings;

    fn names(sources: NameSources) -> SystemNames {
        SystemNames::new(sources, Servers::new(&ResolverSettings::System).unwrap())
    }

    fn in_folder(folder: &TempDir) -> NameSources {
        NameSources {
            resolver: Some(folder.path().join("resolv.conf")),
            hosts: Some(folder.path().join("hosts")),
        }
    }

    async fn known(names: &SystemNames) -> Arc<Known> {
        names.known(Instant::now() + Duration::from_secs(10)).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_edited_hosts_file_is_followed_after_a_while() {
        let folder = TempDir::new().unwrap();
        let names = names(in_folder(&folder));
        assert!(known(&names).await.in_hosts_file("cm01").is_empty());
        fs::write(folder.path().join("hosts"), "192.0.2.1 cm01\n").unwrap();
        advance(LOOK_EVERY / 2).await;
        assert!(known(&names).await.in_hosts_file("cm01").is_empty());
        advance(LOOK_EVERY / 2).await;
        let found = known(&names).await.in_hosts_file("cm01");
        assert_eq!(found, ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]);
        fs::remove_file(folder.path().join("hosts")).unwrap();
        advance(LOOK_EVERY).await;
        assert!(known(&names).await.in_hosts_file("cm01").is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn files_that_did_not_change_are_not_read_again() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("hosts"), "192.0.2.1 cm01\n").unwrap();
        let names = names(in_folder(&folder));
        let before = known(&names).await;
        advance(READ_EVERY * 2).await;
        assert!(Arc::ptr_eq(&before, &known(&names).await));
    }

    #[tokio::test(start_paused = true)]
    async fn settings_that_are_in_no_file_are_read_every_minute() {
        let names = names(NameSources {
            resolver: None,
            hosts: None,
        });
        let before = known(&names).await;
        advance(READ_EVERY / 2).await;
        assert!(Arc::ptr_eq(&before, &known(&names).await));
        advance(READ_EVERY / 2).await;
        assert!(!Arc::ptr_eq(&before, &known(&names).await));
    }
}
