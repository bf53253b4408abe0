//! Any text is a template or a fault; a value never leaves the place that it was put into.
#![no_main]

use beeiq_core::values::template::{Escape, Markup, MessageTemplate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for markup in [Markup::Html, Markup::Text] {
        let _ = MessageTemplate::compile(text, markup, &["Referred By".to_owned()]);
    }
    assert!(!Escape::Html.apply(text).contains(['<', '>', '"', '\'']));
    assert!(!Escape::Header.apply(text).contains(['\r', '\n', '\0']));
});
