//! How many actions a listener takes in which time: a leaky bucket that may go into debt
//! (`listener.md` 1, 2).
//!
//! A request costs an action at least, which it pays before its body is read; what else it brings
//! is charged when it has been counted, and keeps later requests out until the debt has run off. So
//! in the long run both requests and actions stay within the rate, and a batch larger than the
//! burst is still taken whole.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// How long an action takes to run off.
    interval: Duration,
    /// How many may come at once.
    burst: u32,
}

/// What is left of a listener's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// How many actions it would take now.
    pub(crate) remaining: u32,
    /// When it will take a whole burst again.
    pub(crate) full_in: Duration,
}

impl Rate {
    /// So many actions a second in the long run and so many at once, divided evenly among
    /// `processes`; no process takes less than one at once.
    pub(crate) fn new(per_second: u32, burst: u32, processes: u32) -> Self {
        let processes = processes.max(1);
        Self {
            interval: Duration::from_secs(1) * processes / per_second.max(1),
            burst: (burst / processes).max(1),
        }
    }

    pub(crate) const fn burst(self) -> u32 {
        self.burst
    }

    /// How long a whole burst takes to run off.
    pub(crate) fn window(self) -> Duration {
        self.interval * self.burst
    }
}

/// What a listener has taken lately. Times count from any fixed moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    /// When all that was taken will have run off.
    empty_at: Duration,
}

impl Bucket {
    /// Takes a request, or says how long the rate will be exhausted.
    pub(super) fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        let with_one = self.backlog(now) + rate.interval;
        match with_one.checked_sub(rate.window()) {
            None | Some(Duration::ZERO) => {
                self.charge(rate, now, 1);
                Ok(())
            }
            Some(too_early) => Err(too_early),
        }
    }

    /// Charges actions that have come already.
    pub(super) fn charge(&mut self, rate: Rate, now: Duration, actions: u32) {
        self.empty_at = now + self.backlog(now) + rate.interval * actions;
    }

    pub(super) fn quota(&self, rate: Rate, now: Duration) -> Quota {
        let backlog = self.backlog(now);
        let room = rate.window().saturating_sub(backlog).as_nanos();
        let remaining = room.checked_div(rate.interval.as_nanos()).unwrap_or_default();
        Quota { remaining: u32::try_from(remaining).unwrap_or(u32::MAX), full_in: backlog }
    }

    /// How long what was taken still takes to run off.
    pub(super) fn backlog(&self, now: Duration) -> Duration {
        self.empty_at.saturating_sub(now)
    }
}

/// Rounded up, and one at least.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A request at a time, in ms; the actions it brings beside the first; and what is expected:
    /// taken, or for how many ms it is too early.
    type Step = (u64, u32, Result<(), u64>);

    #[test]
    fn a_burst_is_taken_at_once_and_then_so_many_a_second() {
        let ten_a_second = Rate::new(10, 3, 1);
        let steps: &[(&str, &[Step])] = &[
            (
                "a burst, then one each 100 ms",
                &[
                    (0, 0, Ok(())),
                    (0, 0, Ok(())),
                    (0, 0, Ok(())),
                    (0, 0, Err(100)),
                    (60, 0, Err(40)),
                    (100, 0, Ok(())),
                    (100, 0, Err(100)),
                    (200, 0, Ok(())),
                ],
            ),
            (
                "a pause gives a burst again and no more",
                &[(0, 0, Ok(())), (60_000, 2, Ok(())), (60_000, 0, Err(100))],
            ),
            (
                "a batch larger than the burst is taken, and its debt runs off",
                &[(0, 9, Ok(())), (0, 0, Err(800)), (799, 0, Err(1)), (800, 0, Ok(()))],
            ),
        ];
        for (what, steps) in steps {
            let mut bucket = Bucket::default();
            for &(at, more, expected) in *steps {
                let taken = bucket.take(ten_a_second, ms(at));
                assert_eq!(taken, expected.map_err(ms), "{what}, at {at} ms");
                if taken.is_ok() {
                    bucket.charge(ten_a_second, ms(at), more);
                }
            }
        }
    }

    #[test]
    fn it_tells_what_is_left_and_when_all_of_it_will_be() {
        let rate = Rate::new(10, 20, 1);
        let mut bucket = Bucket::default();
        for (actions, at, remaining, full_in) in
            [(0, 0, 20, 0), (5, 0, 15, 500), (0, 250, 17, 250), (100, 250, 0, 10_250)]
        {
            bucket.charge(rate, ms(at), actions);
            let expected = Quota { remaining, full_in: ms(full_in) };
            assert_eq!(bucket.quota(rate, ms(at)), expected, "{actions} at {at} ms");
        }
    }

    #[test]
    fn processes_share_a_rate_and_each_takes_one_at_least() {
        let shared = Rate::new(100, 8, 4);
        assert_eq!((shared.burst(), shared.window()), (2, ms(80)));
        let small = Rate::new(1, 1, 4);
        assert_eq!((small.burst(), small.window()), (1, ms(4000)));
    }
}
