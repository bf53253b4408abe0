//! Reading `cusFields` (`listener.md` 6).

use crate::batch::Context;
use crate::diagnostics::{Code, Pointer, UnknownName};
use crate::json::{Fields, Given, Longest};
use crate::values::custom_field::Model;
use crate::values::text::clean;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a payload says of custom fields: field id → its value, or that it is to be cleared.
pub type CusFields = BTreeMap<Uuid, Given<String>>;

/// An entry as it was sent: its name is looked up when the kind of record is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// Where the entry is.
    pub at: Pointer,
    /// Whether it is a member of an object, and no entry of an array.
    pub member: bool,
    pub name: String,
    pub value: Given<String>,
}

impl NamedValue {
    /// Where its name stands.
    fn name_at(&self) -> Pointer {
        if self.member { self.at.clone() } else { self.at.member("name") }
    }

    /// Where its value stands.
    fn value_at(&self) -> Pointer {
        if self.member { self.at.clone() } else { self.at.member("value") }
    }
}

/// The entries `{name, value}`; or an object of values by name.
pub fn read_cus_fields(fields: &mut Fields<'_, '_>) -> Given<Vec<NamedValue>> {
    // Where `null` clears a single field, an object of nothing but `null` says something.
    if let Some(members) = fields.map("cusFields") {
        return read_members(members);
    }
    let form = "[{\"name\": \"…\", \"value\": \"…\"}]";
    fields.list("cusFields", form).and_then(|entries| {
        let mut values = Vec::new();
        for (at, value) in entries {
            let Some(mut entry) = fields.entry(at.clone(), value, &["name", "value"]) else {
                continue;
            };
            let name = entry.text("name", Longest::LINE).set();
            entry.require("name", name.is_some());
            let value = read_value(&mut entry, "value");
            if let Some(name) = name {
                values.push(NamedValue { at, member: false, name, value });
            }
        }
        (!values.is_empty()).then_some(values)
    })
}

/// The form `{name: value}`.
fn read_members(mut members: Fields<'_, '_>) -> Given<Vec<NamedValue>> {
    let mut values = Vec::new();
    for key in members.names() {
        let value = read_value(&mut members, key);
        if value == Given::Absent {
            continue;
        }
        let shown: String = key.chars().take(256).collect();
        let at = members.place(&shown);
        match members.scalar(&at, &Value::String(key.to_owned()), Longest::LINE) {
            Some(name) => values.push(NamedValue { at, member: true, name, value }),
            None if clean(key).is_empty() => {
                let message = "The name of a custom field is empty; say which field is meant.";
                members.diagnostics.fault(Code::Required, &at, message);
            }
            // What is wrong with it is told.
            None => {}
        }
    }
    if values.is_empty() { Given::Absent } else { Given::Set(values) }
}

/// The value of a custom field, which stands in that field of `entry`.
fn read_value(entry: &mut Fields<'_, '_>, field: &str) -> Given<String> {
    match entry.value(field) {
        Given::Set(Value::Bool(flag)) => Given::Set(flag.to_string()),
        Given::Set(Value::Array(options)) => joined(options),
        _ => entry.text(field, Longest::TEXT),
    }
}

/// The options of a checkbox, sent as an array, in the form that the documents give them: `a|b`.
fn joined(options: &[Value]) -> Given<String> {
    let texts: Vec<String> =
        options.iter().filter_map(Value::as_str).map(clean).filter(|t| !t.is_empty()).collect();
    if texts.is_empty() { Given::Absent } else { Given::Set(texts.join("|")) }
}

/// Looks the names up among the custom fields of `model` and checks the values. A field named twice
/// takes the last value.
pub fn resolve_cus_fields(
    values: &[NamedValue],
    model: Model,
    context: Context<'_>,
    diagnostics: &mut crate::diagnostics::Diagnostics,
) -> CusFields {
    let mut resolved = CusFields::new();
    for named in values {
        let NamedValue { at: _, member: _, name, value } = named;
        let Some(field) = context.directory.custom_fields.named(model, name) else {
            let names = context.directory.custom_fields.of(model);
            context.references().unknown(
                diagnostics,
                &named.name_at(),
                UnknownName {
                    code: Code::UnknownCustomField,
                    what: &format!("custom field of a {}", model.as_str()),
                    name,
                },
                names.into_iter().flat_map(|names| names.iter().map(|field| field.name.as_str())),
            );
            continue;
        };
        let value = match value {
            Given::Absent => continue,
            Given::Clear => Given::Clear,
            Given::Set(text) => match field.kind.check(text, &field.options) {
                Ok(value) => Given::Set(value),
                Err(error) => {
                    let message = format!("\"{}\": {error}", field.name);
                    diagnostics.fault(Code::InvalidCustomValue, named.value_at(), message);
                    continue;
                }
            },
        };
        resolved.insert(field.id, value);
    }
    resolved
}
