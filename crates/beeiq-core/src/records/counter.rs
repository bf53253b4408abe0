//! What is numbered, each counting up by itself within an org (`listener.md` 3, 7).

use super::customer::CustomerKind;

/// One of an org's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// The n of `PID-n`, `CID-n`, `LID-n`.
    Customer(CustomerKind),
    /// The ids of deals whose sender gives none.
    Deal,
    /// The n of `TID-n`.
    Ticket,
}

impl Counter {
    /// The name under which it is kept.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer(kind) => kind.as_str(),
            Self::Deal => "deal",
            Self::Ticket => "ticket",
        }
    }
}
