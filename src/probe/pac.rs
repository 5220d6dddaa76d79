//! Proxy scripts (proxy auto-configuration, PAC): for each URL a function in JavaScript names the proxies. The script
//! is fetched and kept by `keeper`, and run by the processes of `pool` in a sandbox.

mod answer;
mod desk;
mod functions;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod keeper;
mod look_ups;
mod pool;
mod process;
mod sandbox;
mod script;
mod text;
mod trial;
mod trouble;
mod worker;

use std::sync::Arc;

use tokio::time::Instant;
use url::{Host, Position, Url};

pub(super) use self::answer::{Entry, entries};
use self::keeper::Keeper;
use self::pool::{Evaluation, Pool};
pub use self::trial::{PacAnswer, PacTrial, PacTrialError};
use self::trouble::Trouble;
pub use self::worker::{PAC_COMMAND, run_pac_scripts};
use super::dns::Resolver;
use super::fetch::Fetcher;
use crate::endpoint::Authority;
use crate::outcome::ProxyReason;
use crate::route::PacSource;

/// What a script is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// Of https no more than scheme, host and port, as Windows and Chromium do: the rest is nobody's business.
    url: String,
    /// In lower case, an IPv6 address without brackets.
    host: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoAnswer {
    pub(super) reason: ProxyReason,
    pub(super) detail: String,
    /// The name that the script asked for and the resolver gave no answer for.
    pub(super) unanswered: Option<String>,
}

/// The script of one route, ready to be asked again and again.
#[derive(Debug)]
pub(super) struct Decider {
    source: PacSource,
    keeper: Keeper,
    pool: Arc<Pool>,
}

impl Question {
    /// Where plain HTTP is sent.
    pub(super) fn of_plain_http(url: &Url, authority: &Authority) -> Self {
        Self {
            url: url[..Position::AfterQuery].to_owned(),
            host: bare(&authority.host),
        }
    }

    /// Where something is spoken that no proxy looks into.
    pub(super) fn of_tunnel(authority: &Authority) -> Self {
        let Authority { host, port } = authority;
        let port = match port {
            443 => String::new(),
            port => format!(":{port}"),
        };
        Self {
            url: format!("https://{host}{port}/"),
            host: bare(host),
        }
    }
}

impl Decider {
    /// Nothing is fetched yet, and no process runs.
    pub(super) fn new(source: PacSource, fetcher: Fetcher) -> Self {
        Self {
            keeper: Keeper::new(source.clone(), fetcher),
            source,
            pool: Arc::new(Pool::new()),
        }
    }

    /// The one after a reload that leaves the script where it is: what was fetched, what is known of it and the
    /// processes go on.
    pub(super) fn succeeded(&self, fetcher: Fetcher) -> Self {
        Self {
            source: self.source.clone(),
            keeper: self.keeper.succeeded(fetcher),
            pool: Arc::clone(&self.pool),
        }
    }

    /// Where the script is kept.
    pub(super) fn source(&self) -> &PacSource {
        &self.source
    }

    /// The script's answer for one URL.
    pub(super) async fn ask(
        &self,
        question: &Question,
        resolver: &Arc<Resolver>,
        deadline: Instant,
    ) -> Result<String, NoAnswer> {
        let script = self.keeper.script(deadline).await;
        let script = script.map_err(|why| NoAnswer::new(ProxyReason::PacUnavailable, why))?;
        let asked = self.pool.evaluate(&script, question, resolver, deadline);
        let Evaluation { result, .. } = asked.await;
        let hint = match &result {
            Err(Trouble::Syntax { .. }) if script.is_page() => {
                " (it begins with `<`: this is a web page and not a script)"
            }
            _ => "",
        };
        result.map_err(|trouble| {
            let detail = format!("{} for {}: {trouble}{hint}", script.source, question.url);
            let unanswered = match trouble {
                Trouble::Unanswered { name, .. } => Some(name),
                _ => None,
            };
            NoAnswer {
                unanswered,
                ..NoAnswer::new(ProxyReason::PacError, detail)
            }
        })
    }
}

impl NoAnswer {
    pub(super) fn new(reason: ProxyReason, detail: String) -> Self {
        Self {
            reason,
            detail,
            unanswered: None,
        }
    }
}

fn bare(host: &Host<String>) -> String {
    match host {
        Host::Domain(name) => name.to_ascii_lowercase(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// Outside text for people: cut, and without what a terminal would obey.
pub(super) fn bounded(text: &str, most: usize) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let mut kept: String = text.chars().take(most).map(shown).collect();
    if text.chars().nth(most).is_some() {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_is_told() {
        let table = [
            (
                "https://Web.Example/a?b",
                true,
                "https://web.example/",
                "web.example",
            ),
            (
                "https://web.example:8443/a",
                true,
                "https://web.example:8443/",
                "web.example",
            ),
            (
                "https://[2001:DB8::1]/",
                true,
                "https://[2001:db8::1]/",
                "2001:db8::1",
            ),
            (
                "http://Web.Example/a?b=C",
                false,
                "http://web.example/a?b=C",
                "web.example",
            ),
            (
                "http://web.example:8080",
                false,
                "http://web.example:8080/",
                "web.example",
            ),
        ];
        for (url, tunnelled, asked, host) in table {
            let url: Url = url.parse().unwrap();
            let authority = Authority::of(&url).unwrap();
            let question = if tunnelled {
                Question::of_tunnel(&authority)
            } else {
                Question::of_plain_http(&url, &authority)
            };
            let (asked, host) = (asked.to_owned(), host.to_owned());
            assert_eq!(question, Question { url: asked, host });
        }
    }
}
