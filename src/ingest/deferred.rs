//! A deferred delivery whose turn has come (`listener.md` 9).
//!
//! One transaction locks the listener's queue, applies the first delivery of it and marks it done.
//! A process that is killed on the way leaves it as it was, first in its queue; so there is nothing
//! to hand back, and nothing to be taken up twice.

use super::attempt_error::AttemptError;
use super::job::Job;
use super::pipeline::Pipeline;
use crate::problem::Problem;
use crate::store::deliveries::Kept;
use crate::store::error::StoreError;
use crate::store::pool::Db;
use crate::telemetry::request::{self, Request};
use crate::worker::Wake;
use beeiq_core::diagnostics::Code;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// What applying a deferred delivery ended in.
pub(crate) enum Applied {
    /// It has its answer.
    Done,
    /// Another process is at its queue, or others were faster each time.
    NotDue,
    /// The database did not let it be applied.
    Failed(StoreError),
}

/// A deferred delivery whose turn has come.
pub(crate) struct DeferredJob(Arc<Job>);

impl DeferredJob {
    pub(crate) fn new(org: Uuid, kept: Kept) -> Self {
        Self(Arc::new(Job::deferred(org, kept)))
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

    /// How many deliveries this process has applied so far, of any origin.
    pub(crate) fn applied(&self) -> u64 {
        self.0.applied.load(Ordering::Relaxed)
    }

    /// Applies the first delivery of a queue. Should that panic, it is given up, and the next one
    /// has its turn.
    pub(crate) async fn apply_deferred(&self, DeferredJob(job): &DeferredJob) -> Applied {
        let apply = request::within(Request::new(job.id(), request::BACKGROUND), async {
            let directory = self.0.directories.get(job.org).await?;
            self.attempts(directory, job).await
        });
        let ended = match AssertUnwindSafe(apply).catch_unwind().await {
            Ok(Ok(_)) => return Applied::Done,
            // What a listener takes has been looked at when it came: this is a lack of room.
            Ok(Err(
                AttemptError::NotDue
                | AttemptError::Stale
                | AttemptError::Ungrouped
                | AttemptError::Refused(_)
                | AttemptError::Store(StoreError::Conflict),
            )) => return Applied::NotDue,
            Ok(Err(AttemptError::Store(error))) => return Applied::Failed(error),
            Ok(Err(AttemptError::Rejected(problem))) => self.reject_deferred(job, problem).await,
            Ok(Err(AttemptError::Repeated(_))) => {
                self.give_up(job, "Its Idempotency-Key has an answer already.").await
            }
            Err(_) => self.give_up(job, "It could not be applied; replay it.").await,
        };
        ended.map_or_else(Applied::Failed, |()| Applied::Done)
    }

    /// Keeps a delivery that was answered 202 as one that cannot be applied, so that the next one has
    /// its turn; whoever watches the instance is told.
    pub(crate) async fn give_up_deferred(
        &self,
        DeferredJob(job): &DeferredJob,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.give_up(job, detail).await
    }

    async fn give_up(&self, job: &Arc<Job>, detail: &str) -> Result<(), StoreError> {
        self.reject_deferred(job, Problem::new(Code::Internal, detail)).await?;
        let (delivery, org, listener) = (job.id(), job.org, job.listener);
        tracing::error!(%delivery, %org, %listener, detail, "a deferred delivery was given up");
        self.0.counters.gave_up();
        Ok(())
    }

    async fn reject_deferred(&self, job: &Arc<Job>, problem: Problem) -> Result<(), StoreError> {
        match self.store_rejected(job, problem.of_request(job.id())).await {
            Err(AttemptError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }
}
