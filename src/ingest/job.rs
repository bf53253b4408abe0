//! A delivery on its way.

use super::admission::{Credentials, admit};
use super::attempt_error::AttemptError;
use super::idempotency::Idempotency;
use super::progress::Only;
use super::received::{Options, Received};
use super::reply::Reply;
use crate::clock;
use crate::problem::Problem;
use crate::store::deliveries::Kept;
use crate::store::writes::Delivery;
use beeiq_core::diagnostics::Warning;
use beeiq_core::directory::{Directory, Listener};
use beeiq_core::formats::Headers;
use beeiq_core::records::delivery::DeliveryStatus;
use ipnetwork::IpNetwork;
use std::time::Instant;
use uuid::Uuid;

/// The largest body that shares a transaction, in bytes: larger ones are batches themselves. It is
/// what of every body is free (`capacity.rs`).
const SMALL: usize = 16 * 1024;

static NO_HEADERS: Headers = Headers::none();

pub(crate) struct Job {
    pub(super) org: Uuid,
    pub(super) listener: Uuid,
    pub(super) origin: Origin,
    pub(super) received: Received,
    pub(super) options: Options,
    /// What is odd about the query.
    pub(super) warnings: Vec<Warning>,
    pub(super) idempotency: Option<Idempotency>,
    /// Whether it may be applied in one transaction with others: it has just been posted, asks for
    /// nothing special, and is small.
    pub(super) shares_transaction: bool,
    pub(super) started: Instant,
}

pub(super) enum Origin {
    /// Somebody posted it. With `defer` it is kept to be applied later; without they wait for what
    /// becomes of it. To be judged again under each directory.
    Posted { credentials: Credentials, defer: bool },
    /// It was deferred, and its turn has come.
    Deferred,
    /// An admin runs actions of an earlier one again.
    Replayed {
        /// The first delivery of those actions.
        root: Uuid,
        only: Only,
    },
}

impl Job {
    /// A request that has been posted. Where its query or its key cannot be meant, that is the
    /// problem to reject it with.
    pub(super) fn posted(
        org: Uuid,
        listener: &Listener,
        credentials: Credentials,
        received: Received,
        prefers_async: bool,
    ) -> (Self, Option<Problem>) {
        let asked = Options::parse(&received.query)
            .and_then(|asked| Ok((asked, Idempotency::of(org, listener.id, &received)?)));
        let (((options, warnings), idempotency), problem) = match asked {
            Ok(asked) => (asked, None),
            Err(problem) => (Default::default(), Some(problem)),
        };
        let defer = (prefers_async || listener.respond_async) && !options.dry_run;
        let shares_transaction = problem.is_none()
            && received.body_complete
            && received.body.len() <= SMALL
            && idempotency.is_none()
            && options == Options::default();
        let job = Self {
            org,
            listener: listener.id,
            origin: Origin::Posted { credentials, defer },
            received,
            options,
            warnings,
            idempotency,
            shares_transaction,
            started: clock::instant(),
        };
        (job, problem)
    }

    /// A kept delivery whose turn has come.
    pub(crate) fn deferred(org: Uuid, kept: Kept) -> Self {
        // It was read when it came; what is wrong with it now is not the query.
        let asked = Options::parse(&kept.query).unwrap_or_default();
        Self::again((org, kept.listener_id), Origin::Deferred, kept.into(), asked, None)
    }

    /// What has been kept, to be applied now.
    pub(super) fn again(
        (org, listener): (Uuid, Uuid),
        origin: Origin,
        received: Received,
        (options, warnings): (Options, Vec<Warning>),
        idempotency: Option<Idempotency>,
    ) -> Self {
        Self {
            org,
            listener,
            origin,
            received,
            options,
            warnings,
            idempotency,
            shares_transaction: false,
            started: clock::instant(),
        }
    }

    pub(crate) const fn id(&self) -> Uuid {
        self.received.id
    }

    /// The listener, where it still takes the request. What has been taken is applied whatever has
    /// become of the listener's address list or switch since.
    pub(super) fn admitted<'d>(
        &self,
        directory: &'d Directory,
    ) -> Result<&'d Listener, AttemptError> {
        match &self.origin {
            Origin::Posted { credentials, .. } => {
                Ok(admit(directory, credentials).map_err(AttemptError::Refused)?.0)
            }
            Origin::Deferred | Origin::Replayed { .. } => directory
                .listener(self.listener)
                .ok_or_else(|| AttemptError::Rejected(Problem::not_found("listener any more"))),
        }
    }

    /// Whether it is only to be kept now.
    pub(super) const fn defers(&self) -> bool {
        matches!(self.origin, Origin::Posted { defer: true, .. })
    }

    /// The row of the delivery.
    pub(super) fn delivery<'a>(
        &'a self,
        sender: Option<&'a str>,
        status: DeliveryStatus,
        reply: &'a Reply,
    ) -> Delivery<'a> {
        let Received {
            id,
            at,
            caller,
            query,
            headers,
            idempotency_keys: _,
            format,
            body,
            body_complete,
        } = &self.received;
        let (replay_of, headers) = match &self.origin {
            // The headers are those of the first.
            Origin::Replayed { root, .. } => (Some(*root), &NO_HEADERS),
            Origin::Posted { .. } | Origin::Deferred => (None, headers),
        };
        Delivery {
            id: *id,
            listener_id: self.listener,
            received_at: *at,
            caller: IpNetwork::from(*caller),
            query,
            headers,
            format: *format,
            body,
            body_complete: *body_complete,
            sender_user: sender,
            dry_run: self.options.dry_run,
            status,
            http_status: i16::try_from(reply.status).ok(),
            answer: Some(&reply.body),
            duration_ms: i32::try_from(self.started.elapsed().as_millis()).ok(),
            repeats: None,
            respond_async: false,
            replay_of,
            unresolved: None,
        }
    }
}
