#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| posturebeat::fuzzing::node_file(bytes));
