//! A batch of actions while it is decided: what has to be loaded for it, what is known, and what
//! changes.

pub(crate) mod activities;
pub(crate) mod change;
pub(crate) mod context;
pub(crate) mod customers;
pub(crate) mod deals;
pub(crate) mod keys;
pub(crate) mod snapshot;

pub use activities::PendingActivities;
pub use change::{
    Change, Claim, Content, Decision, HistoryLine, Link, Message, NewTag, Outcome, RecordName,
    RecordRef, Rejection, Related, Role, Status, Subject,
};
pub use context::Context;
pub use customers::{CustomerSnapshot, KnownCustomer, PendingCustomers, SEVERAL};
pub use deals::{DealSnapshot, KnownDeal, NameClaim, PendingDeals};
pub use keys::{ForUpdate, Keys, NameKey};
pub use snapshot::{Ids, Origin, Overlay, Pending, Request, Snapshot};
