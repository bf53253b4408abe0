//! What makes two customers one: the identifiers, and the form in which they are compared
//! (`listener.md` 3, "Identity").

use crate::words;

/// Contacts and accounts together are one world of identity, leads another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum World {
    /// Contacts and accounts.
    Customer,
    /// Leads.
    Lead,
}

words! {
    /// What kind of identifier, in the order in which a match counts; as payloads and answers
    /// (`matchedBy`) name it.
    pub enum IdentityKind {
        /// The id that a source has for the customer, as `source:id` (`connections.md` 1): it is kept
        /// in a table of its own.
        External => "externalId",
        /// The sender's own identifier, compared to the letter.
        ContactId => "contactId",
        /// Upper case without spaces or hyphens.
        Passport => "passport",
        /// Lower case, domain in IDNA ASCII.
        Email => "email",
        /// E.164, or the digits alone.
        Phone => "phone",
        /// Not an identifier of the payload: an account's name, claimed so that two requests that
        /// name the same new company make one (`listener.md` 4).
        CompanyName => "companyName",
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
