//! New tickets and their tags.

use super::columns::{Json, each};
use crate::domain::text::fold;
use crate::domain::ticket::Ticket;
use crate::store::statement::{Statement, statement};
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert(org: Uuid, tickets: &[Ticket]) -> Option<Statement<'_>> {
    if tickets.is_empty() {
        return None;
    }
    let insert = statement(
        "INSERT INTO tickets (org_id, id, number, title, body, search_key, customer_id, deal_id, permit_status, \
             permit_group_id, sla_id, \
             first_response_due_at, resolution_due_at, channel_id, cus_fields, owner_id, created_at) \
         SELECT $1, new.id, new.number, new.title, new.body, new.search_key, new.customer_id, new.deal_id, new.permit_status, \
             new.permit_group_id, \
             new.sla_id, new.first_response_due_at, new.resolution_due_at, new.channel_id, \
             new.cus_fields::jsonb, new.owner_id, new.created_at \
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
             AS new (id, number, title, body, search_key, customer_id, deal_id, permit_status, permit_group_id, sla_id, \
             first_response_due_at, resolution_due_at, channel_id, cus_fields, owner_id, created_at)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(each(tickets, |ticket| ticket.id))
    .bind::<Array<BigInt>, _>(each(tickets, |ticket| ticket.code.0))
    .bind::<Array<Nullable<Text>>, _>(each(tickets, |ticket| ticket.title.as_deref()))
    .bind::<Array<Text>, _>(each(tickets, |ticket| ticket.body.as_str()))
    .bind::<Array<Text>, _>(each(tickets, search_key))
    .bind::<Array<SqlUuid>, _>(each(tickets, |ticket| ticket.customer))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(tickets, |ticket| ticket.deal))
    .bind::<Array<SmallInt>, _>(each(tickets, |ticket| ticket.readers.status()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(tickets, |ticket| ticket.readers.group()))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(tickets, |ticket| ticket.sla.map(|sla| sla.id)))
    .bind::<Array<Nullable<Timestamptz>>, _>(each(tickets, |ticket| {
        ticket.sla.map(|sla| sla.first_response_due_at)
    }))
    .bind::<Array<Nullable<Timestamptz>>, _>(each(tickets, |ticket| {
        ticket.sla.map(|sla| sla.resolution_due_at)
    }))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(tickets, |ticket| ticket.channel))
    .bind::<Array<Text>, _>(each(tickets, |ticket| Json(&ticket.cus_fields)))
    .bind::<Array<SqlUuid>, _>(each(tickets, |ticket| ticket.owner))
    .bind::<Array<Timestamptz>, _>(each(tickets, |ticket| ticket.created_at));
    Some(insert)
}

/// What is searched in it: its title and its text.
fn search_key(ticket: &Ticket) -> String {
    let title = ticket.title.as_deref().unwrap_or_default();
    fold(&format!("{title}\n{}", ticket.body))
}

/// Inserts which of them has which tag.
pub(super) fn insert_tags(org: Uuid, tickets: &[Ticket]) -> Option<Statement<'static>> {
    let tagged: Vec<(Uuid, Uuid)> =
        tickets.iter().flat_map(|ticket| ticket.tags.iter().map(|tag| (ticket.id, *tag))).collect();
    if tagged.is_empty() {
        return None;
    }
    let insert = statement(
        "INSERT INTO ticket_tags (org_id, ticket_id, tag_id) \
         SELECT $1, new.ticket_id, new.tag_id FROM unnest($2, $3) AS new (ticket_id, tag_id)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(each(&tagged, |(ticket, _)| *ticket))
    .bind::<Array<SqlUuid>, _>(each(&tagged, |(_, tag)| *tag));
    Some(insert)
}
