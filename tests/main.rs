//! The end-to-end tests, in one program: the built reachd against real servers on loopback.
//!
//! | file | what it shows |
//! |---|---|
//! | `scenarios/*.yml` | one fault or way a scenario: phase, peer, reason, exit code and series (`scenarios.rs` reads them) |
//! | `api.rs` | the API answers what its description says, whatever is asked |
//! | `catalog.rs` | what the commands of the catalog print, and that squid and Prometheus take it |
//! | `certificates.rs` | client certificates that change, and what the trust store lacks, while the daemon runs |
//! | `commands.rs` | exit codes, reports, mistakes in the configuration, the commands that the README shows |
//! | `dashboards.rs`, `dashboards/` | the queries of the Grafana dashboards have answers, and their JSON is sound; `grafana/` draws them |
//! | `derived.rs` | what certificates name becomes endpoints, fails by itself, and leaves |
//! | `causes/*.yml` | one fault or two a case, and the causes that are told of them (`diagnosis.rs`, `diagnosis/` run them) |
//! | `diagnosis.rs`, `diagnosis/` | one fault, one cause: each kind alone and in pairs, and a proxy that stops while the daemon looks |
//! | `discovery.rs` | targets in files and on servers that change, break and are mended |
//! | `exposition.rs`, `exposition/` | every format of `/metrics`, read by real parsers and by Prometheus; native histograms and exemplars |
//! | `history.rs` | outages outlive a kill at any time, and a full disk |
//! | `hostile.rs` | peers that mean harm, all at once; no descriptors, no room on the disk, a clock that jumps |
//! | `holds.rs` | connections that are held idle, and everybody who cuts them |
//! | `lanes.rs` | a dead proxy or resolver keeps nobody waiting who does not need it |
//! | `isolation.rs` | machines without a network, without a route, with a trust store of their own |
//! | `prerequisites.rs` | what tenant attach needs, on machines on which nothing or something answers; which service works |
//! | `page.rs`, `page/` | the status page and the reports in Chromium: filters, keyboard, themes, accessibility, live updates |
//! | `web.rs`, `web/` | TLS, logins and limits of the web server with curl, Prometheus, nginx and systemd's tools around it |
//! | `witness.rs` | curl through the same proxies succeeds and fails like reachd |
//! | `prometheus.rs` | `promtool` finds nothing, and a real Prometheus sees every check |
//! | `rules.rs`, `rules/` | the alerts: rules, their tests, texts and documents agree; a dead proxy is one notification |
//! | `redirects.rs` | where the catalog's links lead, below a required wildcard |
//! | `security.rs` | what docs/security.md claims: that each claim has tests, and those that nothing else holds |
//! | `shards.rs` | several reachd share the checks of one configuration |
//! | `tickets.rs` | the processes that get Kerberos tickets: how many, how long, and a KDC that is silent for a while |
//! | `packages.rs`, `packages/` | the Debian package on a machine under systemd, and linters of what reachd is installed by (no lab needed) |
//! | `pac.rs` | proxy scripts over time: loops, changes, reloads |
//! | `revocation.rs`, `revocation/` | lists and answers over time and over every route, responders that run, and what openssl says of them |
//! | `soak.rs`, `soak/` | under faults that come and go at random, nothing grows and no probe is lost or doubled |
//! | `lifecycle.rs` | reload and end under load lose no counter |
//! | `layers.rs` | every room of `src` imports only from the rooms before it (no lab needed) |
//! | `kit.rs`, `kit/` | the lab: addresses, certificates, servers, faults, and reachd as a process |
//! | `lab/` | the configurations of the servers |
//!
//! `tests/run` installs what is needed and runs everything; `cargo test --all-features --test it -- WORD` runs what has
//! WORD in its name. It takes root, for the servers listen on the ports they have in real life.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests wait for other processes, in real time"
)]

#[cfg(test)]
mod api;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod derived;
#[cfg(test)]
mod diagnosis;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod exposition;
#[cfg(test)]
mod history;
#[cfg(test)]
mod holds;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod lanes;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod pac;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod page;
#[cfg(test)]
mod prerequisites;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod security;
#[cfg(test)]
mod shards;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tickets;
#[cfg(test)]
mod web;
#[cfg(test)]
mod witness;

fn main() -> std::process::ExitCode {
    suite::run()
}
