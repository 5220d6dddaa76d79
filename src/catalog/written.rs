//! The entries of a data file as they are written there, and what becomes of them: what all have in common is filled
//! in, a list of URLs comes apart, keys are looked up.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::cloud::{Cloud, Release};
use super::feature::{Entry, Kind, RootSet, RouteChoice, Source, name_of};
use super::template::Template;
use crate::endpoint::{Hold, Inspection};

/// What the files of all features refer to.
pub(super) struct Shared {
    pub(super) sources: BTreeMap<String, Source>,
    pub(super) roots: BTreeMap<String, RootSet>,
}

/// What `defaults` may say for entries that do not say it themselves.
const DEFAULTS: [&str; 9] = [
    "breaks",
    "clouds",
    "critical",
    "inspection",
    "logs",
    "meaning",
    "roots",
    "sources",
    "why",
];

/// An entry, but for its URLs.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    clouds: Option<Vec<Cloud>>,
    #[serde(default)]
    kind: Kind,
    critical: bool,
    why: String,
    breaks: String,
    #[serde(deserialize_with = "logs")]
    logs: Vec<String>,
    since: Option<Release>,
    until: Option<Release>,
    stands_in_for: Option<String>,
    #[serde(default)]
    follow_redirects: bool,
    roots: Option<String>,
    #[serde(default)]
    inspection: Inspection,
    #[serde(default, deserialize_with = "hold")]
    hold: Option<Hold>,
    #[serde(default)]
    status: Vec<u16>,
    #[serde(default)]
    meaning: BTreeMap<u16, Arc<str>>,
    route: Option<RouteChoice>,
    not_probed: Option<String>,
    sources: Vec<String>,
    note: Option<String>,
}

/// `hold` as written: how long. The rest is the configuration's business.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeldFor {
    #[serde(rename = "for")]
    duration: String,
}

/// The entries of a feature that these clouds have.
pub(super) fn entries(
    written: Vec<Value>,
    defaults: &BTreeMap<String, Value>,
    clouds: &BTreeMap<Cloud, Option<Release>>,
    shared: &Shared,
) -> Result<Vec<Entry>, String> {
    let mut known = DEFAULTS.iter();
    if let Some(key) = defaults.keys().find(|key| !known.any(|known| known == key)) {
        return Err(format!("defaults: unknown field `{key}`"));
    }
    let mut entries = Vec::new();
    for mut value in written {
        let urls = take_urls(&mut value)?;
        let told = urls.join(", ");
        for (key, default) in defaults {
            if value.get(key).is_none() {
                value[key] = default.clone();
            }
        }
        let written: Written =
            serde_json::from_value(value).map_err(|error| format!("{told}: {error}"))?;
        for url in urls {
            let entry = written.clone().entry(url, clouds, shared);
            entries.push(entry.map_err(|problem| format!("{told}: {problem}"))?);
        }
    }
    name_by_port(&mut entries);
    Ok(entries)
}

/// The URLs of an entry, which keeps the rest.
fn take_urls(value: &mut Value) -> Result<Vec<String>, String> {
    let Some(fields) = value.as_object_mut() else {
        return Err(format!("{value} is no entry"));
    };
    let urls = match (fields.remove("url"), fields.remove("urls")) {
        (Some(url), None) => Value::Array(vec![url]),
        (None, Some(urls)) => urls,
        (None, None) => return Err("an entry without url".to_owned()),
        (Some(url), Some(_)) => return Err(format!("{url}: either url or urls, not both")),
    };
    serde_json::from_value(urls).map_err(|error| format!("url or urls: {error}"))
}

impl Written {
    fn entry(
        self,
        url: String,
        clouds: &BTreeMap<Cloud, Option<Release>>,
        shared: &Shared,
    ) -> Result<Entry, String> {
        let unknown = self
            .sources
            .iter()
            .find(|key| !shared.sources.contains_key(*key));
        if let Some(key) = unknown {
            return Err(format!("sources.yml has no source {key}"));
        }
        let roots_of = |operator: String| {
            let set = shared.roots.get(&operator).cloned();
            set.ok_or_else(|| format!("roots.yml has no roots of {operator}"))
        };
        Ok(Entry {
            url: Template::from(url),
            own_name: self.name,
            clouds: self
                .clouds
                .unwrap_or_else(|| clouds.keys().copied().collect()),
            kind: self.kind,
            critical: self.critical,
            why: self.why,
            breaks: self.breaks,
            logs: self.logs,
            since: self.since,
            until: self.until,
            stands_in_for: self.stands_in_for,
            follow_redirects: self.follow_redirects,
            roots: self.roots.map(roots_of).transpose()?,
            inspection: self.inspection,
            hold: self.hold,
            status: self.status,
            meaning: self.meaning,
            route: self.route,
            not_probed: self.not_probed,
            sources: self.sources,
            note: self.note,
        })
    }
}

/// Names entries over `http` by their port where the same is required over `https`.
fn name_by_port(entries: &mut [Entry]) {
    let over_https: HashSet<String> = entries
        .iter()
        .filter(|entry| entry.url.as_str().starts_with("https://"))
        .map(|entry| name_of(entry.url.as_str()).to_owned())
        .collect();
    for entry in entries {
        let name = name_of(entry.url.as_str());
        let is_plain = entry.url.as_str().starts_with("http://");
        if is_plain && entry.own_name.is_none() && over_https.contains(name) {
            let (host, path) = name
                .find('/')
                .map_or((name, ""), |slash| name.split_at(slash));
            entry.own_name = Some(format!("{host}:80{path}"));
        }
    }
}

/// Files, or a word that there are none, lest they be forgotten.
fn logs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let written = Value::deserialize(deserializer)?;
    if written == "undocumented" {
        return Ok(Vec::new());
    }
    match serde_json::from_value(written) {
        Ok(Some(files)) if !Vec::<String>::is_empty(&files) => Ok(files),
        _ => Err(D::Error::custom(
            "logs must name files, or be `undocumented`",
        )),
    }
}

fn hold<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hold>, D::Error> {
    let HeldFor { duration } = HeldFor::deserialize(deserializer)?;
    let duration = humantime::parse_duration(&duration).map_err(D::Error::custom)?;
    Ok(Some(Hold {
        duration,
        interval: Hold::DEFAULT_INTERVAL,
        keep_alive: None,
    }))
}
