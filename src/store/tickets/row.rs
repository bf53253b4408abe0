//! A row of `tickets`: the record without its tags.

use crate::store::json::Json;
use crate::store::schema::tickets;
use crate::store::statement::Statement;
use crate::store::writes::columns::{Rows, each, object, rows};
use beeiq_core::records::permit::Permit;
use beeiq_core::records::ticket::{Ticket, TicketCode, TicketSla};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = tickets, check_for_backend(Pg))]
pub(super) struct TicketRow {
    pub(super) id: Uuid,
    number: i64,
    title: Option<String>,
    body: String,
    customer_id: Uuid,
    deal_id: Option<Uuid>,
    permit_status: i16,
    permit_group_id: Option<Uuid>,
    sla_id: Option<Uuid>,
    first_response_due_at: Option<DateTime<Utc>>,
    resolution_due_at: Option<DateTime<Utc>>,
    channel_id: Option<Uuid>,
    cus_fields: Json<BTreeMap<Uuid, String>>,
    owner_id: Uuid,
    created_at: DateTime<Utc>,
}

impl TicketRow {
    pub(super) fn into_record(self, tags: Vec<Uuid>) -> Ticket {
        let Self {
            id,
            number,
            title,
            body,
            customer_id,
            deal_id,
            permit_status,
            permit_group_id,
            sla_id,
            first_response_due_at,
            resolution_due_at,
            channel_id,
            cus_fields: Json(cus_fields),
            owner_id,
            created_at,
        } = self;
        let due = first_response_due_at.zip(resolution_due_at);
        Ticket {
            id,
            code: TicketCode(number),
            title,
            body,
            customer: customer_id,
            deal: deal_id,
            readers: Permit::from_parts(permit_status, permit_group_id, Vec::new()),
            sla: sla_id.zip(due).map(|(id, (first_response_due_at, resolution_due_at))| {
                TicketSla { id, first_response_due_at, resolution_due_at }
            }),
            channel: channel_id,
            tags,
            cus_fields,
            owner: owner_id,
            created_at,
        }
    }
}

pub(in crate::store) fn insert(org: Uuid, tickets: &[Ticket]) -> Option<Statement<'_>> {
    if tickets.is_empty() {
        return None;
    }
    let rows = rows!(org, tickets, Ticket {
        id, code, title, body, customer, deal, readers, sla, channel, tags: _, cus_fields, owner,
        created_at,
    } => {
        id: column(SqlUuid) = *id,
        number: column(BigInt) = code.0,
        title: column(Nullable<Text>) = title.as_deref(),
        body: column(Text) = body.as_str(),
        search_key: column(Text) = fold(&format!("{}\n{body}", title.as_deref().unwrap_or_default())),
        customer_id: column(SqlUuid) = *customer,
        deal_id: column(Nullable<SqlUuid>) = *deal,
        permit_status: column(SmallInt) = readers.status(),
        permit_group_id: column(Nullable<SqlUuid>) = readers.group(),
        sla_id: column(Nullable<SqlUuid>) = sla.map(|sla| sla.id),
        first_response_due_at: column(Nullable<Timestamptz>) = sla.map(|sla| sla.first_response_due_at),
        resolution_due_at: column(Nullable<Timestamptz>) = sla.map(|sla| sla.resolution_due_at),
        channel_id: column(Nullable<SqlUuid>) = *channel,
        cus_fields: json_object = object(cus_fields),
        owner_id: column(SqlUuid) = *owner,
        created_at: column(Timestamptz) = *created_at,
    });
    Some(rows.insert("tickets"))
}

/// Inserts which of them has which tag.
pub(in crate::store) fn insert_tags(org: Uuid, tickets: &[Ticket]) -> Option<Statement<'static>> {
    let tagged: Vec<(Uuid, Uuid)> =
        tickets.iter().flat_map(|ticket| ticket.tags.iter().map(|tag| (ticket.id, *tag))).collect();
    if tagged.is_empty() {
        return None;
    }
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("ticket_id", each(&tagged, |(ticket, _)| *ticket))
        .column::<SqlUuid, _>("tag_id", each(&tagged, |(_, tag)| *tag));
    Some(rows.insert("ticket_tags"))
}
