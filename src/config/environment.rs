//! The proxy that the environment names, for the default configuration.

use super::Problems;
use super::credentials::unfit;
use super::proxies::kind_of;
use super::target::{TargetError, authority};
use super::winhttp::left_out;
use crate::platform::{ProxyVariable, ProxyVariables};
use crate::route::{Bypass, BypassPattern, Credentials, Proxy, ProxyKind, Secret};

/// The name of the route over the environment's proxy.
const NAME: &str = "environment";

/// What curl assumes where the URL of a proxy names no port: the first for https://, the second for all others.
const DEFAULT_PORTS: (u16, u16) = (443, 1080);

/// What the environment says, and what the log should say about it.
pub(super) struct Found {
    pub(super) proxy: Option<Proxy>,
    pub(super) notices: Vec<String>,
}

/// The one proxy of all endpoints: that of `HTTPS_PROXY`, for nearly all of them are asked over https, then
/// that of `ALL_PROXY`, then that of `HTTP_PROXY`.
pub(super) fn proxy(variables: &ProxyVariables) -> Result<Found, Problems> {
    let ProxyVariables {
        https,
        http,
        all,
        no_proxy,
    } = variables;
    let mut notices = Vec::new();
    let Some(chosen) = https.as_ref().or(all.as_ref()).or(http.as_ref()) else {
        return Ok(Found {
            proxy: None,
            notices,
        });
    };
    let other = http.as_ref().filter(|other| other.value != chosen.value);
    if let Some(other) = other {
        notices.push(format!(
            "{} and {} name different proxies: that of {} is used for every endpoint",
            chosen.name, other.name, chosen.name
        ));
    } else if https.is_none() && all.is_none() {
        notices.push(format!(
            "only {} is set: its proxy is used for https endpoints too",
            chosen.name
        ));
    }
    let proxy = Proxy {
        bypass: bypass(no_proxy.as_ref(), &mut notices),
        ..read(chosen, &mut notices)?
    };
    Ok(Found {
        proxy: Some(proxy),
        notices,
    })
}

/// Never shows the value, for it may hold a password.
fn read(variable: &ProxyVariable, notices: &mut Vec<String>) -> Result<Proxy, Problems> {
    let refuse = |message: String| Problems::one("environment", variable.name, message);
    let (scheme, rest) = variable
        .value
        .split_once("://")
        .unwrap_or(("http", &variable.value));
    let Some(kind) = kind_of(scheme) else {
        return Err(refuse(
            "only proxies of the kinds http://, https://, socks5:// and socks5h:// are supported"
                .to_owned(),
        ));
    };
    let default_port = match kind {
        ProxyKind::Https { .. } => DEFAULT_PORTS.0,
        ProxyKind::Http | ProxyKind::Socks5 { .. } => DEFAULT_PORTS.1,
    };
    let (login, host) = match rest.rsplit_once('@') {
        Some((login, host)) => (Some(login), host),
        None => (None, rest),
    };
    let host = host.split('/').next().unwrap_or_default();
    let authority = authority(host).or_else(|error| match error {
        TargetError::NoPort => {
            notices.push(format!(
                "{} names no port: {default_port} is assumed, as curl does",
                variable.name
            ));
            authority(&format!("{host}:{default_port}"))
        }
        error => Err(error),
    });
    let unreadable = "the user name or password is not percent-encoded UTF-8";
    let credentials = match login {
        Some(login) => Some(basic(login).ok_or_else(|| refuse(unreadable.to_owned()))?),
        None => None,
    };
    let authority = authority.map_err(|error| refuse(error.to_string()))?;
    if let Some(why) = credentials
        .as_ref()
        .and_then(|credentials| unfit(credentials, &kind, &authority))
    {
        return Err(refuse(why.to_owned()));
    }
    Ok(Proxy {
        name: NAME.to_owned(),
        kind,
        authority,
        credentials,
        connect_headers: Vec::new(),
        bypass: Bypass::default(),
        resolver: None,
    })
}

fn basic(login: &str) -> Option<Credentials> {
    let (username, password) = login.split_once(':').unwrap_or((login, ""));
    Some(Credentials::Basic {
        username: percent_decoded(username)?,
        password: Secret::new(percent_decoded(password)?),
    })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        decoded.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(decoded).ok()
}

fn bypass(variable: Option<&ProxyVariable>, notices: &mut Vec<String>) -> Bypass {
    let Some(ProxyVariable { name, value }) = variable else {
        return Bypass::default();
    };
    let patterns = value
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|pattern| !pattern.is_empty());
    let read = patterns.filter_map(|pattern| match BypassPattern::no_proxy(pattern) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            notices.push(left_out(name, pattern, &error));
            None
        }
    });
    Bypass::new(read.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::proxies_of;

    /// Names and values.
    type Variables<'v> = &'v [(&'v str, &'v str)];

    fn found(variables: Variables<'_>) -> Result<Found, Problems> {
        proxy(&proxies_of(|name| {
            let set = variables.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
        }))
    }

    fn authority_of(found: &Found) -> String {
        found.proxy.as_ref().unwrap().authority.to_string()
    }

    #[test]
    fn the_variables_in_their_order() {
        let none = found(&[("NO_PROXY", "x.example")]).unwrap();
        assert_eq!((none.proxy, none.notices), (None, vec![]));

        // variables, the proxy, the number of notices
        let table: [(Variables<'_>, &str, usize); 8] = [
            (
                &[("HTTPS_PROXY", "http://a.example:3128/")],
                "a.example:3128",
                0,
            ),
            (&[("ALL_PROXY", "b.example:8080")], "b.example:8080", 0),
            (&[("http_proxy", "http://c.example:80")], "c.example:80", 1),
            (&[("https_proxy", "http://d.example")], "d.example:1080", 1),
            (
                &[("HTTPS_PROXY", "http://e:1"), ("HTTP_PROXY", "http://f:1")],
                "e:1",
                1,
            ),
            (
                &[("HTTPS_PROXY", "http://e:1"), ("HTTP_PROXY", "http://e:1")],
                "e:1",
                0,
            ),
            (&[("HTTPS_PROXY", "https://g.example")], "g.example:443", 1),
            (&[("ALL_PROXY", "socks5h://h.example")], "h.example:1080", 1),
        ];
        for (variables, expected, notices) in table {
            let found = found(variables).unwrap();
            assert_eq!(authority_of(&found), expected);
            assert_eq!(found.notices.len(), notices, "{:?}", found.notices);
        }
    }

    #[test]
    fn the_scheme_is_the_kind() {
        for (value, scheme) in [
            ("a.example:1", "http"),
            ("HTTP://a.example:1", "http"),
            ("https://a.example:1", "https"),
            ("socks5://a.example:1", "socks5"),
            ("socks5h://user:hunter2@a.example:1", "socks5h"),
        ] {
            let found = found(&[("HTTPS_PROXY", value)]).unwrap();
            assert_eq!(found.proxy.unwrap().kind.scheme(), scheme, "{value}");
        }
    }

    #[test]
    fn userinfo_becomes_credentials() {
        let found = found(&[("HTTPS_PROXY", "http://us%65r:hunter%32@a.example:1")]).unwrap();
        let expected = Credentials::Basic {
            username: "user".to_owned(),
            password: Secret::new("hunter2".to_owned()),
        };
        assert_eq!(found.proxy.unwrap().credentials, Some(expected));
    }

    #[test]
    fn no_proxy_becomes_the_bypass() {
        let found = found(&[
            ("ALL_PROXY", "http://a.example:1"),
            ("no_proxy", "corp.example, 10.0.0.0/8,a/b"),
        ])
        .unwrap();
        assert_eq!(found.proxy.unwrap().bypass.patterns().len(), 2);
        assert_eq!(found.notices.len(), 1);
        assert!(found.notices[0].starts_with("no_proxy: "));
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_showing_it() {
        for value in [
            "socks4://user:hunter2@a.example:1",
            "socks5://:hunter2@a.example:1",
            "http://user:hunter2@a.example:0",
            "http://user:hunter2%zz@a.example:1",
            "http://user:hunter2@a#b:1",
        ] {
            let problems = found(&[("HTTPS_PROXY", value)]).err().unwrap().to_string();
            assert!(
                problems.starts_with("environment: HTTPS_PROXY: "),
                "{problems}"
            );
            assert!(!problems.contains("hunter2"), "{problems}");
        }
    }
}
