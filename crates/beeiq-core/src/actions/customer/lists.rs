//! The lists of a person or company, as payloads give them (`listener.md` 3).

use crate::batch::Context;
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
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// An e-mail address or phone number, with what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed<V> {
    /// Where its value stands.
    pub at: Pointer,
    /// What it is for, as far as it was said.
    pub r#type: Given<ContactType>,
    pub value: V,
}

/// What people are reached by: an e-mail address or a phone number.
pub trait Reach: Sized {
    /// The field that names one.
    const ONE: &str;
    /// The field that lists several, and what that looks like.
    const LIST: &str;
    const FORM: &str;
    const INVALID: Code;

    fn parse_in(text: &str, context: Context<'_>) -> Result<Self, String>;

    fn identity(&self) -> &str;

    /// Reads the text that the field `name` has; a fault where it is none.
    fn read(
        fields: &mut Fields<'_, '_>,
        name: &str,
        text: &str,
        context: Context<'_>,
    ) -> Option<Self> {
        let read = Self::parse_in(text, context);
        read.map_err(|message| fields.fault(name, Self::INVALID, message)).ok()
    }
}

impl Reach for Email {
    const ONE: &str = "email";
    const LIST: &str = "emails";
    const FORM: &str = "[{\"type\": \"Work\", \"value\": \"ann@example.com\"}]";
    const INVALID: Code = Code::InvalidEmail;

    fn parse_in(text: &str, _: Context<'_>) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }

    fn identity(&self) -> &str {
        self.key()
    }
}

impl Reach for Phone {
    const ONE: &str = "phone";
    const LIST: &str = "phones";
    const FORM: &str = "[{\"type\": \"Mobile\", \"value\": \"0905000001\"}]";
    const INVALID: Code = Code::InvalidPhone;

    fn parse_in(text: &str, context: Context<'_>) -> Result<Self, String> {
        Self::parse(text, context.directory.org.region).map_err(|error| error.to_string())
    }

    fn identity(&self) -> &str {
        self.key()
    }
}

/// An address with what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedAddress {
    /// What it is for, as far as it was said.
    pub r#type: Given<AddressType>,
    /// The address; where nothing was said of its type, of the default one.
    pub address: Address,
}

/// `emails` or `phones`: each once, by identity; one that comes again takes the later type.
pub fn read_typed<V: Reach>(
    fields: &mut Fields<'_, '_>,
    context: Context<'_>,
) -> Given<Vec<Typed<V>>> {
    let entries = fields.entries(V::LIST, V::FORM, |fields, at, value| {
        let mut entry = fields.entry(at, value, &["type", "value"])?;
        let r#type = entry.choice("type");
        let text = entry.borrowed_text("value", Longest::LINE).set()?;
        let value = V::read(&mut entry, "value", &text, context)?;
        Some(Typed { at: entry.place("value"), r#type, value })
    });
    entries.and_then(|entries| Some(each_once(entries)))
}

/// The first of each identity; one that comes again gives it the later type.
fn each_once<V: Reach>(entries: Vec<Typed<V>>) -> Vec<Typed<V>> {
    if entries.len() < 2 {
        return entries;
    }
    let mut once: Vec<Typed<V>> = Vec::with_capacity(entries.len());
    let mut place_of: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    for entry in entries {
        match place_of.entry(entry.value.identity().to_owned()) {
            Entry::Vacant(vacant) => {
                vacant.insert(once.len());
                once.push(entry);
            }
            Entry::Occupied(there) => {
                if let Some(known) = once.get_mut(*there.get()) {
                    known.r#type = entry.r#type.or(known.r#type);
                }
            }
        }
    }
    once
}

/// `addresses`: one that says the same but for its type is there once.
pub fn read_addresses(fields: &mut Fields<'_, '_>) -> Given<Vec<TypedAddress>> {
    let form = "[{\"type\": \"Work\", \"street\": \"…\", \"city\": \"…\", \"country\": \"VN\"}]";
    let addresses = fields.entries("addresses", form, |fields, at, value| {
        let known = ["type", "street", "city", "state", "zip", "country"];
        let mut entry = fields.entry(at, value, &known)?;
        let r#type: Given<AddressType> = entry.choice("type");
        let address = Address {
            r#type: r#type.set().unwrap_or_default(),
            street: entry.text("street", Longest::LINE).set(),
            city: entry.text("city", Longest::LINE).set(),
            state: entry.text("state", Longest::LINE).set(),
            zip: entry.text("zip", Longest::LINE).set(),
            country: read_country(&mut entry),
        };
        Some(TypedAddress { r#type, address })
    });
    addresses.and_then(|mut addresses| {
        if addresses.len() > 1 {
            let mut seen = HashSet::new();
            addresses.retain(|typed| seen.insert(address_key(&typed.address)));
        }
        Some(addresses)
    })
}

/// What makes two addresses one: all but the type, in any case.
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
    let mut seen = HashSet::new();
    fields.entries("websites", "[{\"value\": \"example.com\"}]", |fields, at, value| {
        let value = if value.is_string() {
            fields.scalar(&at, value, Longest::LINE)
        } else {
            fields.entry(at, value, &["value"])?.text("value", Longest::LINE).set()
        }?;
        seen.insert(fold(&value)).then_some(Website { value })
    })
}

/// `im`: each once, by protocol and value.
pub fn read_im(fields: &mut Fields<'_, '_>) -> Given<Vec<Im>> {
    let form = "[{\"protocol\": \"Skype\", \"value\": \"…\"}]";
    let mut seen = HashSet::new();
    fields.entries("im", form, |fields, at, value| {
        let mut entry = fields.entry(at, value, &["protocol", "value"])?;
        let protocol: ImProtocol = entry.choice("protocol").set().unwrap_or_default();
        let value = entry.text("value", Longest::LINE).set()?;
        seen.insert((protocol, fold(&value))).then_some(Im { protocol, value })
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
