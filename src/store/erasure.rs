//! Erasing a customer with what hangs on it (`api.md` 5).

use super::schema::{customers, deals, deliveries, history, notes, outbox, tickets};
use crate::ingest::redaction::{Kept, redacted, touched};
use crate::store::error::StoreError;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use std::collections::{BTreeSet, HashMap, HashSet};
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
    let requests = requests_of(conn, org, customer)?;
    let kept = kept_of(conn, org, &requests)?;
    let ids = ids_in_answers(conn, org, customer)?;
    let actions = actions_of(conn, org, &requests, &kept, &ids)?;
    for chunk in kept.chunks(CHUNK) {
        let roots: HashMap<Uuid, Uuid> = chunk.iter().map(|kept| (kept.id, kept.root)).collect();
        let rows: Vec<(Uuid, Vec<u8>, Option<String>)> = deliveries::table
            .filter(deliveries::org_id.eq(org))
            .filter(deliveries::id.eq_any(roots.keys()))
            .select((deliveries::id, deliveries::body, deliveries::answer))
            .load(conn)?;
        for (id, body, answer) in rows {
            let actions = roots.get(&id).and_then(|root| actions.get(root)?.as_ref());
            let Kept { body, answer } = actions
                .filter(|actions| !actions.is_empty())
                .map_or_else(Kept::nothing, |actions| redacted(&Kept { body, answer }, actions));
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

/// The requests that his history names.
fn requests_of(
    conn: &mut PgConnection,
    org: Uuid,
    customer: Uuid,
) -> Result<HashSet<Uuid>, StoreError> {
    let requests: Vec<Uuid> = history::table
        .filter(history::org_id.eq(org))
        .filter(history::customer_id.eq(customer))
        .filter(history::request_id.is_not_null())
        .select(history::request_id.assume_not_null())
        .distinct()
        .load(conn)?;
    Ok(requests.into_iter().collect())
}

/// A kept delivery, and the first one of its actions: all of these have the same body.
#[derive(Clone, Copy, Debug, Queryable, QueryableByName)]
struct OfRoot {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    root: Uuid,
}

/// The deliveries that those requests and all others of the same actions are kept as: where an action
/// failed, where a replay tried it again, where its answer was given again, and where it was rejected.
fn kept_of(
    conn: &mut PgConnection,
    org: Uuid,
    requests: &HashSet<Uuid>,
) -> Result<Vec<OfRoot>, StoreError> {
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
fn rejected_under_their_keys(
    conn: &mut PgConnection,
    org: Uuid,
    roots: &[Uuid],
) -> Result<Vec<OfRoot>, StoreError> {
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

/// Of each first delivery the actions that were about him, wherever that is told; none where that is
/// told nowhere, or a request that his history names does not tell.
fn actions_of(
    conn: &mut PgConnection,
    org: Uuid,
    requests: &HashSet<Uuid>,
    kept: &[OfRoot],
    ids: &HashSet<Uuid>,
) -> Result<HashMap<Uuid, Option<BTreeSet<usize>>>, StoreError> {
    let mut actions: HashMap<Uuid, Option<BTreeSet<usize>>> = HashMap::new();
    // A first delivery that has been forgotten by now tells nothing of its replays.
    let known: HashSet<Uuid> = kept.iter().map(|kept| kept.id).collect();
    actions.extend(requests.difference(&known).map(|gone| (*gone, None)));
    for chunk in kept.chunks(CHUNK) {
        let roots: HashMap<Uuid, Uuid> = chunk.iter().map(|kept| (kept.id, kept.root)).collect();
        let answers: Vec<(Uuid, Option<String>)> = deliveries::table
            .filter(deliveries::org_id.eq(org))
            .filter(deliveries::id.eq_any(roots.keys()))
            .select((deliveries::id, deliveries::answer))
            .load(conn)?;
        for (id, answer) in answers {
            let Some(root) = roots.get(&id) else { continue };
            let found = answer.and_then(|answer| touched(&answer, ids)).unwrap_or_default();
            let all = actions.entry(*root).or_insert_with(|| Some(BTreeSet::new()));
            if requests.contains(&id) && found.is_empty() {
                *all = None;
            } else if let Some(all) = all {
                all.extend(found);
            }
        }
    }
    Ok(actions)
}
