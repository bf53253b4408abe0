//! Any body is taken apart or not; without its actions' data it still has as many.
#![no_main]

use beeiq_core::formats::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for format in Format::ALL {
        if let Some(actions) = format.actions_that(body, |_| true)
            && let Some(redacted) = format.redacted(body, &actions)
        {
            assert_eq!(format.actions_that(&redacted, |_| true), Some(actions));
        }
    }
});
