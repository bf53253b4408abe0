//! Signing in, and recognising who has.

use super::{Actor, Session};
use crate::app::App;
use crate::clock;
use crate::db::in_org;
use crate::domain::email::Email;
use crate::domain::fault::Code;
use crate::domain::text::fold;
use crate::error::{Problem, StoreError};
use crate::http::caller::caller;
use crate::secrets::{Token, TokenKind, new_token};
use crate::store::sign_in_failures::Attempt;
use crate::store::users::Profile;
use crate::store::{orgs, sessions, sign_in_failures, users};
use actix_web::http::header;
use actix_web::{HttpRequest, web};
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

/// How long a session lasts, used or not.
const LIFETIME: Duration = Duration::days(30);

/// Somebody who has signed in.
pub struct SignedIn {
    /// The token, which is kept nowhere.
    pub token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Who it is.
    pub user: Profile,
}

/// Signs in (`api.md` 3). Wrong org, e-mail or password: one and the same answer, in the same time.
///
/// # Errors
/// 401, and 429 after ten failures in a row for that org and e-mail.
pub async fn sign_in(
    app: &App,
    org_slug: &str,
    email: &str,
    password: String,
) -> Result<SignedIn, Problem> {
    let slug = fold(org_slug);
    let email_key = Email::parse(email).map_or_else(|_| fold(email), |it| it.key().to_owned());
    let subject = app.key.token_hash("sign-in", &format!("{slug}\n{email_key}"));
    let now = clock::now();
    let known = app
        .db
        .run(move |conn| {
            if let Attempt::Blocked(until) = sign_in_failures::count(conn, &subject, now)? {
                return Err(too_many(until - now));
            }
            let org = orgs::with_slug(conn, &slug)?;
            // An org that does not exist is asked for its user all the same, to take the time.
            let id = org.as_ref().map_or(Uuid::nil(), |org| org.id);
            let user = in_org(conn, id, |conn| users::credentials(conn, id, &email_key))?;
            Ok(org.zip(user).map(|(org, (user, hash))| (org, user, hash)))
        })
        .await?;
    let hash = known.as_ref().and_then(|(_, _, hash)| hash.clone());
    let verified = app.passwords.verify(password, hash).await?;
    let Some((org, user, _)) = known.filter(|_| verified) else {
        return Err(refused());
    };
    let token = new_token(TokenKind::Session, &org.public_id);
    let token_hash = app.key.token_hash(TokenKind::Session.purpose(), &token);
    let expires_at = now + LIFETIME;
    let profile = app
        .db
        .in_org(org.id, move |conn| {
            sign_in_failures::clear(conn, &subject, now)?;
            let session = sessions::NewSession {
                id: clock::new_id(),
                user,
                token_hash: &token_hash,
                expires_at,
            };
            sessions::create(conn, org.id, &session, now)?;
            users::profile(conn, org.id, user)?.ok_or_else(refused)
        })
        .await?;
    Ok(SignedIn { token, expires_at, user: profile })
}

/// Finds the session of a request's bearer token.
///
/// # Errors
/// 401.
pub async fn authenticate(request: &HttpRequest) -> Result<Session, Problem> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(unauthorized)?;
    let token = bearer(request).and_then(|text| Token::parse(TokenKind::Session, text));
    let token = token.ok_or_else(unauthorized)?;
    let (public_id, hash) = (token.org().to_owned(), token.hash(&app.key));
    let now = clock::now();
    let found = app
        .db
        .run(move |conn| {
            let Some(org) = orgs::with_public_id(conn, &public_id)? else {
                return Ok(None);
            };
            in_org(conn, org.id, |conn| sessions::find(conn, org.id, &hash, now))
        })
        .await
        .map_err(|error: StoreError| Problem::from(error))?;
    let peer = request.peer_addr().map(|peer| peer.ip());
    let address = peer.and_then(|peer| caller(peer, request.headers(), &app.trusted_proxies));
    found
        .map(|(id, actor)| Session { id, actor: Actor { address, ..actor } })
        .ok_or_else(unauthorized)
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthorized() -> Problem {
    Problem::new(
        Code::Unauthorized,
        "Send `Authorization: Bearer <token>` with the token of a session that has not ended.",
    )
}

fn refused() -> Problem {
    Problem::new(Code::Unauthorized, "No active user of that org has that e-mail and password.")
}

fn too_many(wait: Duration) -> Problem {
    let seconds = wait.num_seconds().max(0).unsigned_abs() + 1;
    let detail = format!("Too many failed sign-ins; try again in {seconds} seconds.");
    Problem::new(Code::TooManyAttempts, detail).retry_after(seconds)
}
