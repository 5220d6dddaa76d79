//! Reads the section.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::{Position, Url};

use super::{
    DiscoverySettings, FileSource, HttpSource, M365Area, M365Instance, M365Source, ServerLogin,
    TargetDefaults,
};
use crate::config::Overrides;
use crate::config::credentials::is_username;
use crate::config::endpoints::DEFAULT_SERVICE;
use crate::config::files::{self, ca_file};
use crate::config::names::Names;
use crate::config::reader::{Fields, Value};
use crate::config::scalars::{INTERVALS, TIMEOUTS, boolean, duration, name, word};
use crate::config::secrets;
use crate::config::target::target;
use crate::endpoint::{Target, TlsSettings};
use crate::route::{Route, Secret};

/// Where Microsoft has its service.
pub(super) const M365_URL: &str = "https://endpoints.office.com/";

/// How often a server may be asked.
const REFRESH_INTERVALS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);

const DEFAULT_REFRESH_INTERVAL: Duration = Duration::from_secs(60);

/// The route that is there without being defined.
const DIRECT: &str = "direct";

/// Reads the section.
pub(in crate::config) fn read(
    value: &Value<'_>,
    routes: &Names<Route>,
    tls: &TlsSettings,
) -> Option<DiscoverySettings> {
    value.fields(|fields| DiscoverySettings {
        file_sd: fields
            .optional("file_sd", |value| files_of_targets(value, routes))
            .unwrap_or_default(),
        http_sd: fields
            .optional("http_sd", |value| servers(value, routes, tls))
            .unwrap_or_default(),
        m365: fields.optional("m365", |value| m365(value, routes)),
    })
}

// === Files ===

fn files_of_targets(value: &Value<'_>, routes: &Names<Route>) -> Option<Vec<FileSource>> {
    let mut sources: Vec<FileSource> = Vec::new();
    let mut add = |value: &Value<'_>, source: Option<FileSource>| {
        let Some(source) = source else {
            return;
        };
        if sources.iter().any(|known| known.pattern == source.pattern) {
            value.refuse::<()>(format!("{} is listed twice", value.shown()));
        } else {
            sources.push(source);
        }
    };
    for item in value.items()? {
        if !item.is_mapping() {
            let source = pattern(&item).map(|pattern| FileSource {
                pattern,
                defaults: TargetDefaults::default(),
            });
            add(&item, source);
            continue;
        }
        item.fields(|fields| {
            let patterns = fields.required("files", Value::items);
            let defaults = defaults(fields, routes);
            for value in patterns.unwrap_or_default() {
                let source = pattern(&value).map(|pattern| FileSource {
                    pattern,
                    defaults: defaults.clone(),
                });
                add(&value, source);
            }
        });
    }
    Some(sources)
}

/// What Prometheus takes: files by their ending, wildcards in their name and not in the folder's.
fn pattern(value: &Value<'_>) -> Option<PathBuf> {
    let path = files::path(value)?;
    let folder = path.parent().map(Path::to_string_lossy).unwrap_or_default();
    if folder.contains(['*', '?']) {
        return value.refuse("a wildcard may stand in the name of the file, not in a folder's");
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    if !["json", "yml", "yaml"].contains(&extension.to_ascii_lowercase().as_str()) {
        return value.refuse_with(
            format!("{} does not end in .json, .yml or .yaml", value.shown()),
            "the ending says how the file is read".to_owned(),
        );
    }
    Some(path)
}

// === Servers ===

fn servers(value: &Value<'_>, routes: &Names<Route>, tls: &TlsSettings) -> Option<Vec<HttpSource>> {
    let mut sources: Vec<HttpSource> = Vec::new();
    for item in value.items()? {
        let Some(source) = item.fields(|fields| server(fields, routes, tls)).flatten() else {
            continue;
        };
        if sources.iter().any(|known| known.name == source.name) {
            item.refuse_with::<()>(
                format!("there is already a server named `{}`", source.name),
                "give it a `name` of its own".to_owned(),
            );
        } else {
            sources.push(source);
        }
    }
    Some(sources)
}

fn server(
    fields: &mut Fields<'_>,
    routes: &Names<Route>,
    global: &TlsSettings,
) -> Option<HttpSource> {
    let name_of_it = fields.optional("name", name);
    let url = fields.required("url", http_url);
    let refresh_interval = fields.optional("refresh_interval", |value| {
        duration(value, &REFRESH_INTERVALS)
    });
    let route = fields.optional("route", |value| routes.name(value));
    let login = fields
        .get("auth")
        .map(|value| value.fields(login).flatten());
    let own_authorities = fields.optional("tls", |value| {
        value.fields(|fields| fields.optional("ca_file", ca_file))
    });
    let defaults = defaults(fields, routes);
    let url = url?;
    Some(HttpSource {
        // What may be secret in a URL is in its query.
        name: name_of_it.unwrap_or_else(|| url[..Position::AfterPath].to_owned()),
        url,
        refresh_interval: refresh_interval.unwrap_or(DEFAULT_REFRESH_INTERVAL),
        route: route.unwrap_or_else(|| DIRECT.to_owned()),
        login: match login {
            None => None,
            Some(login) => Some(login?),
        },
        tls: TlsSettings {
            ca_file: own_authorities.flatten().or_else(|| global.ca_file.clone()),
            ..global.clone()
        },
        defaults,
    })
}

fn http_url(value: &Value<'_>) -> Option<Url> {
    if value.written()?.ends_with(secrets::REDACTED) {
        let redacted = secrets::REDACTED;
        return value.refuse(format!("`{redacted}` stands for a value that is not shown"));
    }
    match target(&value.text()?) {
        Ok(Target::Http(url)) => Some(url),
        Ok(_) => value.refuse("the URL must begin with https:// or http://"),
        // Without the URL, which may hold a password.
        Err(error) => value.refuse(error.to_string()),
    }
}

fn login(fields: &mut Fields<'_>) -> Option<ServerLogin> {
    let basic = fields.get("basic");
    let bearer = fields.get("bearer");
    match (basic, bearer) {
        (Some(basic), None) => basic.fields(|fields| {
            let username = fields.required("username", |value| {
                let username = value.text()?;
                if !is_username(&username) {
                    return value.refuse("a user name is not empty and holds no colon (RFC 7617)");
                }
                Some(username)
            });
            let password = secrets::password(fields);
            Some(ServerLogin::Basic {
                username: username?,
                password: password?,
            })
        })?,
        (None, Some(bearer)) => bearer.fields(|fields| {
            let token = secrets::token(fields)?;
            if !is_token(&token) {
                let what = "the token has characters that no header carries (RFC 6750)";
                return fields.whole().refuse(what);
            }
            Some(ServerLogin::Bearer(token))
        })?,
        (Some(_), Some(bearer)) => bearer.refuse("only one of basic and bearer is sent"),
        (None, None) => fields.whole().refuse("one of basic and bearer is missing"),
    }
}

fn is_token(token: &Secret) -> bool {
    token.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

// === Microsoft 365 ===

fn m365(value: &Value<'_>, routes: &Names<Route>) -> Option<M365Source> {
    value.fields(|fields| {
        let instances = M365Instance::ALL.map(|instance| (instance.as_str(), instance));
        let instance = fields.optional("instance", |value| word(value, &instances));
        let areas = fields.optional("service_areas", |value| value.filled_list(area));
        let required_only = fields.optional("required_only", boolean);
        let route = fields.optional("route", |value| routes.name(value));
        let tenant = fields.optional("tenant", name);
        let url = fields.optional("url", http_url);
        let overrides = rhythm(fields, routes);
        Some(M365Source {
            instance: instance.unwrap_or(M365Instance::Worldwide),
            areas: areas.unwrap_or_else(|| M365Area::ALL.to_vec()),
            required_only: required_only.unwrap_or(true),
            route: route.unwrap_or_else(|| DIRECT.to_owned()),
            tenant,
            url: match url {
                Some(url) => url,
                None => M365_URL.parse().ok()?,
            },
            overrides,
        })
    })?
}

fn area(value: &Value<'_>) -> Option<M365Area> {
    if value.text()?.eq_ignore_ascii_case("mem") {
        return value.refuse_with(
            "Microsoft says that this service is no longer right about Intune",
            "the catalog has what Intune requires: see `reachd catalog list`".to_owned(),
        );
    }
    let areas = M365Area::ALL.map(|area| (area.as_str(), area));
    word(value, &areas)
}

// === What targets have in common ===

fn defaults(fields: &mut Fields<'_>, routes: &Names<Route>) -> TargetDefaults {
    let service = fields.optional("service", name);
    TargetDefaults {
        service: service.unwrap_or_else(|| DEFAULT_SERVICE.to_owned()),
        overrides: rhythm(fields, routes),
    }
}

fn rhythm(fields: &mut Fields<'_>, routes: &Names<Route>) -> Overrides {
    Overrides {
        critical: fields.optional("critical", boolean),
        routes: fields.optional("routes", |value| {
            value.filled_list(|item| routes.name(item))
        }),
        interval: fields.optional("interval", |value| duration(value, &INTERVALS)),
        timeout: fields.optional("timeout", |value| duration(value, &TIMEOUTS)),
        ..Overrides::default()
    }
}

impl Default for TargetDefaults {
    fn default() -> Self {
        Self {
            service: DEFAULT_SERVICE.to_owned(),
            overrides: Overrides::default(),
        }
    }
}
