//! What a message says: once it is sent its own columns, until then a wording and what is filled
//! into it.

use crate::store::error::{Result, StoreError};
use crate::store::json::Json;
use crate::store::pool::Conn;
use crate::store::word::Stored;
use beeiq_core::records::message::{Channel, Content, Unrenderable};
use beeiq_core::values::template::{Markup, MergeFields, MessageTemplate};
use diesel::prelude::*;
use diesel::sql_types::{Array, Jsonb, Nullable, Text, Uuid as SqlUuid};
use std::collections::HashMap;
use uuid::Uuid;

/// What a message says, as it is kept.
#[derive(QueryableByName)]
pub(super) struct Said {
    #[diesel(sql_type = Text)]
    channel: Stored<Channel>,
    #[diesel(sql_type = Nullable<Text>)]
    subject: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    html: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    merge_fields: Option<Json<MergeFields>>,
}

/// The columns of [`Said`], of the outbox and, joined on the left, the wordings.
pub(super) const SAID: &str = "outbox.channel, coalesce(outbox.subject, wordings.subject) AS subject, \
     coalesce(outbox.html, wordings.html) AS html, coalesce(outbox.text, wordings.text) AS text, \
     outbox.merge_fields";

impl Said {
    /// Whether something is filled into it.
    pub(super) const fn is_merged(&self) -> bool {
        self.merge_fields.is_some()
    }

    pub(super) fn content(self) -> Result<Content, Unrenderable> {
        let Self { channel, subject, html, text, merge_fields } = self;
        let content = match channel.0 {
            Channel::Email => Content::Email {
                subject: subject.unwrap_or_default(),
                html: html.unwrap_or_default(),
                text,
            },
            Channel::Sms => Content::Sms { text: text.unwrap_or_default() },
        };
        match merge_fields {
            Some(Json(fields)) => content.rendered(&fields),
            None => Ok(content),
        }
    }
}

/// What a message says.
pub(crate) fn content(conn: &mut Conn, org: Uuid, message: Uuid) -> Result<Content> {
    let said: Said = diesel::sql_query(format!(
        "SELECT {SAID} FROM outbox \
         LEFT JOIN wordings ON wordings.org_id = $1 AND wordings.id = outbox.wording_id \
         WHERE outbox.org_id = $1 AND outbox.id = $2"
    ))
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(message)
    .get_result(conn)?;
    said.content().map_err(|error| StoreError::unreadable(&error))
}

/// The subjects of those that have one.
pub(super) fn subjects(
    conn: &mut Conn,
    org: Uuid,
    messages: &[Uuid],
) -> Result<HashMap<Uuid, String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        subject: String,
        #[diesel(sql_type = Nullable<Jsonb>)]
        merge_fields: Option<Json<MergeFields>>,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT * FROM (SELECT outbox.id, outbox.merge_fields, \
             coalesce(outbox.subject, wordings.subject) AS subject FROM outbox \
             LEFT JOIN wordings ON wordings.org_id = $1 AND wordings.id = outbox.wording_id \
             WHERE outbox.org_id = $1 AND outbox.id = ANY ($2)) AS message \
         WHERE subject IS NOT NULL",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(messages)
    .load(conn)?;
    let shown = |Row { id, subject, merge_fields }| match merge_fields {
        Some(Json(fields)) => {
            let rendered = MessageTemplate::checked(&subject, Markup::Line)
                .map_err(Unrenderable::from)
                .and_then(|template| Ok(template.render(&fields)?));
            Ok((id, rendered.map_err(|error| StoreError::unreadable(&error))?))
        }
        None => Ok((id, subject)),
    };
    rows.into_iter().map(shown).collect()
}
