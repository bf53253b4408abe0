//! Who is asking: sign-in, sessions, API keys, roles.

pub mod bearer;
pub mod passwords;
pub mod sessions;
pub mod throttle;

use crate::problem::Problem;
pub use crate::secrets;
use crate::store::error::StoreError;
use crate::store::pool::Db;
use beeiq_core::diagnostics::Code;
use passwords::Passwords;
use secrets::SecretKey;
use serde::{Deserialize, Serialize};
use sessions::Lifetime;
use std::net::IpAddr;
use utoipa::ToSchema;
use uuid::Uuid;

/// What signing in and recognising callers needs.
pub struct Access {
    /// The database.
    pub db: Db,
    /// The key of tokens.
    pub key: SecretKey,
    /// Verifies passwords.
    pub passwords: Passwords,
    /// How long sessions last.
    pub lifetime: Lifetime,
}

/// What a user or an API key may do (`api.md` 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but owners and the org itself.
    Admin,
    /// Reads the records that permits let him see, and his own profile.
    Member,
}

impl Role {
    /// Its name in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role that a column holds.
    ///
    /// # Errors
    /// For what the column's check does not allow.
    pub fn of_column(text: &str) -> Result<Self, StoreError> {
        [Self::Owner, Self::Admin, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| StoreError::unreadable(&format!("\"{text}\" is no role")))
    }
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
    /// His org: all he can see is of it.
    pub org: Uuid,
    /// Who he is.
    pub who: Who,
    /// His role.
    pub role: Role,
    /// The groups he is in; an API key is in none.
    pub groups: Vec<Uuid>,
    /// The address he calls from, where it can be told.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// His user id. An API key has none: it owns nothing, and is no one whom a permit names.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        match self.who {
            Who::User(id) => Some(id),
            Who::ApiKey { .. } => None,
        }
    }

    /// Passes owner and admins.
    ///
    /// # Errors
    /// 403 for members.
    pub fn must_be_admin(&self) -> Result<(), Problem> {
        match self.role {
            Role::Owner | Role::Admin => Ok(()),
            Role::Member => Err(Problem::new(
                Code::Forbidden,
                "Only the owner and the admins of the org may do this.",
            )),
        }
    }

    /// Whether permits do not limit what he reads: owner and admin see all (`listener.md` 5).
    #[must_use]
    pub fn sees_all(&self) -> bool {
        matches!(self.role, Role::Owner | Role::Admin)
    }
}

/// The caller, and his session where he has one.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The session's id; none: he has an API key.
    pub session: Option<Uuid>,
    /// Who is calling.
    pub actor: Actor,
}

/// The caller and his session. As an argument of a handler: only who has signed in may; 403 for an
/// API key.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session's id.
    pub id: Uuid,
    /// Who is signed in.
    pub actor: Actor,
}
