//! Group commit: small deliveries of an org that come at the same time share a transaction, and so
//! what it costs to begin, to load, to write and to flush one, however many they are.
//!
//! Who comes alone goes at once. While a transaction is at work those that come gather in the org's
//! queue, and the next one takes them all; in a stream of them it waits a moment, so that those who
//! have just had their answers can come again. Each member has its answer as if it were alone; where
//! they cannot be applied together each is tried by itself.

use super::deliver::{Parts, Pipeline, Reply};
use super::in_flight::Overloaded;
use super::job::{AttemptError, Job};
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use crate::telemetry::request;
use beeiq_core::directory::Directory;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
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

/// For how long one may wait before another transaction is begun, whatever holds up those that run.
const PATIENCE: Duration = Duration::from_millis(50);

/// The small deliveries of each org that wait.
#[derive(Default)]
pub(super) struct GroupCommit {
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

struct Member {
    job: Arc<Job>,
    directory: Arc<Directory>,
    hears: oneshot::Sender<Result<Reply, AttemptError>>,
}

impl Pipeline {
    /// Has a delivery applied with the others of its org that wait.
    pub(super) async fn with_others(
        &self,
        directory: &Arc<Directory>,
        job: &Arc<Job>,
    ) -> Result<Reply, AttemptError> {
        let org = job.org;
        let (hears, mut told) = oneshot::channel();
        let member = Member { job: Arc::clone(job), directory: Arc::clone(directory), hears };
        if self.0.group_commit.join(org, member) {
            self.start_leader(org);
        }
        loop {
            match tokio::time::timeout(PATIENCE, &mut told).await {
                Ok(Ok(end)) => return end,
                // A leader gave up, or something panicked, which has been logged where it happened.
                Ok(Err(_)) => return Err(AttemptError::Ungrouped),
                Err(_) if self.0.group_commit.wants_another_leader(org) => self.start_leader(org),
                Err(_) => {}
            }
        }
    }

    fn start_leader(&self, org: Uuid) {
        let parts = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || parts.lead(org));
    }
}

impl Parts {
    /// Takes all that wait, again and again until nobody does.
    fn lead(&self, org: Uuid) {
        let mut took = 0;
        loop {
            self.group_commit.gather(org, took);
            took = 0;
            // The permit and the connection first: while they are waited for, others come.
            let permit = match Handle::current().block_on(self.in_flight.quick(org)) {
                Ok(permit) => permit,
                Err(overloaded) => return self.group_commit.turn_away(org, overloaded),
            };
            let group = || {
                self.db.run_here(|conn| {
                    let members = self.group_commit.take(org);
                    took = members.len();
                    self.apply_group(conn, members);
                    Ok::<_, StoreError>(())
                })
            };
            let done = catch_unwind(AssertUnwindSafe(group));
            drop(permit);
            // A panic closes its connection, and has each of the group tried by itself.
            match done {
                Ok(Ok(())) if took == 0 => return,
                Ok(Ok(())) | Err(_) => {}
                Ok(Err(_)) => return self.group_commit.leave(org),
            }
        }
    }

    fn apply_group(&self, conn: &mut Conn, members: Vec<Member>) {
        let newest = members.iter().map(|member| &member.directory).max_by_key(|it| it.version);
        let (Some(directory), Some(first)) = (newest, members.first()) else { return };
        let jobs: Vec<&Job> = members.iter().map(|member| member.job.as_ref()).collect();
        // What the database is told to be at work for can be one request only.
        let done =
            request::resume(Some(first.job.received.id), || self.apply(conn, directory, &jobs, 0));
        let ends: Vec<_> = match done {
            Ok(ends) => ends,
            // Whether they have been applied is not known.
            Err(AttemptError::Store(StoreError::Unavailable(why))) => {
                let lost = |_| Err(StoreError::Unavailable(why.clone()).into());
                members.iter().map(lost).collect()
            }
            Err(_) => members.iter().map(|_| Err(AttemptError::Ungrouped)).collect(),
        };
        for (member, end) in members.into_iter().zip(ends) {
            // Who does not wait any more finds the answer among the deliveries.
            let _ = member.hears.send(end);
        }
    }
}

impl GroupCommit {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Queue>> {
        // Nothing in here panics while it holds the lock; even so the queues stay usable.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one wait; whether a leader is to be started, which then counts already.
    fn join(&self, org: Uuid, member: Member) -> bool {
        let mut queues = self.lock();
        let queue = queues.entry(org).or_default();
        queue.waiting.push_back(member);
        if queue.has_gathered() {
            self.gathered.notify_all();
        }
        queue.start_leader(LEADERS)
    }

    /// Whether somebody still waits, and another leader is to be started, which then counts already.
    fn wants_another_leader(&self, org: Uuid) -> bool {
        let mut queues = self.lock();
        queues
            .get_mut(&org)
            .is_some_and(|queue| !queue.waiting.is_empty() && queue.start_leader(MOST_LEADERS))
    }

    /// Before a leader that took `took` goes again: those have their answers, and where they and
    /// others come in a stream the next are on their way. So it waits a moment for them, unless it
    /// took one alone and nobody came meanwhile.
    fn gather(&self, org: Uuid, took: usize) {
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
    fn take(&self, org: Uuid) -> Vec<Member> {
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
    fn turn_away(&self, org: Uuid, why: Overloaded) {
        let waiting = self.lock().get_mut(&org).map(|queue| std::mem::take(&mut queue.waiting));
        for member in waiting.into_iter().flatten() {
            let _ = member.hears.send(Err(why.into()));
        }
        self.leave(org);
    }

    /// A leader gives up; where it was the last one, whoever waits is to try alone.
    fn leave(&self, org: Uuid) {
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
