//! Any text is a number or none; a number's E.164 form is the same number everywhere.
#![no_main]

use beeiq_core::values::phone::{Phone, Region};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for region in ["VN", "US", "FR"] {
        let region = Region::parse(region).expect("is a region");
        if let Ok(phone) = Phone::parse(text, region)
            && let Some(e164) = phone.e164()
        {
            let again = Phone::parse(e164, region).expect("is a number");
            assert_eq!(again.e164(), Some(e164), "{text}");
        }
    }
});
