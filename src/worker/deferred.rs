//! Deferred deliveries, applied soon after in order of arrival per listener (`listener.md` 9).

use super::in_flight::Next;
use super::queue::{Due, FairQueue, Stop, Work, Workers};
use crate::ingest::{Applied, DeferredJob, Pipeline};
use crate::store::deliveries::{self, Attempt, Begun, Queue};
use crate::store::error::{Blame, StoreError};
use crate::store::pool::{Conn, Db};
use beeiq_core::values::backoff::Backoff;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// How many deliveries of a queue are applied before the next queue has its turn.
const AT_A_TIME: usize = 20;

/// How many queues are looked up at a time.
const QUEUES: i64 = 100;

/// How often a delivery may fail for its own fault, or kill the process, before the queue behind it
/// goes on without it: it would block that for ever. What is the environment's is not counted.
const MOST_ATTEMPTS: i16 = 5;

/// The waits between tries at a delivery that fails.
const BACKOFF: Backoff = Backoff::without_jitter(Duration::from_secs(1), Duration::from_secs(8));

/// Starts workers that are at so many queues at once.
pub fn start(pipeline: &Pipeline, count: u8) -> Workers {
    let (db, wake) = (pipeline.db().clone(), pipeline.deferred_wake().clone());
    let deliveries =
        Deliveries { db: db.clone(), pipeline: pipeline.clone(), failing: Mutex::default() };
    FairQueue::new(deliveries, db, wake, count.into()).start()
}

/// The deliveries that wait to be applied.
struct Deliveries {
    db: Db,
    pipeline: Pipeline,
    /// Queues whose first delivery fails.
    failing: Mutex<HashMap<Queue, Failing>>,
}

/// The first delivery of a queue, which fails.
#[derive(Clone, Copy, Debug)]
struct Failing {
    delivery: Uuid,
    in_a_row: u32,
    /// Tries that ended for no fault of its own, and are still to be taken off its count.
    owed: i16,
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
                Ok(Some(rest @ (Next::AfterPoll | Next::After(_)))) => return rest,
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
        let Attempt { delivery, count } = match self.begin(queue).await? {
            Begun::Attempt(attempt) => *attempt,
            Begun::Busy => return Ok(Some(Next::AfterPoll)),
            Begun::Nothing => return Ok(None),
        };
        let job = DeferredJob::new(queue.org_id, delivery);
        if count > MOST_ATTEMPTS {
            let detail = "Each process that tried to apply this delivery ended meanwhile; replay it \
                          in smaller batches.";
            return self.give_up(queue, &job, detail).await;
        }
        let applied_before = self.pipeline.applied();
        match self.pipeline.apply_deferred(&job).await {
            Applied::Done => {
                self.failing().remove(&queue);
                Ok(Some(Next::AtOnce))
            }
            Applied::NotDue => {
                self.owe(queue, &job, 1);
                self.settle(queue).await?;
                Ok(Some(Next::AfterPoll))
            }
            Applied::Failed(error) => {
                let others_got_through = self.pipeline.applied() > applied_before;
                let own_fault = is_own_fault(error.blame(), others_got_through);
                tracing::warn!(delivery = %job.id(), %error, own_fault, "a deferred delivery stays first");
                if own_fault && count >= MOST_ATTEMPTS {
                    let detail = format!(
                        "The database did not let this delivery be applied, {MOST_ATTEMPTS} times; \
                         replay it, or send its actions in smaller batches."
                    );
                    return self.give_up(queue, &job, &detail).await;
                }
                let in_a_row = self.owe(queue, &job, i16::from(!own_fault));
                Ok(Some(Next::After(BACKOFF.wait(in_a_row - 1, 0))))
            }
        }
    }

    /// Begins a try, and takes those off the count that were for nothing.
    async fn begin(&self, queue: Queue) -> Result<Begun, StoreError> {
        self.settle(queue).await?;
        self.db.in_org(queue.org_id, move |conn| deliveries::begin_attempt(conn, queue)).await
    }

    async fn settle(&self, queue: Queue) -> Result<(), StoreError> {
        let failing = self.failing().get(&queue).copied();
        let Some(Failing { delivery, owed: owed @ 1.., .. }) = failing else { return Ok(()) };
        let uncount =
            move |conn: &mut Conn| deliveries::uncount_attempts(conn, queue.org_id, delivery, owed);
        self.db.in_org(queue.org_id, uncount).await?;
        if let Some(failing) = self.failing().get_mut(&queue) {
            failing.owed -= owed;
        }
        Ok(())
    }

    async fn give_up(
        &self,
        queue: Queue,
        job: &DeferredJob,
        detail: &str,
    ) -> Result<Option<Next>, StoreError> {
        self.pipeline.give_up_deferred(job, detail).await?;
        self.failing().remove(&queue);
        Ok(Some(Next::AtOnce))
    }

    /// Notes that a try has failed, and how many are to be taken off its count: how many have failed
    /// in a row.
    fn owe(&self, queue: Queue, job: &DeferredJob, tries: i16) -> u32 {
        let delivery = job.id();
        let mut failing = self.failing();
        let first = Failing { delivery, in_a_row: 0, owed: 0 };
        let entry = failing.entry(queue).or_insert(first);
        if entry.delivery != delivery {
            *entry = first;
        }
        entry.in_a_row = entry.in_a_row.saturating_add(1);
        entry.owed = entry.owed.saturating_add(tries);
        entry.in_a_row
    }

    fn failing(&self) -> MutexGuard<'_, HashMap<Queue, Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure is the delivery's own. A database that is slow as a whole lets nothing through.
const fn is_own_fault(blame: Blame, others_got_through: bool) -> bool {
    match blame {
        Blame::Environment => false,
        Blame::Unclear => others_got_through,
        Blame::Work => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_at_fault_only_where_the_database_is_well() {
        for (blame, others_got_through, expected) in [
            (Blame::Environment, true, false),
            (Blame::Environment, false, false),
            (Blame::Unclear, true, true),
            (Blame::Unclear, false, false),
            (Blame::Work, false, true),
        ] {
            let own = is_own_fault(blame, others_got_through);
            assert_eq!(own, expected, "{blame:?}, {others_got_through}");
        }
    }
}
