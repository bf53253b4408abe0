//! Brought to its answer, again where others were faster.

use super::attempt_error::AttemptError;
use super::job::{Job, Origin};
use super::pipeline::Pipeline;
use super::reply::Reply;
use crate::clock;
use crate::problem::Problem;
use crate::store::deliveries;
use crate::store::error::StoreError;
use crate::store::idempotency::FirstAnswer;
use crate::store::pool::{Conn, backend_has_ended};
use crate::store::writes::{Delivery, insert_deliveries};
use crate::telemetry::request::{self, Request};
use beeiq_core::directory::Directory;
use beeiq_core::records::delivery::DeliveryStatus;
use beeiq_core::values::backoff::Backoff;
use std::sync::Arc;
use std::time::Duration;

/// How often a batch is decided anew because others were faster. Each time at least one of them
/// got through, so only a long queue over the same identifiers comes near it.
const ATTEMPTS: u32 = 60;

/// The waits between those: never the same for two.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(2),
    longest: Duration::from_millis(128),
    jitter: 0..=1000,
};

/// How often what became of a commit is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Pipeline {
    /// Brings a job to its answer; what cannot be applied is kept as such.
    pub(super) async fn settle(
        &self,
        directory: Arc<Directory>,
        job: &Arc<Job>,
    ) -> Result<Reply, Problem> {
        let reply = match self.attempts(directory, job).await {
            Ok(reply) => reply,
            Err(AttemptError::Rejected(problem)) => return self.rejected(job, problem).await,
            Err(AttemptError::Repeated(first)) => self.repeat(job, first).await?,
            Err(error) => self
                .look_again(job, error)
                .await
                .map_err(|error| Problem::from(error).of_request(job.received.id))?,
        };
        if reply.pending.is_some() {
            self.0.deferred.wake();
        }
        Ok(reply)
    }

    /// Keeps what cannot be applied. A system that pushes has told what it had to once that is kept.
    async fn rejected(&self, job: &Arc<Job>, problem: Problem) -> Result<Reply, Problem> {
        let code = problem.code;
        let told = self.keep_rejected(job, problem).await;
        match job.origin {
            Origin::Pushed(_) if told.code == code => {
                let body = serde_json::to_string(&told.body(job.id())).unwrap_or_default();
                Ok(Reply::processed(job.status(code.status()), body))
            }
            _ => Err(told),
        }
    }

    pub(crate) async fn attempts(
        &self,
        mut directory: Arc<Directory>,
        job: &Arc<Job>,
    ) -> Result<Reply, AttemptError> {
        let org = job.org;
        // Held until the end.
        let mut permit = None;
        for attempt in 0..ATTEMPTS {
            let done = if job.shares_transaction && attempt == 0 {
                self.with_others(&directory, job).await
            } else {
                if job.shares_transaction && permit.is_none() {
                    permit = Some(self.0.capacity.quick(org).await?);
                }
                self.alone(&directory, job, attempt).await
            };
            match done {
                Err(AttemptError::Ungrouped) => {}
                Err(AttemptError::Stale) => directory = self.0.directories.current(org).await?,
                // An older directory may not know a sender who has just been added, nor that the
                // listener is closed by now.
                Err(error @ (AttemptError::Rejected(_) | AttemptError::Repeated(_))) => {
                    let current = self.0.directories.current(org).await?;
                    if current.version == directory.version {
                        return Err(error);
                    }
                    directory = current;
                }
                Err(AttemptError::Store(StoreError::Reference(_) | StoreError::Taken(_))) => {
                    tokio::time::sleep(backoff(attempt)).await;
                    directory = self.0.directories.current(org).await?;
                }
                Err(AttemptError::Store(StoreError::Conflict)) => {
                    tokio::time::sleep(backoff(attempt)).await;
                }
                done => return done,
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn alone(
        &self,
        directory: &Arc<Directory>,
        job: &Arc<Job>,
        attempt: u32,
    ) -> Result<Reply, AttemptError> {
        let (parts, directory, job) = (Arc::clone(&self.0), Arc::clone(directory), Arc::clone(job));
        let work = move |conn: &mut Conn| {
            let mut ends = parts.apply(conn, &directory, &[&job], attempt)?;
            ends.pop().unwrap_or(Err(StoreError::Conflict.into()))
        };
        self.0.db.run(work).await
    }

    /// Keeps a request that cannot be applied, and gives back the problem to answer with. Where
    /// the listener does not take it, as the settings now are, that is the problem, and nothing is
    /// kept.
    pub(super) async fn keep_rejected(&self, job: &Arc<Job>, problem: Problem) -> Problem {
        let id = job.received.id;
        let problem = problem.of_request(id);
        if matches!(job.origin, Origin::Replayed { .. }) {
            // The delivery itself is kept already, and nothing has become of this.
            return problem;
        }
        match self.store_rejected(job, problem.clone()).await {
            Ok(()) => problem,
            Err(error) => Problem::from(error).of_request(id),
        }
    }

    /// Keeps a request as one that cannot be applied; [`AttemptError::Refused`] where the listener
    /// does not take it, as the settings now are.
    pub(crate) async fn store_rejected(
        &self,
        job: &Arc<Job>,
        problem: Problem,
    ) -> Result<(), AttemptError> {
        let org = job.org;
        let current = self.0.directories.current(org).await?;
        if let Err(error @ AttemptError::Refused(_)) = job.admitted(&current) {
            return Err(error);
        }
        let job = Arc::clone(job);
        let keep = move |conn: &mut Conn| {
            let body = serde_json::to_string(&problem.body(job.received.id)).unwrap_or_default();
            let reply = Reply::processed(job.status(problem.code.status()), body);
            let row = job.delivery(None, DeliveryStatus::Rejected, &reply);
            if let Origin::Deferred = job.origin {
                // Where it does not wait any more somebody else has been at it.
                deliveries::complete(conn, org, &row)?;
                return Ok(());
            }
            insert_deliveries(conn, org, &[row])
        };
        self.0.db.in_org(org, keep).await?;
        self.0.counters.delivered(DeliveryStatus::Rejected.as_str());
        Ok(())
    }

    /// Gives the answer of the first request of an `Idempotency-Key` again; that it was asked for
    /// again is kept.
    async fn repeat(&self, job: &Arc<Job>, first: FirstAnswer) -> Result<Reply, Problem> {
        let id = job.received.id;
        let (org, job) = (job.org, Arc::clone(job));
        let kept = self.0.db.in_org(org, move |conn| {
            let FirstAnswer {
                delivery,
                fingerprint: _,
                status,
                http_status,
                answer,
                respond_async,
            } = first;
            let (status, first) = if respond_async {
                (DeliveryStatus::Succeeded, Reply::pending(delivery))
            } else {
                let http_status = http_status.and_then(|it| u16::try_from(it).ok()).unwrap_or(200);
                (status, Reply::processed(http_status, answer.unwrap_or_default()))
            };
            let reply = Reply { replayed: true, ..first };
            let repeats = Some(delivery);
            let delivery = Delivery { repeats, ..job.delivery(None, status, &reply) };
            insert_deliveries(conn, org, &[delivery])?;
            Ok::<_, StoreError>(reply)
        });
        let reply = kept.await.map_err(|error| Problem::from(error).of_request(id))?;
        self.0.counters.delivered("repeated");
        Ok(reply)
    }

    /// Where the answer of the commit was lost, whether it arrived is known once its transaction has
    /// ended: if the delivery is there, so is everything that its answer says. Looks until then, or
    /// until the request's deadline.
    async fn look_again(&self, job: &Arc<Job>, error: AttemptError) -> Result<Reply, AttemptError> {
        let AttemptError::Store(StoreError::OutcomeUnknown { backend }) = error else {
            return Err(error);
        };
        let time_left = request::current().map_or(request::BACKGROUND, Request::time_left);
        let look = async {
            loop {
                if let Some(reply) = self.outcome(job, backend).await {
                    return reply;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let unknown = Err(StoreError::OutcomeUnknown { backend }.into());
        tokio::time::timeout(time_left, look).await.unwrap_or(unknown)
    }

    /// What became of a commit by that process at the server; none where that is not known yet.
    async fn outcome(
        &self,
        job: &Arc<Job>,
        backend: Option<i32>,
    ) -> Option<Result<Reply, AttemptError>> {
        let (org, id) = (job.org, job.received.id);
        // First: what is not there once it has ended will never be.
        let has_ended = match backend {
            Some(backend) => {
                self.0.db.run(move |conn| backend_has_ended(conn, backend)).await.ok()?
            }
            None => false,
        };
        let kept = self.0.db.in_org(org, move |conn| deliveries::outcome(conn, org, None, id));
        match kept.await.ok()? {
            Some(_) if job.defers() => Some(Ok(Reply::pending(id))),
            Some(kept) => {
                let status = u16::try_from(kept.http_status?).ok()?;
                Some(Ok(Reply::processed(status, kept.answer?)))
            }
            None if has_ended => {
                Some(Err(StoreError::Unavailable("a COMMIT did not arrive".to_owned()).into()))
            }
            None => None,
        }
    }
}

fn backoff(attempt: u32) -> Duration {
    BACKOFF.wait(attempt, u32::from_le_bytes(clock::random_bytes()))
}
