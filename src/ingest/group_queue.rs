//! The small deliveries of each org that wait to share a transaction (`group_commit.rs`).

use super::attempt_error::AttemptError;
use super::capacity::Overloaded;
use super::job::Job;
use super::reply::Reply;
use crate::telemetry::request::Request;
use beeiq_core::directory::Directory;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::Span;
use uuid::Uuid;

/// How many share a transaction.
const MOST: usize = 64;

/// How many bytes of bodies do; a longer one goes by itself.
const MOST_BYTES: usize = 64 * 1024;

/// How many leaders an org has, each with a transaction: one works while another is flushed to disk.
const LEADERS: usize = 2;

/// For how long the next one waits at most for those that are likely to come. Larger groups cost less
/// a delivery, and what they wait for is on its way.
const LINGER: Duration = Duration::from_micros(600);

/// How many leaders an org may have, where those at work have been held up.
const MOST_LEADERS: usize = 8;

/// The small deliveries of each org that wait.
#[derive(Default)]
pub(super) struct GroupQueues {
    queues: Mutex<HashMap<Uuid, Queue>>,
    /// Rung when all of a stream wait or are under way.
    gathered: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Member>,
    leaders: usize,
    under_way: usize,
    /// How many are under way or wait at a time, of late.
    stream: usize,
}

pub(super) struct Member {
    pub(super) job: Arc<Job>,
    pub(super) directory: Arc<Directory>,
    pub(super) hears: oneshot::Sender<Result<Reply, AttemptError>>,
    /// What is logged for it belongs to its request.
    pub(super) span: Span,
    pub(super) request: Option<Request>,
}

impl GroupQueues {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Queue>> {
        // Nothing in here panics while it holds the lock; even so the queues stay usable.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one wait; whether a leader is to be started, which then counts already.
    pub(super) fn join(&self, org: Uuid, member: Member) -> bool {
        let mut queues = self.lock();
        let queue = queues.entry(org).or_default();
        queue.waiting.push_back(member);
        if queue.has_gathered() {
            self.gathered.notify_all();
        }
        queue.start_leader(LEADERS)
    }

    /// Whether somebody still waits, and another leader is to be started, which then counts already.
    pub(super) fn wants_another_leader(&self, org: Uuid) -> bool {
        let mut queues = self.lock();
        queues
            .get_mut(&org)
            .is_some_and(|queue| !queue.waiting.is_empty() && queue.start_leader(MOST_LEADERS))
    }

    /// Before a leader that took `took` goes again: those have their answers, and where they and
    /// others come in a stream the next are on their way. So it waits a moment for them, unless it
    /// took one alone and nobody came meanwhile.
    pub(super) fn gather(&self, org: Uuid, took: usize) {
        let mut queues = self.lock();
        let Some(queue) = queues.get_mut(&org) else { return };
        queue.under_way = queue.under_way.saturating_sub(took);
        let stream = took + queue.waiting.len() + queue.under_way;
        queue.stream = stream.max(queue.stream - queue.stream.div_ceil(8));
        if took == 0 || (took == 1 && queue.waiting.is_empty()) {
            return;
        }
        let few = |queues: &mut HashMap<Uuid, Queue>| {
            queues.get(&org).is_some_and(|queue| !queue.has_gathered())
        };
        // Whether they came or the time is over: it goes.
        let _ = self.gathered.wait_timeout_while(queues, LINGER, few);
    }

    /// Those that go next, in the order in which they came. Where nobody waits the leader that
    /// asked does not count any more.
    pub(super) fn take(&self, org: Uuid) -> Vec<Member> {
        let mut queues = self.lock();
        let Some(queue) = queues.get_mut(&org) else { return Vec::new() };
        let (mut members, mut bytes) = (Vec::new(), 0);
        while members.len() < MOST
            && let Some(next) = queue.waiting.front()
        {
            bytes += next.job.received.body.len();
            if bytes > MOST_BYTES && !members.is_empty() {
                break;
            }
            members.extend(queue.waiting.pop_front());
        }
        queue.under_way += members.len();
        if members.is_empty() {
            queue.end_leader();
            if queue.leaders == 0 {
                queues.remove(&org);
            }
        }
        members
    }

    /// A leader gives up, because there is no room for it; so there is none for those that wait.
    pub(super) fn turn_away(&self, org: Uuid, why: Overloaded) {
        let waiting = self.lock().get_mut(&org).map(|queue| std::mem::take(&mut queue.waiting));
        for member in waiting.into_iter().flatten() {
            let _ = member.hears.send(Err(why.into()));
        }
        self.leave(org);
    }

    /// A leader gives up; where it was the last one, whoever waits is to try alone.
    pub(super) fn leave(&self, org: Uuid) {
        let mut queues = self.lock();
        if let Some(queue) = queues.get_mut(&org) {
            queue.end_leader();
            if queue.leaders == 0 {
                // With its senders dropped, each hears that.
                queues.remove(&org);
            }
        }
    }
}

impl Queue {
    /// Whether nobody is likely to come for whom a leader might wait.
    fn has_gathered(&self) -> bool {
        self.waiting.len() >= MOST || self.waiting.len() + self.under_way >= self.stream
    }

    const fn start_leader(&mut self, most: usize) -> bool {
        let starts = self.leaders < most;
        if starts {
            self.leaders += 1;
        }
        starts
    }

    const fn end_leader(&mut self) {
        self.leaders = self.leaders.saturating_sub(1);
    }
}
