//! Erasing a customer with what hangs on it (`api.md` 5).

use crate::error::StoreError;
use crate::listener::redaction::{Kept, redacted};
use crate::schema::{customers, deals, deliveries, history, notes, outbox, tickets};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use std::collections::HashSet;
use uuid::Uuid;

/// How many deliveries are held in memory at a time: a body may have megabytes.
const CHUNK: usize = 20;

/// Erases a contact, account or lead: identities, tags, notes, tickets, messages and history go with
/// it, and its part of the kept deliveries. Deals with it, and the contacts of an account, stay
/// without it. Nothing where there is no such customer.
///
/// # Errors
/// Those of the database.
pub fn erase(conn: &mut PgConnection, org: Uuid, customer: Uuid) -> Result<(), StoreError> {
    // Locked, so that no batch links to it meanwhile.
    customers::table
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq(customer))
        .select(customers::id)
        .for_update()
        .load::<Uuid>(conn)?;
    redact_deliveries(conn, org, customer)?;
    diesel::update(deals::table)
        .filter(deals::org_id.eq(org))
        .filter(deals::deal_with_id.eq(customer))
        .set(deals::deal_with_id.eq(None::<Uuid>))
        .execute(conn)?;
    diesel::update(customers::table)
        .filter(customers::org_id.eq(org))
        .filter(customers::company_id.eq(customer))
        .set(customers::company_id.eq(None::<Uuid>))
        .execute(conn)?;
    // The rest follows by foreign keys.
    diesel::delete(customers::table)
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq(customer))
        .execute(conn)?;
    Ok(())
}

fn redact_deliveries(conn: &mut PgConnection, org: Uuid, customer: Uuid) -> Result<(), StoreError> {
    let ids = ids_in_answers(conn, org, customer)?;
    let deliveries = deliveries_of(conn, org, customer)?;
    for chunk in deliveries.chunks(CHUNK) {
        let rows: Vec<(Uuid, Vec<u8>, Option<String>)> = deliveries::table
            .filter(deliveries::org_id.eq(org))
            .filter(deliveries::id.eq_any(chunk))
            .select((deliveries::id, deliveries::body, deliveries::answer))
            .load(conn)?;
        for (id, body, answer) in rows {
            let Kept { body, answer } = redacted(&Kept { body, answer }, &ids);
            diesel::update(deliveries::table)
                .filter(deliveries::org_id.eq(org))
                .filter(deliveries::id.eq(id))
                .set((deliveries::body.eq(body), deliveries::answer.eq(answer)))
                .execute(conn)?;
        }
    }
    Ok(())
}

/// The ids by which an answer may name him: his own, and those of what is about him alone.
fn ids_in_answers(
    conn: &mut PgConnection,
    org: Uuid,
    customer: Uuid,
) -> Result<HashSet<Uuid>, StoreError> {
    let his_notes = notes::table
        .filter(notes::org_id.eq(org))
        .filter(notes::customer_id.eq(customer))
        .select(notes::id);
    let his_tickets = tickets::table
        .filter(tickets::org_id.eq(org))
        .filter(tickets::customer_id.eq(customer))
        .select(tickets::id);
    let his_messages = outbox::table
        .filter(outbox::org_id.eq(org))
        .filter(outbox::customer_id.eq(customer).or(outbox::lead_id.eq(customer)))
        .select(outbox::id);
    let mut ids: HashSet<Uuid> =
        his_notes.union(his_tickets).union(his_messages).load(conn)?.into_iter().collect();
    ids.insert(customer);
    Ok(ids)
}

/// The deliveries that his history names, and those that were answered as these.
fn deliveries_of(
    conn: &mut PgConnection,
    org: Uuid,
    customer: Uuid,
) -> Result<Vec<Uuid>, StoreError> {
    let first: Vec<Uuid> = history::table
        .filter(history::org_id.eq(org))
        .filter(history::customer_id.eq(customer))
        .filter(history::request_id.is_not_null())
        .select(history::request_id.assume_not_null())
        .distinct()
        .load(conn)?;
    let again: Vec<Uuid> = deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::repeats.eq_any(&first))
        .select(deliveries::id)
        .load(conn)?;
    Ok([first, again].concat())
}
