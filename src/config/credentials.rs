//! The key `auth` of a proxy or an endpoint: with what it is logged in to. One kind of login, each with its own keys.

use url::Host;

use super::reader::{Fields, Value};
use super::{files, secrets};
use crate::endpoint::{Authority, Target, TlsSettings};
use crate::platform::HAS_KERBEROS;
use crate::route::{Credentials, KerberosIdentity, ProxyKind, Secret};

/// The longest user name, and the longest password, that SOCKS carries (RFC 1929 §2).
const MAX_SOCKS_LOGIN_BYTES: usize = 255;

/// The longest user name and domain that Active Directory has.
const MAX_ACCOUNT_CHARACTERS: usize = 256;

const KINDS: [&str; 4] = ["basic", "digest", "ntlm", "negotiate"];

/// Reads it, for an endpoint at this place that is spoken to like this, as far as that is known.
pub(super) fn of_endpoint(
    value: &Value<'_>,
    endpoint: Option<(&Target, &TlsSettings)>,
) -> Option<Credentials> {
    let credentials = value.fields(credentials)??;
    match endpoint.and_then(|(target, tls)| login_fault(&credentials, target, tls)) {
        Some(why) => value.refuse(why),
        None => Some(credentials),
    }
}

/// Why an endpoint cannot be sent these credentials. None of them is sent in the clear: not even what proves a
/// password without showing it, for whoever listens can guess passwords by it, or use it elsewhere at once.
#[must_use]
pub fn login_fault(
    credentials: &Credentials,
    target: &Target,
    tls: &TlsSettings,
) -> Option<&'static str> {
    let Target::Http(url) = target else {
        return Some("means something only for https:// endpoints");
    };
    if url.scheme() != "https" {
        return Some("no login is sent without TLS: the URL must begin with https://");
    }
    let is_negotiate = matches!(credentials, Credentials::Negotiate(_));
    if is_negotiate && !matches!(url.host(), Some(Host::Domain(_))) {
        return Some(
            "tickets of Kerberos are for names: the URL of the endpoint must have its name and no address",
        );
    }
    let offered = tls.alpn.as_deref().unwrap_or_default();
    let is_left_out = !offered.is_empty() && !offered.iter().any(|name| name == "http/1.1");
    (credentials.are_for_a_connection() && is_left_out)
        .then_some("NTLM and Negotiate go by HTTP/1.1 only, which `tls.alpn` leaves out")
}

/// Reads it, for a proxy of this kind at this place, as far as they are known.
pub(super) fn read(
    value: &Value<'_>,
    proxy: Option<(&ProxyKind, &Authority)>,
) -> Option<Credentials> {
    let credentials = value.fields(credentials)??;
    match proxy.and_then(|(kind, authority)| unfit(&credentials, kind, authority)) {
        Some(why) => value.refuse(why),
        None => Some(credentials),
    }
}

/// Why this proxy cannot be sent these credentials.
pub(super) fn unfit(
    credentials: &Credentials,
    kind: &ProxyKind,
    authority: &Authority,
) -> Option<&'static str> {
    let is_socks = matches!(kind, ProxyKind::Socks5 { .. });
    let fits = |text: &str| (1..=MAX_SOCKS_LOGIN_BYTES).contains(&text.len());
    match credentials {
        Credentials::Basic { username, password } => (is_socks
            && !(fits(username) && fits(password.expose())))
        .then_some("SOCKS carries a user name and a password of 1 to 255 bytes (RFC 1929)"),
        _ if is_socks => Some("a SOCKS proxy takes no other login than `basic` (RFC 1929)"),
        Credentials::Negotiate(_) if !matches!(authority.host, Host::Domain(_)) => Some(
            "tickets of Kerberos are for names: the URL of the proxy must have its name and no address",
        ),
        _ => None,
    }
}

/// Whether Basic can send it as the name of a user.
pub(super) fn is_username(text: &str) -> bool {
    !text.is_empty() && !text.contains(':') && !text.contains(char::is_control)
}

fn credentials(fields: &mut Fields<'_>) -> Option<Credentials> {
    fields.known(KINDS);
    let given: Vec<_> = KINDS
        .into_iter()
        .filter_map(|kind| Some((kind, fields.get(kind)?)))
        .collect();
    let [(kind, value)] = given.as_slice() else {
        return fields.whole().refuse(match given.len() {
            0 => "one of basic, digest, ntlm and negotiate is missing",
            _ => "only one of basic, digest, ntlm and negotiate is sent: choose one",
        });
    };
    match *kind {
        "basic" => {
            let (username, password) = value.fields(login)??;
            Some(Credentials::Basic { username, password })
        }
        "digest" => {
            let (username, password) = value.fields(login)??;
            Some(Credentials::Digest { username, password })
        }
        "ntlm" => value.fields(ntlm)?,
        _ => negotiate(value),
    }
}

/// User name and password.
fn login(fields: &mut Fields<'_>) -> Option<(String, Secret)> {
    let username = fields.required("username", |value| {
        let username = value.text()?;
        if !is_username(&username) {
            return value.refuse("a user name is not empty and holds no colon (RFC 7617)");
        }
        Some(username)
    });
    let password = secrets::password(fields);
    Some((username?, password?))
}

fn ntlm(fields: &mut Fields<'_>) -> Option<Credentials> {
    let username = fields.required("username", |value| {
        let username = value.text()?;
        if username.contains('\\') {
            return value.refuse_with(
                "the domain has a key of its own",
                "use ntlm: {domain: DOMAIN, username: USER, password_file}".to_owned(),
            );
        }
        is_account(&username, value).then_some(username)
    });
    let domain = fields.optional("domain", |value| {
        let domain = value.text()?;
        Some(is_account(&domain, value).then_some(domain))
    });
    let password = secrets::password(fields);
    Some(Credentials::Ntlm {
        username: username?,
        domain: match domain {
            None => None,
            Some(domain) => Some(domain?),
        },
        password: password?,
    })
}

fn is_account(text: &str, value: &Value<'_>) -> bool {
    let length = text.chars().count();
    let good = (1..=MAX_ACCOUNT_CHARACTERS).contains(&length) && !text.contains(char::is_control);
    if !good {
        value.refuse::<()>("expected 1 to 256 characters, none of them a control character");
    }
    good
}

fn negotiate(value: &Value<'_>) -> Option<Credentials> {
    let identity = value.fields(identity)?;
    if !HAS_KERBEROS {
        return value.refuse_with(
            "this build of reachd has no Kerberos",
            "build it with `cargo build --features kerberos`, or use a package that has it"
                .to_owned(),
        );
    }
    identity.map(Credentials::Negotiate)
}

/// Whose tickets: with no key at all, those of the default credential cache.
fn identity(fields: &mut Fields<'_>) -> Option<KerberosIdentity> {
    let cache = fields.get("credential_cache");
    let principal = fields.get("principal");
    let keytab = fields.get("keytab");
    match (cache, principal, keytab) {
        (None, None, None) => Some(KerberosIdentity::DefaultCache),
        (Some(cache), None, None) => Some(KerberosIdentity::Cache(files::path(&cache)?)),
        (None, Some(principal), Some(keytab)) => {
            let principal = self::principal(&principal);
            let keytab = files::keytab(&keytab);
            Some(KerberosIdentity::Keytab {
                principal: principal?,
                keytab: keytab?,
            })
        }
        (Some(cache), _, _) => {
            cache.refuse("either `credential_cache`, or `principal` with `keytab`")
        }
        (None, Some(principal), None) => principal.refuse("`principal` needs `keytab` beside it"),
        (None, None, Some(keytab)) => keytab.refuse("`keytab` needs `principal` beside it"),
    }
}

fn principal(value: &Value<'_>) -> Option<String> {
    let principal = value.text()?;
    let is_good = !principal.is_empty()
        && principal.len() <= MAX_ACCOUNT_CHARACTERS
        && !principal.starts_with('-')
        && !principal.contains(|c: char| c.is_control() || c.is_whitespace());
    if !is_good {
        return value.refuse("expected a principal such as svc-reachd@CORP.EXAMPLE");
    }
    Some(principal)
}
