//! New tickets and their tags.

use super::columns::{Rows, each, object};
use crate::store::statement::Statement;
use beeiq_core::records::ticket::Ticket;
use beeiq_core::values::text::fold;
use diesel::sql_types::{BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them.
pub(super) fn insert(org: Uuid, tickets: &[Ticket]) -> Option<Statement<'_>> {
    if tickets.is_empty() {
        return None;
    }
    let first_response = |ticket: &Ticket| ticket.sla.map(|sla| sla.first_response_due_at);
    let resolution = |ticket: &Ticket| ticket.sla.map(|sla| sla.resolution_due_at);
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", each(tickets, |ticket| ticket.id))
        .column::<BigInt, _>("number", each(tickets, |ticket| ticket.code.0))
        .column::<Nullable<Text>, _>("title", each(tickets, |ticket| ticket.title.as_deref()))
        .column::<Text, _>("body", each(tickets, |ticket| ticket.body.as_str()))
        .column::<Text, _>("search_key", each(tickets, search_key))
        .column::<SqlUuid, _>("customer_id", each(tickets, |ticket| ticket.customer))
        .column::<Nullable<SqlUuid>, _>("deal_id", each(tickets, |ticket| ticket.deal))
        .column::<SmallInt, _>("permit_status", each(tickets, |ticket| ticket.readers.status()))
        .column::<Nullable<SqlUuid>, _>(
            "permit_group_id",
            each(tickets, |ticket| ticket.readers.group()),
        )
        .column::<Nullable<SqlUuid>, _>(
            "sla_id",
            each(tickets, |ticket| ticket.sla.map(|sla| sla.id)),
        )
        .column::<Nullable<Timestamptz>, _>("first_response_due_at", each(tickets, first_response))
        .column::<Nullable<Timestamptz>, _>("resolution_due_at", each(tickets, resolution))
        .column::<Nullable<SqlUuid>, _>("channel_id", each(tickets, |ticket| ticket.channel))
        .json("cus_fields", "{}", each(tickets, |ticket| object(&ticket.cus_fields)))
        .column::<SqlUuid, _>("owner_id", each(tickets, |ticket| ticket.owner))
        .column::<Timestamptz, _>("created_at", each(tickets, |ticket| ticket.created_at));
    Some(rows.insert("tickets"))
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
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("ticket_id", each(&tagged, |(ticket, _)| *ticket))
        .column::<SqlUuid, _>("tag_id", each(&tagged, |(_, tag)| *tag));
    Some(rows.insert("ticket_tags"))
}
