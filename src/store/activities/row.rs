//! A row of `activities`, which is the whole record.

use crate::store::error::DbError;
use crate::store::json::Json;
use crate::store::schema::activities;
use crate::store::statement::Statement;
use crate::store::word::Stored;
use crate::store::writes::columns::{Rows, rows};
use beeiq_core::records::activity::{Activity, ActivityKind, Operator};
use beeiq_core::records::permit::Permit;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::sql_types::{Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::{Map, Value};
use uuid::Uuid;

/// What no change touches.
const FIXED: [&str; 5] = ["source", "external_id", "customer_id", "owner_id", "created_at"];

#[derive(Queryable, Selectable)]
#[diesel(table_name = activities, check_for_backend(Pg))]
pub(super) struct ActivityRow {
    id: Uuid,
    kind: Stored<ActivityKind>,
    source: String,
    external_id: Option<String>,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    subject: Option<String>,
    body: Option<String>,
    operator_id: Option<Uuid>,
    operator_name: Option<String>,
    details: Json<Map<String, Value>>,
    customer_id: Uuid,
    deal_id: Option<Uuid>,
    permit_status: i16,
    permit_group_id: Option<Uuid>,
    permit_user_ids: Vec<Option<Uuid>>,
    owner_id: Uuid,
    as_of: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl ActivityRow {
    pub(super) fn into_record(self) -> Activity {
        let Self {
            id,
            kind: Stored(kind),
            source,
            external_id,
            started_at,
            ended_at,
            outcome,
            subject,
            body,
            operator_id,
            operator_name,
            details: Json(details),
            customer_id,
            deal_id,
            permit_status,
            permit_group_id,
            permit_user_ids,
            owner_id,
            as_of,
            created_at,
            updated_at,
        } = self;
        Activity {
            id,
            kind,
            source,
            external_id,
            started_at,
            ended_at,
            outcome,
            subject,
            body,
            operator: operator_id.map(Operator::User).or(operator_name.map(Operator::Named)),
            details,
            customer: customer_id,
            deal: deal_id,
            permit: Permit::from_parts(permit_status, permit_group_id, permit_user_ids),
            owner: owner_id,
            as_of,
            created_at,
            updated_at,
        }
    }
}

pub(in crate::store) fn insert(org: Uuid, created: &[Activity]) -> Option<Statement<'_>> {
    // In the order of their keys, so that no two batches wait for each other.
    let mut created: Vec<&Activity> = created.iter().collect();
    created.sort_by_key(|it| (&it.source, &it.external_id));
    (!created.is_empty()).then(|| columns(org, &created).insert("activities"))
}

/// They were locked when they were loaded.
pub(in crate::store) fn update(org: Uuid, changed: &[Activity]) -> Option<Statement<'_>> {
    let changed: Vec<&Activity> = changed.iter().collect();
    (!changed.is_empty()).then(|| columns(org, &changed).update("activities", &FIXED))
}

/// Whether the database refused because somebody else has told of an activity by now.
pub(in crate::store) fn is_lost(error: &DbError) -> bool {
    matches!(
        error,
        DbError::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
            if info.constraint_name() == Some("activities_external_id_unique")
    )
}

fn columns<'a>(org: Uuid, activities: &[&'a Activity]) -> Rows<'a> {
    rows!(org, activities.iter().copied(), Activity {
        id, kind, source, external_id, started_at, ended_at, outcome, subject, body, operator,
        details, customer, deal, permit, owner, as_of, created_at, updated_at,
    } => {
        id: column(SqlUuid) = *id,
        kind: column(Text) = kind.as_str(),
        source: column(Text) = source.as_str(),
        external_id: column(Nullable<Text>) = external_id.as_deref(),
        started_at: column(Timestamptz) = *started_at,
        ended_at: column(Nullable<Timestamptz>) = *ended_at,
        outcome: column(Nullable<Text>) = outcome.as_deref(),
        subject: column(Nullable<Text>) = subject.as_deref(),
        body: column(Nullable<Text>) = body.as_deref(),
        search_key: column(Text) = search_key(subject.as_deref(), body.as_deref()),
        operator_id: column(Nullable<SqlUuid>) = operator_user(operator.as_ref()),
        operator_name: column(Nullable<Text>) = operator_name(operator.as_ref()),
        details: json_object = (!details.is_empty()).then_some(Json(details)),
        customer_id: column(SqlUuid) = *customer,
        deal_id: column(Nullable<SqlUuid>) = *deal,
        permit_status: column(SmallInt) = permit.status(),
        permit_group_id: column(Nullable<SqlUuid>) = permit.group(),
        permit_user_ids: id_lists = permit.users(),
        owner_id: column(SqlUuid) = *owner,
        as_of: column(Nullable<Timestamptz>) = *as_of,
        created_at: column(Timestamptz) = *created_at,
        updated_at: column(Timestamptz) = *updated_at,
    })
}

fn search_key(subject: Option<&str>, body: Option<&str>) -> String {
    fold(&format!("{}\n{}", subject.unwrap_or_default(), body.unwrap_or_default()))
}

const fn operator_user(operator: Option<&Operator>) -> Option<Uuid> {
    match operator {
        Some(Operator::User(id)) => Some(*id),
        Some(Operator::Named(_)) | None => None,
    }
}

fn operator_name(operator: Option<&Operator>) -> Option<&str> {
    match operator {
        Some(Operator::Named(name)) => Some(name),
        Some(Operator::User(_)) | None => None,
    }
}
