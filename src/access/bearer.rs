//! Recognising who is calling by their `Authorization: Bearer <token>`: a session's, or an API key.

use super::secrets::{Token, TokenHash, TokenKind};
use super::{Access, Actor, Caller, Who};
use crate::clock;
use crate::problem::Problem;
use crate::store::access::api_keys;
use crate::store::access::sessions::{self, Session};
use crate::store::error::StoreError;
use crate::store::orgs;
use crate::store::pool::{Conn, in_org};
use crate::store::word::Stored;
use beeiq_core::diagnostics::Code;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// The use of a session or key is written down at most that often: reading is no writing.
const USE_WRITTEN_EVERY: Duration = Duration::minutes(5);

/// Finds who has the token of an `Authorization` header.
pub(crate) async fn authenticate(access: &Access, header: Option<&str>) -> Result<Caller, Problem> {
    let (kind, token) = header.and_then(bearer).and_then(parse).ok_or_else(unauthorized)?;
    let (public_id, tokens) = (token.org().to_owned(), token.hashes(&access.key));
    let now = clock::now();
    let unused_since = now - access.lifetime.idle;
    let found = access
        .db
        .run(move |conn| {
            let Some(org) = orgs::with_public_id(conn, &public_id)? else {
                return Ok(None);
            };
            in_org(conn, org.id, |conn| match kind {
                TokenKind::ApiKey => by_key(conn, org.id, &tokens, now),
                _ => by_session(conn, org.id, &tokens, unused_since, now),
            })
        })
        .await
        .map_err(|error: StoreError| Problem::from(error))?;
    found.ok_or_else(unauthorized)
}

fn by_session(
    conn: &mut Conn,
    org: Uuid,
    tokens: &[TokenHash],
    unused_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Caller>, StoreError> {
    let Some(found) = sessions::find(conn, org, tokens, unused_since, now)? else {
        return Ok(None);
    };
    let Session { id, user, role: Stored(role), groups } = found;
    if let Some(token) = tokens.first() {
        sessions::used(conn, org, id, token, (now, now - USE_WRITTEN_EVERY))?;
    }
    let actor = Actor { org, who: Who::User(user), role, groups, address: None };
    Ok(Some(Caller { session: Some(id), actor }))
}

fn by_key(
    conn: &mut Conn,
    org: Uuid,
    tokens: &[TokenHash],
    now: DateTime<Utc>,
) -> Result<Option<Caller>, StoreError> {
    let Some((id, name, Stored(role))) = api_keys::with_hash(conn, org, tokens, now)? else {
        return Ok(None);
    };
    if let Some(token) = tokens.first() {
        api_keys::used(conn, org, id, token, (now, now - USE_WRITTEN_EVERY))?;
    }
    let who = Who::ApiKey { id, name };
    let actor = Actor { org, who, role, groups: Vec::new(), address: None };
    Ok(Some(Caller { session: None, actor }))
}

fn parse(text: &str) -> Option<(TokenKind, Token<'_>)> {
    [TokenKind::Session, TokenKind::ApiKey]
        .into_iter()
        .find_map(|kind| Token::parse(kind, text).map(|token| (kind, token)))
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// 401, saying what to send.
pub(crate) fn unauthorized() -> Problem {
    Problem::new(
        Code::Unauthorized,
        "Send `Authorization: Bearer <token>` with the token of a session that has not ended, or \
         an API key that has not expired.",
    )
}
