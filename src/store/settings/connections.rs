//! Connections to other systems (`connections.md` 1).

use crate::secrets::Place;
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use crate::store::schema::{connection_tokens, connections};
use crate::store::word::Stored;
use beeiq_core::records::connection::{Connection, OnMatch, Source, SourceSettings};
use beeiq_core::records::token::Token;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// What a connection's secret is sealed for.
pub(crate) fn secret_place(org: Uuid, connection: Uuid) -> Place {
    // None was sealed before keys had ids.
    Place::new("connections", "secret_sealed", org, &connection.to_string(), String::new())
}

/// What the token of a connection's URL is sealed for.
pub(crate) fn token_place(org: Uuid, token: Uuid) -> Place {
    Place::new("connection_tokens", "token_sealed", org, &token.to_string(), String::new())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = connections, check_for_backend(Pg))]
struct Row {
    id: Uuid,
    kind: Stored<Source>,
    name: String,
    enabled: bool,
    listener_id: Uuid,
    sender_id: Uuid,
    welcome: bool,
    on_match: Stored<OnMatch>,
    settings: Value,
}

/// All of the org, as the directory has them.
pub(in crate::store) fn load(conn: &mut Conn, org: Uuid) -> Result<Vec<Connection>> {
    let rows: Vec<Row> = connections::table
        .filter(connections::org_id.eq(org))
        .select(Row::as_select())
        .load(conn)?;
    let mut tokens = if rows.is_empty() { HashMap::new() } else { load_tokens(conn, org)? };
    rows.into_iter()
        .map(|row| {
            let tokens = tokens.remove(&row.id).unwrap_or_default();
            connection(row, tokens)
        })
        .collect()
}

fn connection(row: Row, tokens: Vec<Token>) -> Result<Connection> {
    let Row {
        id,
        kind: Stored(kind),
        name,
        enabled,
        listener_id,
        sender_id,
        welcome,
        on_match: Stored(on_match),
        settings,
    } = row;
    let settings = settings_of(kind, settings).map_err(|error| StoreError::unreadable(&error))?;
    let (listener, sender) = (listener_id, sender_id);
    Ok(Connection { id, name, enabled, listener, sender, tokens, welcome, on_match, settings })
}

fn settings_of(kind: Source, settings: Value) -> serde_json::Result<SourceSettings> {
    Ok(match kind {
        Source::Oktium => SourceSettings::Oktium(serde_json::from_value(settings)?),
        Source::Iadvize => SourceSettings::Iadvize(serde_json::from_value(settings)?),
        Source::Wolkvox => SourceSettings::Wolkvox(serde_json::from_value(settings)?),
    })
}

fn load_tokens(conn: &mut Conn, org: Uuid) -> QueryResult<HashMap<Uuid, Vec<Token>>> {
    let rows: Vec<(Uuid, Vec<u8>, Option<DateTime<Utc>>)> = connection_tokens::table
        .filter(connection_tokens::org_id.eq(org))
        .select((
            connection_tokens::connection_id,
            connection_tokens::token_hash,
            connection_tokens::expires_at,
        ))
        .load(conn)?;
    let mut tokens: HashMap<Uuid, Vec<Token>> = HashMap::new();
    for (connection, hash, expires_at) in rows {
        tokens.entry(connection).or_default().push(Token { hash, expires_at });
    }
    Ok(tokens)
}
