//! A delivery on its way, and what an attempt to apply it can end in.

use super::admission::{Credentials, admit};
use super::deliver::Reply;
use super::received::{Options, Received};
use super::replay::Only;
use super::retry::{NotFirst, Retry};
use crate::problem::Problem;
use crate::store::error::{DbError, StoreError};
use crate::store::idempotency::FirstAnswer;
use crate::store::writes::Delivery;
use beeiq_core::diagnostics::Warning;
use beeiq_core::directory::{Directory, Listener};
use ipnetwork::IpNetwork;
use std::time::Instant;
use uuid::Uuid;

/// A delivery on its way.
pub(super) struct Job {
    pub(super) org: Uuid,
    pub(super) listener: Uuid,
    pub(super) came: Came,
    pub(super) received: Received,
    pub(super) options: Options,
    pub(super) warnings: Vec<Warning>,
    pub(super) retry: Option<Retry>,
    pub(super) started: Instant,
}

/// How a delivery came to be applied.
pub(super) enum Came {
    /// Somebody posted it, and waits for what becomes of it. To be judged again under each directory.
    Posted(Credentials),
    /// Somebody posted it, and it is to be kept for later.
    PostedForLater(Credentials),
    /// It has been kept, and its turn has come.
    Due,
    /// An admin runs actions of an earlier one again.
    Replayed {
        /// The first delivery of those actions.
        root: Uuid,
        /// Which of them.
        only: Only,
    },
}

impl Job {
    /// The listener, where it still takes the request. What has been taken is applied whatever has
    /// become of the listener's address list or switch since.
    pub(super) fn admitted<'d>(&self, directory: &'d Directory) -> Result<&'d Listener, Setback> {
        match &self.came {
            Came::Posted(credentials) | Came::PostedForLater(credentials) => {
                Ok(admit(directory, credentials).map_err(Setback::Refused)?.0)
            }
            Came::Due | Came::Replayed { .. } => directory
                .listener(self.listener)
                .ok_or_else(|| Setback::Rejected(Problem::not_found("listener any more"))),
        }
    }

    pub(super) fn delivery<'a>(
        &'a self,
        sender: Option<&'a str>,
        status: &'a str,
        reply: &'a Reply,
    ) -> Delivery<'a> {
        let Received { id, at, caller, query, headers, idempotency_keys: _, body, body_complete } =
            &self.received;
        let replay_of = match &self.came {
            Came::Replayed { root, .. } => Some(*root),
            Came::Posted(_) | Came::PostedForLater(_) | Came::Due => None,
        };
        Delivery {
            id: *id,
            listener_id: self.listener,
            received_at: *at,
            caller: IpNetwork::from(*caller),
            query,
            headers,
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

/// What an attempt ends in besides an answer.
pub(super) enum Setback {
    /// The settings have changed since the directory was read.
    Stale,
    /// The listener does not take it, as the settings now are.
    Refused(Problem),
    /// The whole request cannot be used; to be kept as such.
    Rejected(Problem),
    /// The same request has been answered before.
    Repeated(FirstAnswer),
    /// Its turn has not come, or has been taken by another process.
    NotDue,
    /// The database.
    Store(StoreError),
}

impl From<NotFirst> for Setback {
    fn from(why: NotFirst) -> Self {
        match why {
            NotFirst::Repeated(first) => Self::Repeated(first),
            NotFirst::Problem(problem) => Self::Rejected(problem),
            NotFirst::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for Setback {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbError> for Setback {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}
