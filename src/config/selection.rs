//! The section `catalog`: what is taken from the built-in catalog. The catalog itself checks the names.

use std::collections::BTreeMap;

use super::chain::INSPECTION;
use super::credentials;
use super::endpoints::rhythm_and_routes;
use super::expectation;
use super::names::Names;
use super::reader::{Fields, Value};
use super::scalars::{boolean, integer, word};
use super::trust;
use super::{CatalogSelection, Located, Overrides};
use crate::endpoint::TlsSettings;
use crate::route::Route;

/// The cloud of a selection that names none.
const DEFAULT_CLOUD: &str = "public";

/// Reads the section. What an override says of TLS is on top of the global section.
pub(super) fn read(
    value: &Value<'_>,
    routes: &Names<Route>,
    tls: &TlsSettings,
) -> Option<CatalogSelection> {
    value.fields(|fields| {
        let cloud = fields.optional("cloud", located_text);
        let version = fields.optional("configmgr_version", |value| {
            Some(value.located(integer(value, &(1000..=u16::MAX))?))
        });
        let features = fields.required("features", |value| value.filled_list(located_text));
        let variables = fields.optional("variables", |value| by_name(value, located_text));
        let overrides = fields.optional("overrides", |value| {
            by_name(value, |value| {
                let overrides = value.fields(|fields| overrides(fields, routes, tls))?;
                Some(value.located(overrides))
            })
        });
        let discover_redirects = fields.optional("discover_redirects", boolean);
        Some(CatalogSelection {
            cloud: cloud.unwrap_or_else(|| value.located(DEFAULT_CLOUD.to_owned())),
            configmgr_version: version,
            features: features?,
            variables: variables.unwrap_or_default(),
            overrides: overrides.unwrap_or_default(),
            discover_redirects: discover_redirects.unwrap_or_default(),
        })
    })?
}

fn overrides(
    fields: &mut Fields<'_>,
    routes: &Names<Route>,
    global_tls: &TlsSettings,
) -> Overrides {
    Overrides {
        enabled: fields.optional("enabled", boolean),
        critical: fields.optional("critical", boolean),
        inspection: fields.optional("inspection", |value| word(value, &INSPECTION)),
        // Whether the endpoint can be sent it, only the plan can say.
        credentials: fields.optional("auth", |value| credentials::of_endpoint(value, None)),
        tls: fields.optional("tls", |value| {
            trust::of_peer(value, global_tls, trust::Alpn::Http)
        }),
        pins: fields.optional("expect", expectation::of_override),
        ..rhythm_and_routes(fields, routes)
    }
}

fn located_text(value: &Value<'_>) -> Option<Located<String>> {
    Some(value.located(value.text()?))
}

fn by_name<T>(
    value: &Value<'_>,
    read: impl Fn(&Value<'_>) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let entries = value.entries()?.into_iter();
    let read = |(name, value): (&str, Value<'_>)| Some((name.to_owned(), read(&value)?));
    Some(entries.filter_map(read).collect())
}
