//! What this process is sending, and whose turn is next.

use crate::store::outbox::Queue;
use std::collections::HashMap;
use uuid::Uuid;

/// The most messages of one queue that a process sends at once.
const MOST_OF_A_QUEUE: usize = 4;

/// The messages that are being sent.
#[derive(Debug)]
pub(super) struct Flights {
    slots: usize,
    sending: HashMap<Uuid, Queue>,
    turn: Option<Queue>,
}

impl Flights {
    pub(super) fn new(slots: usize) -> Self {
        Self { slots, sending: HashMap::new(), turn: None }
    }

    pub(super) fn free(&self) -> usize {
        self.slots.saturating_sub(self.sending.len())
    }

    /// How many more of a queue may be sent at once. The fewer slots are free, the fewer one queue
    /// may take: several slow servers together do not take them all.
    pub(super) fn room(&self, queue: Queue) -> usize {
        let its = self.sending.values().filter(|other| **other == queue).count();
        let share = ((self.free() + its) / 4).clamp(1, MOST_OF_A_QUEUE);
        share.saturating_sub(its).min(self.free())
    }

    /// A message of that queue is being sent; the turn goes to the queue after it.
    pub(super) fn add(&mut self, queue: Queue, message: Uuid) {
        self.sending.insert(message, queue);
        self.turn = Some(queue);
    }

    pub(super) fn remove(&mut self, message: Uuid) {
        self.sending.remove(&message);
    }

    /// The queue after which the next pass begins.
    pub(super) fn turn(&self) -> Option<Queue> {
        self.turn
    }

    pub(super) fn set_turn(&mut self, turn: Option<Queue>) {
        self.turn = turn;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beeiq_core::records::message::Channel;

    fn queue(org: u128) -> Queue {
        Queue { org: Uuid::from_u128(org), channel: Channel::Email }
    }

    /// How many slots each of so many orgs gets whose servers never answer.
    fn taken(slots: usize, orgs: u128) -> Vec<usize> {
        let mut flights = Flights::new(slots);
        let mut taken = Vec::new();
        for org in 1..=orgs {
            let room = flights.room(queue(org));
            for message in 0..room {
                flights.add(queue(org), Uuid::from_u128(org * 1000 + message as u128));
            }
            taken.push(room);
        }
        taken
    }

    #[test]
    fn a_queue_takes_four_slots_at_most_and_fewer_the_fewer_are_free() {
        for (slots, orgs, expected) in [
            (16, 1, vec![4]),
            (16, 5, vec![4, 3, 2, 1, 1]),
            (1000, 3, vec![4, 4, 4]),
            (3, 4, vec![1, 1, 1, 0]),
            (0, 1, vec![0]),
        ] {
            assert_eq!(taken(slots, orgs), expected, "{slots} slots");
        }
    }

    #[test]
    fn a_queue_that_has_its_share_gets_no_more_until_one_of_its_messages_is_through() {
        let mut flights = Flights::new(16);
        for message in 0..4 {
            flights.add(queue(1), Uuid::from_u128(message));
        }
        assert_eq!((flights.room(queue(1)), flights.free()), (0, 12));
        flights.remove(Uuid::from_u128(0));
        assert_eq!(flights.room(queue(1)), 1);
        assert_eq!(flights.turn(), Some(queue(1)));
    }
}
