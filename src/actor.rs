//! Who acts: the caller of the management API.

use crate::problem::Problem;
use beeiq_core::diagnostics::Code;
use beeiq_core::records::user::Role;
use std::net::IpAddr;
use uuid::Uuid;

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
    /// Their org: all that they can see is of it.
    pub org: Uuid,
    /// As whom they call.
    pub who: Who,
    /// What they may do.
    pub role: Role,
    /// The groups that they are in; an API key is in none.
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
