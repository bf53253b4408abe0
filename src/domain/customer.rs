//! The three kinds of customer record, and how a path or a payload addresses one.

use uuid::Uuid;

/// What a customer record is (`listener.md` 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustomerKind {
    /// A person.
    Contact,
    /// A company.
    Account,
    /// Somebody who may become a customer.
    Lead,
}

impl CustomerKind {
    /// The word for it in answers and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Account => "account",
            Self::Lead => "lead",
        }
    }

    /// What its codes start with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Contact => "PID",
            Self::Account => "CID",
            Self::Lead => "LID",
        }
    }

    /// The code of its record of that number: `PID-12`.
    #[must_use]
    pub fn code(self, number: i64) -> String {
        format!("{}-{number}", self.prefix())
    }

    /// The listener's `contactType`: contact and account together are customers.
    #[must_use]
    pub const fn contact_type(self) -> &'static str {
        match self {
            Self::Contact | Self::Account => "customer",
            Self::Lead => "lead",
        }
    }

    /// The listener's `type`: 0 a person, 1 a company; a lead is 0.
    #[must_use]
    pub const fn type_number(self) -> u8 {
        match self {
            Self::Contact | Self::Lead => 0,
            Self::Account => 1,
        }
    }

    /// The world of identity it lives in: 0 customers, 1 leads.
    #[must_use]
    pub const fn world(self) -> i16 {
        match self {
            Self::Contact | Self::Account => 0,
            Self::Lead => 1,
        }
    }
}

/// How one record of a known kind is addressed (`api.md` 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRef {
    /// By its id.
    Id(Uuid),
    /// By its code: the n of `PID-n`.
    Code(i64),
}

impl RecordRef {
    /// Reads an id or a code in any case. `None` for anything else, codes of another kind included.
    #[must_use]
    pub fn parse(text: &str, kind: CustomerKind) -> Option<Self> {
        if let Ok(id) = Uuid::try_parse(text) {
            return Some(Self::Id(id));
        }
        let (prefix, digits) = text.split_once('-')?;
        let number: i64 = digits.parse().ok()?;
        // Only as codes are written: neither `PID-+1` nor `PID-01`.
        let is_code = prefix.eq_ignore_ascii_case(kind.prefix()) && number.to_string() == digits;
        is_code.then_some(Self::Code(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_an_id_or_a_code_of_the_kind_in_any_case() {
        let id = "0199f3c2-0000-7000-8000-000000000001";
        let cases = [
            (
                id,
                CustomerKind::Contact,
                Some(RecordRef::Id(Uuid::try_parse(id).unwrap())),
            ),
            ("PID-12", CustomerKind::Contact, Some(RecordRef::Code(12))),
            ("pid-12", CustomerKind::Contact, Some(RecordRef::Code(12))),
            ("Cid-1", CustomerKind::Account, Some(RecordRef::Code(1))),
            (
                "LID-9223372036854775807",
                CustomerKind::Lead,
                Some(RecordRef::Code(i64::MAX)),
            ),
            ("LID-9223372036854775808", CustomerKind::Lead, None),
            ("CID-12", CustomerKind::Contact, None),
            ("PID-12", CustomerKind::Lead, None),
            ("PID-012", CustomerKind::Contact, None),
            ("PID-+12", CustomerKind::Contact, None),
            ("PID-", CustomerKind::Contact, None),
            ("PID12", CustomerKind::Contact, None),
            ("12", CustomerKind::Contact, None),
            ("", CustomerKind::Contact, None),
        ];
        for (text, kind, expected) in cases {
            assert_eq!(
                RecordRef::parse(text, kind),
                expected,
                "{text:?} as {kind:?}"
            );
        }
    }

    #[test]
    fn a_kind_writes_its_codes_as_they_are_read() {
        for kind in [
            CustomerKind::Contact,
            CustomerKind::Account,
            CustomerKind::Lead,
        ] {
            assert_eq!(
                RecordRef::parse(&kind.code(7), kind),
                Some(RecordRef::Code(7))
            );
        }
    }
}
