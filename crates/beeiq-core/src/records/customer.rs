//! The customer record: contact, account or lead (`listener.md` 3).

use super::identity::World;
use super::permit::Permit;
use crate::values::custom_field::Model;
use crate::words;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use utoipa::ToSchema;
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
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Contact => "PID",
            Self::Account => "CID",
            Self::Lead => "LID",
        }
    }

    /// The world of identity it lives in.
    pub const fn world(self) -> World {
        match self {
            Self::Contact | Self::Account => World::Customer,
            Self::Lead => World::Lead,
        }
    }

    /// Whose custom fields it has.
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

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmailEntry {
    /// `Work`, `Home`, `Mobile` or `Other`.
    #[schema(value_type = String)]
    pub r#type: ContactType,
    /// The address as it was typed.
    pub value: String,
}

/// A phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PhoneEntry {
    /// `Work`, `Home`, `Mobile` or `Other`.
    #[schema(value_type = String)]
    pub r#type: ContactType,
    /// The number as it was typed.
    pub value: String,
    /// The number in E.164, where it is one.
    pub e164: Option<String>,
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AddressEntry)]
pub struct Address {
    /// `Work`, `Home` or `Other`.
    #[schema(value_type = String)]
    pub r#type: AddressType,
    /// Street and number.
    pub street: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The state or province.
    pub state: Option<String>,
    /// The postal code.
    pub zip: Option<String>,
    /// The country.
    pub country: Option<CountryEntry>,
}

/// A country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CountryBody)]
pub struct CountryEntry {
    /// ISO 3166-1 alpha-2; null where the name is of no country known.
    pub code: Option<String>,
    /// Its name.
    pub name: String,
}

/// A website.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WebsiteEntry)]
pub struct Website {
    /// Its address.
    pub value: String,
}

/// An instant messaging name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImEntry)]
pub struct Im {
    /// `Skype`, `Facebook`, `Yahoo`, `Viber`, `Hangouts` or `Other`.
    #[schema(value_type = String)]
    pub protocol: ImProtocol,
    /// The name there.
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

/// `gender` where none is given: other.
pub const GENDER_OTHER: i16 = 2;

impl Customer {
    /// One with nothing in it.
    pub fn new(id: Uuid, code: CustomerCode, owner: Uuid, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            code,
            contact_id: None,
            name: String::new(),
            lastname: None,
            title: None,
            passport: None,
            gender: GENDER_OTHER,
            bg_info: None,
            date_of_birth: None,
            emails: Vec::new(),
            phones: Vec::new(),
            addresses: Vec::new(),
            websites: Vec::new(),
            im: Vec::new(),
            cus_fields: BTreeMap::new(),
            permit: Permit::Everybody,
            company: None,
            source: None,
            owner,
            tags: Vec::new(),
            created_at,
            updated_at: created_at,
        }
    }
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
