#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reachd::discovery::fuzzed::m365_endpoints(bytes));
