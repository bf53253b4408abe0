//! Any bytes are a JSON value or a fault; what was read is written and read again as itself.
#![no_main]

use beeiq_core::json::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(value) = parse(body, 32) {
        let again = parse(value.to_string().as_bytes(), 32);
        assert_eq!(again.ok(), Some(value));
    }
});
