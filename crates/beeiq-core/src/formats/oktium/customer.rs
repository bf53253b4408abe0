//! The customer of an event: the object that it has, or what it says of them beside it.

use crate::diagnostics::Pointer;
use crate::formats::draft::{Draft, Whose};
use crate::formats::pulled::{Object, put_line};
use serde_json::{Map, Value, json};

/// Whose an event is.
pub(super) struct Customer<'a> {
    /// In the order in which they are looked for.
    pub(super) whose: Vec<Whose>,
    /// By what they are called where no name is told.
    pub(super) called: String,
    names: Vec<(Object<'a>, &'static str)>,
    emails: Vec<(String, Pointer)>,
    phones: Vec<(String, Pointer)>,
    addresses: Vec<Object<'a>>,
}

/// The id that Oktium has for them, and where it stands.
pub(super) fn id(event: &Object<'_>) -> Option<(String, Pointer)> {
    let of_customer =
        object(event, "customer").and_then(|it| Some((it.text("_id")?, it.place("_id"))));
    of_customer.or_else(|| Some((event.text("customerId")?, event.place("customerId"))))
}

impl<'a> Customer<'a> {
    /// None where nothing says who it is.
    pub(super) fn of(event: &Object<'a>) -> Option<Self> {
        let id = id(event).map(|(id, _)| id);
        let of_customer = object(event, "customer");
        let told = of_customer.iter().chain([event]);
        let emails: Vec<(String, Pointer)> =
            told.filter_map(|it| Some((it.text("email")?, it.place("email")))).collect();
        let mut phones = Vec::new();
        if let Some(customer) = &of_customer {
            phones.extend(numbers(customer, "phone"));
        }
        phones.extend(numbers(event, "customerPhone"));
        let external = id.iter().cloned().map(Whose::External);
        let by_email = emails.iter().map(|(email, _)| Whose::Email(email.clone()));
        let by_phone = phones.iter().map(|(phone, _)| Whose::Phone(phone.clone()));
        let whose: Vec<Whose> = match &id {
            Some(_) => external.collect(),
            None => by_email.chain(by_phone).collect(),
        };
        let called = id
            .or_else(|| emails.first().map(|(email, _)| email.clone()))
            .or_else(|| phones.first().map(|(phone, _)| phone.clone()))?;
        let names = of_customer.iter().chain([event]);
        let named = names.cloned().find_map(|it| {
            let first = it.text("firstName").map(|_| "firstName");
            first.or_else(|| it.text("lastName").map(|_| "lastName")).map(|field| (it, field))
        });
        let addresses = of_customer.iter().flat_map(addresses).collect();
        Some(Self { whose, called, names: named.into_iter().collect(), emails, phones, addresses })
    }

    /// The contact that it makes of `draft`.
    pub(super) fn draft(&self, mut draft: Draft) -> Draft {
        for (object, field) in &self.names {
            if let Some(name) = object.text(field) {
                put_line(&mut draft, "name", &name, &object.place(field));
            }
            if let (Some(lastname), "firstName") = (object.text("lastName"), *field) {
                put_line(&mut draft, "lastname", &lastname, &object.place("lastName"));
            }
        }
        for (list, values) in [("emails", &self.emails), ("phones", &self.phones)] {
            for (value, from) in values {
                draft.data.push(list, json!({ "value": value }), from);
            }
        }
        for address in &self.addresses {
            let parts = [
                ("street", "street"),
                ("city", "city"),
                ("state", "state"),
                ("postCode", "zip"),
                ("country", "country"),
            ];
            let parts = parts.iter().filter_map(|(field, name)| {
                Some(((*name).to_owned(), Value::String(address.text(field)?)))
            });
            let parts: Map<String, Value> = parts.collect();
            if !parts.is_empty() {
                draft.data.push("addresses", parts, &address.at);
            }
        }
        draft
    }
}

fn object<'a>(of: &Object<'a>, field: &str) -> Option<Object<'a>> {
    Some(Object { fields: of.value(field)?.as_object()?, at: of.place(field) })
}

/// The numbers of a phone, which is a text, or an object that may have another within its dial code.
/// One with a dial code comes first.
fn numbers(of: &Object<'_>, field: &str) -> Vec<(String, Pointer)> {
    if let Some(text) = of.text(field) {
        return vec![(text, of.place(field))];
    }
    let Some(outer) = object(of, field) else { return Vec::new() };
    let inner = object(&outer, "dialCode");
    let mut numbers: Vec<(bool, String, Pointer)> = Vec::new();
    for phone in [Some(outer), inner].into_iter().flatten() {
        let Some(number) = phone.text("domesticNumber") else { continue };
        let dial = object(&phone, "dialCode").and_then(|code| code.text("dial_code"));
        let known = dial.is_some();
        let number = format!("{}{number}", dial.unwrap_or_default());
        numbers.push((known, number, phone.place("domesticNumber")));
    }
    numbers.sort_by_key(|(known, ..)| !known);
    numbers.into_iter().map(|(_, number, at)| (number, at)).collect()
}

/// Under `address` or `addresses`, one or several.
fn addresses<'a>(of: &Object<'a>) -> Vec<Object<'a>> {
    let all = ["address", "addresses"].into_iter().filter_map(|field| {
        let at = of.place(field);
        Some(match of.value(field)? {
            Value::Object(fields) => vec![Object { fields, at }],
            Value::Array(entries) => {
                let entry = |(index, value): (usize, &'a Value)| {
                    Some(Object { fields: value.as_object()?, at: at.index(index) })
                };
                entries.iter().enumerate().filter_map(entry).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        })
    });
    all.flatten().collect()
}
