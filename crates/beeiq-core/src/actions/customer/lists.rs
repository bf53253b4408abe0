//! The lists of a person or company, as payloads give them (`listener.md` 3).

use crate::batch::context::Context;
use crate::diagnostics::{Code, Pointer};
use crate::json::{Fields, Given, Longest};
use crate::records::customer::{
    Address, AddressType, ContactType, CountryEntry, Im, ImProtocol, Website,
};
use crate::values::country::Country;
use crate::values::email::Email;
use crate::values::phone::Phone;
use crate::values::text::{clean, fold};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// An e-mail with what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedEmail {
    /// Where its value stands.
    pub at: Pointer,
    /// What it is for, as far as it was said.
    pub r#type: Given<ContactType>,
    /// The address.
    pub email: Email,
}

/// A phone with what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedPhone {
    /// Where its value stands.
    pub at: Pointer,
    /// What it is for, as far as it was said.
    pub r#type: Given<ContactType>,
    /// The number.
    pub phone: Phone,
}

/// An address with what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedAddress {
    /// What it is for, as far as it was said.
    pub r#type: Given<AddressType>,
    /// The address; where nothing was said of its type, of the default one.
    pub address: Address,
}

/// `emails`: each once, by identity; one that comes again takes the later type.
pub fn read_emails(fields: &mut Fields<'_, '_>) -> Given<Vec<TypedEmail>> {
    let form = "[{\"type\": \"Work\", \"value\": \"ann@example.com\"}]";
    fields.list("emails", form).and_then(|entries| {
        let mut emails = Vec::new();
        for (at, value) in entries {
            let Some((r#type, text, at)) = read_typed_value(fields, at, value) else {
                continue;
            };
            match Email::parse(&text) {
                Ok(email) => emails.push(TypedEmail { at, r#type, email }),
                Err(error) => fields.diagnostics.fault(Code::InvalidEmail, &at, error.to_string()),
            }
        }
        let emails = each_once(emails, |typed| typed.email.key(), |typed| &mut typed.r#type);
        (!emails.is_empty()).then_some(emails)
    })
}

/// `phones`: each once, by identity; one that comes again takes the later type.
pub fn read_phones(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<Vec<TypedPhone>> {
    let form = "[{\"type\": \"Mobile\", \"value\": \"0905000001\"}]";
    fields.list("phones", form).and_then(|entries| {
        let mut phones = Vec::new();
        for (at, value) in entries {
            let Some((r#type, text, at)) = read_typed_value(fields, at, value) else {
                continue;
            };
            match Phone::parse(&text, context.directory.org.region) {
                Ok(phone) => phones.push(TypedPhone { at, r#type, phone }),
                Err(error) => fields.diagnostics.fault(Code::InvalidPhone, &at, error.to_string()),
            }
        }
        let phones = each_once(phones, |typed| typed.phone.key(), |typed| &mut typed.r#type);
        (!phones.is_empty()).then_some(phones)
    })
}

/// An entry `{type, value}` of `emails` or `phones`, with the place of its value.
fn read_typed_value<'v>(
    fields: &mut Fields<'v, '_>,
    at: Pointer,
    value: &'v Value,
) -> Option<(Given<ContactType>, Cow<'v, str>, Pointer)> {
    let mut entry = fields.entry(at, value, &["type", "value"])?;
    let r#type = entry.choice("type");
    let text = entry.borrowed_text("value", Longest::LINE).set()?;
    Some((r#type, text, entry.place("value")))
}

/// The first of each key; one that comes again gives it the later type.
fn each_once<T>(
    entries: Vec<T>,
    key: impl Fn(&T) -> &str,
    type_of: impl Fn(&mut T) -> &mut Given<ContactType>,
) -> Vec<T> {
    if entries.len() < 2 {
        return entries;
    }
    let mut once: Vec<T> = Vec::with_capacity(entries.len());
    let mut place_of: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    for mut entry in entries {
        match place_of.entry(key(&entry).to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(once.len());
                once.push(entry);
            }
            Entry::Occupied(there) => {
                if let Some(known) = once.get_mut(*there.get()).map(&type_of) {
                    *known = type_of(&mut entry).or(*known);
                }
            }
        }
    }
    once
}

/// `addresses`: one that says the same but for its type is there once.
pub fn read_addresses(fields: &mut Fields<'_, '_>) -> Given<Vec<TypedAddress>> {
    let form = "[{\"type\": \"Work\", \"street\": \"…\", \"city\": \"…\", \"country\": \"VN\"}]";
    fields.list("addresses", form).and_then(|entries| {
        let mut addresses: Vec<TypedAddress> = Vec::new();
        let several = entries.len() > 1;
        let mut seen = HashSet::new();
        for (at, value) in entries {
            let known = ["type", "street", "city", "state", "zip", "country"];
            let Some(mut entry) = fields.entry(at, value, &known) else {
                continue;
            };
            let r#type: Given<AddressType> = entry.choice("type");
            let address = Address {
                r#type: r#type.set().unwrap_or_default(),
                street: entry.text("street", Longest::LINE).set(),
                city: entry.text("city", Longest::LINE).set(),
                state: entry.text("state", Longest::LINE).set(),
                zip: entry.text("zip", Longest::LINE).set(),
                country: read_country(&mut entry),
            };
            if !several || seen.insert(address_key(&address)) {
                addresses.push(TypedAddress { r#type, address });
            }
        }
        (!addresses.is_empty()).then_some(addresses)
    })
}

/// What makes two addresses one: all but the type, in any case.
#[must_use]
pub fn address_key(address: &Address) -> String {
    let Address { r#type: _, street, city, state, zip, country } = address;
    let country = country.as_ref().map(|country| &country.name);
    [street.as_ref(), city.as_ref(), state.as_ref(), zip.as_ref(), country]
        .map(|part| part.map(|part| fold(part)).unwrap_or_default())
        .join("\n")
}

/// A country: `{code, name}`, a code, or a name.
fn read_country(entry: &mut Fields<'_, '_>) -> Option<CountryEntry> {
    let country = if let Given::Set(Value::Object(_)) = entry.value("country") {
        let mut parts = entry.object("country", &["code", "name"]).set()?;
        let code = parts.text("code", Longest::LINE).set();
        let name = parts.text("name", Longest::LINE).set();
        Country::from_code_and_name(code.as_deref(), name.as_deref())
    } else {
        Country::from_text(&entry.text("country", Longest::LINE).set()?)
    };
    country.map(|Country { code, name }| CountryEntry { code, name })
}

/// `websites`: `[{value}]`, `["…"]`, or one plain text.
pub fn read_websites(fields: &mut Fields<'_, '_>) -> Given<Vec<Website>> {
    if matches!(fields.value("websites"), Given::Set(Value::String(_))) {
        return fields
            .text("websites", Longest::LINE)
            .and_then(|value| Some(vec![Website { value }]));
    }
    fields.list("websites", "[{\"value\": \"example.com\"}]").and_then(|entries| {
        let mut websites: Vec<Website> = Vec::new();
        let mut seen = HashSet::new();
        for (at, value) in entries {
            let text = if value.is_string() {
                fields.scalar(&at, value, Longest::LINE)
            } else {
                fields
                    .entry(at, value, &["value"])
                    .and_then(|mut entry| entry.text("value", Longest::LINE).set())
            };
            if let Some(value) = text
                && seen.insert(fold(&value))
            {
                websites.push(Website { value });
            }
        }
        (!websites.is_empty()).then_some(websites)
    })
}

/// `im`: each once, by protocol and value.
pub fn read_im(fields: &mut Fields<'_, '_>) -> Given<Vec<Im>> {
    let form = "[{\"protocol\": \"Skype\", \"value\": \"…\"}]";
    fields.list("im", form).and_then(|entries| {
        let mut ims: Vec<Im> = Vec::new();
        let mut seen = HashSet::new();
        for (at, value) in entries {
            let Some(mut entry) = fields.entry(at, value, &["protocol", "value"]) else {
                continue;
            };
            let protocol: ImProtocol = entry.choice("protocol").set().unwrap_or_default();
            if let Some(value) = entry.text("value", Longest::LINE).set()
                && seen.insert((protocol, fold(&value)))
            {
                ims.push(Im { protocol, value });
            }
        }
        (!ims.is_empty()).then_some(ims)
    })
}

/// `tag`: `"a, b"`, split at commas, each once in any case.
pub fn read_tags(fields: &mut Fields<'_, '_>) -> Given<Vec<String>> {
    fields.borrowed_text("tag", Longest::TEXT).and_then(|text| {
        let mut seen = HashSet::new();
        let tags: Vec<String> = text
            .split(',')
            .map(clean)
            .filter(|tag| !tag.is_empty() && seen.insert(fold(tag)))
            .collect();
        if let Some(long) = tags.iter().find(|tag| tag.chars().count() > 255) {
            let shown: String = long.chars().take(40).collect();
            let message =
                format!("The tag \"{shown}…\" is longer than the 255 characters that it holds.");
            fields.fault("tag", Code::TooLong, message);
        }
        (!tags.is_empty()).then_some(tags)
    })
}
