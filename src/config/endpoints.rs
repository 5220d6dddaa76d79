//! The section `endpoints`: what the user requires beyond the catalog.

use super::credentials;
use super::expectation;
use super::hold;
use super::names::Names;
use super::reader::{Fields, Value};
use super::retry;
use super::revocation;
use super::scalars::{INTERVALS, TIMEOUTS, boolean, duration, name};
use super::target::{TargetError, target};
use super::trust;
use super::{EndpointSettings, Overrides};
use crate::endpoint::{
    Endpoint, MOST_LABELS, Origin, RecordType, ResolverSettings, Target, TlsSettings,
    fault_of_label,
};
use crate::route::Route;
use std::collections::BTreeMap;

/// The service of an endpoint that names none.
pub(super) const DEFAULT_SERVICE: &str = "default";

/// What endpoints refer to.
pub(super) struct Surroundings<'a> {
    pub(super) resolvers: &'a Names<ResolverSettings>,
    pub(super) routes: &'a Names<Route>,
    pub(super) tls: &'a TlsSettings,
}

/// The kinds of URL, which decide what keys mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Https,
    Http,
    Tls,
    Tcp,
    Dns,
}

/// Reads the section.
pub(super) fn read(value: &Value<'_>, around: &Surroundings<'_>) -> Vec<EndpointSettings> {
    let mut all: Vec<EndpointSettings> = Vec::new();
    let mut taken = std::collections::HashSet::new();
    for item in value.items().unwrap_or_default() {
        let Some(settings) = endpoint(&item, around) else {
            continue;
        };
        let Endpoint { name, service, .. } = &settings.endpoint;
        if taken.insert((service.clone(), name.clone())) {
            all.push(settings);
        } else {
            item.refuse::<()>(format!(
                "the service `{service}` has already an endpoint named `{name}`"
            ));
        }
    }
    all
}

fn endpoint(value: &Value<'_>, around: &Surroundings<'_>) -> Option<EndpointSettings> {
    value.fields(|fields| {
        let name_of_it = fields.required("name", name);
        let service = fields.optional("service", name);
        let target = fields.required("url", url);
        let kind = target.as_ref().map(Kind::of);
        let record = fields.optional("record", record);
        only_for(&[Kind::Dns], kind, fields, &["record"]);
        only_for(
            &[Kind::Https, Kind::Http, Kind::Tls],
            kind,
            fields,
            &["tls"],
        );
        only_for(
            &[Kind::Https, Kind::Tls, Kind::Tcp],
            kind,
            fields,
            &["hold"],
        );
        only_for(&[Kind::Https, Kind::Tls], kind, fields, &["revocation"]);
        let alpn = match kind {
            Some(Kind::Tls) => trust::Alpn::Any,
            _ => trust::Alpn::Http,
        };
        let tls = fields.optional("tls", |value| trust::of_peer(value, around.tls, alpn));
        let tls = tls.unwrap_or_else(|| around.tls.clone());
        let credentials = fields.optional("auth", |value| {
            credentials::of_endpoint(value, target.as_ref().map(|target| (target, &tls)))
        });
        let critical = fields.optional("critical", boolean);
        let expectation = fields.optional("expect", |value| expectation::read(value, kind));
        let labels = fields.optional("labels", labels);
        let resolver = fields.optional("resolver", |value| around.resolvers.find(value).cloned());
        let overrides = Overrides {
            enabled: None,
            critical: None,
            credentials,
            ..rhythm_and_routes(fields, around.routes)
        };
        Some(EndpointSettings {
            endpoint: Endpoint {
                name: name_of_it?,
                service: service.unwrap_or_else(|| DEFAULT_SERVICE.to_owned()),
                target: with_record(target?, record),
                critical: critical.unwrap_or(true),
                expectation: expectation.unwrap_or_default().into(),
                hold: None,
                cloud: None,
                stands_in_for: None,
                serves_revocation: false,
                origin: Origin::Configuration,
                publishes: None,
                labels: labels.unwrap_or_default(),
            },
            overrides,
            resolver,
            tls,
        })
    })?
}

/// What endpoints of the user and overrides of the catalog have in common.
pub(super) fn rhythm_and_routes(fields: &mut Fields<'_>, routes: &Names<Route>) -> Overrides {
    Overrides {
        routes: fields.optional("routes", |value| {
            value.filled_list(|item| routes.name(item))
        }),
        interval: fields.optional("interval", |value| duration(value, &INTERVALS)),
        timeout: fields.optional("timeout", |value| duration(value, &TIMEOUTS)),
        retry: fields.optional("retry_interval", retry::read),
        hold: fields.optional("hold", hold::read),
        revocation: fields.optional("revocation", |value| revocation::of_endpoint(value, routes)),
        ..Overrides::default()
    }
}

/// Refuses keys that mean nothing for this kind of URL.
pub(super) fn only_for(
    kinds: &[Kind],
    kind: Option<Kind>,
    fields: &mut Fields<'_>,
    keys: &[&'static str],
) {
    fields.known(keys.iter().copied());
    if kind.is_none_or(|kind| kinds.contains(&kind)) {
        return;
    }
    let schemes: Vec<&str> = kinds.iter().map(|kind| kind.scheme()).collect();
    let why = format!("means something only for {} endpoints", schemes.join(", "));
    for key in keys {
        fields.meaningless(key, &why);
    }
}

/// Never shows the URL: whoever writes a password into it shall not find it in a log.
fn url(value: &Value<'_>) -> Option<Target> {
    match target(&value.text()?) {
        Ok(target) => Some(target),
        Err(error @ TargetError::Credentials) => value.refuse_with(
            error.to_string(),
            "use auth: {basic: {username, password_file}}".to_owned(),
        ),
        Err(error) => value.refuse(error.to_string()),
    }
}

fn labels(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    let entries = value.entries()?;
    if entries.len() > MOST_LABELS {
        return value.refuse(format!("more than {MOST_LABELS} labels"));
    }
    let label = |(name, value): (&str, Value<'_>)| {
        let text = value.text()?;
        match fault_of_label(name, &text) {
            Some(fault) => value.refuse(fault),
            None => Some((name.to_owned(), text)),
        }
    };
    Some(entries.into_iter().filter_map(label).collect())
}

fn record(value: &Value<'_>) -> Option<RecordType> {
    let text = value.text()?.to_ascii_uppercase();
    let found = RecordType::ALL
        .into_iter()
        .find(|record| record.as_str() == text);
    found.or_else(|| {
        let all = RecordType::ALL.map(RecordType::as_str).join(", ");
        value.refuse(format!("{} is not one of {all}", value.shown()))
    })
}

fn with_record(mut target: Target, record: Option<RecordType>) -> Target {
    if let (Target::Dns(question), Some(record)) = (&mut target, record) {
        question.record = record;
    }
    target
}

impl Kind {
    pub(super) fn of(target: &Target) -> Self {
        match target {
            Target::Http(url) if url.scheme() == "https" => Self::Https,
            Target::Http(_) => Self::Http,
            Target::Tls(_) => Self::Tls,
            Target::Tcp(_) => Self::Tcp,
            Target::Dns(_) => Self::Dns,
        }
    }

    fn scheme(self) -> &'static str {
        match self {
            Self::Https => "https://",
            Self::Http => "http://",
            Self::Tls => "tls://",
            Self::Tcp => "tcp://",
            Self::Dns => "dns:",
        }
    }
}
