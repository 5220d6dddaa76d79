#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reachd::history::fuzzed::history_row(bytes));
