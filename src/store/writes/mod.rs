//! Writing what a batch decided: one set-based statement per table (`docs/architecture.md`, "write"), those
//! that need nothing of each other in one round trip.

pub(super) mod columns;
mod deliveries;
mod history;
mod messages;
mod tags;

pub(crate) use deliveries::Delivery;
pub use messages::Outgoing;

use super::customers::{self, identities};
use super::statement::{run, statement};
use super::{activities, deals, notes, tickets};
use crate::store::error::{DbError, StoreError};
use crate::store::settings::message_accounts;
use beeiq_core::batch::{Pending, PendingCustomers};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use uuid::Uuid;

/// Writes all changes of a batch, and the deliveries that it came with. Gives back the version of
/// the org's directory: where it is not the one that the batch was decided by, all has to be undone.
///
/// # Errors
/// [`StoreError::Conflict`] where another transaction was faster with an identity, a tag, a deal, an
/// activity or the last credits: to be loaded and decided again.
pub(crate) fn write(
    conn: &mut PgConnection,
    org: Uuid,
    pending: &Pending,
    deliveries: &[Delivery<'_>],
    outgoing: Outgoing<'_>,
) -> Result<i64, StoreError> {
    tags::insert(conn, org, &pending.tags)?;
    let PendingCustomers { created, changed, tagged, untagged, released, claims } =
        &pending.customers;
    let mut inserts = Vec::from_iter(customers::write::insert(org, created));
    if !(changed.is_empty() && released.is_empty() && untagged.is_empty()) {
        // Those who are changed may belong to one who is new.
        run(conn, std::mem::take(&mut inserts))?;
        customers::write::update(conn, org, changed)?;
        identities::delete(conn, org, released)?;
        customers::tags::delete(conn, org, untagged)?;
    }
    inserts.extend(customers::tags::insert_new(org, created));
    inserts.extend(customers::tags::insert_more(org, tagged));
    let mut claims = identities::insert(org, claims);
    if !pending.deals.is_empty() {
        inserts.append(&mut claims);
        run(conn, std::mem::take(&mut inserts)).map_err(unless_lost)?;
        deals::write::write(conn, org, &pending.deals)?;
    }
    inserts.extend(notes::insert(org, &pending.notes));
    inserts.extend(tickets::insert(org, &pending.tickets));
    inserts.extend(tickets::insert_tags(org, &pending.tickets));
    inserts.extend(activities::insert(org, &pending.activities.created));
    inserts.extend(activities::update(org, &pending.activities.changed));
    inserts.extend(history::insert(org, &pending.history));
    inserts.extend(messages::insert(org, &pending.messages, outgoing));
    // What stands first in a round trip Postgres runs last. So a delivery knows how long all took,
    // and a race that is lost is lost before anything else is written.
    inserts.splice(0..0, deliveries::insert(org, deliveries));
    inserts.append(&mut claims);
    let current = statement("SELECT directory_version FROM org_settings WHERE org_id = $1")
        .bind::<SqlUuid, _>(org)
        .with(inserts)
        .get_result::<Current>(conn)
        .map_err(unless_lost)?;
    take_sms_credits(conn, org, pending.sms_credits_taken)?;
    Ok(current.directory_version)
}

#[derive(QueryableByName)]
struct Current {
    #[diesel(sql_type = BigInt)]
    directory_version: i64,
}

/// The error of statements of which one may claim identities or activities.
fn unless_lost(error: DbError) -> StoreError {
    if identities::is_lost(&error) || activities::is_lost(&error) {
        StoreError::Conflict
    } else {
        error.into()
    }
}

/// Keeps deliveries of which nothing is applied.
pub(crate) fn insert_deliveries(
    conn: &mut PgConnection,
    org: Uuid,
    deliveries: &[Delivery<'_>],
) -> Result<(), StoreError> {
    Ok(run(conn, Vec::from_iter(deliveries::insert(org, deliveries)))?)
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
