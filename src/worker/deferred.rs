//! Deferred deliveries, applied soon after in order of arrival per listener (`listener.md` 9).

use super::in_flight::Next;
use super::queue::{Due, FairQueue, Stop, Work, Workers};
use crate::ingest::{Applied, Pipeline};
use crate::store::deliveries::{self, Queue};
use crate::store::error::StoreError;
use crate::store::pool::{Conn, Db, ping};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// How many deliveries of a queue are applied before the next queue has its turn.
const AT_A_TIME: usize = 20;

/// How many queues are looked up at a time.
const QUEUES: i64 = 100;

/// How often a delivery may fail for the database's sake, while that answers otherwise, before the
/// queue behind it goes on without it: one that takes longer than the database lets a statement take
/// would block it for ever.
const MOST_FAILURES: u32 = 5;

/// Starts workers that are at so many queues at once.
pub fn start(pipeline: &Pipeline, count: u8) -> Workers {
    let (db, wake) = (pipeline.db().clone(), pipeline.deferred_wake().clone());
    let deliveries =
        Deliveries { db: db.clone(), pipeline: pipeline.clone(), failed: Mutex::default() };
    FairQueue::new(deliveries, db, wake, count.into()).start()
}

/// The deliveries that wait to be applied.
struct Deliveries {
    db: Db,
    pipeline: Pipeline,
    /// How often deliveries have failed that are the first of their queue.
    failed: Mutex<HashMap<Uuid, u32>>,
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
                Ok(Some(Next::AfterPoll)) => return Next::AfterPoll,
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
        let first =
            self.db.in_org(queue.org_id, move |conn| deliveries::first_waiting(conn, queue));
        let Some(first) = first.await? else { return Ok(None) };
        let id = first.id;
        Ok(Some(match self.pipeline.apply_deferred(queue, first).await? {
            Applied::Done => {
                self.failed().remove(&id);
                Next::AtOnce
            }
            Applied::NotDue => Next::AfterPoll,
            Applied::Failed { job, error } => {
                // Where the database is away, that is not the delivery's fault.
                self.db.run(ping).await?;
                tracing::warn!(delivery = %id, %error, "a deferred delivery stays first");
                if self.is_last_failure(id) {
                    let detail = format!(
                        "The database did not let this delivery be applied, {MOST_FAILURES} times; \
                         replay it, or send its actions in smaller batches."
                    );
                    self.pipeline.give_up_deferred(&job, detail).await?;
                }
                Next::AfterPoll
            }
        }))
    }

    fn is_last_failure(&self, delivery: Uuid) -> bool {
        let mut failed = self.failed();
        let count = failed.entry(delivery).or_insert(0);
        *count += 1;
        let is_last = *count >= MOST_FAILURES;
        if is_last {
            failed.remove(&delivery);
        }
        is_last
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, u32>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
