//! What was kept for later, applied soon after in order of arrival per listener (`listener.md` 9).
//!
//! A turn is one transaction: it holds a lock on the listener's queue, applies the first delivery of
//! it and marks it done. A process that is killed on the way leaves it as it was, first in its
//! queue; so there is nothing to hand back, and nothing to be taken up twice.

use super::attempt_error::AttemptError;
use super::job::Job;
use super::pipeline::Pipeline;
use crate::problem::Problem;
use crate::store::deliveries::{self, Queue};
use crate::store::error::StoreError;
use crate::store::pool::{over_queues, ping};
use crate::telemetry::request;
use beeiq_core::diagnostics::Code;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// How often a process looks whether others have left something. Its own deliveries it hears of at
/// once. (Postgres' NOTIFY would tell of others', at the price of a lock that all commits share.)
const LOOK: Duration = Duration::from_secs(1);

/// How many deliveries of a queue are applied before the next queue has its turn.
const TURNS: usize = 20;

/// How many queues are looked up at a time.
const QUEUES: i64 = 100;

/// How often a delivery may fail for the database's sake, while that answers otherwise, before the
/// queue behind it goes on without it: one that takes longer than the database lets a statement take
/// would block it for ever.
const STUMBLES: u32 = 5;

/// The tasks of this process that apply what was kept for later.
pub struct LaterWorkers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl LaterWorkers {
    /// Starts so many.
    #[must_use]
    pub fn start(pipeline: &Pipeline, count: u8) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks =
            (0..count).map(|_| tokio::spawn(work(pipeline.clone(), stopped.clone()))).collect();
        Self { stop, tasks }
    }

    /// Lets them end what they are at, and no more.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that panicked has nothing left to end.
            let _ = task.await;
        }
    }
}

async fn work(pipeline: Pipeline, mut stopped: watch::Receiver<bool>) {
    let mut last = None;
    let mut stumbles = HashMap::new();
    while !*stopped.borrow() {
        let (applied, seen) = match pipeline.round(last, &stopped, &mut stumbles).await {
            Ok(round) => round,
            Err(error) => {
                tracing::warn!("deliveries that were kept for later wait: {error}");
                (0, None)
            }
        };
        // After the last queue comes the first one again.
        let begins_anew = last.is_some() && seen.is_none();
        last = seen;
        if applied == 0 && !begins_anew {
            tokio::select! {
                () = pipeline.0.deferred.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stopped.changed() => {}
            }
        }
    }
}

/// What a turn ended in.
enum Turn {
    /// A delivery has been applied.
    Applied,
    /// There is none, or another process is at this queue.
    Nothing,
}

/// A turn that the database did not let end.
struct Stumbled {
    at: Arc<Job>,
    error: StoreError,
}

impl Pipeline {
    /// Gives the queues after `last` a few turns each. How many deliveries were applied, and which
    /// queue was the last.
    async fn round(
        &self,
        last: Option<Queue>,
        stopped: &watch::Receiver<bool>,
        stumbles: &mut HashMap<Uuid, u32>,
    ) -> Result<(usize, Option<Queue>), StoreError> {
        let look = move |conn: &mut _| deliveries::queues_after(conn, last, QUEUES);
        let queues = self.0.db.run(move |conn| over_queues(conn, look)).await?;
        let mut applied = 0;
        for queue in &queues {
            for _ in 0..TURNS {
                if *stopped.borrow() {
                    return Ok((applied, None));
                }
                match self.turn_of(*queue).await? {
                    Ok(Turn::Applied) => applied += 1,
                    Ok(Turn::Nothing) => break,
                    Err(stumbled) => {
                        self.note(stumbled, stumbles).await?;
                        break;
                    }
                }
            }
        }
        Ok((applied, queues.last().copied()))
    }

    /// Applies the first delivery of a queue, in a task of its own: should it panic, it is told so
    /// and the next one has its turn.
    async fn turn_of(&self, queue: Queue) -> Result<Result<Turn, Stumbled>, StoreError> {
        let org = queue.org_id;
        let first = self.0.db.in_org(org, move |conn| deliveries::first_waiting(conn, queue));
        let Some(first) = first.await? else { return Ok(Ok(Turn::Nothing)) };
        let job = Arc::new(Job::deferred(org, first));
        let (pipeline, its) = (self.clone(), Arc::clone(&job));
        let apply = async move {
            let directory = pipeline.0.directories.get(org).await?;
            pipeline.attempts(directory, &its).await
        };
        let problem = match tokio::spawn(request::within(job.id(), apply)).await {
            Ok(Ok(_)) => return Ok(Ok(Turn::Applied)),
            Ok(Err(
                AttemptError::NotDue
                | AttemptError::Stale
                | AttemptError::Ungrouped
                | AttemptError::Store(StoreError::Conflict),
            )) => {
                return Ok(Ok(Turn::Nothing));
            }
            Ok(Err(AttemptError::Store(error @ StoreError::Unavailable(_)))) => {
                return Ok(Err(Stumbled { at: job, error }));
            }
            Ok(Err(AttemptError::Rejected(problem) | AttemptError::Refused(problem))) => problem,
            Ok(Err(AttemptError::Store(error))) => Problem::from(error),
            Ok(Err(AttemptError::Repeated(_))) | Err(_) => {
                Problem::new(Code::Internal, "This delivery could not be applied; replay it.")
            }
        };
        self.give_up(&job, problem).await?;
        Ok(Ok(Turn::Applied))
    }

    /// Counts that a delivery failed, where the database itself is there; after the last time the
    /// queue goes on without it.
    ///
    /// # Errors
    /// Where the database is away, which is not the delivery's fault.
    async fn note(
        &self,
        Stumbled { at: job, error }: Stumbled,
        stumbles: &mut HashMap<Uuid, u32>,
    ) -> Result<(), StoreError> {
        self.0.db.run(ping).await?;
        let id = job.id();
        tracing::warn!(delivery = %id, "a delivery that was kept for later stays first: {error}");
        let count = stumbles.entry(id).or_insert(0);
        *count += 1;
        if *count < STUMBLES {
            return Ok(());
        }
        stumbles.remove(&id);
        let detail = format!(
            "The database did not let this delivery be applied, {STUMBLES} times; replay it, \
             or send its actions in smaller batches."
        );
        self.give_up(&job, Problem::new(Code::Internal, detail)).await
    }

    /// Keeps a delivery as one that cannot be applied, so that the next one has its turn.
    async fn give_up(&self, job: &Arc<Job>, problem: Problem) -> Result<(), StoreError> {
        match self.store_rejected(job, problem.of_request(job.id())).await {
            Err(AttemptError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }
}
