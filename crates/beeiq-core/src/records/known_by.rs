//! By what a customer is recognised in what was sent about them.

use super::customer::CustomerCode;
use super::identity::IdentityKind;
use crate::values::email::Email;
use crate::values::passport::Passport;
use crate::values::phone::{Phone, Region};
use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;

/// The identifiers, code and id of a customer.
pub struct KnownBy {
    /// How the org's phone numbers are read.
    pub region: Region,
    /// In the forms in which they are compared.
    pub identities: HashSet<(IdentityKind, String)>,
    /// By which people call them.
    pub code: CustomerCode,
    /// By which programs do.
    pub id: Uuid,
}

impl KnownBy {
    /// Whether an action tells of them, in any field: also where it was refused for another one.
    #[must_use]
    pub fn is_told_by(&self, data: &Value) -> bool {
        self.is_in("", data)
    }

    fn is_in(&self, field: &str, value: &Value) -> bool {
        match value {
            Value::Null | Value::Bool(_) => false,
            Value::Number(number) => self.is(field, &number.to_string()),
            Value::String(text) => self.is(field, text),
            Value::Array(values) => values.iter().any(|value| self.is_in(field, value)),
            Value::Object(fields) => fields.iter().any(|(name, value)| self.is_in(name, value)),
        }
    }

    /// What is short, such as a passport, counts in its own field alone: elsewhere it may be anything.
    fn is(&self, field: &str, text: &str) -> bool {
        let text = text.trim();
        let has = |kind, key: &str| self.identities.contains(&(kind, key.to_owned()));
        match field.to_ascii_lowercase().as_str() {
            "contactid" => has(IdentityKind::ContactId, text),
            "externalid" => has(IdentityKind::External, text),
            "passport" => Passport::parse(text)
                .is_ok_and(|passport| has(IdentityKind::Passport, passport.key())),
            _ if text.contains('@') => {
                Email::parse(text).is_ok_and(|email| has(IdentityKind::Email, email.key()))
            }
            _ if CustomerCode::parse(text) == Some(self.code) => true,
            _ if text.parse() == Ok(self.id) => true,
            _ => {
                let digits = text.bytes().filter(u8::is_ascii_digit).count();
                digits >= SHORTEST_PHONE
                    && Phone::parse(text, self.region)
                        .is_ok_and(|phone| has(IdentityKind::Phone, phone.key()))
            }
        }
    }
}

/// Digits of a number that could be somebody's.
const SHORTEST_PHONE: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::customer::CustomerKind;
    use serde_json::json;

    #[test]
    fn an_action_tells_of_a_customer_by_any_identifier_however_it_is_written() {
        let identity = |kind, value: &str| (kind, value.to_owned());
        let known = KnownBy {
            region: Region::parse("VN").unwrap(),
            identities: HashSet::from([
                identity(IdentityKind::Email, "zebra@example.com"),
                identity(IdentityKind::Phone, "+84905000001"),
                identity(IdentityKind::Passport, "B123"),
                identity(IdentityKind::ContactId, "7"),
                identity(IdentityKind::External, "wolkvox:9"),
            ]),
            code: CustomerCode { kind: CustomerKind::Contact, number: 12 },
            id: Uuid::from_u128(5),
        };
        for (data, expected) in [
            (json!({"email": " Zebra@Example.com "}), true),
            (json!({"dealWith": {"emails": [{"value": "zebra@example.com"}]}}), true),
            (json!({"phones": ["0905 000 001"]}), true),
            (json!({"phones": [84905000001_u64]}), true),
            (json!({"passport": "b-123"}), true),
            (json!({"contactId": 7}), true),
            (json!({"customerId": "pid-12"}), true),
            (json!({"externalId": "wolkvox:9"}), true),
            (json!({"externalId": "iadvize:9", "id": "9"}), false),
            (json!({"id": Uuid::from_u128(5)}), true),
            (json!({"gender": 7, "name": "B123"}), false),
            (json!({"email": "other@example.com", "phones": ["0905000002"]}), false),
            (json!({"customerId": "LID-12"}), false),
            (json!({}), false),
        ] {
            assert_eq!(known.is_told_by(&data), expected, "{data}");
        }
    }
}
