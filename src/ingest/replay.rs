//! Running actions of a kept delivery again (`listener.md` 9, `api.md` 4): those that have not been
//! applied yet, or all, and in either case nothing twice.

use super::deliver::to_its_end;
use super::idempotency::Idempotency;
use super::job::{Job, Origin, Whose};
use super::pipeline::Pipeline;
use super::progress::Only;
use super::received::{Options, Received};
use super::reply::Reply;
use crate::clock;
use crate::problem::Problem;
use crate::store::deliveries::{self, Kept};
use crate::store::error::StoreError;
use crate::telemetry::request::{self, Request};
use beeiq_core::diagnostics::Code;
use beeiq_core::records::delivery::DeliveryStatus;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

impl Pipeline {
    /// Runs actions of a kept delivery again, which may be a replay itself, and keeps that as a
    /// delivery of its own, which points at the first. Those that have been applied are not run a
    /// second time, however often or at the same time it is asked for. `caller` is the address of
    /// who asks.
    pub(crate) async fn replay(
        &self,
        org: Uuid,
        delivery: Uuid,
        only: Only,
        caller: Option<IpAddr>,
    ) -> Result<Reply, Problem> {
        let unknown = || Problem::not_found("delivery");
        let parts = &self.0;
        let mut permit = parts.capacity.hold(org)?;
        let length = move |conn: &mut _| deliveries::root_bytes(conn, org, delivery);
        let bytes = parts.db.in_org(org, length).await?.ok_or_else(unknown)?;
        // What was taken under larger limits has the room of the largest.
        let bytes = usize::try_from(bytes).unwrap_or_default().min(parts.limits.max_body_bytes);
        permit.grow(bytes)?;
        let deepest = parts.deepest();
        let read = move |conn: &mut _| {
            let root = deliveries::root(conn, org, delivery)?;
            Ok::<_, StoreError>(root.map(|root| {
                let mut meter = root.format.meter(deepest);
                meter.feed(&root.body);
                (root, meter.working_bytes())
            }))
        };
        let (root, working_bytes) = parts.db.in_org(org, read).await?.ok_or_else(unknown)?;
        let job = Arc::new(replayed(org, root, only, caller)?);
        permit.work(working_bytes.min(parts.working_bytes)).await?;
        let its = self.clone();
        let work = async move {
            let _permit = permit;
            let directory = its.0.directories.current(org).await?;
            its.settle(directory, &job).await
        };
        let id = request::current().map_or_else(clock::new_id, |request| request.id);
        to_its_end(Request::new(id, parts.limits.request_deadline), work).await
    }

    /// Replays deliveries one after the other. Where there is no room for more the rest is left out.
    pub(crate) async fn replay_all(
        &self,
        org: Uuid,
        ids: Vec<Uuid>,
        only: Only,
        caller: Option<IpAddr>,
    ) -> Result<Vec<(Uuid, Result<Reply, Problem>)>, Problem> {
        let mut ends = Vec::with_capacity(ids.len());
        for id in ids {
            match self.replay(org, id, only, caller).await {
                Err(problem) if problem.code == Code::Overloaded => {
                    return if ends.is_empty() { Err(problem) } else { Ok(ends) };
                }
                end => ends.push((id, end)),
            }
        }
        Ok(ends)
    }
}

/// The job of running a kept delivery again, where there is something to run.
fn replayed(org: Uuid, root: Kept, only: Only, caller: Option<IpAddr>) -> Result<Job, Problem> {
    if root.status == DeliveryStatus::Pending {
        let detail = "The delivery has not been applied yet; it will be in its turn.";
        return Err(Problem::new(Code::StillPending, detail));
    }
    if root.http_status == Some(deliveries::KEY_IN_USE) {
        let detail = "It came while the first request of its `Idempotency-Key` was running, \
                      whose actions these are; replay that one.";
        return Err(Problem::new(Code::NotReplayable, detail));
    }
    if root.body.is_empty() || !root.body_complete {
        let detail = "Its body was not read to its end, or has been erased; \
                      there is nothing to run again.";
        return Err(Problem::new(Code::NotReplayable, detail));
    }
    let asked = Options::parse(&root.query)?;
    let idempotency = Idempotency::of_rejected(org, &root);
    let (listener, connection) = (root.listener_id, root.connection_id);
    let origin = Origin::Replayed { root: root.id, only };
    let first = Received::from(root);
    let caller = caller.unwrap_or(first.caller);
    let received = Received { id: clock::new_id(), at: clock::now(), caller, ..first };
    Ok(Job::again(Whose { org, listener, connection }, origin, received, asked, idempotency))
}
