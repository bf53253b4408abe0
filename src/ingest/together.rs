//! Small deliveries of an org that come at the same time go through one transaction together: what
//! it costs to begin, to load, to write and to flush one they share, however many they are.
//!
//! Who comes alone goes at once. While a transaction is at work those that come gather, and the next
//! one takes them all; in a stream of them it waits a moment, so that those who have just had their
//! answers can come again. Each has its answer as if it were alone; where they cannot be applied
//! together each is tried by itself.

use super::capacity::Overloaded;
use super::deliver::{Parts, Pipeline, Reply};
use super::job::{Came, Job, Setback};
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

/// How many go together.
const MOST: usize = 64;

/// How many bytes of bodies go together; one that is longer goes by itself.
const MOST_BYTES: usize = 64 * 1024;

/// How many transactions of an org run at a time: one works while another is flushed to disk.
const RUNNERS: usize = 2;

/// For how long the next one waits at most for those that are likely to come. Larger groups cost less
/// a delivery, and what they wait for is on its way.
const LINGER: Duration = Duration::from_micros(600);

/// How many may, where those that run have been held up.
const MOST_RUNNERS: usize = 8;

/// For how long one may wait before another transaction is begun, whatever holds up those that run.
const PATIENCE: Duration = Duration::from_millis(50);

/// What becomes of a delivery that waited to go with others.
pub(super) enum Ride {
    /// It has been applied, or kept for later.
    Answered(Reply),
    /// It has not been applied, and is to be tried by itself.
    Alone,
    /// Whether it has been applied is not known: the connection was lost.
    Lost(StoreError),
    /// Its turn did not come in time; it has not been applied.
    TurnedAway(Overloaded),
}

/// The small deliveries of each org that wait.
#[derive(Default)]
pub(super) struct Lines {
    of: Mutex<HashMap<Uuid, Line>>,
    /// Rung when all of a stream wait or are under way.
    gathered: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Rider>,
    runners: usize,
    /// How many are under way.
    riding: usize,
    /// How many are under way or wait at a time, of late.
    stream: usize,
}

struct Rider {
    job: Arc<Job>,
    directory: Arc<Directory>,
    hears: oneshot::Sender<Ride>,
}

impl Job {
    /// Whether it may go with others: what has just been posted, asks for nothing special, and is
    /// small.
    pub(super) fn goes_with_others(&self) -> bool {
        matches!(self.came, Came::Posted(_) | Came::PostedForLater(_))
            && self.received.goes_with_others()
    }
}

impl Pipeline {
    /// Has a delivery applied with the others of its org that wait.
    pub(super) async fn go_with_others(&self, directory: Arc<Directory>, job: &Arc<Job>) -> Ride {
        let org = job.org;
        let (hears, mut told) = oneshot::channel();
        let rider = Rider { job: Arc::clone(job), directory, hears };
        if self.0.lines.join(org, rider) {
            self.start_runner(org);
        }
        loop {
            match tokio::time::timeout(PATIENCE, &mut told).await {
                Ok(Ok(ride)) => return ride,
                // Something panicked; it has been logged where it happened.
                Ok(Err(_)) => return Ride::Alone,
                Err(_) if self.0.lines.wants_another_runner(org) => self.start_runner(org),
                Err(_) => {}
            }
        }
    }

    fn start_runner(&self, org: Uuid) {
        let parts = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || parts.run_line(org));
    }
}

impl Parts {
    /// Takes all that wait, again and again until nobody does.
    fn run_line(&self, org: Uuid) {
        let mut took = 0;
        loop {
            self.lines.gather(org, took);
            took = 0;
            // The turn and the connection first: while they are waited for, others come.
            let turn = match Handle::current().block_on(self.capacity.turn(org)) {
                Ok(turn) => turn,
                Err(overloaded) => return self.lines.turn_away(org, overloaded),
            };
            let group = || {
                self.db.run_here(|conn| {
                    let riders = self.lines.take(org);
                    took = riders.len();
                    self.take_along(conn, riders);
                    Ok::<_, StoreError>(())
                })
            };
            let done = catch_unwind(AssertUnwindSafe(group));
            drop(turn);
            // A panic closes its connection, and has each of the group tried by itself.
            match done {
                Ok(Ok(())) if took == 0 => return,
                Ok(Ok(())) | Err(_) => {}
                Ok(Err(_)) => return self.lines.leave(org),
            }
        }
    }

    fn take_along(&self, conn: &mut Conn, riders: Vec<Rider>) {
        let newest = riders.iter().map(|rider| &rider.directory).max_by_key(|it| it.version);
        let (Some(directory), Some(first)) = (newest, riders.first()) else { return };
        let jobs: Vec<&Job> = riders.iter().map(|rider| rider.job.as_ref()).collect();
        // What the database is told to be at work for can be one request only.
        let done = request::resume(Some(first.job.received.id), || {
            self.attempt_together(conn, directory, &jobs)
        });
        let rides: Vec<Ride> = match done {
            Ok(replies) => {
                replies.into_iter().map(|it| it.map_or(Ride::Alone, Ride::Answered)).collect()
            }
            Err(Setback::Store(StoreError::Unavailable(why))) => {
                riders.iter().map(|_| Ride::Lost(StoreError::Unavailable(why.clone()))).collect()
            }
            Err(_) => riders.iter().map(|_| Ride::Alone).collect(),
        };
        for (rider, ride) in riders.into_iter().zip(rides) {
            // Who does not wait any more finds his answer among the deliveries.
            let _ = rider.hears.send(ride);
        }
    }
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Line>> {
        // Nothing in here panics while it holds the lock; even so the lines stay usable.
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets one wait; whether a runner is to be started, which then counts already.
    fn join(&self, org: Uuid, rider: Rider) -> bool {
        let mut lines = self.lock();
        let line = lines.entry(org).or_default();
        line.waiting.push_back(rider);
        if line.has_gathered() {
            self.gathered.notify_all();
        }
        line.start_runner(RUNNERS)
    }

    /// Whether somebody still waits, and another runner is to be started, which then counts already.
    fn wants_another_runner(&self, org: Uuid) -> bool {
        let mut lines = self.lock();
        lines
            .get_mut(&org)
            .is_some_and(|line| !line.waiting.is_empty() && line.start_runner(MOST_RUNNERS))
    }

    /// Before a runner that took `took` goes again: those have their answers, and where they and
    /// others come in a stream the next are on their way. So it waits a moment for them, unless it
    /// took one alone and nobody came meanwhile.
    fn gather(&self, org: Uuid, took: usize) {
        let mut lines = self.lock();
        let Some(line) = lines.get_mut(&org) else { return };
        line.riding = line.riding.saturating_sub(took);
        let stream = took + line.waiting.len() + line.riding;
        line.stream = stream.max(line.stream - line.stream.div_ceil(8));
        if took == 0 || (took == 1 && line.waiting.is_empty()) {
            return;
        }
        let few = |lines: &mut HashMap<Uuid, Line>| {
            lines.get(&org).is_some_and(|line| !line.has_gathered())
        };
        // Whether they came or the time is over: it goes.
        let _ = self.gathered.wait_timeout_while(lines, LINGER, few);
    }

    /// Those that go next, in the order in which they came. Where nobody waits the runner that
    /// asked does not count any more.
    fn take(&self, org: Uuid) -> Vec<Rider> {
        let mut lines = self.lock();
        let Some(line) = lines.get_mut(&org) else { return Vec::new() };
        let (mut riders, mut bytes) = (Vec::new(), 0);
        while riders.len() < MOST
            && let Some(next) = line.waiting.front()
        {
            bytes += next.job.received.body.len();
            if bytes > MOST_BYTES && !riders.is_empty() {
                break;
            }
            riders.extend(line.waiting.pop_front());
        }
        line.riding += riders.len();
        if riders.is_empty() {
            line.end_runner();
            if line.runners == 0 {
                lines.remove(&org);
            }
        }
        riders
    }

    /// A runner gives up, because there is no room for it; so there is none for those that wait.
    fn turn_away(&self, org: Uuid, why: Overloaded) {
        let waiting = self.lock().get_mut(&org).map(|line| std::mem::take(&mut line.waiting));
        for rider in waiting.into_iter().flatten() {
            let _ = rider.hears.send(Ride::TurnedAway(why));
        }
        self.leave(org);
    }

    /// A runner gives up; where it was the last one, whoever waits is to try by himself.
    fn leave(&self, org: Uuid) {
        let mut lines = self.lock();
        if let Some(line) = lines.get_mut(&org) {
            line.end_runner();
            if line.runners == 0 {
                // With its senders dropped, each hears that.
                lines.remove(&org);
            }
        }
    }
}

impl Line {
    /// Whether nobody is likely to come for whom a runner might wait.
    fn has_gathered(&self) -> bool {
        self.waiting.len() >= MOST || self.waiting.len() + self.riding >= self.stream
    }

    const fn start_runner(&mut self, most: usize) -> bool {
        let starts = self.runners < most;
        if starts {
            self.runners += 1;
        }
        starts
    }

    const fn end_runner(&mut self) {
        self.runners = self.runners.saturating_sub(1);
    }
}
