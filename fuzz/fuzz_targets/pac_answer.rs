#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| reachd::probe::fuzzed::pac_answer(bytes));
