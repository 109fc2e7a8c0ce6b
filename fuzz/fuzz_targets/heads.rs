#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bits_proto_fuzz::oracles::heads(data));
