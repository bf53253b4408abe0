//! `contactType`: whether a customer or a lead is meant (`listener.md` 3).

use crate::json::{Fields, Given};
use crate::records::customer::Choice;
use crate::records::identity::World;

/// What `contactType` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactKind {
    /// A contact or an account.
    Customer,
    /// A lead.
    Lead,
}

impl Choice for ContactKind {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Customer, "customer"), (Self::Lead, "lead")];
}

impl ContactKind {
    /// The world of identity of such records.
    #[must_use]
    pub const fn world(self) -> World {
        match self {
            Self::Customer => World::Customer,
            Self::Lead => World::Lead,
        }
    }
}

/// Reads `contactType`.
pub fn read_contact_type(fields: &mut Fields<'_, '_>) -> Given<ContactKind> {
    fields.choice("contactType")
}
