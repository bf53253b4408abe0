//! A row of `deals`: the record without its owners and contacts.

use crate::store::json::Json;
use crate::store::schema::deals;
use crate::store::writes::columns::{Rows, object, rows};
use beeiq_core::records::deal::{Deal, DealOwners};
use beeiq_core::records::permit::Permit;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Numeric, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = deals, check_for_backend(Pg))]
pub(super) struct DealRow {
    pub(super) id: Uuid,
    deal_id: String,
    name: String,
    value: Option<Decimal>,
    currency: String,
    description: Option<String>,
    stage_id: Uuid,
    category_id: Option<Uuid>,
    package_id: Option<Uuid>,
    close_date: Option<DateTime<Utc>>,
    deal_with_id: Option<Uuid>,
    cus_fields: Json<BTreeMap<Uuid, String>>,
    permit_status: i16,
    permit_group_id: Option<Uuid>,
    permit_user_ids: Vec<Option<Uuid>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl DealRow {
    pub(super) fn into_record(self, owners: DealOwners, contacts: BTreeSet<Uuid>) -> Deal {
        let Self {
            id,
            deal_id,
            name,
            value,
            currency,
            description,
            stage_id,
            category_id,
            package_id,
            close_date,
            deal_with_id,
            cus_fields: Json(cus_fields),
            permit_status,
            permit_group_id,
            permit_user_ids,
            created_at,
            updated_at,
        } = self;
        Deal {
            id,
            deal_id,
            name,
            value,
            currency,
            description,
            stage: stage_id,
            category: category_id,
            package: package_id,
            close_date,
            owners,
            cus_fields,
            permit: Permit::from_parts(permit_status, permit_group_id, permit_user_ids),
            deal_with: deal_with_id,
            contacts,
            created_at,
            updated_at,
        }
    }
}

pub(super) fn columns<'d>(org: Uuid, deals: &[&'d Deal]) -> Rows<'d> {
    rows!(org, deals.iter().copied(), Deal {
        id, deal_id, name, value, currency, description, stage, category, package, close_date,
        owners: _, cus_fields, permit, deal_with, contacts: _, created_at, updated_at,
    } => {
        id: column(SqlUuid) = *id,
        deal_id: column(Text) = deal_id.as_str(),
        name: column(Text) = name.as_str(),
        name_key: column(Text) = fold(name),
        value: column(Nullable<Numeric>) = *value,
        currency: column(Text) = currency.as_str(),
        description: column(Nullable<Text>) = description.as_deref(),
        stage_id: column(SqlUuid) = *stage,
        category_id: column(Nullable<SqlUuid>) = *category,
        package_id: column(Nullable<SqlUuid>) = *package,
        close_date: column(Nullable<Timestamptz>) = *close_date,
        deal_with_id: column(Nullable<SqlUuid>) = *deal_with,
        cus_fields: json_object = object(cus_fields),
        permit_status: column(SmallInt) = permit.status(),
        permit_group_id: column(Nullable<SqlUuid>) = permit.group(),
        permit_user_ids: id_lists = permit.users(),
        created_at: column(Timestamptz) = *created_at,
        updated_at: column(Timestamptz) = *updated_at,
    })
}
