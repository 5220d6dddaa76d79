//! Access control lists of squid, ready to be included.

use std::collections::{BTreeMap, BTreeSet};

use super::Export;
use crate::catalog::address::{Address, Protocol};
use crate::catalog::table::prefixed;

const USE: &str = "\
# Include this file and allow what it names, above the rules that deny:
#   include /etc/squid/reachd.acl
#   http_access allow reachd
# A name with a dot in front is also the domain itself, so that it covers a little more than *.domain does.
";

/// A list of names, one of patterns and one of the port for each port, and `reachd`, which is all of them.
pub(super) fn written(export: &Export) -> String {
    let mut ports: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    let (tcp, udp): (Vec<&Address>, Vec<&Address>) = export
        .filled()
        .map(|need| &need.address)
        .partition(|address| address.protocol == Protocol::Tcp);
    for address in tcp {
        ports.entry(address.port).or_default().insert(&address.host);
    }
    let mut text = vec![prefixed("# ", &export.head()), USE.to_owned()];
    text.extend(ports.iter().map(|(port, hosts)| lists(*port, hosts)));
    let names: Vec<String> = ports.keys().map(|port| format!(" reachd_{port}")).collect();
    if !names.is_empty() {
        text.push(format!("\nacl reachd any-of{}\n", names.concat()));
    }
    let udp = udp
        .into_iter()
        .map(|address| format!("No proxy forwards this: {address}"));
    let tail: Vec<String> = udp.chain(export.tail()).collect();
    if !tail.is_empty() {
        text.push(format!("\n{}", prefixed("# ", &tail)));
    }
    text.concat()
}

/// The lists of one port. `-n`: a request for an address is not looked up, for whoever owns the address says what
/// the name of it is.
fn lists(port: u16, hosts: &BTreeSet<&str>) -> String {
    let (patterns, names): (Vec<&str>, Vec<&str>) = hosts
        .iter()
        .partition(|host| host.strip_prefix("*.").unwrap_or(host).contains('*'));
    let names: BTreeSet<String> = names.into_iter().map(domain).collect();
    let needed = names.iter().filter(|name| !is_below_another(name, &names));
    let by_name = needed.map(|name| format!("acl reachd_{port}_names dstdomain -n {name}\n"));
    let by_pattern = patterns.iter().map(|pattern| {
        let expression = expression(pattern);
        format!("acl reachd_{port}_patterns dstdom_regex -n -i {expression}\n")
    });
    let kinds = [
        (!names.is_empty(), format!(" reachd_{port}_names")),
        (!patterns.is_empty(), format!(" reachd_{port}_patterns")),
    ];
    let kinds = kinds.into_iter().filter(|(is_there, _)| *is_there);
    let kinds: String = kinds.map(|(_, name)| name).collect();
    let whole = [
        format!("acl reachd_{port}_hosts any-of{kinds}\n"),
        format!("acl reachd_{port}_port port {port}\n"),
        format!("acl reachd_{port} all-of reachd_{port}_port reachd_{port}_hosts\n"),
    ];
    let blank = ["\n".to_owned()].into_iter();
    blank
        .chain(by_name)
        .chain(by_pattern)
        .chain(whole)
        .collect()
}

/// `*.a.example` as squid has it: `.a.example`.
fn domain(host: &str) -> String {
    host.strip_prefix('*').unwrap_or(host).to_owned()
}

/// Whether another name of the list, one with a dot in front, covers it: squid warns of that.
fn is_below_another(name: &str, names: &BTreeSet<String>) -> bool {
    let above = |wide: &&String| wide.starts_with('.') && wide.as_str() != name;
    names
        .iter()
        .filter(above)
        .any(|wide| name.ends_with(wide.as_str()) || name == &wide[1..])
}

/// A pattern with a `*` in the middle as a regular expression for the whole name.
fn expression(pattern: &str) -> String {
    format!("^{}$", pattern.replace('.', "\\.").replace('*', ".+"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_are_told_apart_and_covered_names_left_out() {
        let hosts = BTreeSet::from([
            "*.wild.example",
            "*.deep.wild.example",
            "wild.example",
            "a.wild.example",
            "notwild.example",
            "*-inner.a-b.example",
            "pay*.x.example",
            "*.*.y.example",
        ]);
        assert_eq!(
            lists(443, &hosts),
            "
acl reachd_443_names dstdomain -n .wild.example
acl reachd_443_names dstdomain -n notwild.example
acl reachd_443_patterns dstdom_regex -n -i ^.+-inner\\.a-b\\.example$
acl reachd_443_patterns dstdom_regex -n -i ^.+\\..+\\.y\\.example$
acl reachd_443_patterns dstdom_regex -n -i ^pay.+\\.x\\.example$
acl reachd_443_hosts any-of reachd_443_names reachd_443_patterns
acl reachd_443_port port 443
acl reachd_443 all-of reachd_443_port reachd_443_hosts
"
        );
    }
}
