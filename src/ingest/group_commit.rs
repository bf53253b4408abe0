//! Group commit: small deliveries of an org that come at the same time share a transaction, and so
//! what it costs to begin, to load, to write and to flush one, however many they are.
//!
//! Who comes alone goes at once. While a transaction is at work those that come gather in the org's
//! queue, and the next one takes them all; in a stream of them it waits a moment, so that those who
//! have just had their answers can come again. Each member has its answer as if it were alone; where
//! they cannot be applied together each is tried by itself.

use super::attempt_error::AttemptError;
use super::group_queue::Member;
use super::job::Job;
use super::pipeline::{Parts, Pipeline};
use super::reply::Reply;
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use crate::telemetry::request;
use beeiq_core::directory::Directory;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tracing::Span;
use uuid::Uuid;

/// For how long one may wait before another transaction is begun, whatever holds up those that run.
const PATIENCE: Duration = Duration::from_millis(50);

impl Pipeline {
    /// Has a delivery applied with the others of its org that wait.
    pub(super) async fn with_others(
        &self,
        directory: &Arc<Directory>,
        job: &Arc<Job>,
    ) -> Result<Reply, AttemptError> {
        let org = job.org;
        let (hears, mut told) = oneshot::channel();
        let (job, directory) = (Arc::clone(job), Arc::clone(directory));
        let request = request::current();
        let member = Member { job, directory, hears, span: Span::current(), request };
        if self.0.group_queues.join(org, member) {
            self.start_leader(org);
        }
        loop {
            let patience = request.map_or(PATIENCE, |request| request.time_left().min(PATIENCE));
            match tokio::time::timeout(patience, &mut told).await {
                Ok(Ok(end)) => return end,
                // A leader gave up, or something panicked, which has been logged where it happened.
                Ok(Err(_)) => return Err(AttemptError::Ungrouped),
                // Who is at work for it may be at the commit.
                Err(_) if request.is_some_and(|request| request.time_left().is_zero()) => {
                    return Err(StoreError::OutcomeUnknown { backend: None }.into());
                }
                Err(_) if self.0.group_queues.wants_another_leader(org) => self.start_leader(org),
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
            self.group_queues.gather(org, took);
            took = 0;
            // The permit and the connection first: while they are waited for, others come.
            let permit = match Handle::current().block_on(self.capacity.quick(org)) {
                Ok(permit) => permit,
                Err(overloaded) => return self.group_queues.turn_away(org, overloaded),
            };
            let group = || {
                self.db.run_here(|conn| {
                    let members = self.group_queues.take(org);
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
                Ok(Err(_)) => return self.group_queues.leave(org),
            }
        }
    }

    fn apply_group(&self, conn: &mut Conn, members: Vec<Member>) {
        let newest = members.iter().map(|member| &member.directory).max_by_key(|it| it.version);
        let (Some(directory), Some(first)) = (newest, members.first()) else { return };
        let jobs: Vec<&Job> = members.iter().map(|member| member.job.as_ref()).collect();
        // What the database and the log are told to be at work for can be one request only.
        let done = first
            .span
            .in_scope(|| request::resume(first.request, || self.apply(conn, directory, &jobs, 0)));
        let ends: Vec<_> = match done {
            Ok(ends) => ends,
            // Whether they have been applied is not known.
            Err(AttemptError::Store(StoreError::Unavailable(why))) => {
                let lost = |_| Err(StoreError::Unavailable(why.clone()).into());
                members.iter().map(lost).collect()
            }
            Err(AttemptError::Store(StoreError::OutcomeUnknown { backend })) => {
                let lost = |_| Err(StoreError::OutcomeUnknown { backend }.into());
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
