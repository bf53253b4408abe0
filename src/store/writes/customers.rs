//! Customers, new and changed.

use super::columns::{Json, UuidArray, each};
use crate::domain::customer::Customer;
use crate::domain::search::lexemes;
use crate::domain::text::fold;
use crate::store::statement::{Statement, statement};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Date, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use uuid::Uuid;

/// The columns of a record, as [`of_records`] unnests them.
const NEW: &str = "unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
    $20, $21, $22, $23, $24, $25, $26, $27, $28, $29) \
    AS new (id, kind, number, contact_id, name, name_key, lastname, lastname_key, title, passport, \
    gender, bg_info, date_of_birth, emails, phones, addresses, websites, im, cus_fields, \
    permit_status, permit_group_id, permit_user_ids, company_id, source_id, owner_id, \
    created_at, updated_at, lexemes)";

/// Inserts them.
pub(super) fn insert(org: Uuid, customers: &[Customer]) -> Option<Statement<'_>> {
    if customers.is_empty() {
        return None;
    }
    let insert = format!(
        "INSERT INTO customers (org_id, id, kind, number, contact_id, name, name_key, lastname, lastname_key, title, passport, \
             gender, bg_info, date_of_birth, emails, phones, addresses, websites, im, cus_fields, \
             permit_status, permit_group_id, permit_user_ids, company_id, source_id, owner_id, \
             created_at, updated_at, search) \
         SELECT $1, new.id, new.kind, new.number, new.contact_id, new.name, new.name_key, new.lastname, \
             new.lastname_key, new.title, new.passport, new.gender, new.bg_info, new.date_of_birth, \
             new.emails::jsonb, new.phones::jsonb, new.addresses::jsonb, new.websites::jsonb, \
             new.im::jsonb, new.cus_fields::jsonb, new.permit_status, new.permit_group_id, \
             new.permit_user_ids::uuid[], new.company_id, new.source_id, new.owner_id, new.created_at, \
             new.updated_at, array_to_tsvector(string_to_array(new.lexemes, E'\\n')) \
         FROM {NEW}"
    );
    Some(of_records(insert, org, customers))
}

/// Writes all of them that can change: they are locked.
pub(super) fn update(
    conn: &mut PgConnection,
    org: Uuid,
    customers: &[Customer],
) -> QueryResult<()> {
    if customers.is_empty() {
        return Ok(());
    }
    let update = format!(
        "UPDATE customers c SET \
             contact_id = new.contact_id, name = new.name, name_key = new.name_key, \
             lastname = new.lastname, lastname_key = new.lastname_key, title = new.title, \
             passport = new.passport, gender = new.gender, bg_info = new.bg_info, \
             date_of_birth = new.date_of_birth, emails = new.emails::jsonb, \
             phones = new.phones::jsonb, addresses = new.addresses::jsonb, \
             websites = new.websites::jsonb, im = new.im::jsonb, \
             cus_fields = new.cus_fields::jsonb, permit_status = new.permit_status, \
             permit_group_id = new.permit_group_id, permit_user_ids = new.permit_user_ids::uuid[], \
             company_id = new.company_id, updated_at = new.updated_at, \
             search = array_to_tsvector(string_to_array(new.lexemes, E'\\n')) \
         FROM {NEW} WHERE c.org_id = $1 AND c.id = new.id"
    );
    of_records(update, org, customers).execute(conn)?;
    Ok(())
}

/// The statement with a column of values for each column of [`NEW`].
fn of_records(text: String, org: Uuid, customers: &[Customer]) -> Statement<'_> {
    statement(text)
        .bind::<SqlUuid, _>(org)
        .bind::<Array<SqlUuid>, _>(each(customers, |c| c.id))
        .bind::<Array<Text>, _>(each(customers, |c| c.code.kind.as_str()))
        .bind::<Array<BigInt>, _>(each(customers, |c| c.code.number))
        .bind::<Array<Nullable<Text>>, _>(each(customers, |c| c.contact_id.as_deref()))
        .bind::<Array<Text>, _>(each(customers, |c| c.name.as_str()))
        .bind::<Array<Text>, _>(each(customers, |c| fold(&c.name)))
        .bind::<Array<Nullable<Text>>, _>(each(customers, |c| c.lastname.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(each(customers, |c| c.lastname.as_deref().map(fold)))
        .bind::<Array<Nullable<Text>>, _>(each(customers, |c| c.title.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(each(customers, |c| c.passport.as_deref()))
        .bind::<Array<SmallInt>, _>(each(customers, |c| c.gender))
        .bind::<Array<Nullable<Text>>, _>(each(customers, |c| c.bg_info.as_deref()))
        .bind::<Array<Nullable<Date>>, _>(each(customers, |c| c.date_of_birth))
        .bind::<Array<Text>, _>(each(customers, |c| Json(&c.emails)))
        .bind::<Array<Text>, _>(each(customers, |c| Json(&c.phones)))
        .bind::<Array<Text>, _>(each(customers, |c| Json(&c.addresses)))
        .bind::<Array<Text>, _>(each(customers, |c| Json(&c.websites)))
        .bind::<Array<Text>, _>(each(customers, |c| Json(&c.im)))
        .bind::<Array<Text>, _>(each(customers, |c| Json(&c.cus_fields)))
        .bind::<Array<SmallInt>, _>(each(customers, |c| c.permit.status()))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(customers, |c| c.permit.group()))
        .bind::<Array<Text>, _>(each(customers, |c| UuidArray(c.permit.users())))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(customers, |c| c.company))
        .bind::<Array<Nullable<SqlUuid>>, _>(each(customers, |c| c.source))
        .bind::<Array<SqlUuid>, _>(each(customers, |c| c.owner))
        .bind::<Array<Timestamptz>, _>(each(customers, |c| c.created_at))
        .bind::<Array<Timestamptz>, _>(each(customers, |c| c.updated_at))
        .bind::<Array<Text>, _>(each(customers, |c| lexemes(org, c)))
}
