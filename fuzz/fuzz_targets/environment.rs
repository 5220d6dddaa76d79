#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reachd::config::fuzzed::environment(bytes));
