//! What a request is answered with.

use uuid::Uuid;

/// An answer, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether it is the answer that an earlier request of the same `Idempotency-Key` got.
    pub(crate) replayed: bool,
    /// The delivery, where it was deferred: by its id its outcome can be asked for.
    pub(crate) pending: Option<Uuid>,
}

impl Reply {
    pub(super) const fn processed(status: u16, body: String) -> Self {
        Self { status, body, replayed: false, pending: None }
    }

    /// Deferred (`listener.md` 9).
    pub(super) fn pending(delivery: Uuid) -> Self {
        let body = serde_json::json!({"requestId": delivery, "status": "pending"}).to_string();
        Self { status: 202, body, replayed: false, pending: Some(delivery) }
    }
}
