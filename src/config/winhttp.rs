//! What Windows says of the machine's proxy: the output of `netsh winhttp show proxy` and of `netsh winhttp show
//! advproxy`. Its labels are in the language of the machine, so that it is read by structure and position.

mod list;

use thiserror::Error;
use url::Url;

use super::proxies::kind_of;
use super::target::target;
use crate::endpoint::{Authority, Target};
use crate::route::{Bypass, BypassPattern, BypassPatternError, ProxyKind};

/// The settings of a machine take some hundred bytes: what is larger is something else.
const MAX_BYTES: usize = 64 * 1024;

/// Why a text is not what Windows says of proxies. It never shows the text, for it may hold a password.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WinHttpError {
    /// It is something else.
    #[error("{0}\n{EXPECTED}")]
    Form(&'static str),
    /// There is a list of proxies, but none of it can be used.
    #[error(
        "item {0} of the list of proxies: {1}\nexpected: [scheme=][scheme://]server[:port], \
         separated by semicolons or blanks, such as http=proxy:80;https=proxy.corp.example:8080"
    )]
    Item(usize, String),
}

const EXPECTED: &str = "\
expected the output of `netsh winhttp show proxy`, in any language:

    Current WinHTTP proxy settings:

        Proxy Server(s) :  proxy.corp.example:8080
        Bypass List     :  <local>;*.corp.example

or the JSON of `netsh winhttp show advproxy`:

    {\"ProxyIsEnabled\": true, \"Proxy\": \"proxy.corp.example:8080\", \"ProxyBypass\": \"<local>\"}";

/// What was understood.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) proxy: Option<FoundProxy>,
    /// The URL of the proxy script, which Windows asks before the proxy.
    pub(super) script: Option<Url>,
    /// Whether Windows asks a script that is not known here, before the proxy.
    pub(super) asks_unknown_script: bool,
    /// What was not taken over, and what was assumed.
    pub(super) notes: Vec<String>,
}

#[derive(Debug)]
pub(super) struct FoundProxy {
    pub(super) kind: ProxyKind,
    pub(super) authority: Authority,
    pub(super) bypass: Bypass,
    /// False where Windows asks it for plain http only, and goes to https directly.
    pub(super) carries_https: bool,
}

/// The settings as they are written.
#[derive(Default)]
struct Written {
    proxies: String,
    bypass: String,
    script: Option<Url>,
    asks_unknown_script: bool,
}

/// Reads what was piped in: UTF-8, UTF-16 as PowerShell redirects it, or the code page of a console, of whose
/// letters beyond ASCII only labels are made.
pub(super) fn read(bytes: &[u8]) -> Result<Found, WinHttpError> {
    if bytes.len() > MAX_BYTES {
        return Err(WinHttpError::Form("more than 64 KiB were piped in"));
    }
    let text = decoded(bytes);
    let mut notes = Vec::new();
    let written = match text.find('{').zip(text.rfind('}')) {
        Some((from, to)) if from < to => advanced(&text[from..=to], &mut notes)?,
        _ => lines(&text)?,
    };
    let (script, asks_unknown_script) = (written.script, written.asks_unknown_script);
    let Some(chosen) = list::chosen(&written.proxies, &mut notes)? else {
        return Ok(Found {
            proxy: None,
            script,
            asks_unknown_script,
            notes,
        });
    };
    let proxy = FoundProxy {
        bypass: bypass(&written.bypass, &mut notes),
        kind: chosen.kind,
        authority: chosen.authority,
        carries_https: chosen.carries_https,
    };
    Ok(Found {
        proxy: Some(proxy),
        script,
        asks_unknown_script,
        notes,
    })
}

fn decoded(bytes: &[u8]) -> String {
    match bytes.strip_prefix(&[0xff, 0xfe]) {
        Some(utf_16) => {
            let units = utf_16.chunks_exact(2).map(|unit| {
                let (low, high) = (unit[0], unit[1]);
                u16::from_le_bytes([low, high])
            });
            char::decode_utf16(units)
                .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        None => String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
            .into_owned(),
    }
}

/// A heading with the name of the product, which no language translates; below it a sentence without a colon for
/// direct access, or two settings, each after a label and a colon.
fn lines(text: &str) -> Result<Written, WinHttpError> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let heading = lines
        .next()
        .ok_or(WinHttpError::Form("nothing was piped in"))?;
    if !heading.to_ascii_lowercase().contains("winhttp") {
        return Err(WinHttpError::Form(
            "the first line is not the heading of WinHTTP's settings",
        ));
    }
    let settings: Vec<Option<&str>> = lines.take(3).map(setting).collect();
    let (proxies, bypass) = match settings.as_slice() {
        [None] => ("", ""),
        [Some(proxies)] => (*proxies, ""),
        [Some(proxies), Some(bypass)] => (*proxies, *bypass),
        _ => {
            return Err(WinHttpError::Form(
                "below the heading there is neither direct access nor a proxy with its bypass list",
            ));
        }
    };
    Ok(Written {
        proxies: proxies.to_owned(),
        bypass: bypass.to_owned(),
        script: None,
        asks_unknown_script: false,
    })
}

/// What stands after the label; `(none)` in the language of the machine is nothing.
fn setting(line: &str) -> Option<&str> {
    let (_, value) = line.split_once([':', '\u{ff1a}'])?;
    let value = value.trim();
    Some(if value.starts_with(['(', '\u{ff08}']) {
        ""
    } else {
        value
    })
}

/// The JSON of `show advproxy`. Its keys are not translated.
fn advanced(text: &str, notes: &mut Vec<String>) -> Result<Written, WinHttpError> {
    const NOT_ADVANCED: WinHttpError =
        WinHttpError::Form("the text in braces is not the JSON of WinHTTP's settings");
    let json: serde_json::Value = serde_json::from_str(text).map_err(|_| NOT_ADVANCED)?;
    let keys = json.as_object().ok_or(NOT_ADVANCED)?;
    let value = |name: &str| {
        let mut entries = keys.iter();
        entries
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let text = |name| {
        value(name)
            .and_then(serde_json::Value::as_str)
            .map(str::trim)
    };
    let flag = |name| value(name).and_then(serde_json::Value::as_bool);
    let (proxy, script) = (text("Proxy"), text("AutoconfigUrl"));
    let (enabled, detect) = (flag("ProxyIsEnabled"), flag("AutoDetect"));
    let script_enabled = flag("AutoConfigIsEnabled");
    let is_known = [enabled, detect, script_enabled]
        .iter()
        .any(Option::is_some);
    if !is_known && proxy.is_none() && script.is_none() {
        return Err(NOT_ADVANCED);
    }
    let script = script.filter(|script| !script.is_empty());
    let script = script.filter(|_| script_enabled != Some(false));
    let mut usable = None;
    let mut asks_unknown_script = detect == Some(true);
    if script.is_some() || script_enabled == Some(true) {
        if let Ok(Target::Http(url)) = target(script.unwrap_or_default()) {
            usable = Some(url);
        } else {
            asks_unknown_script = true;
            notes.push(
                "AutoconfigUrl is no URL of http:// or https:// without a login: it is left out"
                    .to_owned(),
            );
        }
    }
    if detect == Some(true) {
        notes.push(
            "AutoDetect is on: reachd does not look for scripts (WPAD) by itself; name the URL that it finds"
                .to_owned(),
        );
    }
    let mut proxies = proxy.unwrap_or_default();
    if enabled == Some(false) && !proxies.is_empty() {
        notes.push("Proxy is set, but ProxyIsEnabled is false: it is not in use".to_owned());
        proxies = "";
    }
    Ok(Written {
        proxies: proxies.to_owned(),
        bypass: text("ProxyBypass").unwrap_or_default().to_owned(),
        script: usable,
        asks_unknown_script,
    })
}

fn bypass(text: &str, notes: &mut Vec<String>) -> Bypass {
    let read = list::items(text).filter_map(|item| match BypassPattern::winhttp(item) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            notes.push(left_out("the bypass list", item, &error));
            None
        }
    });
    Bypass::new(read.collect())
}

/// What is said of a bypass pattern that cannot be used. What might be a password is not shown.
pub(super) fn left_out(of: &str, pattern: &str, error: &BypassPatternError) -> String {
    if pattern.contains('@') {
        return format!("{of}: a part with an `@`, which is not shown, is left out");
    }
    format!("{of}: {error}: this part is left out")
}

#[cfg(test)]
mod tests;
