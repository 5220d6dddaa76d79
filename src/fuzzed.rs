//! Every reader of what comes from outside, with what must hold of it whatever it is given: for `cargo fuzz` (`fuzz/`,
//! where each has its seeds) and, with the same seeds and changes of them, for the unit tests. docs/fuzzing.md tells more.

use crate::{config, discovery, history, probe, server};

/// Takes any bytes, and panics where something does not hold.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 21] = [
    ("bypass", config::fuzzed::bypass),
    ("certificate", probe::fuzzed::certificate),
    ("challenges", probe::fuzzed::challenges),
    ("configuration", config::fuzzed::configuration),
    ("connect_answer", probe::fuzzed::connect_answer),
    ("dns_answer", probe::fuzzed::dns_answer),
    ("environment", config::fuzzed::environment),
    ("history_row", history::fuzzed::history_row),
    ("http_answer", probe::fuzzed::http_answer),
    ("m365_endpoints", discovery::fuzzed::m365_endpoints),
    ("m365_memory", discovery::fuzzed::m365_memory),
    ("ntlm_challenge", probe::fuzzed::ntlm_challenge),
    ("pac_answer", probe::fuzzed::pac_answer),
    ("query", server::fuzzed::query),
    ("request_headers", server::fuzzed::request_headers),
    ("revocation_answer", probe::fuzzed::revocation_answer),
    ("revocation_list", probe::fuzzed::revocation_list),
    ("socks_answer", probe::fuzzed::socks_answer),
    ("targets", discovery::fuzzed::targets),
    ("web_configuration", config::fuzzed::web_configuration),
    ("winhttp", config::fuzzed::winhttp),
];

#[cfg(test)]
mod tests;
