//! Small deliveries of an org that come at the same time go through one transaction together: what
//! it costs to begin, to load, to write and to flush one they share, however many they are.
//!
//! Nobody waits for others to come: while the transactions that run are at work those that come
//! gather, and the next one takes them all. Each has its answer as if it were alone; where they
//! cannot be applied together each is tried by itself.

use super::deliver::{Parts, Pipeline, Reply};
use super::job::{Came, Job, Setback};
use crate::db::Conn;
use crate::directory::Directory;
use crate::error::StoreError;
use crate::request;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use uuid::Uuid;

/// The largest body that goes with others, in bytes: larger ones are batches themselves.
const SMALL: usize = 16 * 1024;

/// How many go together.
const MOST: usize = 64;

/// How many bytes of bodies go together; one that is longer goes by itself.
const MOST_BYTES: usize = 64 * 1024;

/// How many transactions of an org run at a time: one works while another is flushed to disk.
const RUNNERS: usize = 2;

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
}

/// The small deliveries of each org that wait.
#[derive(Default)]
pub(super) struct Lines {
    of: Mutex<HashMap<Uuid, Line>>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Rider>,
    runners: usize,
}

struct Rider {
    job: Arc<Job>,
    directory: Arc<Directory>,
    hears: oneshot::Sender<Ride>,
}

impl Job {
    /// Whether it may go with others: what asks for nothing special, and is small.
    pub(super) fn goes_with_others(&self) -> bool {
        matches!(self.came, Came::Posted(_) | Came::PostedForLater(_))
            && self.retry.is_none()
            && !self.options.dry_run
            && !self.options.atomic
            && self.received.body.len() <= SMALL
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
        let mut more = true;
        while more {
            // The connection first: while it is waited for, others come.
            let group = || {
                self.db.run_here(|conn| {
                    let riders = self.lines.take(org);
                    let more = !riders.is_empty();
                    self.take_along(conn, riders);
                    Ok::<_, StoreError>(more)
                })
            };
            // A panic closes its connection, and has each of the group tried by itself.
            more = match catch_unwind(AssertUnwindSafe(group)) {
                Ok(Ok(more)) => more,
                Ok(Err(_)) => {
                    self.lines.leave(org);
                    false
                }
                Err(_) => true,
            };
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
        line.start_runner(RUNNERS)
    }

    /// Whether somebody still waits, and another runner is to be started, which then counts already.
    fn wants_another_runner(&self, org: Uuid) -> bool {
        let mut lines = self.lock();
        lines
            .get_mut(&org)
            .is_some_and(|line| !line.waiting.is_empty() && line.start_runner(MOST_RUNNERS))
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
        if riders.is_empty() {
            line.end_runner();
            if line.runners == 0 {
                lines.remove(&org);
            }
        }
        riders
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
