//! A delivery on its way.

use super::admission::{Credentials, admit, admit_push};
use super::answer::Teller;
use super::attempt_error::AttemptError;
use super::idempotency::Idempotency;
use super::progress::Only;
use super::received::{Options, Received};
use super::reply::Reply;
use crate::clock;
use crate::problem::Problem;
use crate::secrets::TokenHash;
use crate::store::deliveries::Kept;
use crate::store::writes::Delivery;
use beeiq_core::batch::Context;
use beeiq_core::diagnostics::Warning;
use beeiq_core::directory::{Directory, Listener};
use beeiq_core::formats::Headers;
use beeiq_core::records::delivery::DeliveryStatus;
use chrono::{DateTime, Utc};
use ipnetwork::IpNetwork;
use std::time::Instant;
use uuid::Uuid;

/// The largest body that shares a transaction, in bytes: larger ones are batches themselves. It is
/// what of every body is free (`capacity.rs`).
const SMALL: usize = 16 * 1024;

static NO_HEADERS: Headers = Headers::none();

pub(crate) struct Job {
    pub(super) org: Uuid,
    /// Whose defaults apply.
    pub(super) listener: Uuid,
    /// The connection through which it came, where it did not come to the listener itself.
    pub(super) connection: Option<Uuid>,
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
    /// A system of which these are the tokens told it. To be judged again under each directory.
    Pushed(Vec<TokenHash>),
    /// It was asked for; with it what has been asked for moves on.
    Pulled(Option<Cursor>),
    /// It was deferred, and its turn has come.
    Deferred,
    /// An admin runs actions of an earlier one again.
    Replayed {
        /// The first delivery of those actions.
        root: Uuid,
        only: Only,
    },
}

/// To what a delivery belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose {
    pub(super) org: Uuid,
    pub(super) listener: Uuid,
    pub(super) connection: Option<Uuid>,
}

/// How far a resource of a connection has been asked for, once what is applied has been.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// By which it is asked.
    pub(crate) run: Uuid,
    pub(crate) resource: String,
    pub(crate) until: DateTime<Utc>,
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
            connection: None,
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
        let whose = Whose { org, listener: kept.listener_id, connection: kept.connection_id };
        Self::again(whose, Origin::Deferred, kept.into(), asked, None)
    }

    /// What a connection heard.
    pub(super) fn heard(
        whose: Whose,
        origin: Origin,
        received: Received,
        idempotency: Option<Idempotency>,
    ) -> Self {
        Self::again(whose, origin, received, Default::default(), idempotency)
    }

    /// What has been kept, to be applied now.
    pub(super) fn again(
        Whose { org, listener, connection }: Whose,
        origin: Origin,
        received: Received,
        (options, warnings): (Options, Vec<Warning>),
        idempotency: Option<Idempotency>,
    ) -> Self {
        Self {
            org,
            listener,
            connection,
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

    /// The listener and connection, where they still take it. What has been taken is applied
    /// whatever has become of an address list or switch since.
    pub(super) fn admitted<'d>(
        &self,
        directory: &'d Directory,
    ) -> Result<Context<'d>, AttemptError> {
        let gone = |what| AttemptError::Rejected(Problem::not_found(what));
        let connection = match (&self.origin, self.connection) {
            (Origin::Posted { credentials, .. }, _) => {
                let (listener, _) = admit(directory, credentials).map_err(AttemptError::Refused)?;
                return Ok(Context { directory, listener, connection: None });
            }
            (Origin::Pushed(tokens), _) => {
                let told = admit_push(directory, tokens, self.received.at);
                Some(told.map_err(AttemptError::Refused)?)
            }
            (Origin::Pulled(_) | Origin::Deferred | Origin::Replayed { .. }, Some(connection)) => {
                let there = directory.connection(connection);
                Some(there.ok_or_else(|| gone("connection any more"))?)
            }
            (Origin::Pulled(_) | Origin::Deferred | Origin::Replayed { .. }, None) => None,
        };
        let listener = connection.map_or(self.listener, |connection| connection.listener);
        let listener = directory.listener(listener).ok_or_else(|| gone("listener any more"))?;
        Ok(Context { directory, listener, connection })
    }

    /// The HTTP status of an answer that has this one for who can mend what is wrong.
    pub(super) const fn status(&self, status: u16) -> u16 {
        match self.teller() {
            Teller::Integrator => status,
            Teller::Source => 200,
        }
    }

    /// Who is told what became of it.
    pub(super) const fn teller(&self) -> Teller {
        match self.connection {
            Some(_) => Teller::Source,
            None => Teller::Integrator,
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
            Origin::Posted { .. } | Origin::Pushed(_) | Origin::Pulled(_) | Origin::Deferred => {
                (None, headers)
            }
        };
        Delivery {
            id: *id,
            listener_id: self.listener,
            connection_id: self.connection,
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
