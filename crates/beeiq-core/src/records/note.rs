//! A note on a customer or a deal (`listener.md` 7, "add-note").

use super::permit::Permit;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The whole record, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the specification's own words, listener.md 7")]
pub struct Note {
    pub id: Uuid,
    pub body: String,
    pub target: NoteTarget,
    pub channel: Option<Uuid>,
    pub permit: Permit,
    pub owner: Uuid,
    pub created_at: DateTime<Utc>,
}

/// What a note is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteTarget {
    /// A contact, account or lead.
    Customer(Uuid),
    /// A deal.
    Deal(Uuid),
}

impl NoteTarget {
    /// The customer, where it is on one.
    pub const fn customer(self) -> Option<Uuid> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Deal(_) => None,
        }
    }

    /// The deal, where it is on one.
    pub const fn deal(self) -> Option<Uuid> {
        match self {
            Self::Customer(_) => None,
            Self::Deal(id) => Some(id),
        }
    }
}
