//! How a login went, for the outcome.

use crate::outcome::{HttpSeen, ProxySeen};

/// So many schemes are remembered, over all legs.
const MOST_OFFERED: usize = 16;

/// How a login went, as far as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::probe) struct LoginSeen {
    pub(in crate::probe) scheme: Option<&'static str>,
    /// How many requests it took up to now.
    pub(in crate::probe) legs: u8,
    offered: Vec<String>,
}

impl LoginSeen {
    /// Whether there is anything to tell.
    pub(in crate::probe) fn is_any(&self) -> bool {
        self.scheme.is_some() || !self.offered.is_empty()
    }

    pub(in crate::probe) fn was_offered(&mut self, schemes: Vec<String>) {
        for scheme in schemes {
            if !self.offered.contains(&scheme) && self.offered.len() < MOST_OFFERED {
                self.offered.push(scheme);
            }
        }
    }

    /// What was offered, for people.
    pub(in crate::probe) fn offers(&self) -> String {
        if self.offered.is_empty() {
            "no scheme".to_owned()
        } else {
            self.offered.join(", ")
        }
    }

    /// Adds it to what was seen of the proxy.
    pub(in crate::probe) fn write_into_proxy(&self, seen: &mut ProxySeen) {
        seen.authentication = self.scheme;
        seen.authentication_legs = self.scheme.map(|_| self.legs);
        if seen.offered_authentication.is_empty() {
            seen.offered_authentication.clone_from(&self.offered);
        }
    }

    /// Adds it to what was seen of the endpoint's answer.
    pub(in crate::probe) fn write_into_answer(&self, seen: &mut HttpSeen) {
        seen.authentication = self.scheme;
        seen.authentication_legs = self.scheme.map(|_| self.legs);
        seen.offered_authentication.clone_from(&self.offered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_of_all_legs_are_bounded() {
        let mut seen = LoginSeen::default();
        for leg in 0..5 {
            let scheme = |number| format!("scheme-{leg}-{number}");
            seen.was_offered((0..16).map(scheme).collect());
        }
        assert_eq!(seen.offered.len(), MOST_OFFERED);
        seen.was_offered(vec!["scheme-0-0".to_owned()]);
        assert_eq!(seen.offered.len(), MOST_OFFERED);
    }
}
