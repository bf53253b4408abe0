//! Something that happened with a customer: a call, a chat, an order (`listener.md` 7,
//! "add-activity").

use super::permit::Permit;
use crate::words;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

words! {
    /// What happened.
    #[schema(as = ActivityKind)]
    pub enum ActivityKind {
        Call => "call",
        Chat => "chat",
        Video => "video",
        Appointment => "appointment",
        Callback => "callback",
        Order => "order",
        Other => "other",
    }
}

/// The whole record, as it is written.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the specification's own words, listener.md 7")]
pub struct Activity {
    pub id: Uuid,
    pub kind: ActivityKind,
    pub source: String,
    pub external_id: Option<String>,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub outcome: Option<String>,
    pub subject: Option<String>,
    pub body: Option<String>,
    pub operator: Option<Operator>,
    pub details: Map<String, Value>,
    pub customer: Uuid,
    pub deal: Option<Uuid>,
    pub permit: Permit,
    /// When that was so which a source told last (`connections.md` 2).
    pub as_of: Option<DateTime<Utc>>,
    pub owner: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Who of the org dealt with the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// A user.
    User(Uuid),
    /// Somebody the org does not know, as the sender names them.
    Named(String),
}

/// By what an activity is recognised when it is heard of again: together unique in an org.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivityKey {
    /// The system that tells of it.
    pub source: String,
    /// That system's own id of it.
    pub external_id: String,
}

impl Activity {
    /// Whether the other says the same, however new that is.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        Self { as_of: self.as_of, ..other.clone() } == *self
    }

    /// Its key, where the sender gave it one.
    #[must_use]
    pub fn key(&self) -> Option<ActivityKey> {
        let external_id = self.external_id.clone()?;
        Some(ActivityKey { source: self.source.clone(), external_id })
    }
}
