//! Who is asking: sign-in, sessions, roles.

pub mod passwords;

use uuid::Uuid;

/// What a user may do (`api.md` 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Owner,
    /// Everything but owners and the org itself.
    Admin,
    /// Reads the records that permits let him see, and his own profile.
    Member,
}

/// The signed-in caller of the management API.
#[derive(Clone, Debug)]
pub struct Actor {
    /// His org: all he can see is of it.
    pub org: Uuid,
    /// His user id.
    pub user: Uuid,
    /// His role.
    pub role: Role,
    /// The groups he is in.
    pub groups: Vec<Uuid>,
}

impl Actor {
    /// Whether permits do not limit what he reads: owner and admin see all (`listener.md` 5).
    #[must_use]
    pub fn sees_all(&self) -> bool {
        matches!(self.role, Role::Owner | Role::Admin)
    }
}
