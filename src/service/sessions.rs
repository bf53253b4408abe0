//! Signing in and out, and who is signed in.

use crate::access::secrets::{TokenKind, new_token};
use crate::access::throttle::{Attempt, Subjects};
use crate::access::{Access, Actor, Session, Who};
use crate::clock;
use crate::problem::{Problem, Result};
use crate::store::access::sessions;
use crate::store::audit::{self, Author, NewLine, Subject};
use crate::store::error::StoreError;
use crate::store::orgs::{self, OrgRow};
use crate::store::pool::{Conn, Db, in_org};
use crate::store::settings::users::{self, User};
use beeiq_core::diagnostics::Code;
use beeiq_core::records::audit::Action;
use beeiq_core::values::email::Email;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::net::IpAddr;
use uuid::Uuid;

/// Somebody who has signed in.
pub(crate) struct SignedIn {
    /// The token, which is kept nowhere.
    pub(crate) token: String,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) user: User,
}

/// Signs in (`api.md` 3). Wrong org, e-mail or password: one and the same answer, in the same time.
pub(crate) async fn sign_in(
    access: &Access,
    org_slug: &str,
    email: &str,
    password: String,
    address: IpAddr,
) -> Result<SignedIn> {
    let slug = fold(org_slug);
    let email_key = Email::parse(email).map_or_else(|_| fold(email), |it| it.key().to_owned());
    let now = clock::now();
    let subjects = Subjects::new(&slug, &email_key, address, now);
    let (known, after, last) = access
        .db
        .run(move |conn| {
            let (after, last) = match subjects.count(conn, now)? {
                Attempt::Allowed { after, last } => (after, last),
                Attempt::Blocked(wait) => return Err(too_many(wait)),
            };
            let org = orgs::with_slug(conn, &slug)?;
            // An org that does not exist is asked for its user all the same, to take the time.
            let id = org.as_ref().map_or(Uuid::nil(), |org| org.id);
            let user = in_org(conn, id, |conn| users::credentials(conn, id, &email_key))?;
            Ok((org.zip(user).map(|(org, (user, hash))| (org, user, hash)), after, last))
        })
        .await?;
    tokio::time::sleep(after.to_std().unwrap_or_default()).await;
    let hash = known.as_ref().and_then(|(_, _, hash)| hash.clone());
    let verified = match access.passwords.verify(password, hash).await {
        Ok(verified) => verified,
        Err(problem) => {
            access.db.run(move |conn| subjects.not_made(conn)).await?;
            return Err(problem);
        }
    };
    let Some((org, user, _)) = known else {
        tracing::warn!(%address, "a sign-in failed: there is no such user");
        return Err(refused());
    };
    if !verified {
        let failed = Failed { org: org.id, user, address, last };
        // Not before the answer: that of a user who does not exist would come sooner.
        tokio::spawn(failed.record(access.db.clone()));
        return Err(refused());
    }
    let token = new_token(TokenKind::Session, &org.public_id);
    let token_hash = access.key.token_hash(TokenKind::Session, &token);
    let expires_at = now + access.lifetime.longest;
    let profile = access
        .db
        .run(move |conn| {
            subjects.succeeded(conn, now)?;
            in_org(conn, org.id, |conn| {
                let session = sessions::NewSession {
                    id: clock::new_id(),
                    user,
                    token: &token_hash,
                    expires_at,
                };
                sessions::create(conn, org.id, &session, now)?;
                record(conn, (org.id, user, address), Author::User(user), Action::SignedIn)?;
                users::find(conn, org.id, user)?.ok_or_else(refused)
            })
        })
        .await?;
    tracing::info!(org = %org.id, %user, %address, "signed in");
    Ok(SignedIn { token, expires_at, user: profile })
}

/// A wrong password of a user that there is.
pub(super) struct Failed {
    pub(super) org: Uuid,
    pub(super) user: Uuid,
    pub(super) address: IpAddr,
    /// Whether the next ones from there are not looked at.
    pub(super) last: bool,
}

impl Failed {
    pub(super) async fn record(self, db: Db) {
        let Self { org, user, address, last } = self;
        tracing::warn!(%org, %user, %address, locked_out = last, "a sign-in failed");
        let lines = move |conn: &mut Conn| {
            let about = (org, user, address);
            record(conn, about, Author::Nobody, Action::SignInFailed)?;
            if last {
                record(conn, about, Author::Nobody, Action::LockedOut)?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = db.in_org(org, lines).await {
            tracing::error!(%error, "a failed sign-in is missing in the audit log");
        }
    }
}

fn record(
    conn: &mut Conn,
    (org, user, address): (Uuid, Uuid, IpAddr),
    author: Author<'_>,
    action: Action,
) -> Result<(), StoreError> {
    let name = users::find(conn, org, user)?.map_or_else(String::new, |user| user.email);
    let subject = Subject { resource: "sessions", id: &user.to_string(), name: &name };
    let (address, changes) = (Some(address), &json!({}));
    audit::record(conn, org, NewLine { author, address, action, subject, changes })
}

pub(crate) async fn sign_out(access: &Access, session: Session) -> Result<()> {
    let Session { id, actor } = session;
    Ok(access.db.in_org(actor.org, move |conn| sessions::delete(conn, actor.org, id)).await?)
}

/// The caller's org, and the caller where they are a user.
pub(crate) fn me(conn: &mut Conn, actor: &Actor) -> Result<(OrgRow, Option<User>)> {
    let gone = || Problem::not_found("user");
    let org = orgs::with_id(conn, actor.org)?.ok_or_else(gone)?;
    let user = match actor.who {
        Who::User(id) => Some(users::find(conn, actor.org, id)?.ok_or_else(gone)?),
        Who::ApiKey { .. } => None,
    };
    Ok((org, user))
}

fn refused() -> Problem {
    Problem::new(Code::Unauthorized, "No active user of that org has that e-mail and password.")
}

pub(super) fn too_many(wait: Duration) -> Problem {
    let seconds = wait.num_seconds().max(0).unsigned_abs() + 1;
    let detail = format!("Too many failed sign-ins; try again in {seconds} seconds.");
    Problem::new(Code::TooManyAttempts, detail).retry_after(seconds)
}
