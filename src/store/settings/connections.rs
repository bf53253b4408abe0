//! Connections to other systems (`connections.md` 1).

use super::listeners::NewToken;
use super::{Rows, newest, statements};
use crate::secrets::Place;
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use crate::store::schema::{connection_cursors, connection_tokens, connections, users};
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

/// A connection as it is kept, with what has become of it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = connections, check_for_backend(Pg))]
pub(crate) struct ConnectionRow {
    pub(crate) id: Uuid,
    pub(crate) kind: Stored<Source>,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) listener_id: Uuid,
    pub(crate) welcome: bool,
    pub(crate) on_match: Stored<OnMatch>,
    pub(crate) since: DateTime<Utc>,
    pub(crate) settings: Value,
    pub(crate) secret_sealed: Vec<u8>,
    pub(crate) paused_code: Option<String>,
    pub(crate) last_error_code: Option<String>,
    pub(crate) last_error_message: Option<String>,
    pub(crate) last_error_at: Option<DateTime<Utc>>,
    pub(crate) last_run_at: Option<DateTime<Utc>>,
    pub(crate) next_run_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = connections)]
pub(crate) struct ConnectionValues {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) name_key: String,
    pub(crate) enabled: bool,
    pub(crate) listener_id: Uuid,
    pub(crate) sender_id: Uuid,
    pub(crate) welcome: bool,
    pub(crate) on_match: String,
    pub(crate) since: DateTime<Utc>,
    pub(crate) settings: Value,
    pub(crate) secret_sealed: Vec<u8>,
}

// What it heard stays when it is deleted; its tokens go.
statements!(
    pub(crate) connections: count, create(ConnectionValues; updated_at),
    update(ConnectionValues; updated_at), delete
);

/// With the sender's e-mail and whether they are active.
pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    rows: Rows,
) -> Result<Vec<(ConnectionRow, String, bool)>> {
    let its_sender =
        users::org_id.eq(connections::org_id).and(users::id.eq(connections::sender_id));
    let of_org = connections::table
        .inner_join(users::table.on(its_sender))
        .filter(connections::org_id.eq(org))
        .select((ConnectionRow::as_select(), users::email, users::active));
    Ok(newest!(of_org, connections, rows).load(conn)?)
}

/// How far each resource has been asked for.
pub(crate) fn cursors(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
) -> Result<Vec<(String, DateTime<Utc>)>> {
    Ok(connection_cursors::table
        .filter(connection_cursors::org_id.eq(org))
        .filter(connection_cursors::connection_id.eq(connection))
        .order(connection_cursors::resource)
        .select((connection_cursors::resource, connection_cursors::until))
        .load(conn)?)
}

/// Ends a pause or a wait after failures: the connection is asked at once.
pub(crate) fn resume(conn: &mut Conn, org: Uuid, connection: Uuid) -> Result<()> {
    diesel::update(connections::table)
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .set((
            connections::paused_code.eq(None::<String>),
            connections::failures.eq(0),
            connections::last_error_code.eq(None::<String>),
            connections::last_error_message.eq(None::<String>),
            connections::last_error_at.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)?;
    diesel::update(connections::table)
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(connection))
        .filter(connections::kind.ne(Source::Oktium.as_str()))
        .set(connections::next_run_at.eq(diesel::dsl::now))
        .execute(conn)?;
    Ok(())
}

/// The present token of a connection, and its id.
pub(crate) fn token(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
) -> Result<Option<(Uuid, Vec<u8>)>> {
    Ok(tokens_of(org, connection)
        .filter(connection_tokens::expires_at.is_null())
        .select((connection_tokens::id, connection_tokens::token_sealed))
        .first(conn)
        .optional()?)
}

pub(crate) fn add_token(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    token: &NewToken,
    now: DateTime<Utc>,
) -> Result<()> {
    let NewToken { id, hash, sealed } = token;
    diesel::insert_into(connection_tokens::table)
        .values((
            connection_tokens::org_id.eq(org),
            connection_tokens::id.eq(id),
            connection_tokens::connection_id.eq(connection),
            connection_tokens::token_hash.eq(hash.as_slice()),
            connection_tokens::token_sealed.eq(sealed),
            connection_tokens::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends the tokens of a connection at `end`, or at an earlier end that they had; those whose end has
/// passed are dropped.
pub(crate) fn end_tokens(
    conn: &mut Conn,
    org: Uuid,
    connection: Uuid,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let later = connection_tokens::expires_at.is_null().or(connection_tokens::expires_at.gt(end));
    diesel::update(tokens_of(org, connection))
        .filter(later)
        .set(connection_tokens::expires_at.eq(end))
        .execute(conn)?;
    diesel::delete(tokens_of(org, connection))
        .filter(connection_tokens::expires_at.le(now))
        .execute(conn)?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn tokens_of(org: Uuid, connection: Uuid) -> _ {
    connection_tokens::table
        .filter(connection_tokens::org_id.eq(org))
        .filter(connection_tokens::connection_id.eq(connection))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = connections, check_for_backend(Pg))]
struct DirectoryRow {
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
    let rows: Vec<DirectoryRow> = connections::table
        .filter(connections::org_id.eq(org))
        .select(DirectoryRow::as_select())
        .load(conn)?;
    let mut tokens = if rows.is_empty() { HashMap::new() } else { load_tokens(conn, org)? };
    rows.into_iter()
        .map(|row| {
            let tokens = tokens.remove(&row.id).unwrap_or_default();
            connection(row, tokens)
        })
        .collect()
}

fn connection(row: DirectoryRow, tokens: Vec<Token>) -> Result<Connection> {
    let DirectoryRow {
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
