//! How long to wait before trying again.

use chrono::{DateTime, Utc};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The longest that anybody can ask to be left alone.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits that double with every failure.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// How much of a wait is waited, in thousandths, so that what failed together comes apart.
    pub jitter: RangeInclusive<u32>,
}

impl Backoff {
    /// Waits that are always the same: where nobody else waits for the same thing.
    pub const fn without_jitter(first: Duration, longest: Duration) -> Self {
        Self { first, longest, jitter: 1000..=1000 }
    }

    /// The wait after one failure and so many `earlier` ones. `roll` is any number.
    pub fn wait(&self, earlier: u32, roll: u32) -> Duration {
        let full = self.first.saturating_mul(1 << earlier.min(20)).min(self.longest);
        jittered(full, &self.jitter, roll)
    }
}

/// A share of a wait, in thousandths, by `roll`, which is any number.
pub fn jittered(wait: Duration, share: &RangeInclusive<u32>, roll: u32) -> Duration {
    let choices = share.end().saturating_sub(*share.start()).saturating_add(1);
    wait.saturating_mul(share.start() + roll % choices) / 1000
}

/// What a `Retry-After` header asks for: seconds, or a date of HTTP (RFC 9110 10.2.3); at most a
/// day.
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(value).ok()?;
            (until.with_timezone(&Utc) - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_jitter_takes_its_share() {
        let seconds = Duration::from_secs;
        let backoff = Backoff { first: seconds(1), longest: seconds(8), jitter: 500..=1000 };
        for (earlier, roll, millis) in
            [(0, 0, 500), (0, 500, 1000), (2, 500, 4000), (9, 500, 8000), (u32::MAX, 501, 4000)]
        {
            assert_eq!(backoff.wait(earlier, roll).as_millis(), millis, "{earlier} {roll}");
        }
        let always = Backoff::without_jitter(seconds(60), seconds(3600));
        assert_eq!(always.wait(3, u32::MAX), seconds(480));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2015-10-21T07:28:00Z").unwrap().to_utc();
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:30:00 GMT", Some(120)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("99999999", Some(86_400)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
