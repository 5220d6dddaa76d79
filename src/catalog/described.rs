//! What the catalog says of an endpoint that was made of one of its entries.

use std::cmp::Reverse;

use super::feature;
use super::feature::{Entry, Kind, covers};
use crate::endpoint::{Endpoint, Origin};

/// The entry of which the catalog made an endpoint; `None` where somebody else named it.
///
/// An endpoint has the name of a template as it was filled, which may be that of another entry too: then it is the
/// one that is as critical as the endpoint.
#[must_use]
pub fn entry_of(endpoint: &Endpoint) -> Option<&'static Entry> {
    if endpoint.origin != Origin::Catalog {
        return None;
    }
    let entries = feature(&endpoint.service)?.entries.iter();
    let alike = entries.filter(|entry| is_of(entry, endpoint));
    alike.min_by_key(|entry| {
        Reverse((
            entry.critical == endpoint.critical,
            entry.name() == endpoint.name,
        ))
    })
}

fn is_of(entry: &Entry, endpoint: &Endpoint) -> bool {
    let is_in_cloud = entry
        .clouds
        .iter()
        .any(|cloud| Some(cloud.as_str()) == endpoint.cloud.as_deref());
    let is_template = entry.url.variables().next().is_some();
    let has_name =
        entry.name() == endpoint.name || (is_template && covers(entry.name(), &endpoint.name));
    is_in_cloud
        && has_name
        && entry.kind != Kind::Wildcard
        && entry.stands_in_for == endpoint.stands_in_for
        && entry.kind.serves_revocation() == endpoint.serves_revocation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Asked, select};

    /// Every endpoint that the catalog can make is found again, with a template filled by the name of another entry.
    #[test]
    fn each_endpoint_has_its_entry() {
        let variables = [
            ("gateway_host", "us.gateway.configmgr.manage.microsoft.com"),
            ("sms_provider", "cm01.corp.example"),
        ];
        let asked = Asked {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            ..Asked::default()
        };
        let selected = select(&asked.over(None)).unwrap();
        assert!(selected.endpoints.len() > 200);
        for (endpoint, _) in &selected.endpoints {
            let name = &endpoint.name;
            let entry = entry_of(endpoint).unwrap_or_else(|| panic!("no entry of {name}"));
            assert_eq!(entry.critical, endpoint.critical, "{name}");
            assert_eq!(entry.hold.map(Box::new), endpoint.hold, "{name}");
        }
        let gateway = selected.endpoints.iter().find(|(endpoint, _)| {
            endpoint.name == variables[0].1 && endpoint.service == "tenant-attach"
        });
        let entry = entry_of(&gateway.unwrap().0).unwrap();
        assert_eq!(entry.url.as_str(), "https://<gateway_host>");
    }

    #[test]
    fn what_others_named_has_none() {
        let selected = select(&Asked::default().over(None)).unwrap();
        let mut endpoint = selected.endpoints[0].0.clone();
        endpoint.origin = Origin::Certificate;
        assert_eq!(entry_of(&endpoint), None);
    }
}
