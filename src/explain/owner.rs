//! Who can mend a failure: a closed list, so that a report can be sorted by it.

/// Resolvers, zones, forwarders and DNS filters.
pub(super) const DNS: &str = "DNS team";
/// The proxy, its policy, its accounts and its TLS inspection.
pub(super) const PROXY: &str = "proxy team";
/// Firewalls, routing and everything else on the way.
pub(super) const NETWORK: &str = "network team";
/// Certificates, authorities and trust stores of the organisation.
pub(super) const PKI: &str = "PKI team";
/// Accounts, Active Directory and its domain controllers.
pub(super) const IDENTITY: &str = "identity team";
/// The machine on which reachd runs.
pub(super) const SERVER: &str = "server team";
/// Whoever runs what the URL names: a cloud, or a team of one's own.
pub(super) const ENDPOINT: &str = "the endpoint's operator";
/// Whoever writes reachd's configuration.
pub(super) const CONFIGURATION: &str = "reachd's administrator";

/// All of them.
#[cfg(test)]
pub(super) const ALL: [&str; 8] = [
    DNS,
    PROXY,
    NETWORK,
    PKI,
    IDENTITY,
    SERVER,
    ENDPOINT,
    CONFIGURATION,
];
