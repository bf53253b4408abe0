//! A ticket (`listener.md` 7, "add-ticket").

use super::permit::Permit;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// A ticket's visible code: `TID-12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketCode(pub i64);

impl TicketCode {
    /// What the codes begin with.
    pub const PREFIX: &'static str = "TID";

    /// Reads `TID-12` in any case; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, digits) = text.trim().split_once('-')?;
        let is_code = prefix.eq_ignore_ascii_case(Self::PREFIX)
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_code { digits.parse().ok().map(Self) } else { None }
    }
}

impl fmt::Display for TicketCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", Self::PREFIX, self.0)
    }
}

/// The whole record, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the specification's own words, listener.md 7")]
pub struct Ticket {
    pub id: Uuid,
    pub code: TicketCode,
    pub title: Option<String>,
    pub body: String,
    pub customer: Uuid,
    pub deal: Option<Uuid>,
    /// Everybody, the owner and a group, or the owner alone.
    pub readers: Permit,
    pub sla: Option<TicketSla>,
    pub channel: Option<Uuid>,
    pub tags: Vec<Uuid>,
    pub cus_fields: BTreeMap<Uuid, String>,
    pub owner: Uuid,
    pub created_at: DateTime<Utc>,
}

/// The service level of a ticket, and until when it asks for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the specification's own words, listener.md 7")]
pub struct TicketSla {
    pub id: Uuid,
    pub first_response_due_at: DateTime<Utc>,
    pub resolution_due_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_in_any_case_and_nothing_else_is_one() {
        for (text, code) in [
            ("TID-12", Some(TicketCode(12))),
            (" tid-12 ", Some(TicketCode(12))),
            ("TID-", None),
            ("TID-+1", None),
            ("TID-99999999999999999999", None),
            ("PID-1", None),
            ("12", None),
        ] {
            assert_eq!(TicketCode::parse(text), code, "{text}");
        }
        assert_eq!(TicketCode(7).to_string(), "TID-7");
    }
}
