//! Deferred deliveries, applied soon after in order of arrival per listener (`listener.md` 9).
//!
//! One is given up only for a fault of its own: what fails for the environment's sake is tried again
//! for as long as that lasts. A try is counted before it is begun, so that a delivery that ends the
//! process is given up as well, across restarts.

use super::in_flight::Next;
use super::queue::{Due, FairQueue, Stop, Work, Workers};
use crate::ingest::{Applied, DeferredJob, Pipeline};
use crate::store::deliveries::{self, Kept, Queue, Turn};
use crate::store::error::StoreError;
use crate::store::pool::{Conn, Db, over_queues};
use beeiq_core::values::backoff::Backoff;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::RwLock;
use uuid::Uuid;

/// How many deliveries of a queue are applied before the next queue has its turn.
const AT_A_TIME: usize = 20;

/// How many queues are looked up at a time.
const QUEUES: i64 = 100;

/// How often a delivery is tried that may itself be at fault.
const MOST_TRIES: i32 = 5;

/// From which try on a delivery is applied by itself, where it is not known what ended the earlier
/// ones: those that were under way with one that ends the process are not to be given up with it.
const TRIED_ALONE: i32 = 3;

/// The waits of a queue whose first delivery fails.
const FAILING: Backoff = Backoff::without_jitter(Duration::from_secs(1), Duration::from_secs(4));

/// Within how long a database that is well writes a row.
const WELL: Duration = Duration::from_secs(2);

/// Starts workers that are at so many queues at once.
pub fn start(pipeline: &Pipeline, count: u8) -> Workers {
    let (db, wake) = (pipeline.db().clone(), pipeline.deferred_wake().clone());
    let deliveries = Deliveries {
        db: db.clone(),
        pipeline: pipeline.clone(),
        seen: Mutex::default(),
        together: RwLock::default(),
    };
    FairQueue::new(deliveries, db, wake, count.into()).start()
}

/// The deliveries that wait to be applied.
struct Deliveries {
    db: Db,
    pipeline: Pipeline,
    seen: Mutex<Seen>,
    /// Held alone by a try that nothing else may be under way with.
    together: RwLock<()>,
}

/// What this process has seen of tries.
#[derive(Default)]
struct Seen {
    /// How many deliveries were applied.
    applied: u64,
    failing: HashMap<Queue, Failing>,
}

/// A queue whose first delivery failed.
struct Failing {
    delivery: Uuid,
    failures: u32,
    /// How many had been applied when it failed last.
    applied: u64,
    /// Tries that are counted and should not be, where the database could not be told.
    uncounted: i32,
}

impl Work for Deliveries {
    type Queue = Queue;
    /// Some of the queue, one after the other. None is claimed: whoever applies one holds a lock
    /// until that has its answer.
    type Item = ();
    const MOST_OF_A_QUEUE: usize = 1;
    /// What has been begun is applied to its end; each of its statements has its time-out.
    const GRACE: Duration = Duration::MAX;
    const STALLED: &str = "deferred deliveries wait";
    const RESUMED: &str = "deferred deliveries are applied again";

    fn due(conn: &mut Conn, after: Option<Queue>) -> Result<Due<Queue>, StoreError> {
        let queues = deliveries::queues_after(conn, after, QUEUES)?;
        let full = i64::try_from(queues.len()).is_ok_and(|count| count >= QUEUES);
        let more = queues.last().copied().filter(|_| full);
        Ok(Due { queues, more })
    }

    async fn claim(&self, _: Queue, _: usize) -> Result<Vec<()>, StoreError> {
        Ok(vec![()])
    }

    async fn run(&self, queue: Queue, (): (), stop: Stop) -> Next {
        for _ in 0..AT_A_TIME {
            if stop.is_asked() {
                break;
            }
            match self.apply_first(queue).await {
                Ok(Some(Next::AtOnce)) => {}
                Ok(Some(next)) => return next,
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(?queue, %error, "deferred deliveries wait");
                    return Next::AfterPoll;
                }
            }
        }
        Next::AtOnce
    }
}

impl Deliveries {
    /// Applies the first delivery of a queue; none where there is none.
    async fn apply_first(&self, queue: Queue) -> Result<Option<Next>, StoreError> {
        let uncounted = self.seen().failing.get(&queue).map_or(0, |failing| failing.uncounted);
        let turn = self
            .db
            .in_org(queue.org_id, move |conn| deliveries::begin_first(conn, queue, uncounted));
        let (first, tries) = match turn.await? {
            Turn::Empty => return Ok(None),
            Turn::Taken => return Ok(Some(Next::AfterPoll)),
            Turn::Begun { first, tries } => (first, tries),
        };
        let known = {
            let mut seen = self.seen();
            seen.failing.retain(|other, failing| *other != queue || failing.delivery == first.id);
            let failing = seen.failing.get_mut(&queue);
            failing.map(|failing| failing.uncounted = 0).is_some()
        };
        if tries > MOST_TRIES {
            let job = DeferredJob::of(queue, *first);
            let why = format!("It was begun {MOST_TRIES} times, and the server ended each time");
            return self.give_up(&job, &why).await.map(Some);
        }
        if tries >= TRIED_ALONE && !known {
            let _alone = self.together.write().await;
            self.try_one(queue, *first, tries).await.map(Some)
        } else {
            let _others = self.together.read().await;
            self.try_one(queue, *first, tries).await.map(Some)
        }
    }

    async fn try_one(&self, queue: Queue, first: Kept, tries: i32) -> Result<Next, StoreError> {
        match self.pipeline.apply_deferred(queue, first).await? {
            Applied::Done => {
                let mut seen = self.seen();
                seen.applied += 1;
                seen.failing.remove(&queue);
                Ok(Next::AtOnce)
            }
            Applied::NotDue(job) => {
                self.take_back(queue, &job).await;
                Ok(Next::AfterPoll)
            }
            Applied::Failed { job, error } => self.failed(queue, &job, &error, tries).await,
        }
    }

    async fn failed(
        &self,
        queue: Queue,
        job: &DeferredJob,
        error: &StoreError,
        tries: i32,
    ) -> Result<Next, StoreError> {
        let delivery = job.id();
        tracing::warn!(%delivery, %error, tries, "a deferred delivery stays first");
        let lone = error.is_statement_timeout() && self.is_lone(queue).await;
        let (failures, others_got_through) = {
            let mut seen = self.seen();
            let applied = seen.applied;
            let new = Failing { delivery, failures: 0, applied, uncounted: 0 };
            let failing = seen.failing.entry(queue).or_insert(new);
            let others_got_through = applied > failing.applied;
            (failing.failures, failing.applied) = (failing.failures + 1, applied);
            (failing.failures, others_got_through)
        };
        // What takes longer than a statement may is the delivery's own fault only where the database
        // is well, and others get through it.
        let own = error.is_statement_timeout() && (others_got_through || lone);
        if !own || !self.is_well(queue, delivery).await {
            self.take_back(queue, job).await;
        } else if tries >= MOST_TRIES {
            let why = format!("The database did not let it be applied, {MOST_TRIES} times");
            return self.give_up(job, &why).await;
        }
        Ok(Next::After(FAILING.wait(failures.saturating_sub(1), 0)))
    }

    /// Ends a delivery without applying it; it can be replayed.
    async fn give_up(&self, job: &DeferredJob, why: &str) -> Result<Next, StoreError> {
        let detail = format!("{why}; replay it, or send its actions in smaller batches.");
        self.pipeline.give_up_deferred(job, detail).await?;
        tracing::error!(delivery = %job.id(), why, "ALERT: a deferred delivery was given up");
        Ok(Next::AtOnce)
    }

    /// Whether no other queue waits, so that none could get through.
    async fn is_lone(&self, queue: Queue) -> bool {
        let look = move |conn: &mut Conn| deliveries::queues_after(conn, None, 2);
        let queues = self.db.run(move |conn| over_queues(conn, look)).await;
        queues.is_ok_and(|queues: Vec<Queue>| queues.iter().all(|other| *other == queue))
    }

    /// Whether a small change is written in time.
    async fn is_well(&self, queue: Queue, delivery: Uuid) -> bool {
        let write = self.db.in_org(queue.org_id, move |conn| {
            deliveries::take_back_try(conn, queue.org_id, delivery, 0)
        });
        matches!(tokio::time::timeout(WELL, write).await, Ok(Ok(())))
    }

    /// Counts a try as none.
    async fn take_back(&self, queue: Queue, job: &DeferredJob) {
        let (org, delivery) = (queue.org_id, job.id());
        let write = move |conn: &mut Conn| deliveries::take_back_try(conn, org, delivery, 1);
        if self.db.in_org(org, write).await.is_err()
            && let Some(failing) = self.seen().failing.get_mut(&queue)
        {
            failing.uncounted += 1;
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
