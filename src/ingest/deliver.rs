//! A delivery's way from its door to its answer: admitted, read, settled.

use super::admit::Admitted;
use super::intake::Intake;
use super::job::Job;
use super::pipeline::Pipeline;
use super::rate::{Quota, Rate};
use super::received::Received;
use super::reply::Reply;
use crate::problem::Problem;
use crate::telemetry::request::{self, Request};
use beeiq_core::diagnostics::Code;
use beeiq_core::formats::{Format, Headers};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument;
use uuid::Uuid;

/// A request at a listener's door.
pub(crate) struct Arrival<B> {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    /// The secret end of the URL.
    pub(crate) token: String,
    /// `None` where a trusted proxy does not tell.
    pub(crate) caller: Option<IpAddr>,
    pub(crate) query: String,
    pub(crate) headers: Headers,
    pub(crate) idempotency_keys: Vec<Vec<u8>>,
    pub(crate) prefers_async: bool,
    /// What the door takes.
    pub(crate) format: Format,
    pub(crate) announced_bytes: Option<u64>,
    /// Why its body cannot be looked at, whatever it is.
    pub(crate) unreadable: Option<Problem>,
    /// The body, piece by piece.
    pub(crate) body: B,
}

/// The end of a request.
pub(crate) struct Answered {
    pub(crate) reply: Result<Reply, Problem>,
    /// What is left of the listener's rate, where that is limited.
    pub(crate) quota: Option<(Rate, Quota)>,
}

impl Pipeline {
    /// Takes a request and answers it. The order matters: the URL first (404), then the caller's
    /// address (403), then whether the listener is enabled (410), then its rate (429), and only then
    /// the body. What was refused before that is not kept, nor what there is no room for (503).
    pub(crate) async fn deliver<B, P, E>(&self, arrival: Arrival<B>) -> Answered
    where
        B: Stream<Item = Result<P, E>> + Unpin,
        P: AsRef<[u8]>,
        E: Display,
    {
        let id = arrival.id;
        let of_request = |problem: Problem| problem.of_request(id);
        let mut admitted = match self.admit(&arrival.token, arrival.caller).await {
            Ok(admitted) => admitted,
            Err(problem) => return Answered { reply: Err(of_request(problem)), quota: None },
        };
        let reply = match self.within_rate(&mut admitted).await {
            Ok(()) => self.take(&admitted, arrival).await,
            Err(problem) => Err(problem),
        };
        Answered { reply: reply.map_err(of_request), quota: self.quota(&admitted) }
    }

    /// Reads the body of a request that may send it, and brings it to its answer.
    async fn take<B, P, E>(
        &self,
        admitted: &Admitted,
        arrival: Arrival<B>,
    ) -> Result<Reply, Problem>
    where
        B: Stream<Item = Result<P, E>> + Unpin,
        P: AsRef<[u8]>,
        E: Display,
    {
        let Admitted { directory, listener, caller, credentials, rate: _ } = admitted;
        let (org, id, format) = (directory.org.id, arrival.id, arrival.format);
        let mut permit = self.0.capacity.hold(org)?;
        let meter = format.meter(self.0.deepest());
        let length = (arrival.announced_bytes, self.0.limits.max_body_bytes);
        let Intake { body, meter, cut_short } =
            self.0.read_body(arrival.body, length, meter, &mut permit).await?;
        self.charge(admitted, meter.actions());
        // What is not worked on is only kept.
        let weight = if cut_short.is_some() { 2 * body.len() } else { meter.working_bytes() };
        let received = Received {
            id,
            at: arrival.at,
            caller: *caller,
            query: arrival.query,
            headers: arrival.headers,
            idempotency_keys: arrival.idempotency_keys,
            format,
            body,
            body_complete: cut_short.is_none(),
        };
        let listener =
            directory.listener(*listener).ok_or_else(|| Problem::not_found("listener"))?;
        let (job, unusable) =
            Job::posted(org, listener, credentials.clone(), received, arrival.prefers_async);
        let rejected = cut_short.or(arrival.unreadable).or(unusable);
        // Those that share a transaction share a permit.
        if rejected.is_some() || !job.shares_transaction {
            permit.work(weight).await?;
        }
        let (its, directory, job) = (self.clone(), Arc::clone(directory), Arc::new(job));
        let work = async move {
            let _permit = permit;
            match rejected {
                Some(problem) => Err(its.keep_rejected(&job, problem).await),
                None => its.settle(directory, &job).await,
            }
        };
        to_its_end(Request::new(id, self.0.limits.request_deadline), work).await
    }
}

/// Does it in a task of its own: a sender who goes away ends the handler, but not the work, whose
/// permit must not be given to others before it is done.
pub(super) async fn to_its_end(
    request: Request,
    work: impl Future<Output = Result<Reply, Problem>> + Send + 'static,
) -> Result<Reply, Problem> {
    let done = tokio::spawn(request::within(request, work).in_current_span()).await;
    // A panic has been logged where it happened.
    done.map_err(|_| {
        let detail = "Something went wrong on our side; it has been logged under this requestId.";
        Problem::new(Code::Internal, detail)
    })?
}
