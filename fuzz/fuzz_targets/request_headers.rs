#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reachd::server::fuzzed::request_headers(bytes));
