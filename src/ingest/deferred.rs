//! A deferred delivery whose turn has come (`listener.md` 9).
//!
//! One transaction locks the listener's queue, applies the first delivery of it and marks it done.
//! A process that is killed on the way leaves it as it was, first in its queue; so there is nothing
//! to hand back, and nothing to be taken up twice.

use super::attempt_error::AttemptError;
use super::job::Job;
use super::pipeline::Pipeline;
use crate::problem::Problem;
use crate::store::deliveries::{Kept, Queue};
use crate::store::error::StoreError;
use crate::store::pool::Db;
use crate::telemetry::request;
use crate::worker::Wake;
use beeiq_core::diagnostics::Code;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use uuid::Uuid;

/// What applying a deferred delivery ended in.
pub(crate) enum Applied {
    /// It has its answer.
    Done,
    /// Another process is at its queue, or others were faster each time.
    NotDue(DeferredJob),
    /// The database did not let it be applied.
    Failed { job: DeferredJob, error: StoreError },
}

pub(crate) struct DeferredJob(Arc<Job>);

impl DeferredJob {
    pub(crate) fn of(queue: Queue, first: Kept) -> Self {
        Self(Arc::new(Job::deferred(queue.org_id, first)))
    }

    pub(crate) fn id(&self) -> Uuid {
        self.0.id()
    }
}

impl Pipeline {
    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    /// Woken when something has been deferred.
    pub(crate) fn deferred_wake(&self) -> &Wake {
        &self.0.deferred
    }

    /// Applies the first delivery of a queue. Should that panic, it is rejected, and the next one
    /// has its turn.
    pub(crate) async fn apply_deferred(
        &self,
        queue: Queue,
        first: Kept,
    ) -> Result<Applied, StoreError> {
        let DeferredJob(job) = DeferredJob::of(queue, first);
        let apply = request::within(job.id(), async {
            let directory = self.0.directories.get(queue.org_id).await?;
            self.attempts(directory, &job).await
        });
        let problem = match AssertUnwindSafe(apply).catch_unwind().await {
            Ok(Ok(_)) => return Ok(Applied::Done),
            Ok(Err(
                AttemptError::NotDue
                | AttemptError::Stale
                | AttemptError::Ungrouped
                | AttemptError::Store(StoreError::Conflict),
            )) => return Ok(Applied::NotDue(DeferredJob(job))),
            Ok(Err(AttemptError::Store(error @ StoreError::Unavailable(_)))) => {
                return Ok(Applied::Failed { job: DeferredJob(job), error });
            }
            Ok(Err(AttemptError::Rejected(problem) | AttemptError::Refused(problem))) => problem,
            Ok(Err(AttemptError::Store(error))) => Problem::from(error),
            Ok(Err(AttemptError::Repeated(_))) | Err(_) => {
                Problem::new(Code::Internal, "This delivery could not be applied; replay it.")
            }
        };
        self.reject_deferred(&job, problem).await?;
        Ok(Applied::Done)
    }

    /// Keeps a delivery as one that cannot be applied, so that the next one has its turn.
    pub(crate) async fn give_up_deferred(
        &self,
        job: &DeferredJob,
        detail: String,
    ) -> Result<(), StoreError> {
        self.reject_deferred(&job.0, Problem::new(Code::Internal, detail)).await?;
        self.0.counters.given_up();
        Ok(())
    }

    async fn reject_deferred(&self, job: &Arc<Job>, problem: Problem) -> Result<(), StoreError> {
        match self.store_rejected(job, problem.of_request(job.id())).await {
            Err(AttemptError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }
}
