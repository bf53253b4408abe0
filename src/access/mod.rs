//! Who is asking: sign-in, sessions, API keys, roles.

pub mod bearer;
pub mod passwords;
pub mod throttle;

pub use beeiq_core::records::user::Role;

use crate::config::SessionSettings;
use crate::problem::Problem;
pub use crate::secrets;
use crate::store::pool::Db;
use beeiq_core::diagnostics::Code;
use chrono::Duration;
use passwords::Passwords;
use secrets::SecretKey;
use std::net::IpAddr;
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
    pub key: SecretKey,
    pub passwords: Passwords,
    pub lifetime: Lifetime,
}

/// As whom somebody calls the management API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A user who has signed in.
    User(Uuid),
    /// A program with a key of the org.
    ApiKey {
        /// The key's id.
        id: Uuid,
        /// The key's name.
        name: String,
    },
}

/// The caller of the management API.
#[derive(Clone, Debug)]
pub struct Actor {
    /// All that they can see is of it.
    pub org: Uuid,
    pub who: Who,
    pub role: Role,
    /// An API key is in none.
    pub groups: Vec<Uuid>,
    /// The address that they call from, where it can be told.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// None for an API key: it owns nothing, and is no one whom a permit names.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        match self.who {
            Who::User(id) => Some(id),
            Who::ApiKey { .. } => None,
        }
    }

    /// Passes owner and admins.
    pub fn must_be_admin(&self) -> Result<(), Problem> {
        match self.role {
            Role::Owner | Role::Admin => Ok(()),
            Role::Member => Err(Problem::new(
                Code::Forbidden,
                "Only the owner and the admins of the org may do this.",
            )),
        }
    }

    /// Whether permits do not limit what they read: owner and admin see all (`listener.md` 5).
    #[must_use]
    pub fn sees_all(&self) -> bool {
        matches!(self.role, Role::Owner | Role::Admin)
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
