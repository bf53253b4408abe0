//! A request that may be a retry: `Idempotency-Key` (`listener.md` 2).
//!
//! The first request of a key holds a lock while it runs, and keeps the key in the commit that
//! applies it: a process that is killed on the way leaves neither.

use super::received::Received;
use crate::problem::Problem;
use crate::store::deliveries::Root;
use crate::store::error::{DbError, StoreError};
use crate::store::idempotency::{self, FirstAnswer};
use crate::store::pool::Conn;
use beeiq_core::diagnostics::Code;
use beeiq_core::values::idempotency::{IdempotencyKey, InvalidIdempotencyKey, fingerprint};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// A key with what it was sent for.
#[derive(Debug)]
pub struct Retry {
    key: IdempotencyKey,
    by: By,
}

/// Who comes with a key.
#[derive(Debug)]
enum By {
    /// Its sender, with a request of this fingerprint.
    Sender([u8; 32]),
    /// An admin, with a delivery from then that was rejected. Its key is not kept for the replay: it
    /// stays the sender's to go on with.
    Admin { rejected: Uuid, at: DateTime<Utc> },
}

/// Why a request is not the first of its key.
pub enum NotFirst {
    /// It has been answered.
    Repeated(FirstAnswer),
    /// The key is being used, or was used for another request.
    Problem(Problem),
    /// The database.
    Store(StoreError),
}

impl From<DbError> for NotFirst {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl Retry {
    /// The key of a request, where it has one.
    ///
    /// # Errors
    /// 400 where it is malformed, or there are several.
    pub fn of(received: &Received) -> Result<Option<Self>, Problem> {
        let malformed = |error: InvalidIdempotencyKey| {
            Problem::new(Code::InvalidIdempotencyKey, error.to_string())
        };
        let key = match received.idempotency_keys.as_slice() {
            [] => return Ok(None),
            [one] => IdempotencyKey::parse(one).map_err(malformed)?,
            _ => return Err(malformed(InvalidIdempotencyKey)),
        };
        Ok(Some(Self { key, by: By::Sender(fingerprint(&received.query, &received.body)) }))
    }

    /// The key of a delivery that is run again, where it had one and was rejected: its sender may
    /// have mended it and sent it again under the key.
    #[must_use]
    pub fn of_rejected(root: &Root) -> Option<Self> {
        let text = root.headers.get("idempotency-key").and_then(Value::as_str)?;
        let key = IdempotencyKey::parse(text.as_bytes()).ok()?;
        let by = By::Admin { rejected: root.id, at: root.received_at };
        (root.status == "rejected").then_some(Self { key, by })
    }

    /// Whether the key has been answered before.
    ///
    /// # Errors
    /// Where it has.
    pub fn seen_before(
        &self,
        conn: &mut Conn,
        org: Uuid,
        listener: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), NotFirst> {
        // A key that was answered within days of a rejected request may be over by now.
        let at = match self.by {
            By::Sender(_) => now,
            By::Admin { rejected: _, at } => at,
        };
        let Some(first) = idempotency::find(conn, org, listener, &self.key, at)? else {
            return Ok(());
        };
        match self.by {
            By::Sender(fingerprint) if first.fingerprint == fingerprint => {
                Err(NotFirst::Repeated(first))
            }
            By::Sender(_) => {
                let detail = "This `Idempotency-Key` came with another body or query before; \
                              use a new key for a new request.";
                Err(NotFirst::Problem(Problem::new(Code::IdempotencyKeyReused, detail)))
            }
            // It was taken for later under the key, and rejected when its turn came.
            By::Admin { rejected, at: _ } if first.delivery == rejected => Ok(()),
            By::Admin { .. } => {
                let detail = format!(
                    "The delivery {} has been applied under the same `Idempotency-Key`; replay \
                     that one.",
                    first.delivery
                );
                Err(NotFirst::Problem(Problem::new(Code::NotReplayable, detail)))
            }
        }
    }

    /// Keeps others with the key out until the transaction ends.
    ///
    /// # Errors
    /// Where another request is at work with it, or has been answered.
    pub fn claim(
        &self,
        conn: &mut Conn,
        org: Uuid,
        listener: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), NotFirst> {
        if !idempotency::try_lock(conn, org, listener, &self.key)? {
            let detail = "The first request with this `Idempotency-Key` is still running; \
                          ask again for its answer.";
            let problem = Problem::new(Code::IdempotencyKeyInUse, detail).retry_after(1);
            return Err(NotFirst::Problem(problem));
        }
        self.seen_before(conn, org, listener, now)
    }

    /// Keeps the delivery's answer for the key.
    ///
    /// # Errors
    /// Those of the database.
    pub fn keep(
        &self,
        conn: &mut Conn,
        org: Uuid,
        listener: Uuid,
        delivery: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Self { key, by } = self;
        match by {
            By::Sender(fingerprint) => {
                Ok(idempotency::insert(conn, org, listener, key, fingerprint, delivery, now)?)
            }
            By::Admin { .. } => Ok(()),
        }
    }
}
