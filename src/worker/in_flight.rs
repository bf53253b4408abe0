//! What this process is working at, and which queue is next.

use crate::clock;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How long what another process queued waits at most for a pass.
pub(super) const POLL: Duration = Duration::from_secs(1);

/// When a queue may be looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    AtOnce,
    /// It is in the way of itself, or another process is at it.
    AfterPoll,
    /// It failed, and is tried again after that.
    After(Duration),
}

#[derive(Debug)]
pub(super) struct InFlight<Q> {
    slots: usize,
    most_of_a_queue: usize,
    running: HashMap<Q, usize>,
    /// Queues that are left alone until then.
    resting: HashMap<Q, Instant>,
    /// The queue after which the next pass begins.
    pub(super) last_served: Option<Q>,
}

impl<Q: Copy + Eq + Hash> InFlight<Q> {
    pub(super) fn new(slots: usize, most_of_a_queue: usize) -> Self {
        let (running, resting) = (HashMap::new(), HashMap::new());
        Self { slots, most_of_a_queue, running, resting, last_served: None }
    }

    pub(super) fn free(&self) -> usize {
        self.slots.saturating_sub(self.running.values().sum())
    }

    /// How many more of a queue may be worked at. The fewer slots are free, the fewer one queue may
    /// take: several slow servers together do not take them all.
    pub(super) fn permits(&self, queue: Q) -> usize {
        if self.resting.get(&queue).is_some_and(|until| clock::instant() < *until) {
            return 0;
        }
        let own = self.running.get(&queue).copied().unwrap_or_default();
        let share = ((self.free() + own) / 4).clamp(1, self.most_of_a_queue);
        share.saturating_sub(own).min(self.free())
    }

    pub(super) fn begin(&mut self, queue: Q) {
        *self.running.entry(queue).or_default() += 1;
        self.resting.remove(&queue);
        self.last_served = Some(queue);
    }

    pub(super) fn end(&mut self, queue: Q, next: Next) {
        if let Some(count) = self.running.get_mut(&queue) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(&queue);
            }
        }
        let rest = match next {
            Next::AtOnce => return,
            Next::AfterPoll => POLL,
            Next::After(rest) => rest,
        };
        let now = clock::instant();
        self.resting.retain(|_, until| now < *until);
        self.resting.insert(queue, now + rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_flight(slots: usize) -> InFlight<u32> {
        InFlight::new(slots, 4)
    }

    /// How many slots each of so many queues gets whose servers never answer.
    fn taken(slots: usize, queues: u32) -> Vec<usize> {
        let mut in_flight = in_flight(slots);
        let take = |queue| {
            let permits = in_flight.permits(queue);
            (0..permits).for_each(|_| in_flight.begin(queue));
            permits
        };
        (1..=queues).map(take).collect()
    }

    #[test]
    fn a_queue_takes_four_slots_at_most_and_fewer_the_fewer_are_free() {
        for (slots, queues, expected) in [
            (16, 1, vec![4]),
            (16, 5, vec![4, 3, 2, 1, 1]),
            (1000, 3, vec![4, 4, 4]),
            (3, 4, vec![1, 1, 1, 0]),
            (0, 1, vec![0]),
        ] {
            assert_eq!(taken(slots, queues), expected, "{slots} slots");
        }
    }

    #[test]
    fn a_queue_that_has_its_share_gets_no_more_until_one_of_its_items_is_through() {
        let mut in_flight = in_flight(16);
        (0..4).for_each(|_| in_flight.begin(1));
        assert_eq!((in_flight.permits(1), in_flight.free()), (0, 12));
        in_flight.end(1, Next::AtOnce);
        assert_eq!(in_flight.permits(1), 1);
        assert_eq!(in_flight.last_served, Some(1));
    }

    #[test]
    fn a_queue_that_is_blocked_rests_and_the_others_go_on() {
        let mut in_flight = in_flight(1);
        in_flight.begin(1);
        in_flight.end(1, Next::AfterPoll);
        assert_eq!((in_flight.permits(1), in_flight.permits(2)), (0, 1));
    }
}
