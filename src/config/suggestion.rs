//! What the machine says of proxies, as the sections `proxies` and `routes` of a configuration. What has no place
//! in them stands above as comments.

use std::fmt;

use url::Url;

use super::credentials::is_username;
use super::effective::{bypass_texts, proxy_with_password};
use super::yaml::Yaml;
use super::{Environment, Problems, WinHttpError, effective, environment, pac, winhttp};
use crate::endpoint::TlsSettings;
use crate::platform::proxies_of;
use crate::route::{Bypass, Credentials, Pac, PacSource, Proxy};

/// The variable that stands for a password that is not shown.
const PASSWORD: &str = "REACHD_PROXY_PASSWORD";

/// The name of the route over the proxy of WinHTTP.
const WINHTTP: &str = "winhttp";

/// What is said above its settings.
const OF_WINHTTP: &str = "From the settings of WinHTTP.";

/// Some bypass patterns of the environment take two of the file, whose lists are bounded.
const MAX_PATTERNS: usize = 500;

/// A piece of a configuration, to be pasted into a file. Passwords are in none of it.
#[derive(Debug)]
pub struct Suggestion {
    comments: Vec<String>,
    proxy: Option<Proxy>,
    /// In the proxy's place.
    script: Option<Pac>,
    route: String,
}

impl Suggestion {
    /// What the variables `HTTPS_PROXY`, `ALL_PROXY`, `HTTP_PROXY` and `NO_PROXY` say, as the default
    /// configuration takes them.
    ///
    /// # Errors
    /// The environment names a proxy that cannot be used.
    pub fn of_environment(environment: Environment<'_>) -> Result<Self, Problems> {
        let found = environment::proxy(&proxies_of(environment))?;
        let source = match found.proxy {
            Some(_) => "From the environment variables of this process.",
            None => "The environment variables of this process name no proxy.",
        };
        let route = found.proxy.as_ref().map(|proxy| proxy.name.clone());
        Ok(Self::new(source, found.notices, found.proxy, route))
    }

    /// What WinHTTP says: the output of `netsh winhttp show proxy` or `show advproxy`.
    ///
    /// # Errors
    /// The bytes are something else, or name a proxy that cannot be used.
    pub fn of_winhttp(output: &[u8]) -> Result<Self, WinHttpError> {
        let found = winhttp::read(output)?;
        if let Some(url) = found.script {
            return Ok(Self::of_script(url, found.proxy.as_ref(), found.notes));
        }
        let winhttp::Found {
            proxy,
            mut notes,
            asks_unknown_script,
            ..
        } = found;
        let source = match proxy {
            Some(_) => OF_WINHTTP,
            None if asks_unknown_script => {
                "WinHTTP has no proxy set, and asks a script that is not known here: what is below goes out directly \
                 only because nothing else is known."
            }
            None => "WinHTTP has no proxy set: direct access.",
        };
        if proxy.is_some() && asks_unknown_script {
            notes.push("Windows asks this proxy only where the script cannot be had".to_owned());
        }
        let carries_https = proxy.as_ref().is_some_and(|proxy| proxy.carries_https);
        if proxy.is_some() && !carries_https {
            notes.push(
                "the proxy is set for http only, so Windows goes to https directly: add it to the routes of \
                 http:// endpoints"
                    .to_owned(),
            );
        }
        let proxy = proxy.map(|found| Proxy {
            name: WINHTTP.to_owned(),
            kind: found.kind,
            authority: found.authority,
            credentials: None,
            connect_headers: Vec::new(),
            bypass: found.bypass,
            resolver: None,
        });
        let route = carries_https.then(|| WINHTTP.to_owned());
        Ok(Self::new(source, notes, proxy, route))
    }

    /// Windows asks the script, and the proxy only where there is none to be had.
    fn of_script(url: Url, proxy: Option<&winhttp::FoundProxy>, mut notes: Vec<String>) -> Self {
        if let Some(proxy) = proxy {
            notes.push(format!(
                "the proxy {}://{} is set as well: Windows asks it where the script cannot be had, so it is left out",
                proxy.kind.scheme(),
                proxy.authority
            ));
        }
        let script = Pac {
            name: WINHTTP.to_owned(),
            source: PacSource::Url {
                url,
                refresh: pac::REFRESH,
            },
            failover: false,
            tls: TlsSettings::default(),
            credentials: None,
            connect_headers: Vec::new(),
            bypass: Bypass::default(),
            resolver: None,
        };
        Self {
            script: Some(script),
            ..Self::new(OF_WINHTTP, notes, None, Some(WINHTTP.to_owned()))
        }
    }

    fn new(
        source: &str,
        notes: Vec<String>,
        mut proxy: Option<Proxy>,
        route: Option<String>,
    ) -> Self {
        let mut comments = vec![source.to_owned()];
        comments.extend(notes);
        if let Some(proxy) = &mut proxy {
            comments.extend(without_unfit_login(proxy));
            comments.extend(within_bounds(proxy));
        }
        Self {
            comments,
            proxy,
            script: None,
            route: route.unwrap_or_else(|| "direct".to_owned()),
        }
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for comment in &self.comments {
            writeln!(f, "# {}", in_a_comment(comment))?;
        }
        let proxies = self.proxy.as_ref().map(|proxy| {
            // Not as a text, in which `${` would be escaped.
            let password = Yaml::Plain(format!("${{{PASSWORD}}}"));
            let written = proxy_with_password(proxy, &TlsSettings::default(), &password);
            Yaml::Mapping(vec![(proxy.name.clone(), written)])
        });
        let scripts = self.script.as_ref().map(|script| {
            let written = effective::pac(script, &TlsSettings::default());
            Yaml::Mapping(vec![(script.name.clone(), written)])
        });
        let proxies = proxies.or(scripts);
        let routes = Yaml::texts([self.route.clone()]);
        Yaml::mapping([("proxies", proxies), ("routes", Some(routes))]).fmt(f)
    }
}

/// What the environment may say of a user and the file may not.
fn without_unfit_login(proxy: &mut Proxy) -> Option<String> {
    let Credentials::Basic { username, .. } = proxy.credentials.as_ref()? else {
        return None;
    };
    if is_username(username) {
        return Some(format!(
            "The password is not shown: set {PASSWORD}, or name a file with password_file."
        ));
    }
    proxy.credentials = None;
    Some("the user name is empty or holds a colon, so the login is left out".to_owned())
}

fn within_bounds(proxy: &mut Proxy) -> Option<String> {
    let patterns = proxy.bypass.patterns();
    let (kept, rest) = patterns.split_at_checked(MAX_PATTERNS)?;
    if rest.is_empty() {
        return None;
    }
    let rest: Vec<String> = rest.iter().flat_map(bypass_texts).collect();
    proxy.bypass = Bypass::new(kept.to_vec());
    Some(format!(
        "more than {MAX_PATTERNS} bypass patterns, left out: {}",
        rest.join(" ")
    ))
}

/// Nothing that could end the comment, or that a terminal would obey.
fn in_a_comment(text: &str) -> String {
    let is_shown = |c: char| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric();
    text.chars()
        .map(|c| if is_shown(c) { c } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests;
