//! Who is asking: sign-in, sessions, API keys, roles.

pub mod bearer;
pub mod passwords;
pub(crate) mod signature;
pub mod throttle;

pub use crate::actor::{Actor, Who};
pub use beeiq_core::records::user::Role;

use crate::config::SessionSettings;
pub use crate::secrets;
use crate::store::pool::Db;
use chrono::Duration;
use passwords::Passwords;
use secrets::Keyring;
use uuid::Uuid;

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// One that is not used.
    pub idle: Duration,
    /// Any.
    pub longest: Duration,
}

impl From<SessionSettings> for Lifetime {
    fn from(settings: SessionSettings) -> Self {
        Self {
            idle: Duration::hours(settings.session_idle_hours.into()),
            longest: Duration::days(settings.session_days.into()),
        }
    }
}

/// What signing in and recognising callers needs.
pub struct Access {
    pub db: Db,
    pub key: Keyring,
    pub passwords: Passwords,
    pub lifetime: Lifetime,
}

impl Access {
    pub(crate) fn new(db: Db, key: Keyring, sessions: SessionSettings) -> anyhow::Result<Self> {
        Ok(Self { db, key, passwords: Passwords::new()?, lifetime: sessions.into() })
    }
}

/// The caller, and the session where there is one.
#[derive(Clone, Debug)]
pub struct Caller {
    /// None: it is an API key.
    pub session: Option<Uuid>,
    pub actor: Actor,
}

/// The caller and their session. As an argument of a handler: only who has signed in may; 403 for an
/// API key.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: Uuid,
    pub actor: Actor,
}
