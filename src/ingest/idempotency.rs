//! A request that may be a retry: `Idempotency-Key` (`listener.md` 2).
//!
//! The first request of a key holds a lock while it runs, and keeps the key in the commit that
//! applies it: a process that is killed on the way leaves neither.

use super::attempt_error::AttemptError;
use super::received::Received;
use crate::problem::Problem;
use crate::store::deliveries::Kept;
use crate::store::error::StoreError;
use crate::store::idempotency;
use crate::store::pool::Conn;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use beeiq_core::diagnostics::Code;
use beeiq_core::records::delivery::DeliveryStatus;
use beeiq_core::values::idempotency::{IdempotencyKey, InvalidIdempotencyKey, fingerprint};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A key of a listener, with what it was sent for.
pub(super) struct Idempotency {
    org: Uuid,
    listener: Uuid,
    key: IdempotencyKey,
    /// When what has the key came: one that was answered within days of it may be over by now.
    at: DateTime<Utc>,
    by: By,
}

/// Who comes with a key.
enum By {
    /// Its sender, with a request of this fingerprint.
    Sender([u8; 32]),
    /// An admin, with a delivery that was rejected. Its key is not kept for the replay: it stays the
    /// sender's to go on with.
    Admin { rejected: Uuid },
}

impl Idempotency {
    /// The key of a request, where it has one; 400 where it is malformed, or there are several.
    pub(super) fn of(
        org: Uuid,
        listener: Uuid,
        received: &Received,
    ) -> Result<Option<Self>, Problem> {
        let malformed = |error: InvalidIdempotencyKey| {
            Problem::new(Code::InvalidIdempotencyKey, error.to_string())
        };
        let key = match received.idempotency_keys.as_slice() {
            [] => return Ok(None),
            [one] => IdempotencyKey::parse(one).map_err(malformed)?,
            _ => return Err(malformed(InvalidIdempotencyKey)),
        };
        let by = By::Sender(fingerprint(&received.query, &received.body));
        Ok(Some(Self { org, listener, key, at: received.at, by }))
    }

    /// The key of an event of that name: a system may give the same name to others, so that its body
    /// belongs to it.
    pub(super) fn of_event(
        org: Uuid,
        connection: Uuid,
        name: &str,
        body: &[u8],
        at: DateTime<Utc>,
    ) -> Option<Self> {
        let by = By::Sender(fingerprint("", body));
        let digest = Sha256::new().chain_update(name).chain_update([0]).chain_update(body);
        let key =
            IdempotencyKey::parse(BASE64_STANDARD.encode(digest.finalize()).as_bytes()).ok()?;
        Some(Self { org, listener: connection, key, at, by })
    }

    /// The key of a delivery that is run again, where it had one and was rejected: its sender may
    /// have mended it and sent it again under the key.
    pub(super) fn of_rejected(org: Uuid, root: &Kept) -> Option<Self> {
        let key = IdempotencyKey::parse(root.headers.get("idempotency-key")?.as_bytes()).ok()?;
        let by = By::Admin { rejected: root.id };
        let (listener, at) = (root.listener_id, root.received_at);
        (root.status == DeliveryStatus::Rejected).then_some(Self { org, listener, key, at, by })
    }

    /// Fails where the key has been answered before.
    pub(super) fn seen_before(&self, conn: &mut Conn) -> Result<(), AttemptError> {
        let Self { org, listener, key, at, by } = self;
        let Some(first) = idempotency::find(conn, *org, *listener, key, *at)? else {
            return Ok(());
        };
        match by {
            By::Sender(fingerprint) if first.fingerprint == fingerprint => {
                Err(AttemptError::Repeated(first))
            }
            By::Sender(_) => {
                let detail = "This `Idempotency-Key` came with another body or query before; \
                              use a new key for a new request.";
                Err(AttemptError::Rejected(Problem::new(Code::IdempotencyKeyReused, detail)))
            }
            // It was deferred under the key, and rejected when its turn came.
            By::Admin { rejected } if first.delivery == *rejected => Ok(()),
            By::Admin { .. } => {
                let detail = format!(
                    "The delivery {} has been applied under the same `Idempotency-Key`; replay \
                     that one.",
                    first.delivery
                );
                Err(AttemptError::Rejected(Problem::new(Code::NotReplayable, detail)))
            }
        }
    }

    /// Keeps others with the key out until the transaction ends. Fails where another request is at
    /// work with it, or has been answered.
    pub(super) fn claim(&self, conn: &mut Conn) -> Result<(), AttemptError> {
        if !idempotency::try_lock(conn, self.org, self.listener, &self.key)? {
            let detail = "The first request with this `Idempotency-Key` is still running; \
                          ask again for its answer.";
            let problem = Problem::new(Code::IdempotencyKeyInUse, detail).retry_after(1);
            return Err(AttemptError::Rejected(problem));
        }
        self.seen_before(conn)
    }

    /// Keeps the delivery's answer for the key.
    pub(super) fn keep(&self, conn: &mut Conn, delivery: Uuid) -> Result<(), StoreError> {
        let Self { org, listener, key, at, by } = self;
        match by {
            By::Sender(fingerprint) => {
                let first = (delivery, fingerprint.as_slice());
                Ok(idempotency::insert(conn, *org, *listener, key, first, *at)?)
            }
            By::Admin { .. } => Ok(()),
        }
    }
}
