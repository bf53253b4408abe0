//! What the unique and foreign-key constraints of the schema mean to whoever meets one: the one
//! table of their names.

use beeiq_core::diagnostics::{Code, Fault};

/// The name of a constraint that refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint(pub(super) String);

/// What a constraint holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A value that a person chose is another's already.
    Taken(Taken),
    /// Two programs chose the same id, number or token: to be done again.
    Raced,
    /// What is named is gone, or what is deleted is in use.
    Reference,
}

/// A value that is another's: what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    code: Code,
    pointer: &'static str,
    /// With `{what}` for the kind of thing, and `{value}` for the value.
    message: &'static str,
}

const fn taken(code: Code, pointer: &'static str, message: &'static str) -> Meaning {
    Meaning::Taken(Taken { code, pointer, message })
}

/// By the constraint's name, or what it ends in. The first that fits counts.
const MEANINGS: &[(&str, Meaning)] = &[
    (
        "users_email_unique",
        taken(Code::NameTaken, "/email", "Another {what} has the e-mail \"{value}\"."),
    ),
    ("orgs_slug_key", taken(Code::SlugTaken, "/slug", "Another {what} has the slug \"{value}\".")),
    (
        "org_currencies_pkey",
        taken(Code::NameTaken, "/code", "The org has the {what} \"{value}\" already."),
    ),
    (
        "*_name_unique",
        taken(Code::NameTaken, "/name", "Another {what} is called \"{value}\", in any case."),
    ),
    ("orgs_public_id_key", Meaning::Raced),
    ("org_currencies_id_unique", Meaning::Raced),
    ("customers_code_unique", Meaning::Raced),
    ("tickets_code_unique", Meaning::Raced),
    ("deals_deal_id_unique", Meaning::Raced),
    ("activities_external_id_unique", Meaning::Raced),
    ("*_token_unique", Meaning::Raced),
    ("*_pkey", Meaning::Raced),
    ("*_fkey", Meaning::Reference),
];

impl Constraint {
    /// None: the table has to be told.
    #[must_use]
    pub fn meaning(name: &str) -> Option<Meaning> {
        MEANINGS
            .iter()
            .find(|(known, _)| match known.strip_prefix('*') {
                Some(end) => name.ends_with(end),
                None => name == *known,
            })
            .map(|(_, meaning)| *meaning)
    }

    /// The fault of a value that is taken; none where no person chose it.
    pub(crate) fn fault(&self, what: &str, value: &str) -> Option<Fault> {
        let Some(Meaning::Taken(Taken { code, pointer, message })) = Self::meaning(&self.0) else {
            return None;
        };
        let message = message.replace("{what}", what).replace("{value}", value);
        Some(Fault::new(code, pointer, message))
    }
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
