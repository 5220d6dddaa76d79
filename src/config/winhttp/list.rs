//! WinHTTP's list of proxies: `([<scheme>=][<scheme>"://"]<server>[":"<port>])`, separated by semicolons or white
//! space.

use super::{Authority, ProxyKind, WinHttpError, kind_of};
use crate::config::target::{TargetError, authority};

/// What WinHTTP assumes where a proxy has no port: the first for https://, the second for all others.
const DEFAULT_PORTS: (u16, u16) = (443, 80);

/// The proxy that endpoints over https are asked over, or the one for plain http where there is no such.
pub(super) struct Chosen {
    pub(super) kind: ProxyKind,
    pub(super) authority: Authority,
    pub(super) carries_https: bool,
}

struct Item<'t> {
    number: usize,
    text: &'t str,
    /// What is asked over it, where it is not for everything.
    of: Option<String>,
    proxy: &'t str,
}

/// The items of a list of proxies or of bypass patterns.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ';' || c.is_whitespace())
        .filter(|item| !item.is_empty())
}

/// Takes `https=` before what is for everything, and that before `http=`.
pub(super) fn chosen(text: &str, notes: &mut Vec<String>) -> Result<Option<Chosen>, WinHttpError> {
    let all: Vec<Item<'_>> = items(text).enumerate().map(item).collect();
    let of = |scheme: Option<&str>| all.iter().find(|item| item.of.as_deref() == scheme);
    let Some(taken) = of(Some("https"))
        .or_else(|| of(None))
        .or_else(|| of(Some("http")))
    else {
        notes.extend(all.iter().map(dropped));
        return Ok(None);
    };
    let (kind, authority) = read(taken, notes)?;
    let others = all.iter().filter(|item| item.number != taken.number);
    notes.extend(others.map(dropped));
    Ok(Some(Chosen {
        kind,
        authority,
        carries_https: taken.of.as_deref() != Some("http"),
    }))
}

fn item((index, text): (usize, &str)) -> Item<'_> {
    let (of, proxy) = match text.split_once('=') {
        Some((of, proxy)) => (Some(of.to_ascii_lowercase()), proxy),
        None => (None, text),
    };
    Item {
        number: index + 1,
        text,
        of,
        proxy,
    }
}

fn read(item: &Item<'_>, notes: &mut Vec<String>) -> Result<(ProxyKind, Authority), WinHttpError> {
    let refuse = |why: String| WinHttpError::Item(item.number, why);
    let (scheme, server) = item.proxy.split_once("://").unwrap_or(("http", item.proxy));
    let kind = kind_of(scheme);
    let kind = kind.ok_or_else(|| refuse("not a kind of proxy that is supported".to_owned()))?;
    let port = match kind {
        ProxyKind::Https { .. } => DEFAULT_PORTS.0,
        ProxyKind::Http | ProxyKind::Socks5 { .. } => DEFAULT_PORTS.1,
    };
    let server = server.strip_suffix('/').unwrap_or(server);
    let read = match authority(server) {
        Err(TargetError::NoPort) => {
            notes.push(format!("the proxy has no port: {port} is assumed"));
            authority(&format!("{server}:{port}"))
        }
        read => read,
    };
    match read {
        Ok(authority) => Ok((kind, authority)),
        Err(error) => Err(refuse(error.to_string())),
    }
}

fn dropped(item: &Item<'_>) -> String {
    let shown = if item.text.contains('@') {
        format!("item {}", item.number)
    } else {
        format!("`{}`", item.text)
    };
    let why = match item.of.as_deref() {
        Some("http") => "one proxy is used for every endpoint, that of https",
        None | Some("https") => "one proxy is used, the first",
        Some(_) => "only http and https are probed",
    };
    format!("the list of proxies: {shown} is left out: {why}")
}
