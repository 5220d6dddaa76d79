//! A target and its labels, as Prometheus' formats have them, to an endpoint.

use std::collections::BTreeMap;

use super::MOST_TARGETS;
use super::board::Found;
use crate::catalog::NotProbed;
use crate::config::{EndpointSettings, Overrides, TargetDefaults, TargetGroup, is_name, target_of};
use crate::endpoint::{
    Endpoint, Expectation, Origin, Target, TlsSettings, fault_of_labels, is_own_label,
};

/// A longer name says nothing to anybody.
const LONGEST_NAME: usize = 255;

/// What is before a label of the user whose name reachd has itself.
const EXPORTED: &str = "exported_";

/// The scheme of a target that has none.
const DEFAULT_SCHEME: &str = "https";

/// A list of targets in JSON.
pub(super) fn groups_in_json(what: &str, json: &[u8]) -> Result<Vec<TargetGroup>, String> {
    serde_json::from_slice(json).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let place = format!(" at line {line} column {column}");
        let message = message.strip_suffix(&place).unwrap_or(&message);
        format!("{what}:{line}:{column}: {}", without_value(message))
    })
}

/// The longest name of a field that is told.
const LONGEST_FIELD: usize = 80;

/// What a JSON reader says, without the value that it found: that may be long, or a secret.
pub(super) fn without_value(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let is_plain = found.len() < LONGEST_FIELD && !found.contains("://");
    if found.starts_with("unknown field") && is_plain {
        return message.to_owned();
    }
    let (kind, _) = found.split_once(':').unwrap_or((found, ""));
    format!("{kind}, expected {expected}")
}

/// The endpoints of a list of targets. Those that cannot be probed are told, each with the reason.
pub(super) fn endpoints(
    groups: &[TargetGroup],
    defaults: &TargetDefaults,
    origin: Origin,
) -> Result<Found, String> {
    let count: usize = groups.iter().map(|group| group.targets.len()).sum();
    if count > MOST_TARGETS {
        return Err(format!("{count} targets: at most {MOST_TARGETS} are taken"));
    }
    let mut found = Found::default();
    for (number, group) in groups.iter().enumerate() {
        for (index, target) in group.targets.iter().enumerate() {
            let listed = Listed {
                target,
                labels: &group.labels,
                defaults,
                origin,
            };
            match listed.endpoint() {
                Ok(endpoint) => found.endpoints.push(endpoint),
                Err(why) => found.not_probed.push(NotProbed {
                    service: listed.service().to_owned(),
                    endpoint: listed.shown(number, index),
                    why: format!("{}: {why}", origin.as_str()),
                }),
            }
        }
    }
    Ok(found)
}

/// An endpoint that a source names, with nothing but defaults.
pub(super) fn endpoint(name: String, service: String, target: Target, origin: Origin) -> Endpoint {
    Endpoint {
        name,
        service,
        target,
        critical: true,
        expectation: Expectation::default().into(),
        hold: None,
        cloud: None,
        stands_in_for: None,
        serves_revocation: false,
        origin,
        publishes: None,
        labels: BTreeMap::default(),
    }
}

/// A target in its list.
struct Listed<'a> {
    target: &'a str,
    labels: &'a BTreeMap<String, String>,
    defaults: &'a TargetDefaults,
    origin: Origin,
}

impl Listed<'_> {
    fn endpoint(&self) -> Result<EndpointSettings, String> {
        let service = self.service();
        if !is_name(service) {
            return Err(
                "the label `service` is no name: 1 to 128 letters, digits, `.`, `_` or `-`"
                    .to_owned(),
            );
        }
        let target = target_of(&self.url()?)?;
        // What may be secret in a URL is in its query.
        let (unnamed, _) = self.target.split_once('?').unwrap_or((self.target, ""));
        let name = self.label("name").unwrap_or(unnamed);
        if name.len() > LONGEST_NAME || name.is_empty() || name.contains(char::is_control) {
            return Err(format!(
                "its name is longer than {LONGEST_NAME} bytes or not printable: give it another by the label `name`"
            ));
        }
        let overrides = &self.defaults.overrides;
        Ok(EndpointSettings {
            endpoint: Endpoint {
                critical: match self.critical()? {
                    Some(critical) => critical,
                    None => overrides.critical.unwrap_or(true),
                },
                labels: self.own_labels()?,
                ..endpoint(name.to_owned(), service.to_owned(), target, self.origin)
            },
            overrides: Overrides {
                critical: None,
                routes: self.routes()?.or_else(|| overrides.routes.clone()),
                ..overrides.clone()
            },
            resolver: None,
            tls: TlsSettings::default(),
        })
    }

    fn service(&self) -> &str {
        self.label("service").unwrap_or(&self.defaults.service)
    }

    /// A URL as it is; a host, with or without a port, with what the labels say of it.
    fn url(&self) -> Result<String, String> {
        let target = self.target;
        let asks_dns = target.strip_prefix("dns:").is_some_and(|name| {
            // A host that is named dns, with a port.
            !name.chars().all(|c| c.is_ascii_digit())
        });
        if target.contains("://") || asks_dns {
            return Ok(target.to_owned());
        }
        let scheme = self.label("__scheme__").unwrap_or(DEFAULT_SCHEME);
        match scheme {
            "https" | "http" => {
                let path = self.label("__metrics_path__").unwrap_or("/");
                let slash = if path.starts_with('/') { "" } else { "/" };
                Ok(format!("{scheme}://{target}{slash}{path}"))
            }
            "tls" | "tcp" => Ok(format!("{scheme}://{target}")),
            _ => Err("the label `__scheme__` is none of https, http, tls and tcp".to_owned()),
        }
    }

    fn critical(&self) -> Result<Option<bool>, String> {
        match self.label("critical") {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err("the label `critical` is neither true nor false".to_owned()),
        }
    }

    fn routes(&self) -> Result<Option<Vec<String>>, String> {
        let Some(written) = self.label("route") else {
            return Ok(None);
        };
        let mut routes: Vec<String> = Vec::new();
        for name in written.split(',').map(str::trim) {
            if !is_name(name) {
                return Err(
                    "the label `route` is no list of routes, such as `direct,corp`".to_owned(),
                );
            }
            if !routes.iter().any(|known| known == name) {
                routes.push(name.to_owned());
            }
        }
        Ok(Some(routes))
    }

    /// What is left of the labels, to be shown.
    fn own_labels(&self) -> Result<BTreeMap<String, String>, String> {
        let is_shown = |name: &str| {
            !name.starts_with("__") && !["service", "critical", "route", "name"].contains(&name)
        };
        let labels = self.labels.iter();
        let labels = labels.filter(|(name, value)| is_shown(name) && !value.is_empty());
        let labels: BTreeMap<String, String> = labels
            .map(|(name, value)| {
                let prefix = if is_own_label(name) { EXPORTED } else { "" };
                (format!("{prefix}{name}"), value.clone())
            })
            .collect();
        match fault_of_labels(&labels) {
            Some(fault) => Err(fault),
            None => Ok(labels),
        }
    }

    /// A label that is there and not empty: to Prometheus, the two are the same.
    fn label(&self, name: &str) -> Option<&str> {
        let value = self.labels.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// How it is called where it cannot be probed. What may hold a password is not shown.
    fn shown(&self, group: usize, index: usize) -> String {
        let name = self.label("name").unwrap_or(self.target);
        let is_fit = name.len() <= LONGEST_NAME && !name.contains(char::is_control);
        if is_fit && !name.is_empty() && !name.contains('@') {
            return name.to_owned();
        }
        format!("target {} of group {}", index + 1, group + 1)
    }
}

#[cfg(test)]
pub(super) mod tests;
