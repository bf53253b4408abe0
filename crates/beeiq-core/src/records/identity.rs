//! What makes two customers one: the identifiers, and the form in which they are compared
//! (`listener.md` 3, "Identity").

use serde::{Deserialize, Serialize};

/// Contacts and accounts together are one world of identity, leads another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum World {
    /// Contacts and accounts.
    Customer,
    /// Leads.
    Lead,
}

/// What kind of identifier, in the order in which a match counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IdentityKind {
    /// The sender's own identifier, compared to the letter.
    #[serde(rename = "contactId")]
    ContactId,
    /// Upper case without spaces or hyphens.
    #[serde(rename = "passport")]
    Passport,
    /// Lower case, domain in IDNA ASCII.
    #[serde(rename = "email")]
    Email,
    /// E.164, or the digits alone.
    #[serde(rename = "phone")]
    Phone,
    /// Not an identifier of the payload: an account's name, claimed so that two requests that name
    /// the same new company make one (`listener.md` 4).
    #[serde(rename = "companyName")]
    CompanyName,
}

impl IdentityKind {
    /// The kind as payloads and answers (`matchedBy`) name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContactId => "contactId",
            Self::Passport => "passport",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CompanyName => "companyName",
        }
    }
}

/// One identifier in the form in which it is compared. At most one customer of a world holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Among whom.
    pub world: World,
    /// What it is.
    pub kind: IdentityKind,
    /// The normal form.
    pub value: String,
}

impl Identity {
    /// An identity of that world.
    pub fn new(world: World, kind: IdentityKind, value: impl Into<String>) -> Self {
        Self { world, kind, value: value.into() }
    }
}
