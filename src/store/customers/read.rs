//! Contacts, accounts and leads as they are read: one implementation over the kind.
//!
//! What a permit says is part of each query (`listener.md` 5), so that nothing the caller may not
//! see leaves the database, not even as a count or as the name of a company.

use super::conditions::{
    Condition, Rows, addressed, has_tag, is_named, is_owned_by, page, tags_of, visible,
};
use super::external_ids;
use super::identities::{kind_number, world_number};
use super::references::{self, CustomerReference};
use super::row::CustomerRow;
use crate::actor::Actor;
use crate::store::error::Result;
use crate::store::listing::Filters;
use crate::store::pool::Conn;
use crate::store::schema::{customer_external_ids, customer_identities, customers, users};
use beeiq_core::records::connection::ExternalId;
use beeiq_core::records::customer::{Customer, CustomerKind};
use beeiq_core::records::path_id::PathId;
use beeiq_core::values::search::{self, Scope, Word};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use std::cmp::Reverse;
use std::collections::HashMap;
use uuid::Uuid;

/// A customer with what it names, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct FoundCustomer {
    pub record: Customer,
    pub owner: Owner,
    pub company: Option<CustomerReference>,
    /// In alphabetical order.
    pub tags: Vec<String>,
    pub external_ids: Vec<ExternalId>,
}

/// The user who owns a record.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub struct Owner {
    /// As entered.
    pub email: String,
    pub name: String,
}

/// How many of the newest records a search looks at before it asks the index of words.
const LOOKED_AT: i64 = 5_000;

/// A page of the records of a kind that `actor` may see, newest first; `before` is the last id of
/// the page before.
pub fn list(
    conn: &mut Conn,
    actor: &Actor,
    kind: CustomerKind,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<FoundCustomer>> {
    let listing = Listing { actor, kind, filters, before, limit };
    let words = filters.q.as_deref().map(|text| search::words(text, kind)).unwrap_or_default();
    let found = if words.is_empty() {
        listing.page(conn, None, None)?
    } else {
        listing.search(conn, &words)?
    };
    with_names(conn, actor, found)
}

/// A page of a list that is asked for.
struct Listing<'a> {
    actor: &'a Actor,
    kind: CustomerKind,
    filters: &'a Filters,
    before: Option<Uuid>,
    limit: i64,
}

impl Listing<'_> {
    /// Those in which all words are found. Common words are found soon among the newest records;
    /// where they fill no page, the words are rare, and their index leads to them. Postgres does not
    /// know which words are rare, so it is told.
    fn search(&self, conn: &mut Conn, words: &[Word]) -> Result<Vec<CustomerRow>> {
        let newest = self.newest(conn)?;
        let found = self.holding(conn, words, newest)?;
        let full = usize::try_from(self.limit).is_ok_and(|limit| found.len() >= limit);
        if newest.is_none() || full {
            return Ok(found);
        }
        conn.batch_execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = off")?;
        let found = self.holding(conn, words, None)?;
        conn.batch_execute("SET LOCAL enable_indexscan = on; SET LOCAL enable_seqscan = on")?;
        Ok(found)
    }

    /// The id that [`LOOKED_AT`] records come after; none where there are fewer.
    fn newest(&self, conn: &mut Conn) -> Result<Option<Uuid>> {
        let mut rows = customers::table.filter(customers::org_id.eq(self.actor.org)).into_boxed();
        if let Some(before) = self.before {
            rows = rows.filter(customers::id.lt(before));
        }
        let nth = rows.order(customers::id.desc()).offset(LOOKED_AT).select(customers::id);
        Ok(nth.first(conn).optional()?)
    }

    /// Those after an id that hold all words, by themselves or with their company. Two queries,
    /// since no index serves an OR over two tables.
    fn holding(
        &self,
        conn: &mut Conn,
        words: &[Word],
        after: Option<Uuid>,
    ) -> Result<Vec<CustomerRow>> {
        let scope = Scope::new(self.actor.org, self.kind);
        let by_themselves = search::holding_all(&scope, words).map(answers);
        let mut found = self.page(conn, by_themselves, after)?;
        if let Some(with_company) = holding_with_company(self.actor, &scope, words) {
            found.extend(self.page(conn, Some(with_company), after)?);
            found.sort_by_key(|record| Reverse(record.id));
            found.dedup_by_key(|record| record.id);
            found.truncate(usize::try_from(self.limit).unwrap_or_default());
        }
        Ok(found)
    }

    fn page(
        &self,
        conn: &mut Conn,
        condition: Option<Condition>,
        after: Option<Uuid>,
    ) -> Result<Vec<CustomerRow>> {
        let mut rows = narrowed(
            visible_of_kind(self.actor, self.kind),
            self.actor.org,
            self.kind,
            self.filters,
        );
        if let Some(condition) = condition {
            rows = rows.filter(condition);
        }
        if let Some(after) = after {
            rows = rows.filter(customers::id.gt(after));
        }
        Ok(page(conn, rows, self.filters, self.before, self.limit)?)
    }
}

/// The record that is addressed, if `actor` may see it.
pub fn find(
    conn: &mut Conn,
    actor: &Actor,
    kind: CustomerKind,
    id: PathId,
) -> Result<Option<FoundCustomer>> {
    let found =
        addressed(visible_of_kind(actor, kind), id).select(CustomerRow::as_select()).load(conn)?;
    Ok(with_names(conn, actor, found)?.pop())
}

/// Its id alone.
pub fn find_id(
    conn: &mut Conn,
    actor: &Actor,
    kind: CustomerKind,
    id: PathId,
) -> Result<Option<Uuid>> {
    let found = addressed(visible_of_kind(actor, kind), id).select(customers::id);
    Ok(found.first(conn).optional()?)
}

fn visible_of_kind<'a>(actor: &Actor, kind: CustomerKind) -> Rows<'a> {
    visible(actor).filter(customers::kind.eq(kind.as_str()))
}

/// All filters but the times and the words.
fn narrowed<'a>(mut rows: Rows<'a>, org: Uuid, kind: CustomerKind, filters: &Filters) -> Rows<'a> {
    for (identity, value) in filters.identifiers() {
        let holder = customer_identities::table
            .filter(customer_identities::org_id.eq(org))
            .filter(customer_identities::world.eq(world_number(kind.world())))
            .filter(customer_identities::kind.eq(kind_number(identity)))
            .filter(customer_identities::value.eq(value.to_owned()))
            .select(customer_identities::customer_id);
        rows = rows.filter(customers::id.eq_any(holder));
    }
    if let Some(ExternalId { source, id }) = &filters.external_id {
        let known = customer_external_ids::table
            .filter(customer_external_ids::org_id.eq(org))
            .filter(customer_external_ids::source.eq(source.as_str()))
            .filter(customer_external_ids::external_id.eq(id.clone()))
            .select(customer_external_ids::customer_id);
        rows = rows.filter(customers::id.eq_any(known));
    }
    if let Some(tag) = &filters.tag {
        rows = rows.filter(has_tag(org, tag));
    }
    if let Some(name) = &filters.name {
        rows = rows.filter(is_named(name));
    }
    if let Some(owner) = &filters.owner {
        rows = rows.filter(is_owned_by(org, owner));
    }
    rows
}

/// Whether a record's lexemes answer a `tsquery`.
fn answers(query: String) -> Condition {
    Box::new(sql::<Nullable<Bool>>("customers.search @@ ").bind::<Text, _>(query).sql("::tsquery"))
}

/// Whether each word is found in the record or in its company, one of them in the company; only in
/// one that `actor` may see. None where there are no words.
fn holding_with_company(actor: &Actor, scope: &Scope, words: &[Word]) -> Option<Condition> {
    let company_scope = Scope::new(actor.org, CustomerKind::Account);
    let company_answers = |query: String| {
        let companies = visible_of_kind(actor, CustomerKind::Account)
            .filter(answers(query))
            .select(customers::id.nullable());
        customers::company_id.eq_any(companies)
    };
    let any = search::holding_any(&company_scope, words)?;
    let mut holds: Condition = Box::new(company_answers(any));
    for word in words {
        let word = std::slice::from_ref(word);
        if let (Some(own), Some(company)) =
            (search::holding_all(scope, word), search::holding_all(&company_scope, word))
        {
            holds = Box::new(holds.and(answers(own).or(company_answers(company))));
        }
    }
    Some(holds)
}

/// Adds what the records name, in one query for each table however many records there are.
fn with_names(
    conn: &mut Conn,
    actor: &Actor,
    rows: Vec<CustomerRow>,
) -> Result<Vec<FoundCustomer>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut tags = tags_of(conn, actor.org, rows.iter().map(|row| row.id))?;
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let (ids, names): (_, Vec<String>) =
            tags.remove(&row.id).unwrap_or_default().into_iter().unzip();
        records.push((row.into_record(ids), names));
    }
    let ids: Vec<Uuid> = records.iter().map(|(record, _)| record.id).collect();
    let mut external_ids = external_ids::shown(conn, actor.org, &ids)?;
    let companies = records.iter().filter_map(|(record, _)| record.company);
    let companies = references::load(conn, actor, companies)?;
    let owners = owners(conn, actor.org, records.iter().map(|(record, _)| record.owner))?;
    records
        .into_iter()
        .map(|(record, tags)| {
            Ok(FoundCustomer {
                owner: owners.get(&record.owner).cloned().ok_or(diesel::NotFound)?,
                company: record.company.and_then(|id| companies.get(&id).cloned()),
                tags,
                external_ids: external_ids.remove(&record.id).unwrap_or_default(),
                record,
            })
        })
        .collect()
}

fn owners(
    conn: &mut Conn,
    org: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Owner>> {
    let owners = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.eq_any(ids))
        .select((users::id, Owner::as_select()))
        .load(conn)?;
    Ok(owners.into_iter().collect())
}
