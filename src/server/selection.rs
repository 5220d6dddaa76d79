//! Which of all checks somebody asks for: the query of the page and of the API.

use axum::http::Uri;
use url::form_urlencoded::{self, Serializer};

use super::standing::State;
use crate::catalog::NotProbed;
use crate::history::CheckHistory;

/// How long a value may be that is looked for, in characters; names are shorter.
const LONGEST_VALUE: usize = 400;

/// What is asked for. What is not said is not restricted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// A part of the endpoint's name, its URL, the service, the route or the reason, in any case.
    pub(super) text: String,
    /// How the check fares.
    pub(super) state: Option<State>,
    /// The service's name.
    pub(super) service: String,
    /// The route's name.
    pub(super) route: String,
}

/// A query that cannot be understood, in the words of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadQuery(pub(super) &'static str);

/// A query in its parts, decoded.
pub(super) fn pairs(uri: &Uri) -> Vec<(String, String)> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

impl Selection {
    /// As people ask, who may follow an old link: what is not understood restricts nothing.
    pub(super) fn lenient(pairs: &[(String, String)]) -> Self {
        let mut selection = Self::default();
        for (key, value) in pairs {
            let _ = selection.take(key, value);
        }
        selection
    }

    /// Takes one part of a query, if it is one of a selection.
    ///
    /// # Errors
    /// The value is none that the key can have.
    pub(super) fn take(&mut self, key: &str, value: &str) -> Result<bool, BadQuery> {
        if value.chars().count() > LONGEST_VALUE {
            return Err(BadQuery("A value of the query is too long."));
        }
        match key {
            "q" => value.trim().clone_into(&mut self.text),
            "service" => value.clone_into(&mut self.service),
            "route" => value.clone_into(&mut self.route),
            "state" if value.is_empty() => self.state = None,
            "state" => {
                let known = State::ALL.iter().find(|state| state.as_str() == value);
                self.state = Some(*known.ok_or(BadQuery(
                    "`state` is one of failing, succeeding and waiting.",
                ))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether everything is asked for.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is among what is asked for.
    pub(super) fn takes(&self, history: &CheckHistory) -> bool {
        let (endpoint, route) = (&history.check.endpoint, &history.check.route);
        is_or_any(&self.service, &endpoint.service)
            && is_or_any(&self.route, &route.name)
            && self.state.is_none_or(|state| state == State::of(history))
            && self.finds(|| {
                let failure = history
                    .latest()
                    .and_then(|latest| latest.result.as_ref().err());
                let reason = failure.map(|failure| failure.reason.to_string());
                [
                    endpoint.name.clone(),
                    endpoint.service.clone(),
                    route.name.clone(),
                    endpoint.target.to_string(),
                    reason.unwrap_or_default(),
                ]
            })
    }

    /// Whether what is not probed is among what is asked for: it has neither a state nor a route.
    pub(super) fn takes_not_probed(&self, entry: &NotProbed) -> bool {
        self.state.is_none()
            && self.route.is_empty()
            && is_or_any(&self.service, &entry.service)
            && self.finds(|| [entry.endpoint.clone(), entry.service.clone()])
    }

    /// The query that asks for the same, with its page.
    pub(super) fn query(&self, page: usize) -> String {
        let mut query = Serializer::new(String::new());
        let state = self.state.map(State::as_str).unwrap_or_default();
        let page = if page > 1 {
            page.to_string()
        } else {
            String::new()
        };
        for (key, value) in [
            ("q", self.text.as_str()),
            ("state", state),
            ("service", &self.service),
            ("route", &self.route),
            ("page", &page),
        ] {
            if !value.is_empty() {
                query.append_pair(key, value);
            }
        }
        query.finish()
    }

    fn finds<const N: usize>(&self, among: impl FnOnce() -> [String; N]) -> bool {
        if self.text.is_empty() {
            return true;
        }
        let wanted = self.text.to_lowercase();
        let mut among = among().into_iter();
        among.any(|text| text.to_lowercase().contains(&wanted))
    }
}

fn is_or_any(wanted: &str, name: &str) -> bool {
    wanted.is_empty() || wanted == name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::tests::histories;

    fn selection(query: &str) -> Selection {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        Selection::lenient(&pairs(&uri))
    }

    #[test]
    fn every_part_of_a_query_restricts() {
        let cases = [
            ("", 12),
            ("q=GRAPH", 2),
            ("q=nxdomain", 2),
            ("q=SMS_DP", 1),
            ("state=failing", 6),
            ("state=waiting", 1),
            ("state=&service=&route=", 12),
            ("service=site", 4),
            ("service=site&route=corp", 1),
            ("route=proxy.corp.example", 0),
            ("q=graph&state=failing", 1),
            ("state=nonsense&unknown=1", 12),
        ];
        let histories = histories();
        for (query, expected) in cases {
            let selection = selection(query);
            let taken = histories.iter().filter(|history| selection.takes(history));
            assert_eq!(taken.count(), expected, "{query}");
        }
    }

    #[test]
    fn a_selection_survives_its_own_query() {
        let odd = "q=a%26b+%C3%A9&state=failing&service=s%2F1&route=r%3D1";
        let selection = selection(odd);
        assert_eq!(selection.text, "a&b é");
        assert_eq!(selection.query(1), odd);
        assert_eq!(selection.query(3), format!("{odd}&page=3"));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let mut selection = Selection::default();
        assert!(selection.take("state", "broken").is_err());
        assert!(selection.take("q", &"x".repeat(401)).is_err());
        assert_eq!(selection.take("limit", "1"), Ok(false));
        assert!(selection.is_everything());
    }
}
