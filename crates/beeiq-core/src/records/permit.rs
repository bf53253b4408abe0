//! Who may read a record (`listener.md` 5).

use uuid::Uuid;

/// A permit with its names resolved. "Me" is the record's owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Permit {
    /// Status 1: everybody in the org.
    #[default]
    Everybody,
    /// Status 2: the owner alone.
    OnlyMe,
    /// Status 3: the owner and a group.
    MeAndGroup(Uuid),
    /// Status 4: the owner and these users.
    MeAndUsers(Vec<Uuid>),
}

impl Permit {
    /// The permit of its stored parts. What is left of one whose group or users are missing is no
    /// wider than it was.
    pub fn from_parts(status: i16, group: Option<Uuid>, users: Vec<Option<Uuid>>) -> Self {
        match (status, group) {
            (1, _) => Self::Everybody,
            (3, Some(group)) => Self::MeAndGroup(group),
            (4, _) => Self::MeAndUsers(users.into_iter().flatten().collect()),
            _ => Self::OnlyMe,
        }
    }

    /// The status as payloads and the API number it, 1 to 4.
    pub const fn status(&self) -> i16 {
        match self {
            Self::Everybody => 1,
            Self::OnlyMe => 2,
            Self::MeAndGroup(_) => 3,
            Self::MeAndUsers(_) => 4,
        }
    }

    /// The group, for status 3.
    pub const fn group(&self) -> Option<Uuid> {
        match self {
            Self::MeAndGroup(group) => Some(*group),
            Self::Everybody | Self::OnlyMe | Self::MeAndUsers(_) => None,
        }
    }

    /// The users, for status 4.
    pub fn users(&self) -> &[Uuid] {
        match self {
            Self::MeAndUsers(users) => users,
            Self::Everybody | Self::OnlyMe | Self::MeAndGroup(_) => &[],
        }
    }
}
