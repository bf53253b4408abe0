//! Any text is a date or none; a date that was read is read again as itself.
#![no_main]

use beeiq_core::values::date::{DateInput, calendar_date, instant};
use chrono_tz::Asia::Ho_Chi_Minh;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = instant(DateInput::Text(text), Ho_Chi_Minh);
    if let Ok(date) = calendar_date(DateInput::Text(text), Ho_Chi_Minh) {
        let written = date.to_string();
        assert_eq!(calendar_date(DateInput::Text(&written), Ho_Chi_Minh).ok(), Some(date));
    }
});
