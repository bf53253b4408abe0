//! What is sealed, for sealing it again with another key.

use super::schema::{connection_tokens, connections, listener_tokens, message_accounts};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::word::Stored;
use beeiq_core::records::message::Channel;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Binary;
use uuid::Uuid;

/// A listener's token.
#[derive(Queryable, Selectable)]
#[diesel(table_name = listener_tokens)]
pub(crate) struct SealedToken {
    pub(crate) id: Uuid,
    pub(crate) token_sealed: Vec<u8>,
}

/// The secrets of an account.
#[derive(Queryable, Selectable)]
#[diesel(table_name = message_accounts, check_for_backend(Pg))]
pub(crate) struct SealedAccount {
    pub(crate) channel: Stored<Channel>,
    pub(crate) secrets_sealed: Vec<u8>,
}

/// The org's tokens, in the order of their ids after that one, that do not begin with `mark`; locked.
pub(crate) fn tokens(
    conn: &mut Conn,
    org: Uuid,
    mark: &[u8],
    after: Uuid,
    limit: i64,
) -> Result<Vec<SealedToken>> {
    let begins = sql::<Binary>("substring(token_sealed FOR 9)");
    Ok(listener_tokens::table
        .filter(listener_tokens::org_id.eq(org))
        .filter(listener_tokens::id.gt(after))
        .filter(begins.ne(mark))
        .order(listener_tokens::id)
        .limit(limit)
        .select(SealedToken::as_select())
        .for_update()
        .load(conn)?)
}

pub(crate) fn set_token(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    hash: &[u8],
    sealed: &[u8],
) -> Result<()> {
    diesel::update(listener_tokens::table)
        .filter(listener_tokens::org_id.eq(org))
        .filter(listener_tokens::id.eq(id))
        .set((listener_tokens::token_hash.eq(hash), listener_tokens::token_sealed.eq(sealed)))
        .execute(conn)?;
    Ok(())
}

/// The org's accounts whose secrets do not begin with `mark`; locked.
pub(crate) fn accounts(conn: &mut Conn, org: Uuid, mark: &[u8]) -> Result<Vec<SealedAccount>> {
    let begins = sql::<Binary>("substring(secrets_sealed FOR 9)");
    Ok(message_accounts::table
        .filter(message_accounts::org_id.eq(org))
        .filter(begins.ne(mark))
        .order(message_accounts::channel)
        .select(SealedAccount::as_select())
        .for_update()
        .load(conn)?)
}

pub(crate) fn set_account(
    conn: &mut Conn,
    org: Uuid,
    channel: Channel,
    sealed: &[u8],
) -> Result<()> {
    diesel::update(message_accounts::table)
        .filter(message_accounts::org_id.eq(org))
        .filter(message_accounts::channel.eq(channel.as_str()))
        .set(message_accounts::secrets_sealed.eq(sealed))
        .execute(conn)?;
    Ok(())
}

/// The tokens of the org's connections that do not begin with `mark`; locked. There are few.
pub(crate) fn connection_tokens(
    conn: &mut Conn,
    org: Uuid,
    mark: &[u8],
) -> Result<Vec<(Uuid, Vec<u8>)>> {
    let begins = sql::<Binary>("substring(token_sealed FOR 9)");
    Ok(connection_tokens::table
        .filter(connection_tokens::org_id.eq(org))
        .filter(begins.ne(mark))
        .order(connection_tokens::id)
        .select((connection_tokens::id, connection_tokens::token_sealed))
        .for_update()
        .load(conn)?)
}

pub(crate) fn set_connection_token(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    hash: &[u8],
    sealed: &[u8],
) -> Result<()> {
    diesel::update(connection_tokens::table)
        .filter(connection_tokens::org_id.eq(org))
        .filter(connection_tokens::id.eq(id))
        .set((connection_tokens::token_hash.eq(hash), connection_tokens::token_sealed.eq(sealed)))
        .execute(conn)?;
    Ok(())
}

/// The secrets of the org's connections that do not begin with `mark`; locked.
pub(crate) fn connection_secrets(
    conn: &mut Conn,
    org: Uuid,
    mark: &[u8],
) -> Result<Vec<(Uuid, Vec<u8>)>> {
    let begins = sql::<Binary>("substring(secret_sealed FOR 9)");
    Ok(connections::table
        .filter(connections::org_id.eq(org))
        .filter(begins.ne(mark))
        .order(connections::id)
        .select((connections::id, connections::secret_sealed))
        .for_update()
        .load(conn)?)
}

pub(crate) fn set_connection_secret(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    sealed: &[u8],
) -> Result<()> {
    diesel::update(connections::table)
        .filter(connections::org_id.eq(org))
        .filter(connections::id.eq(id))
        .set(connections::secret_sealed.eq(sealed))
        .execute(conn)?;
    Ok(())
}
