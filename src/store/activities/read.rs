//! Activities as they are read. What an activity's permit says is part of each query
//! (`listener.md` 5), whether or not the caller may see whose it is: that is then named by its code
//! alone.

use super::row::ActivityRow;
use crate::actor::Actor;
use crate::store::customers::references::{self as customers, CustomerAddress, CustomerReference};
use crate::store::deals::references::{self as deals, DealReference};
use crate::store::error::StoreError;
use crate::store::listing::{Filters, for_users, listed};
use crate::store::schema::activities;
use crate::store::text_search::{containing, words};
use beeiq_core::records::activity::{Activity, ActivityKind};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// An activity with what it names, as far as the caller may see it.
pub(crate) struct FoundActivity {
    pub(crate) record: Activity,
    pub(crate) customer: CustomerReference,
    pub(crate) deal: Option<DealReference>,
}

/// What a list of activities is narrowed to; all that are given hold together. A customer or deal
/// counts as far as the caller may see it.
#[derive(Debug, Default)]
pub(crate) struct ActivityFilters {
    pub(crate) customer: Option<CustomerAddress>,
    /// Its id, or its visible id.
    pub(crate) deal: Option<String>,
    pub(crate) kind: Option<ActivityKind>,
    pub(crate) source: Option<String>,
    pub(crate) outcome: Option<String>,
    /// A text of which each word is found.
    pub(crate) q: Option<String>,
    /// Those that started then or later.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Those that started before.
    pub(crate) to: Option<DateTime<Utc>>,
}

listed!(activities, ActivityRow);
for_users!(activities);

/// A page of the activities that `actor` may see, newest first; `before` is the last id of the page
/// before.
pub(crate) fn list(
    conn: &mut PgConnection,
    actor: &Actor,
    filters: &ActivityFilters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<FoundActivity>, StoreError> {
    let ActivityFilters { customer, deal, kind, source, outcome, q, from, to } = filters;
    let mut rows = visible(actor);
    if let Some(customer) = customer {
        rows = rows.filter(activities::customer_id.eq_any(customers::addressed(actor, *customer)));
    }
    if let Some(deal) = deal {
        let deals = deals::addressed(actor, deal);
        rows = rows.filter(activities::deal_id.assume_not_null().eq_any(deals));
    }
    if let Some(kind) = kind {
        rows = rows.filter(activities::kind.eq(kind.as_str()));
    }
    if let Some(source) = source {
        rows = rows.filter(activities::source.eq(source));
    }
    if let Some(outcome) = outcome {
        rows = rows.filter(activities::outcome.eq(outcome));
    }
    if let Some(from) = from {
        rows = rows.filter(activities::started_at.ge(from));
    }
    if let Some(to) = to {
        rows = rows.filter(activities::started_at.lt(to));
    }
    for word in words(q.as_deref()) {
        rows = rows.filter(activities::search_key.like(containing(&word)));
    }
    let found = page(conn, rows, &Filters::default(), before, limit)?;
    with_names(conn, actor, found)
}

/// The activity of that id, if `actor` may see it.
pub(crate) fn find(
    conn: &mut PgConnection,
    actor: &Actor,
    id: Uuid,
) -> Result<Option<FoundActivity>, StoreError> {
    let found =
        visible(actor).filter(activities::id.eq(id)).select(ActivityRow::as_select()).load(conn)?;
    Ok(with_names(conn, actor, found)?.pop())
}

fn visible_to(actor: &Actor) -> Condition {
    let is_own = activities::owner_id.nullable().eq(actor.user());
    by_permit(actor, Box::new(is_own.or(is_for_user(actor))))
}

/// Adds what the activities name, in one query for each table however many there are.
fn with_names(
    conn: &mut PgConnection,
    actor: &Actor,
    rows: Vec<ActivityRow>,
) -> Result<Vec<FoundActivity>, StoreError> {
    let records: Vec<Activity> = rows.into_iter().map(ActivityRow::into_record).collect();
    let customers = customers::load(conn, actor, records.iter().map(|it| it.customer))?;
    let deals = deals::load(conn, actor, records.iter().filter_map(|it| it.deal))?;
    let found = records.into_iter().map(|record| {
        Ok(FoundActivity {
            customer: customers.get(&record.customer).cloned().ok_or(diesel::NotFound)?,
            deal: record.deal.and_then(|id| deals.get(&id).cloned()),
            record,
        })
    });
    found.collect()
}
