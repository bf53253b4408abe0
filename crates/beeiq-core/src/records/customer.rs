//! The customer record: contact, account or lead (`listener.md` 3).

use super::identity::World;
use super::permit::Permit;
use crate::values::custom_field::Model;
use crate::words;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

words! {
    /// The three kinds of customer record.
    pub enum CustomerKind {
        /// A person, `PID-n`.
        Contact => "contact",
        /// A company, `CID-n`.
        Account => "account",
        /// A person not yet a customer, `LID-n`.
        Lead => "lead",
    }
}

impl CustomerKind {
    /// What its codes begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Contact => "PID",
            Self::Account => "CID",
            Self::Lead => "LID",
        }
    }

    /// The world of identity it lives in.
    #[must_use]
    pub const fn world(self) -> World {
        match self {
            Self::Contact | Self::Account => World::Customer,
            Self::Lead => World::Lead,
        }
    }

    /// Whose custom fields it has.
    #[must_use]
    pub const fn model(self) -> Model {
        match self {
            Self::Contact => Model::Contact,
            Self::Account => Model::Account,
            Self::Lead => Model::Lead,
        }
    }
}

/// A customer's visible code: `PID-12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerCode {
    /// Which kind's.
    pub kind: CustomerKind,
    /// The number, counted up per org and kind.
    pub number: i64,
}

impl CustomerCode {
    /// Reads `PID-12` in any case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, digits) = text.trim().split_once('-')?;
        let kind = CustomerKind::ALL
            .into_iter()
            .find(|kind| kind.prefix().eq_ignore_ascii_case(prefix))?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { kind, number: digits.parse().ok()? })
    }
}

impl fmt::Display for CustomerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.prefix(), self.number)
    }
}

words! {
    /// What an e-mail or phone is for.
    #[derive(Default)]
    pub enum ContactType {
        Work => "Work",
        Home => "Home",
        Mobile => "Mobile",
        #[default]
        Other => "Other",
    }
}

words! {
    /// What an address is for.
    #[derive(Default)]
    pub enum AddressType {
        Work => "Work",
        Home => "Home",
        #[default]
        Other => "Other",
    }
}

words! {
    /// Which messenger.
    #[derive(Default)]
    pub enum ImProtocol {
        Skype => "Skype",
        Facebook => "Facebook",
        Yahoo => "Yahoo",
        Viber => "Viber",
        Hangouts => "Hangouts",
        #[default]
        Other => "Other",
    }
}

/// An e-mail address of a customer, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailEntry {
    /// What it is for.
    pub r#type: ContactType,
    /// As typed.
    pub value: String,
}

/// A phone of a customer, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneEntry {
    /// What it is for.
    pub r#type: ContactType,
    /// As typed.
    pub value: String,
    /// The number meant, where it is one.
    pub e164: Option<String>,
}

/// An address, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words say it")]
pub struct Address {
    pub r#type: AddressType,
    pub street: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub zip: Option<String>,
    pub country: Option<CountryEntry>,
}

/// A country, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountryEntry {
    /// ISO 3166-1 alpha-2, where it is a country.
    pub code: Option<String>,
    /// Its name, or what was sent instead.
    pub name: String,
}

/// A website, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Website {
    /// As typed.
    pub value: String,
}

/// A messenger account, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Im {
    /// Which messenger.
    pub protocol: ImProtocol,
    /// As typed.
    pub value: String,
}

/// The whole record, as it is written.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the specification's own words, listener.md 3")]
pub struct Customer {
    pub id: Uuid,
    pub code: CustomerCode,
    pub contact_id: Option<String>,
    pub name: String,
    pub lastname: Option<String>,
    pub title: Option<String>,
    pub passport: Option<String>,
    pub gender: i16,
    pub bg_info: Option<String>,
    pub date_of_birth: Option<NaiveDate>,
    pub emails: Vec<EmailEntry>,
    pub phones: Vec<PhoneEntry>,
    pub addresses: Vec<Address>,
    pub websites: Vec<Website>,
    pub im: Vec<Im>,
    pub cus_fields: BTreeMap<Uuid, String>,
    pub permit: Permit,
    pub company: Option<Uuid>,
    pub source: Option<Uuid>,
    pub owner: Uuid,
    pub tags: Vec<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_in_any_case_and_nothing_else_is_one() {
        let pid = |number| Some(CustomerCode { kind: CustomerKind::Contact, number });
        for (text, code) in [
            ("PID-12", pid(12)),
            (" pid-12 ", pid(12)),
            ("PID-007", pid(7)),
            ("PID-", None),
            ("PID--1", None),
            ("PID-+1", None),
            ("PID-99999999999999999999", None),
            ("TID-1", None),
            ("12", None),
            ("", None),
        ] {
            assert_eq!(CustomerCode::parse(text), code, "{text}");
        }
    }

    #[test]
    fn a_code_reads_as_it_is_written() {
        for kind in CustomerKind::ALL {
            let code = CustomerCode { kind, number: 41 };
            assert_eq!(CustomerCode::parse(&code.to_string()), Some(code));
        }
    }
}
