//! Contacts, accounts and leads as they are read: one implementation over the kind.
//!
//! What a permit says is part of each query (`listener.md` 5), so that nothing the caller may not
//! see leaves the database, not even as a count or as the name of a company.

use super::batch_load::{kind_number, world_number};
use super::schema::{customer_identities, customer_tags, customers, tags, users};
use crate::access::Actor;
use crate::store::error::StoreError;
use beeiq_core::records::customer::CustomerKind;
use beeiq_core::records::identity::IdentityKind;
use beeiq_core::records::path_id::PathId;
use beeiq_core::values::search::{self, Scope, Word};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::{case_when, sql};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::HashMap;
use uuid::Uuid;

/// A customer with what it names, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The record itself.
    pub record: CustomerRow,
    /// Who owns it.
    pub owner: Owner,
    /// The company it is linked to.
    pub company: Option<Company>,
    /// The names of its tags, in alphabetical order.
    pub tags: Vec<String>,
}

/// A row of `customers`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = customers, check_for_backend(Pg))]
#[expect(missing_docs, reason = "the columns, described in the schema's comments")]
pub struct CustomerRow {
    pub id: Uuid,
    pub number: i64,
    pub contact_id: Option<String>,
    pub name: String,
    pub lastname: Option<String>,
    pub title: Option<String>,
    pub passport: Option<String>,
    pub gender: i16,
    pub bg_info: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub emails: Value,
    pub phones: Value,
    pub addresses: Value,
    pub websites: Value,
    pub im: Value,
    pub cus_fields: Value,
    pub permit_status: i16,
    pub permit_group_id: Option<Uuid>,
    pub permit_user_ids: Vec<Option<Uuid>>,
    pub company_id: Option<Uuid>,
    pub source_id: Option<Uuid>,
    pub owner_id: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The user who owns a record.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub struct Owner {
    /// His e-mail as entered.
    pub email: String,
    /// His name.
    pub name: String,
}

/// The account that a contact or lead is linked to.
#[derive(Clone, Debug, Queryable)]
pub struct Company {
    /// Its id.
    pub id: Uuid,
    /// The n of `CID-n`.
    pub number: i64,
    /// Its name; `None` where the caller may not see it.
    pub name: Option<String>,
}

/// What a list is narrowed to (`api.md` 5); all that are given hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// The record that holds this e-mail, in the form in which it is compared.
    pub email: Option<String>,
    /// The record that holds this phone number, in the form in which it is compared.
    pub phone: Option<String>,
    /// The record that holds this passport, in the form in which it is compared.
    pub passport: Option<String>,
    /// The record with this identifier of the sender's.
    pub contact_id: Option<String>,
    /// Records with the tag of this folded name.
    pub tag: Option<String>,
    /// Records of this folded name: the name alone, or with the lastname in either order.
    pub name: Option<String>,
    /// Records of the owner whose e-mail, in the form in which it is compared, this is.
    pub owner: Option<String>,
    /// Records created then or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Records created then or earlier.
    pub created_to: Option<DateTime<Utc>>,
    /// Records in which each word of this text is found.
    pub q: Option<String>,
}

/// How many of the newest records a search looks at before it asks the index of words.
const LOOKED_AT: i64 = 5_000;

type Rows<'a> = customers::BoxedQuery<'a, Pg>;
pub(super) type Condition =
    Box<dyn BoxableExpression<customers::table, Pg, SqlType = Nullable<Bool>>>;

/// A page of the records of a kind that `actor` may see, newest first; `before` is the last id of
/// the page before.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut PgConnection,
    actor: &Actor,
    kind: CustomerKind,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Customer>, StoreError> {
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
    fn search(
        &self,
        conn: &mut PgConnection,
        words: &[Word],
    ) -> Result<Vec<CustomerRow>, StoreError> {
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
    fn newest(&self, conn: &mut PgConnection) -> Result<Option<Uuid>, StoreError> {
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
        conn: &mut PgConnection,
        words: &[Word],
        after: Option<Uuid>,
    ) -> Result<Vec<CustomerRow>, StoreError> {
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
        conn: &mut PgConnection,
        condition: Option<Condition>,
        after: Option<Uuid>,
    ) -> Result<Vec<CustomerRow>, StoreError> {
        let visible = visible_of_kind(self.actor, self.kind);
        let mut rows = narrowed(visible, self.actor.org, self.kind, self.filters);
        if let Some(condition) = condition {
            rows = rows.filter(condition);
        }
        if let Some(before) = self.before {
            rows = rows.filter(customers::id.lt(before));
        }
        if let Some(after) = after {
            rows = rows.filter(customers::id.gt(after));
        }
        let newest = rows.order(customers::id.desc()).limit(self.limit);
        Ok(newest.select(CustomerRow::as_select()).load(conn)?)
    }
}

/// The record that is addressed, if `actor` may see it.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut PgConnection,
    actor: &Actor,
    kind: CustomerKind,
    id: PathId,
) -> Result<Option<Customer>, StoreError> {
    let found =
        addressed(visible_of_kind(actor, kind), id).select(CustomerRow::as_select()).load(conn)?;
    Ok(with_names(conn, actor, found)?.pop())
}

/// The id of the record that is addressed, if `actor` may see it.
///
/// # Errors
/// When the database fails.
pub fn find_id(
    conn: &mut PgConnection,
    actor: &Actor,
    kind: CustomerKind,
    id: PathId,
) -> Result<Option<Uuid>, StoreError> {
    let found = addressed(visible_of_kind(actor, kind), id).select(customers::id);
    Ok(found.first(conn).optional()?)
}

fn visible_of_kind<'a>(actor: &Actor, kind: CustomerKind) -> Rows<'a> {
    customers::table
        .filter(customers::org_id.eq(actor.org))
        .filter(customers::kind.eq(kind.as_str()))
        .filter(visible_to(actor))
        .into_boxed()
}

/// Whether the permit lets `actor` read (`listener.md` 5): owner and admin everything, a member
/// what he owns and what the permit admits him to.
pub(super) fn visible_to(actor: &Actor) -> Condition {
    if actor.sees_all() {
        return Box::new(sql::<Nullable<Bool>>("TRUE"));
    }
    let for_group = customers::permit_group_id.eq_any(actor.groups.clone());
    let for_user = customers::permit_user_ids.overlaps_with(vec![actor.user()]);
    Box::new(
        customers::permit_status
            .eq(1)
            .or(customers::owner_id.nullable().eq(actor.user()))
            .or(customers::permit_status.eq(4).and(for_user))
            .or(customers::permit_status.eq(3).and(for_group)),
    )
}

fn addressed(rows: Rows<'_>, id: PathId) -> Rows<'_> {
    match id {
        PathId::Id(id) => rows.filter(customers::id.eq(id)),
        PathId::Number(number) => rows.filter(customers::number.eq(number)),
    }
}

/// All filters but the words.
fn narrowed<'a>(rows: Rows<'a>, org: Uuid, kind: CustomerKind, filters: &Filters) -> Rows<'a> {
    let Filters {
        email,
        phone,
        passport,
        contact_id,
        tag,
        name,
        owner,
        created_from,
        created_to,
        q: _,
    } = filters.clone();
    let mut rows = rows;
    let identifiers = [
        (IdentityKind::ContactId, contact_id),
        (IdentityKind::Passport, passport),
        (IdentityKind::Email, email),
        (IdentityKind::Phone, phone),
    ];
    for (identity, value) in identifiers {
        let Some(value) = value else { continue };
        let holder = identities(org, kind, identity)
            .filter(customer_identities::value.eq(value))
            .select(customer_identities::customer_id);
        rows = rows.filter(customers::id.eq_any(holder));
    }
    if let Some(tag) = tag {
        rows = rows.filter(has_tag(org, tag));
    }
    if let Some(name) = name {
        rows = rows.filter(is_named(&name));
    }
    if let Some(owner) = owner {
        rows = rows.filter(is_owned_by(org, owner));
    }
    if let Some(from) = created_from {
        rows = rows.filter(customers::created_at.ge(from));
    }
    if let Some(to) = created_to {
        rows = rows.filter(customers::created_at.le(to));
    }
    rows
}

fn has_tag(org: Uuid, name_key: String) -> Condition {
    let tagged = customer_tags::table
        .inner_join(tags::table.on(is_its_tag()))
        .filter(customer_tags::org_id.eq(org))
        .filter(tags::name_key.eq(name_key))
        .select(customer_tags::customer_id.nullable());
    Box::new(customers::id.nullable().eq_any(tagged))
}

/// By the name alone, or with the lastname in either order.
pub(super) fn is_named(folded: &str) -> Condition {
    let name = || customers::name_key.nullable();
    let forwards = name().concat(" ").concat(customers::lastname_key);
    let backwards = customers::lastname_key.concat(" ").concat(name());
    Box::new(
        name()
            .eq(folded.to_owned())
            .or(forwards.eq(folded.to_owned()))
            .or(backwards.eq(folded.to_owned())),
    )
}

fn is_owned_by(org: Uuid, email_key: String) -> Condition {
    let owners = users::table
        .filter(users::org_id.eq(org))
        .filter(users::email_key.eq(email_key))
        .select(users::id.nullable());
    Box::new(customers::owner_id.nullable().eq_any(owners))
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

/// The identities of that kind in the world of `kind`.
fn identities<'a>(
    org: Uuid,
    kind: CustomerKind,
    identity: IdentityKind,
) -> customer_identities::BoxedQuery<'a, Pg> {
    customer_identities::table
        .filter(customer_identities::org_id.eq(org))
        .filter(customer_identities::world.eq(world_number(kind.world())))
        .filter(customer_identities::kind.eq(kind_number(identity)))
        .into_boxed()
}

/// Adds what the records name, in one query for each table however many records there are.
fn with_names(
    conn: &mut PgConnection,
    actor: &Actor,
    records: Vec<CustomerRow>,
) -> Result<Vec<Customer>, StoreError> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let mut tags = tag_names(conn, actor.org, &records)?;
    let companies = companies(conn, actor, &records)?;
    let owners = owners(conn, actor.org, &records)?;
    records
        .into_iter()
        .map(|record| {
            Ok(Customer {
                owner: owners.get(&record.owner_id).cloned().ok_or(diesel::NotFound)?,
                company: record.company_id.and_then(|id| companies.get(&id).cloned()),
                tags: tags.remove(&record.id).unwrap_or_default(),
                record,
            })
        })
        .collect()
}

fn owners(
    conn: &mut PgConnection,
    org: Uuid,
    records: &[CustomerRow],
) -> Result<HashMap<Uuid, Owner>, StoreError> {
    let owners = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.eq_any(records.iter().map(|record| record.owner_id)))
        .select((users::id, Owner::as_select()))
        .load(conn)?;
    Ok(owners.into_iter().collect())
}

fn companies(
    conn: &mut PgConnection,
    actor: &Actor,
    records: &[CustomerRow],
) -> Result<HashMap<Uuid, Company>, StoreError> {
    let companies: Vec<Company> = customers::table
        .filter(customers::org_id.eq(actor.org))
        .filter(customers::id.eq_any(records.iter().filter_map(|record| record.company_id)))
        .select((
            customers::id,
            customers::number,
            case_when(visible_to(actor), customers::name.nullable()),
        ))
        .load(conn)?;
    Ok(companies.into_iter().map(|company| (company.id, company)).collect())
}

/// Joins `customer_tags` to `tags`.
#[diesel::dsl::auto_type]
fn is_its_tag() -> _ {
    tags::org_id.eq(customer_tags::org_id).and(tags::id.eq(customer_tags::tag_id))
}

fn tag_names(
    conn: &mut PgConnection,
    org: Uuid,
    records: &[CustomerRow],
) -> Result<HashMap<Uuid, Vec<String>>, StoreError> {
    let tagged: Vec<(Uuid, String)> = customer_tags::table
        .inner_join(
            tags::table
                .on(tags::org_id.eq(customer_tags::org_id).and(tags::id.eq(customer_tags::tag_id))),
        )
        .filter(customer_tags::org_id.eq(org))
        .filter(customer_tags::customer_id.eq_any(records.iter().map(|record| record.id)))
        .order(tags::name_key)
        .select((customer_tags::customer_id, tags::name))
        .load(conn)?;
    let mut names: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (customer, name) in tagged {
        names.entry(customer).or_default().push(name);
    }
    Ok(names)
}
