//! A request that may be a retry: `Idempotency-Key` (`listener.md` 2).
//!
//! The first request of a key holds a lock while it runs, and keeps the key in the commit that
//! applies it: a process that is killed on the way leaves neither.

use super::received::Received;
use crate::db::Conn;
use crate::domain::fault::Code;
use crate::domain::idempotency::{IdempotencyKey, InvalidIdempotencyKey, fingerprint};
use crate::error::{DbError, Problem, StoreError};
use crate::store::idempotency::{self, FirstAnswer};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A key with what it was sent for.
#[derive(Debug)]
pub struct Retry {
    key: IdempotencyKey,
    fingerprint: [u8; 32],
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
        Ok(Some(Self { key, fingerprint: fingerprint(&received.query, &received.body) }))
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
        match idempotency::find(conn, org, listener, &self.key, now)? {
            None => Ok(()),
            Some(first) if first.fingerprint == self.fingerprint => Err(NotFirst::Repeated(first)),
            Some(_) => {
                let detail = "This `Idempotency-Key` came with another body or query before; \
                              use a new key for a new request.";
                Err(NotFirst::Problem(Problem::new(Code::IdempotencyKeyReused, detail)))
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
        let Self { key, fingerprint } = self;
        Ok(idempotency::insert(conn, org, listener, key, fingerprint, delivery, now)?)
    }
}
