//! Any body is taken apart or not; without its actions' data it still has as many items.
#![no_main]

use beeiq_core::formats::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for format in Format::ALL {
        if let Some(items) = format.items_that(body, |_| true)
            && let Some(redacted) = format.redacted(body, &items)
        {
            assert_eq!(format.items_that(&redacted, |_| true), Some(items));
        }
    }
});
