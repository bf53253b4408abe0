//! `contactType`: whether a customer or a lead is meant (`listener.md` 3).

use crate::json::{Fields, Given};
use crate::records::identity::World;
use crate::words;

words! {
    /// What `contactType` says.
    pub enum ContactKind {
        /// A contact or an account.
        Customer => "customer",
        Lead => "lead",
    }
}

impl ContactKind {
    /// The world of identity of such records.
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
