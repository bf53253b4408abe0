//! Writing what a batch decided: one set-based statement per table, always in the same order
//! (`design.md`, "write").

mod columns;
mod customer_tags;
mod customers;
mod deals;
mod deliveries;
mod history;
mod identities;
mod messages;
mod notes;
mod tags;
mod tickets;

pub use deliveries::{Delivery, insert_delivery};

use crate::actions::{Pending, PendingCustomers};
use crate::error::StoreError;
use crate::store::message_accounts;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use uuid::Uuid;

/// Who wrote, and when: the same for all rows of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The `senderUser`.
    pub sender: Uuid,
    /// The listener.
    pub listener: Uuid,
    /// The delivery.
    pub request: Uuid,
    /// When it came.
    pub at: DateTime<Utc>,
    /// Whether messages are captured instead of sent.
    pub staging: bool,
    /// What `Message-ID`s end in.
    pub mail_domain: &'a str,
}

/// Writes all changes of a batch.
///
/// # Errors
/// [`StoreError::Conflict`] where another transaction was faster with an identity, a tag, a deal or the
/// last credits: to be loaded and decided again.
pub fn write(
    conn: &mut PgConnection,
    org: Uuid,
    pending: &Pending,
    origin: Origin<'_>,
) -> Result<(), StoreError> {
    tags::insert(conn, org, &pending.tags, origin.at)?;
    let PendingCustomers { created, changed, tagged, untagged, released, claims } =
        &pending.customers;
    customers::insert(conn, org, created)?;
    customers::update(conn, org, changed)?;
    identities::delete(conn, org, released)?;
    identities::insert(conn, org, claims)?;
    customer_tags::delete(conn, org, untagged)?;
    customer_tags::insert(conn, org, created, tagged)?;
    deals::write(conn, org, &pending.deals)?;
    notes::insert(conn, org, &pending.notes)?;
    tickets::insert(conn, org, &pending.tickets)?;
    tickets::insert_tags(conn, org, &pending.tickets)?;
    history::insert(conn, org, &pending.history, origin)?;
    messages::insert(conn, org, &pending.messages, origin)?;
    take_sms_credits(conn, org, pending.sms_credits_taken)
}

/// Takes the credits, unless others have taken so many meanwhile that they do not suffice. Last,
/// because it is the one row that an org's requests share.
fn take_sms_credits(conn: &mut PgConnection, org: Uuid, taken: i64) -> Result<(), StoreError> {
    if taken == 0 || message_accounts::take_trial_credits(conn, org, taken)? {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}
