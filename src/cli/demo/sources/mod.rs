//! What iAdvize and wolkvox would answer, of customers who do not exist: as their documents say, and
//! as time passes. The demo and the tests put a server around it.

mod iadvize;
mod wolkvox;

pub use iadvize::Iadvize;
pub use wolkvox::Wolkvox;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use std::collections::HashMap;
use std::ops::Range;

/// A request to one of them.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Without what the base URL ends in.
    pub path: &'a str,
    /// The fields of the query.
    pub query: &'a HashMap<String, String>,
    /// The key or token that came with it.
    pub secret: Option<&'a str>,
    /// What happens later is not known yet.
    pub now: DateTime<Utc>,
}

impl Asked<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn number(&self, name: &str, default: u64) -> u64 {
        self.field(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The status of HTTP.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// What happens again and again, from a time on.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// When it happens first.
    pub from: DateTime<Utc>,
    /// How long after that again.
    pub every: TimeDelta,
}

impl Feed {
    /// When it happens for that time, from 0.
    fn time(self, number: u64) -> DateTime<Utc> {
        let times = i32::try_from(number).unwrap_or(i32::MAX);
        self.from + self.every * times
    }

    /// What happens from `first` to `last`, both included.
    fn between(self, first: DateTime<Utc>, last: DateTime<Utc>) -> Range<u64> {
        let step = self.every.num_milliseconds().max(1);
        let before = |at: DateTime<Utc>| (at - self.from).num_milliseconds();
        let begin = u64::try_from((before(first) + step - 1).div_euclid(step)).unwrap_or(0);
        let end = u64::try_from(before(last).div_euclid(step) + 1).unwrap_or(0);
        begin..end.max(begin)
    }

    /// The same, of which happens only each so many.
    const fn each(self, times: i32) -> Self {
        Self {
            from: self.from,
            every: TimeDelta::milliseconds(self.every.num_milliseconds() * times as i64),
        }
    }
}

/// What clocks of that zone show then.
fn shown(at: DateTime<Utc>, zone: Tz, form: &str) -> String {
    at.with_timezone(&zone).format(form).to_string()
}

/// When clocks of that zone show that: where they do twice, the first or the last time.
fn meant(text: &str, zone: Tz, form: &str, last: bool) -> Option<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text, form).ok()?;
    let times = zone.from_local_datetime(&naive);
    let time = if last { times.latest() } else { times.earliest() };
    Some(time.map_or_else(|| naive.and_utc(), |time| time.to_utc()))
}

const FIRST: [&str; 8] = ["Anna", "Minh", "Carlos", "Zoé", "Linh", "Jürgen", "Ngọc", "María"];
const LAST: [&str; 7] = ["Nguyễn", "Martin", "García", "Schmidt", "Trần", "Dubois", "Pérez"];

/// The name of the customer of that number.
fn name(number: u64) -> (&'static str, &'static str) {
    let of = |names: &[&'static str], at: u64| {
        let count = u64::try_from(names.len()).unwrap_or(1);
        names.get(usize::try_from(at % count).unwrap_or_default()).copied().unwrap_or_default()
    };
    (of(&FIRST, number), of(&LAST, number / 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_in_a_window_is_told_once_with_both_ends() {
        let at = |minutes: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let feed = Feed { from: at(0), every: TimeDelta::minutes(10) };
        for (first, last, expected) in [
            (0, 20, 0..3),
            (1, 19, 1..2),
            (11, 19, 2..2),
            (-50, -10, 0..0),
            (-50, 0, 0..1),
            (30, 20, 3..3),
        ] {
            assert_eq!(feed.between(at(first), at(last)), expected, "{first} {last}");
        }
        assert_eq!(feed.each(3).between(at(0), at(60)), 0..3);
    }
}
