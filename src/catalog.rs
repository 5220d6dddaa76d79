//! The built-in catalog: which endpoints a feature requires, by cloud and version, each with its source.
//!
//! * `features/*.yml`: the data, one file a feature, made to be read and reviewed; `FORMAT.md` explains it. `sources.yml`:
//!   the documents on which it rests. `left-out.yml`: what is no feature, and why.
//! * `data`, `written`: read it once. `lint`: what it must hold to. `feature`, `cloud`, `template`: what it says, typed.
//! * `select`: applies what the configuration takes from it, with `requirements` (entries to endpoints) and
//!   `overrides` (what the configuration sets apart).
//! * `prerequisites`, with `prerequisites.yml`: what tenant attach needs beside its endpoints, and how it is verified.
//! * `scope`, `need`: for whom a command asks, and what an entry comes to there; `ask`: why there is no answer.
//!   `listing`, `sheet`, `diff`, `export`: the answers, which `text`, `markdown` and `table` write.

mod address;
mod ask;
mod cloud;
mod data;
mod described;
mod diff;
mod export;
mod feature;
mod lint;
mod listing;
mod markdown;
mod need;
mod overrides;
mod prerequisites;
mod requirements;
mod scope;
mod select;
mod sheet;
mod table;
mod template;
mod text;
mod written;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use address::{Address, Protocol};
pub use ask::AskError;
pub use cloud::{Cloud, Release, UnknownRelease};
pub use data::{DataError, features, left_out};
pub use described::entry_of;
pub use diff::{Change, Changed, Changes, Difference, diff_markdown, diff_text};
pub use export::{Export, ExportFormat};
pub(crate) use feature::name_of;
pub use feature::{
    Connector, Entry, Feature, Kind, Missing, Retired, RootSet, RouteChoice, Source, covers,
};
pub use lint::lint;
pub use listing::{InCloud, Listed, Listing};
pub use markdown::{list_markdown, show_markdown};
pub use need::{Dated, Need};
pub use prerequisites::{
    ADMINISTRATION_SERVICE, Means, Place, Prerequisite, Reference, Subject, TENANT_ATTACH,
    Verification, prerequisites,
};
pub use scope::{Asked, Scope};
pub use select::{notices, select};
pub use sheet::{Cited, Sheet};
pub use template::Template;
pub use text::{list_text, show_text};

use crate::config::Overrides;
use crate::endpoint::Endpoint;

/// What a selection from the catalog comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selected {
    /// The endpoints to probe, with what the configuration overrides.
    pub endpoints: Vec<(Endpoint, Overrides)>,
    /// What is required but cannot be probed, and why.
    pub not_probed: Vec<NotProbed>,
    /// The required wildcards, each as an endpoint that has it in place of a host and is not to be probed.
    pub wildcards: Vec<Endpoint>,
}

/// A required endpoint that cannot be probed, and why: shown, never hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotProbed {
    /// The service that requires it.
    pub service: String,
    /// The endpoint as the catalog writes it.
    pub endpoint: String,
    /// Why, and what would change that.
    pub why: String,
}

/// The feature of this name.
#[must_use]
pub fn feature(name: &str) -> Option<&'static Feature> {
    features().ok()?.iter().find(|feature| feature.name == name)
}

/// A hint for a name that is not among those there are: the nearest one, or all of them.
fn did_you_mean<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let nearest = names
        .iter()
        .map(|name| (strsim::jaro_winkler(written, name), *name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((_, name)) => format!("did you mean \"{name}\"?"),
        None if names.is_empty() => "there is none".to_owned(),
        None => format!("there are: {}", names.join(", ")),
    }
}
