//! When a message is tried again (`listener.md` 8).

use super::backoff::{Backoff, jittered};
use std::time::Duration;

/// How long to wait after each failed try but the last, in seconds: some 2.6 times longer each time.
const WAITS: [u64; 9] = [10, 26, 68, 178, 465, 1_213, 3_168, 8_272, 21_600];

/// How often a message is tried in all, before it is given up.
pub const TRIES: usize = WAITS.len() + 1;

/// The longest that a provider can ask to be left alone.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);

/// The pauses of a channel whose account is refused.
const PAUSES: Backoff =
    Backoff::without_jitter(Duration::from_secs(60), Duration::from_secs(60 * 60));

/// How long to wait after the `failed`-th failed try; `None`: it was the last. What the provider
/// `asked` for is obeyed, and never undercut. `roll` is any number, by which tries that failed
/// together come apart again.
pub fn next_try(failed: usize, asked: Option<Duration>, roll: u32) -> Option<Duration> {
    let wait = Duration::from_secs(*WAITS.get(failed.checked_sub(1)?)?);
    Some(match asked {
        Some(asked) => jittered(asked.min(LONGEST_ASKED), &(1000..=1100), roll),
        None => jittered(wait, &(800..=1200), roll),
    })
}

/// How long a channel rests after its account was refused `refusals` times in a row.
pub fn pause(refusals: u32) -> Duration {
    PAUSES.wait(refusals.saturating_sub(1), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_about_10_seconds_to_about_6_hours_and_the_tenth_failure_is_the_last() {
        let mut before = Duration::ZERO;
        for failed in 1..TRIES {
            let [shortest, longest] = [0, 400].map(|roll| next_try(failed, None, roll).unwrap());
            assert!(shortest > before, "after {failed}: {shortest:?} after {before:?}");
            assert!(shortest < longest);
            before = longest;
        }
        assert_eq!(TRIES, 10);
        assert_eq!(next_try(1, None, 200), Some(Duration::from_secs(10)));
        assert_eq!(next_try(9, None, 200), Some(Duration::from_secs(6 * 60 * 60)));
        for failed in [10, 11, usize::MAX] {
            assert_eq!(next_try(failed, None, 0), None, "{failed}");
        }
    }

    /// All that a provider refused in one minute would else come back in one second.
    #[test]
    fn what_failed_together_is_not_tried_together() {
        let waits: std::collections::BTreeSet<Duration> =
            (0..1000).filter_map(|roll| next_try(3, None, roll)).collect();
        assert!(waits.len() > 300, "{}", waits.len());
    }

    #[test]
    fn a_provider_is_left_alone_as_long_as_it_asks_but_a_day_at_most() {
        for (asked, least, most) in
            [(0, 0, 0), (7, 7, 8), (3_600, 3_600, 3_960), (10_000_000, 86_400, 95_040)]
        {
            for roll in [0, 100, u32::MAX] {
                let wait = next_try(1, Some(Duration::from_secs(asked)), roll).unwrap().as_secs();
                assert!((least..=most).contains(&wait), "{asked}: {wait}");
            }
        }
        let last = next_try(TRIES, Some(Duration::from_secs(7)), 0);
        assert_eq!(last, None, "asking does not add tries");
    }

    #[test]
    fn a_refused_account_rests_for_a_minute_at_first_and_an_hour_at_most() {
        for (refusals, minutes) in
            [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (u32::MAX, 60)]
        {
            assert_eq!(pause(refusals), Duration::from_secs(minutes * 60), "{refusals}");
        }
    }
}
