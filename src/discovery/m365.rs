//! The Microsoft 365 endpoints web service: asked whether there is a new version at most once an hour, for the endpoints
//! only then, and always under the same name. What it said is kept on disk.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod memory;
mod sets;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use serde::Deserialize;
use tracing::warn;
use url::Url;

use self::memory::{Memory, Shelf};
use self::sets::EndpointSet;
use super::board::Found;
use super::server::told;
use super::target::without_value;
use crate::config::M365Source;
use crate::probe::{Errand, Fetched};

/// Between two questions about the version, and after an answer that asks for patience (429).
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Between two attempts of which nobody knew.
const RETRY: Duration = Duration::from_secs(5 * 60);

/// The service, as far as this configuration wants to know of it.
#[derive(Debug)]
pub(super) struct Service {
    source: M365Source,
    /// Under which name it is asked; known, and written down, when it is asked for the first time.
    client: OnceLock<String>,
    memory: Mutex<Memory>,
    shelf: Option<Shelf>,
}

/// Why nothing is known.
struct Trouble {
    what: String,
    /// Whether the service has answered, so that it must not be asked again soon.
    is_answer: bool,
}

/// What `/version/INSTANCE` answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Versions {
    One(Version),
    Many(Vec<Version>),
}

#[derive(Deserialize)]
struct Version {
    instance: String,
    latest: String,
}

impl Service {
    /// With what is kept in the folder of what outlives the process, if there is one.
    pub(super) fn open(source: M365Source, state_dir: Option<&Path>) -> Self {
        let shelf = state_dir.map(|folder| Shelf::new(folder, source.instance));
        let memory = shelf.as_ref().and_then(Shelf::read).unwrap_or_default();
        let query = query_of(&source);
        Self {
            memory: Mutex::new(memory.of_query(query, SystemTime::now())),
            source,
            client: OnceLock::new(),
            shelf,
        }
    }

    /// The same service with other settings: what is known of it, and under which name it is asked, goes on.
    pub(super) fn succeeding(source: M365Source, state_dir: Option<&Path>, former: &Self) -> Self {
        let service = Self::open(source, state_dir);
        if service.shelf.is_some() || service.source.instance != former.source.instance {
            return service;
        }
        let memory = former.memory().clone();
        let query = query_of(&service.source);
        *service.memory() = memory.of_query(query, SystemTime::now());
        if let Some(client) = former.client.get() {
            // Nobody asked for a name yet.
            service.client.set(client.clone()).ok();
        }
        service
    }

    /// What is known without asking, and since when.
    pub(super) fn remembered(&self) -> (Found, Option<SystemTime>) {
        let memory = self.memory();
        let found = sets::endpoints(&memory.sets, &self.source);
        (found, memory.success())
    }

    /// Asks what must be asked now, and says when to ask again.
    pub(super) async fn ask(
        &self,
        errand: &Errand,
        now: SystemTime,
    ) -> (Result<(Found, SystemTime), String>, Duration) {
        let rest = self.memory().rest(now);
        if let Some(rest) = rest {
            let refused = self.memory().is_refused(now);
            let result = match self.remembered() {
                (found, Some(success)) if !refused => Ok((found, success)),
                _ => Err(self.memory().refused()),
            };
            return (result, rest);
        }
        let result = self.renew(errand, now).await;
        let result = match result {
            Ok(()) => {
                self.memory().succeed(now);
                let (found, _) = self.remembered();
                (Ok((found, now)), HOUR)
            }
            Err(trouble) if trouble.is_answer => {
                self.memory().wait(now, &trouble.what);
                (Err(trouble.what), HOUR)
            }
            Err(trouble) => (Err(trouble.what), RETRY),
        };
        self.keep().await;
        result
    }

    /// Brings the memory to the latest version.
    async fn renew(&self, errand: &Errand, now: SystemTime) -> Result<(), Trouble> {
        let known = self.memory().version_at(now);
        let latest = match known {
            Some(latest) => latest,
            None => self.latest(errand, now).await?,
        };
        if self.memory().has(&latest) {
            return Ok(());
        }
        let path = format!("endpoints/{}", self.source.instance.path());
        let query = query_of(&self.source);
        let fetched = self.get(errand, &path, &query).await?;
        let sets: Vec<EndpointSet> = parsed(&fetched)?;
        if sets.is_empty() {
            return Err(Trouble::other("the service names no endpoint at all"));
        }
        self.memory().take(latest, sets);
        Ok(())
    }

    async fn latest(&self, errand: &Errand, now: SystemTime) -> Result<String, Trouble> {
        let instance = self.source.instance.path();
        let path = format!("version/{instance}");
        let fetched = self.get(errand, &path, "").await?;
        let versions = match parsed(&fetched)? {
            Versions::One(version) => vec![version],
            Versions::Many(versions) => versions,
        };
        let is_its = |version: &Version| version.instance.eq_ignore_ascii_case(instance);
        let version = versions.into_iter().find(is_its);
        let latest = version.map(|version| version.latest);
        let is_version =
            |text: &String| text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit());
        let latest = latest.filter(is_version);
        let latest = latest
            .ok_or_else(|| Trouble::other(&format!("/version names no version of {instance}")))?;
        self.memory().heard(&latest, now);
        Ok(latest)
    }

    async fn get(&self, errand: &Errand, path: &str, query: &str) -> Result<Fetched, Trouble> {
        let url = self.url(path, query);
        let answer = errand.get(&url, HeaderMap::new()).await;
        let fetched = answer.map_err(|failure| Trouble {
            what: told(&failure),
            is_answer: false,
        })?;
        match fetched.status {
            200 => Ok(fetched),
            429 => Err(Trouble::patience(&format!(
                "/{path} answered 429: it is asked again in an hour"
            ))),
            status => Err(Trouble::other(&format!(
                "/{path} answered {status}, and not 200"
            ))),
        }
    }

    fn url(&self, path: &str, query: &str) -> Url {
        let mut url = self.source.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        let client = self.client();
        url.set_query(Some(&format!("ClientRequestId={client}{query}")));
        url
    }

    fn client(&self) -> &str {
        let kept = || {
            let place = self.shelf.as_ref();
            place.map_or_else(memory::new_client, Shelf::client)
        };
        self.client.get_or_init(kept)
    }

    /// Off the probing thread: a disk may take its time.
    async fn keep(&self) {
        let Some(place) = self.shelf.clone() else {
            return;
        };
        let memory = self.memory().clone();
        let written = tokio::task::spawn_blocking(move || place.write(&memory)).await;
        if let Ok(Err(error)) = written {
            warn!(
                error,
                "what the Microsoft 365 endpoints web service said cannot be kept"
            );
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is asked for beside the name, in the words of the service.
fn query_of(source: &M365Source) -> String {
    let areas: Vec<&str> = source.areas.iter().map(|area| area.wire_name()).collect();
    let mut query = format!("&ServiceAreas={}&NoIPv6=true", areas.join(","));
    if let Some(tenant) = &source.tenant {
        query.push_str("&TenantName=");
        query.push_str(tenant);
    }
    query
}

fn parsed<'a, T: Deserialize<'a>>(fetched: &'a Fetched) -> Result<T, Trouble> {
    serde_json::from_slice(&fetched.body).map_err(|error| {
        let what = without_value(&error.to_string());
        Trouble::other(&format!("the answer cannot be read: {what}"))
    })
}

impl Trouble {
    /// The service wants to be left alone.
    fn patience(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            is_answer: true,
        }
    }

    /// It may be over soon: a proxy may have answered in its place.
    fn other(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            is_answer: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{M365Area, M365Instance, Overrides};

    fn source() -> M365Source {
        M365Source {
            instance: M365Instance::UsGovGccHigh,
            areas: vec![M365Area::Exchange, M365Area::Skype],
            required_only: true,
            route: "direct".to_owned(),
            tenant: Some("contoso".to_owned()),
            url: "https://mirror.example/m365/".parse().unwrap(),
            overrides: Overrides::default(),
        }
    }

    #[test]
    fn questions_are_asked_under_one_name() {
        let service = Service::open(source(), None);
        let url = |path| service.url(path, &query_of(&service.source)).to_string();
        let client = service.client().to_owned();
        let expected = format!(
            "https://mirror.example/m365/endpoints/USGovGCCHigh?ClientRequestId={client}&ServiceAreas=Exchange,Skype\
             &NoIPv6=true&TenantName=contoso"
        );
        assert_eq!(url("endpoints/USGovGCCHigh"), expected);
        assert_eq!(url("endpoints/USGovGCCHigh"), expected);
    }

    #[test]
    fn looking_at_what_is_kept_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let service = Service::open(source(), Some(&state));
        assert_eq!(service.remembered(), (Found::default(), None));
        assert!(!state.exists());
        service.client();
        assert!(state.join("m365/client-request-id").exists());
    }
}
