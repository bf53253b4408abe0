//! Erasing a customer with what hangs on it (`api.md` 5), and where kept deliveries tell of it.

use super::customers::external_ids;
use super::customers::identities::kind_of;
use super::schema::{
    activities, customer_identities, customers, deals, deliveries, history, notes, org_settings,
    outbox, tickets,
};
use super::wordings;
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use crate::store::word::Stored;
use beeiq_core::formats::Format;
use beeiq_core::records::customer::{CustomerCode, CustomerKind};
use beeiq_core::records::delivery::DeliveryStatus;
use beeiq_core::records::identity::IdentityKind;
use beeiq_core::records::known_by::KnownBy;
use beeiq_core::values::phone::Region;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use ipnetwork::IpNetwork;
use serde_json::json;
use std::collections::{BTreeSet, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use uuid::Uuid;

/// Where kept deliveries tell of a customer.
pub(crate) struct Traces {
    /// The requests that its history names.
    pub(crate) requests: HashSet<Uuid>,
    /// The ids by which an answer may name it: its own, and those of what is about it alone.
    pub(crate) ids: HashSet<Uuid>,
    /// The deliveries that those requests, and all others of the same actions, are kept as.
    pub(crate) kept: Vec<OfRoot>,
}

/// A kept delivery, and the first one of its actions: all of these have the same body.
#[derive(Clone, Copy, Debug, Queryable, QueryableByName)]
pub(crate) struct OfRoot {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(crate) root: Uuid,
}

/// What is kept of a delivery that may tell of a customer.
#[derive(Queryable)]
pub(crate) struct KeptDelivery {
    pub(crate) id: Uuid,
    #[diesel(deserialize_as = String)]
    pub(crate) format: Format,
    pub(crate) body: Vec<u8>,
    pub(crate) answer: Option<String>,
}

/// Locks a customer, so that no batch links to it meanwhile.
pub(crate) fn lock(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<()> {
    customers::table
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq(customer))
        .select(customers::id)
        .for_update()
        .load::<Uuid>(conn)?;
    Ok(())
}

pub(crate) fn traces(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<Traces> {
    let requests = requests_of(conn, org, customer)?;
    let kept = kept_of(conn, org, &requests)?;
    let ids = ids_in_answers(conn, org, customer)?;
    Ok(Traces { requests, ids, kept })
}

/// The answers of these.
pub(crate) fn answers(
    conn: &mut Conn,
    org: Uuid,
    of: &[OfRoot],
) -> Result<Vec<(Uuid, Option<String>)>> {
    Ok(deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq_any(of.iter().map(|kept| kept.id)))
        .select((deliveries::id, deliveries::answer))
        .load(conn)?)
}

pub(crate) fn kept(conn: &mut Conn, org: Uuid, of: &[OfRoot]) -> Result<Vec<KeptDelivery>> {
    Ok(deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq_any(of.iter().map(|kept| kept.id)))
        .select((deliveries::id, deliveries::format, deliveries::body, deliveries::answer))
        .load(conn)?)
}

/// Deliveries after that one, in the order of their ids. What waits to be applied has not told of
/// anybody yet.
pub(crate) fn kept_after(
    conn: &mut Conn,
    org: Uuid,
    after: Uuid,
    limit: i64,
) -> Result<Vec<KeptDelivery>> {
    Ok(deliveries::table
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.gt(after))
        .filter(deliveries::status.ne(DeliveryStatus::Pending.as_str()))
        .order(deliveries::id)
        .limit(limit)
        .select((deliveries::id, deliveries::format, deliveries::body, deliveries::answer))
        .load(conn)?)
}

/// By what the customer is recognised.
pub(crate) fn known_by(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<Option<KnownBy>> {
    let found: Option<(Stored<CustomerKind>, i64)> = customers::table
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq(customer))
        .select((customers::kind, customers::number))
        .first(conn)
        .optional()?;
    let Some((Stored(kind), number)) = found else { return Ok(None) };
    let region: String = org_settings::table
        .filter(org_settings::org_id.eq(org))
        .select(org_settings::default_region)
        .first(conn)?;
    let identities: Vec<(i16, String)> = customer_identities::table
        .filter(customer_identities::org_id.eq(org))
        .filter(customer_identities::customer_id.eq(customer))
        .select((customer_identities::kind, customer_identities::value))
        .load(conn)?;
    let external = external_ids::values_of(conn, org, customer)?;
    let external = external.into_iter().map(|value| (IdentityKind::External, value));
    Ok(Some(KnownBy {
        region: Region::parse(&region).map_err(|error| StoreError::unreadable(&error))?,
        identities: identities
            .into_iter()
            .map(|(kind, value)| (kind_of(kind), value))
            .chain(external)
            .collect(),
        code: CustomerCode { kind, number },
        id: customer,
    }))
}

/// Writes what may stay of a delivery; who called it, and how, does not.
pub(crate) fn set_kept(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    body: &[u8],
    answer: Option<&str>,
) -> Result<()> {
    let nowhere = IpNetwork::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    diesel::update(deliveries::table)
        .filter(deliveries::org_id.eq(org))
        .filter(deliveries::id.eq(id))
        .set((
            deliveries::body.eq(body),
            deliveries::answer.eq(answer),
            deliveries::query.eq(""),
            deliveries::headers.eq(json!({})),
            deliveries::caller.eq(nowhere),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes a customer. Deals with it, and the contacts of an account, stay without it; the rest
/// follows by foreign keys.
pub(crate) fn delete(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<()> {
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
    // What was written to them alone goes with the messages.
    let said: Vec<Uuid> = outbox::table
        .filter(outbox::org_id.eq(org))
        .filter(outbox::customer_id.eq(customer).or(outbox::lead_id.eq(customer)))
        .filter(outbox::wording_id.is_not_null())
        .select(outbox::wording_id.assume_not_null())
        .load(conn)?;
    external_ids::remember_erased(conn, org, customer)?;
    diesel::delete(customers::table)
        .filter(customers::org_id.eq(org))
        .filter(customers::id.eq(customer))
        .execute(conn)?;
    wordings::delete_unused(conn, org, &said)
}

fn ids_in_answers(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<HashSet<Uuid>> {
    let the_notes = notes::table
        .filter(notes::org_id.eq(org))
        .filter(notes::customer_id.eq(customer))
        .select(notes::id);
    let the_tickets = tickets::table
        .filter(tickets::org_id.eq(org))
        .filter(tickets::customer_id.eq(customer))
        .select(tickets::id);
    let the_activities = activities::table
        .filter(activities::org_id.eq(org))
        .filter(activities::customer_id.eq(customer))
        .select(activities::id);
    let the_messages = outbox::table
        .filter(outbox::org_id.eq(org))
        .filter(outbox::customer_id.eq(customer).or(outbox::lead_id.eq(customer)))
        .select(outbox::id);
    let of_them = the_notes.union(the_tickets).union(the_activities).union(the_messages);
    let mut ids: HashSet<Uuid> = of_them.load(conn)?.into_iter().collect();
    ids.insert(customer);
    Ok(ids)
}

fn requests_of(conn: &mut Conn, org: Uuid, customer: Uuid) -> Result<HashSet<Uuid>> {
    let requests: Vec<Uuid> = history::table
        .filter(history::org_id.eq(org))
        .filter(history::customer_id.eq(customer))
        .filter(history::request_id.is_not_null())
        .select(history::request_id.assume_not_null())
        .distinct()
        .load(conn)?;
    Ok(requests.into_iter().collect())
}

/// The deliveries that those requests and all others of the same actions are kept as: where an action
/// failed, where a replay tried it again, where its answer was given again, and where it was rejected.
fn kept_of(conn: &mut Conn, org: Uuid, requests: &HashSet<Uuid>) -> Result<Vec<OfRoot>> {
    let of = deliveries::table.filter(deliveries::org_id.eq(org));
    let replayed: Vec<Uuid> = of
        .filter(deliveries::id.eq_any(requests))
        .filter(deliveries::replay_of.is_not_null())
        .select(deliveries::replay_of.assume_not_null())
        .load(conn)?;
    let roots: Vec<Uuid> =
        requests.iter().copied().chain(replayed).collect::<BTreeSet<_>>().into_iter().collect();
    // Locked, so that no replay goes on with the body as it was; those after it see what did.
    let first: Vec<OfRoot> = of
        .filter(deliveries::id.eq_any(&roots))
        .filter(deliveries::replay_of.is_null())
        .order(deliveries::id)
        .select((deliveries::id, deliveries::id))
        .for_update()
        .load(conn)?;
    let replays = of
        .filter(deliveries::replay_of.eq_any(&roots))
        .select((deliveries::id, deliveries::replay_of.assume_not_null()));
    let repeats = of
        .filter(deliveries::repeats.eq_any(&roots))
        .select((deliveries::id, deliveries::repeats.assume_not_null()));
    let others: Vec<OfRoot> = replays.union(repeats).load(conn)?;
    let rejected = rejected_under_their_keys(conn, org, &roots)?;
    Ok([first, others, rejected].concat())
}

/// What was rejected under the `Idempotency-Key` of one of these: a retry that came too early, or what
/// its sender has mended since. One with another body counts as a first delivery, of which nothing
/// tells what it is about.
fn rejected_under_their_keys(conn: &mut Conn, org: Uuid, roots: &[Uuid]) -> Result<Vec<OfRoot>> {
    Ok(diesel::sql_query(
        "SELECT DISTINCT ON (other.id) other.id, \
             CASE WHEN other.body = root.body THEN root.id ELSE other.id END AS root \
         FROM deliveries AS root JOIN deliveries AS other \
             ON other.org_id = $1 AND other.listener_id = root.listener_id \
             AND other.status = 'rejected' AND other.id <> root.id \
             AND other.headers ->> 'idempotency-key' = root.headers ->> 'idempotency-key' \
         WHERE root.org_id = $1 AND root.id = ANY ($2)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(roots)
    .load(conn)?)
}
