//! The sections `revocation`: the global one, and what an endpoint sets on top of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::names::Names;
use super::reader::{Fields, Value};
use super::scalars::{duration, duration_text, word};
use super::yaml::Yaml;
use super::{DerivedEndpoints, RevocationOverrides, RevocationRoute, RevocationSettings};
use crate::endpoint::{RevocationMethod, RevocationMode};
use crate::route::Route;

/// The word for the routes of the endpoints themselves.
pub(super) const SAME: &str = "same";

/// Why no route may have that name.
pub(super) const SAME_IS_TAKEN: &str =
    "`same` has a meaning of its own in `revocation`: choose another name";

/// The word for nothing being derived.
const OFF: &str = "off";

/// How often what an authority publishes is probed by itself.
const DERIVED_INTERVALS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

/// How long one fetch may take.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(5 * 60);

/// Reads the global section.
pub(super) fn read(value: &Value<'_>, routes: &Names<Route>) -> Option<RevocationSettings> {
    value.fields(|fields| {
        let default = RevocationSettings::default();
        let timeout = fields.optional("timeout", |value| duration(value, &TIMEOUTS));
        let derived = fields.optional("derived_interval", derived);
        let RevocationOverrides {
            mode,
            methods,
            route,
        } = in_common(fields, routes);
        RevocationSettings {
            mode: mode.unwrap_or(default.mode),
            methods: methods.unwrap_or(default.methods),
            route: route.unwrap_or(default.route),
            timeout: timeout.unwrap_or(default.timeout),
            derived: derived.unwrap_or(default.derived),
        }
    })
}

/// Reads the section of an endpoint.
pub(super) fn of_endpoint(value: &Value<'_>, routes: &Names<Route>) -> Option<RevocationOverrides> {
    value.fields(|fields| in_common(fields, routes))
}

/// The effective global section.
pub(super) fn written(settings: &RevocationSettings) -> Yaml {
    let RevocationSettings {
        mode,
        methods,
        route,
        timeout,
        derived,
    } = settings;
    let derived_interval = match derived {
        DerivedEndpoints::Every(interval) => Yaml::Plain(duration_text(*interval)),
        DerivedEndpoints::Off => Yaml::text(OFF),
    };
    Yaml::mapping([
        ("mode", Some(Yaml::text(mode.as_str()))),
        ("methods", Some(methods_written(methods))),
        ("route", Some(route_written(route))),
        ("timeout", Some(Yaml::Plain(duration_text(*timeout)))),
        ("derived_interval", Some(derived_interval)),
    ])
}

/// The effective section of an endpoint.
pub(super) fn overrides_written(overrides: &RevocationOverrides) -> Yaml {
    let RevocationOverrides {
        mode,
        methods,
        route,
    } = overrides;
    Yaml::mapping([
        ("mode", mode.map(|mode| Yaml::text(mode.as_str()))),
        ("methods", methods.as_deref().map(methods_written)),
        ("route", route.as_ref().map(route_written)),
    ])
}

fn in_common(fields: &mut Fields<'_>, routes: &Names<Route>) -> RevocationOverrides {
    RevocationOverrides {
        mode: fields.optional("mode", mode),
        methods: fields.optional("methods", |value| value.filled_list(method)),
        route: fields.optional("route", |value| route(value, routes)),
    }
}

fn mode(value: &Value<'_>) -> Option<RevocationMode> {
    let words = RevocationMode::ALL.map(|mode| (mode.as_str(), mode));
    word(value, &words)
}

fn derived(value: &Value<'_>) -> Option<DerivedEndpoints> {
    if value.text()? == OFF {
        return Some(DerivedEndpoints::Off);
    }
    duration(value, &DERIVED_INTERVALS).map(DerivedEndpoints::Every)
}

fn method(value: &Value<'_>) -> Option<RevocationMethod> {
    let words = RevocationMethod::ALL.map(|method| (method.as_str(), method));
    word(value, &words)
}

fn route(value: &Value<'_>, routes: &Names<Route>) -> Option<RevocationRoute> {
    if value.text()? == SAME {
        return Some(RevocationRoute::Same);
    }
    routes.name(value).map(RevocationRoute::Named)
}

fn methods_written(methods: &[RevocationMethod]) -> Yaml {
    Yaml::texts(methods.iter().map(|method| method.as_str()))
}

fn route_written(route: &RevocationRoute) -> Yaml {
    Yaml::text(route.name().unwrap_or(SAME))
}
