//! A line of a record's history as clients read it (`api.md` 5).

use crate::store::history::Line;
use beeiq_core::records::history::Kept;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Something that happened to a record.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryLine {
    /// The line's id.
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    #[schema(example = "duplicate_skipped")]
    pub kind: String,
    /// Who did it, or in whose name it was done.
    pub actor: Option<HistoryActor>,
    /// The listener by which it came; null where there was none, or it has been deleted.
    pub listener: Option<HistoryListener>,
    /// The connection through which it came, beside the listener whose defaults applied.
    pub connection: Option<HistoryConnection>,
    /// The delivery that caused it.
    pub request_id: Option<Uuid>,
    /// It all in a sentence.
    pub summary: String,
    /// What this kind of line tells.
    #[schema(value_type = Object)]
    pub details: Kept,
}

/// The user of a history line.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryActor {
    /// Their e-mail.
    pub email: String,
}

/// The listener of a history line.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryListener {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// The connection of a history line.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryConnection {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `oktium`, `iadvize` or `wolkvox`.
    pub kind: String,
}

/// A line of history, with its sentence.
pub(super) fn history_line(line: Line) -> HistoryLine {
    let Line { id, at, event, actor_email, listener, connection, request_id } = line;
    HistoryLine {
        id,
        at,
        kind: event.kind().to_owned(),
        actor: actor_email.map(|email| HistoryActor { email }),
        listener: listener.map(|(id, name)| HistoryListener { id, name }),
        connection: connection.map(|(id, name, kind)| HistoryConnection { id, name, kind }),
        request_id,
        summary: event.summary(),
        details: event,
    }
}
