//! The kinds of records that answers name (`listener.md` 2).

use super::customer::CustomerKind;
use crate::words;

words! {
    /// What kind of record it is.
    #[schema(as = RecordModel)]
    pub enum Model {
        Contact => "contact",
        Account => "account",
        Lead => "lead",
        Deal => "deal",
        Ticket => "ticket",
        Note => "note",
        Activity => "activity",
        Sms => "sms",
    }
}

impl Model {
    /// Whether running an action again could make another of what it was about; `new` where it made
    /// the record. A customer or an activity without identifiers is found by nothing, a deal by its name.
    #[must_use]
    pub const fn is_made_again(self, new: bool) -> bool {
        match self {
            Self::Note | Self::Ticket | Self::Sms => true,
            Self::Contact | Self::Account | Self::Lead | Self::Activity => new,
            Self::Deal => false,
        }
    }
}

impl From<CustomerKind> for Model {
    fn from(kind: CustomerKind) -> Self {
        match kind {
            CustomerKind::Contact => Self::Contact,
            CustomerKind::Account => Self::Account,
            CustomerKind::Lead => Self::Lead,
        }
    }
}
