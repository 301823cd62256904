#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| teams_mirror_plugin::fuzzing::map(data));
