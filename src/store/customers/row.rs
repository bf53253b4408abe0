//! A row of `customers`: the record without its tags.

use crate::store::json::Json;
use crate::store::schema::customers;
use crate::store::word::Stored;
use crate::store::writes::columns::{Rows, list, object, rows};
use beeiq_core::records::customer::{
    Address, Customer, CustomerCode, CustomerKind, EmailEntry, Im, PhoneEntry, Website,
};
use beeiq_core::records::permit::Permit;
use beeiq_core::values::search::lexemes;
use beeiq_core::values::text::fold;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = customers, check_for_backend(Pg))]
pub(super) struct CustomerRow {
    pub(super) id: Uuid,
    kind: Stored<CustomerKind>,
    number: i64,
    contact_id: Option<String>,
    name: String,
    lastname: Option<String>,
    title: Option<String>,
    passport: Option<String>,
    gender: i16,
    bg_info: Option<String>,
    date_of_birth: Option<NaiveDate>,
    emails: Json<Vec<EmailEntry>>,
    phones: Json<Vec<PhoneEntry>>,
    addresses: Json<Vec<Address>>,
    websites: Json<Vec<Website>>,
    im: Json<Vec<Im>>,
    cus_fields: Json<BTreeMap<Uuid, String>>,
    permit_status: i16,
    permit_group_id: Option<Uuid>,
    permit_user_ids: Vec<Option<Uuid>>,
    company_id: Option<Uuid>,
    source_id: Option<Uuid>,
    owner_id: Uuid,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl CustomerRow {
    pub(super) fn into_record(self, tags: Vec<Uuid>) -> Customer {
        let Self {
            id,
            kind: Stored(kind),
            number,
            contact_id,
            name,
            lastname,
            title,
            passport,
            gender,
            bg_info,
            date_of_birth,
            emails: Json(emails),
            phones: Json(phones),
            addresses: Json(addresses),
            websites: Json(websites),
            im: Json(im),
            cus_fields: Json(cus_fields),
            permit_status,
            permit_group_id,
            permit_user_ids,
            company_id,
            source_id,
            owner_id,
            created_at,
            updated_at,
        } = self;
        Customer {
            id,
            code: CustomerCode { kind, number },
            contact_id,
            name,
            lastname,
            title,
            passport,
            gender,
            bg_info,
            date_of_birth,
            emails,
            phones,
            addresses,
            websites,
            im,
            cus_fields,
            permit: Permit::from_parts(permit_status, permit_group_id, permit_user_ids),
            company: company_id,
            source: source_id,
            owner: owner_id,
            tags,
            created_at,
            updated_at,
        }
    }
}

pub(super) fn columns(org: Uuid, customers: &[Customer]) -> Rows<'_> {
    rows!(org, customers, customer @ Customer {
        id, code, contact_id, name, lastname, title, passport, gender, bg_info, date_of_birth,
        emails, phones, addresses, websites, im, cus_fields, permit, company, source, owner,
        tags: _, created_at, updated_at,
    } => {
        id: column(SqlUuid) = *id,
        kind: column(Text) = code.kind.as_str(),
        number: column(BigInt) = code.number,
        contact_id: column(Nullable<Text>) = contact_id.as_deref(),
        name: column(Text) = name.as_str(),
        name_key: column(Text) = fold(name),
        lastname: column(Nullable<Text>) = lastname.as_deref(),
        lastname_key: column(Nullable<Text>) = lastname.as_deref().map(fold),
        title: column(Nullable<Text>) = title.as_deref(),
        passport: column(Nullable<Text>) = passport.as_deref(),
        gender: column(SmallInt) = *gender,
        bg_info: column(Nullable<Text>) = bg_info.as_deref(),
        date_of_birth: column(Nullable<Date>) = *date_of_birth,
        emails: json_list = list(emails),
        phones: json_list = list(phones),
        addresses: json_list = list(addresses),
        websites: json_list = list(websites),
        im: json_list = list(im),
        cus_fields: json_object = object(cus_fields),
        permit_status: column(SmallInt) = permit.status(),
        permit_group_id: column(Nullable<SqlUuid>) = permit.group(),
        permit_user_ids: id_lists = permit.users(),
        company_id: column(Nullable<SqlUuid>) = *company,
        source_id: column(Nullable<SqlUuid>) = *source,
        owner_id: column(SqlUuid) = *owner,
        created_at: column(Timestamptz) = *created_at,
        updated_at: column(Timestamptz) = *updated_at,
        search: lexemes = lexemes(org, customer),
    })
}
