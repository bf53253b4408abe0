//! Custom fields (`api.md` 4, `listener.md` 6).
//!
//! Records keep values by the field's id, so a field may be renamed and options may be added or
//! removed at any time: values that there are stay as they are. Its model never changes, and its
//! kind only while no record has a value.

use super::{
    ByName, Changing, Edit, Entry, ListFilter, Parameters, Resource, Settings, UnfitFilter,
    Written, in_use, room, room_of_bytes,
};
use crate::problem::{Problem, Result};
use crate::service::validity;
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use crate::store::settings::references::Referred;
use crate::store::settings::{Row, Rows, custom_fields, listeners};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::template::{Markup, MessageTemplate};
use beeiq_core::values::text::fold;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// Of a model.
const MOST: i64 = 500;
const MOST_OPTIONS: usize = 1000;
/// Of the options of a field.
const MOST_BYTES: usize = 64 * 1024;
/// Of the options of all fields of an org, which are kept in memory.
const MOST_BYTES_OF_ALL: usize = 1024 * 1024;

/// What of a custom field can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[validate(schema(function = "fitting_options", skip_on_field_errors = true))]
pub struct CustomFieldSettings {
    /// Which records have it. It cannot be changed.
    pub model: Model,
    /// Unique in the model, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What its values are. It can be changed while no record has a value.
    pub kind: Kind,
    /// What `select`, `radio`, `checkbox` and `inline_checkbox` choose from, and no other kind. A
    /// record keeps the value of an option that is removed.
    #[serde(default, deserialize_with = "validity::all_cleaned")]
    #[validate(custom(function = "distinct_options"))]
    #[schema(max_items = 1000)]
    pub options: Vec<String>,
}

fn distinct_options(options: &[String]) -> Result<(), ValidationError> {
    if options.len() > MOST_OPTIONS {
        let message = format!("A field has at most {MOST_OPTIONS} options.");
        return Err(validity::broken(Code::TooLong, message));
    }
    if bytes_of(options) > MOST_BYTES {
        let message =
            format!("The options of a field have {} KiB together at most.", MOST_BYTES / 1024);
        return Err(validity::broken(Code::TooLong, message));
    }
    let mut seen = HashSet::new();
    for (index, option) in options.iter().enumerate() {
        if let Err(error) = validity::name(option) {
            let message = error.message.unwrap_or_default();
            return Err(validity::broken_entries(Code::InvalidValue, &[index], message));
        }
        if option.contains('|') {
            let message = "An option has no | in it, which separates several in payloads.";
            return Err(validity::broken_entries(Code::InvalidValue, &[index], message));
        }
        if !seen.insert(fold(option)) {
            let message = format!("\"{option}\" is there twice; an option is one in any case.");
            return Err(validity::broken_entries(Code::InvalidValue, &[index], message));
        }
    }
    Ok(())
}

fn bytes_of(options: &[String]) -> usize {
    options.iter().map(String::len).sum()
}

/// Whether all options of the org fit, with these in place of those.
fn room_for_options(
    edit: &mut Edit<'_>,
    before: &[String],
    after: &[String],
) -> Result<(), Problem> {
    let bytes = custom_fields::options_bytes(edit.conn, edit.org)?;
    let (less, more) = (bytes_of(before), bytes_of(after));
    room_of_bytes(bytes, less, more, MOST_BYTES_OF_ALL, "options of custom fields")
}

impl Settings for CustomFieldSettings {
    const NAME: &'static str = "CustomField";
    const WHAT: &'static str = "custom field";

    fn key(&self) -> &str {
        &self.name
    }
}

/// Whether the kind and the options fit together.
fn fitting_options(field: &CustomFieldSettings) -> Result<(), ValidationError> {
    let kind = field.kind.as_str();
    let (code, message) = match (field.kind.has_options(), field.options.is_empty()) {
        (true, true) => {
            (Code::Required, format!("A field of the kind {kind} needs options to choose from."))
        }
        (false, false) => {
            (Code::InvalidValue, format!("A field of the kind {kind} has no options."))
        }
        (true, false) | (false, true) => return Ok(()),
    };
    Err(validity::broken_at("/options", code, message))
}

impl CustomFieldSettings {
    fn row(&self) -> custom_fields::CustomField {
        let Self { model, name, kind, options } = self;
        custom_fields::CustomField {
            model: model.as_str().to_owned(),
            name: name.clone(),
            kind: kind.as_str().to_owned(),
            options: json!(options),
        }
    }
}

#[derive(Default)]
pub struct Filter {
    name: ByName,
    model: Option<Model>,
}

impl ListFilter for Filter {
    const PARAMETERS: &'static [&'static str] = &["name", "model"];

    fn of(parameters: Parameters<'_>) -> Result<Self, UnfitFilter> {
        let model = parameters("model").map(|model| model.parse()).transpose().map_err(|_| {
            UnfitFilter("model", "is one of contact, account, lead, deal and ticket.")
        })?;
        Ok(Self { name: ByName::of(parameters)?, model })
    }
}

#[derive(Clone)]
pub struct CustomFields;

impl Resource for CustomFields {
    type Settings = CustomFieldSettings;
    type Extra = ();
    type Filter = Filter;

    fn path(&self) -> &'static str {
        "custom-fields"
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &Filter,
    ) -> Result<Vec<Entry<CustomFieldSettings>>> {
        let found = custom_fields::list(conn, org, rows, filter.name.key(), filter.model)?;
        found.into_iter().map(entry).collect()
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &CustomFieldSettings) -> Written {
        let count = custom_fields::count(edit.conn, edit.org, settings.model)?;
        room(count, MOST, "custom field of a model")?;
        room_for_options(edit, &[], &settings.options)?;
        Ok(custom_fields::create(edit.conn, edit.org, id, &settings.row(), edit.now)?)
    }

    fn delete(&self, edit: &mut Edit<'_>, present: &Entry<CustomFieldSettings>) -> Written {
        edit.unused(Referred::CustomField, "custom field", present.id)?;
        no_template_names(edit.conn, edit.org, present)?;
        Ok(custom_fields::delete(edit.conn, edit.org, present.id)?)
    }
}

impl Changing for CustomFields {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Entry<CustomFieldSettings>,
        settings: &CustomFieldSettings,
    ) -> Written {
        let before = &present.settings;
        if settings.model != before.model {
            let message = "A field stays with its model; make another for the other model.";
            let fault = Fault::new(Code::InvalidValue, "/model", message);
            return Err(Problem::fields(vec![fault]).into());
        }
        if settings.kind != before.kind {
            edit.unused(Referred::CustomField, "kind of field", present.id)?;
        }
        room_for_options(edit, &before.options, &settings.options)?;
        if fold(&settings.name) != fold(&before.name) {
            no_template_names(edit.conn, edit.org, present)?;
        }
        Ok(custom_fields::update(edit.conn, edit.org, present.id, &settings.row(), edit.now)?)
    }
}

fn entry(row: Row<custom_fields::CustomField>) -> Result<Entry<CustomFieldSettings>> {
    let Row { id, values, created_at } = row;
    let custom_fields::CustomField { model, name, kind, options } = values;
    let settings = CustomFieldSettings {
        model: model.parse().map_err(|error| StoreError::unreadable(&error))?,
        name,
        kind: kind.parse().map_err(|error| StoreError::unreadable(&error))?,
        options: serde_json::from_value(options).map_err(|error| StoreError::unreadable(&error))?,
    };
    Ok(Entry::new(id, settings, created_at))
}

/// A template that names the field would send nothing any more without it.
fn no_template_names(conn: &mut Conn, org: Uuid, field: &Entry<CustomFieldSettings>) -> Result<()> {
    let mut names = custom_fields::other_names(conn, org, field.id)?;
    let without = names.clone();
    names.push(field.settings.name.clone());
    for (listener, email, sms) in listeners::messages(conn, org)? {
        let messages = [email, sms].into_iter().flatten();
        let mut texts = messages.flat_map(|message| match message {
            Value::Object(parts) => parts.into_iter().map(|(_, part)| part).collect(),
            _ => Vec::new(),
        });
        let breaks = |text: &str| {
            let compiles =
                |names: &[String]| MessageTemplate::compile(text, Markup::Html, names).is_ok();
            compiles(&names) && !compiles(&without)
        };
        if texts.any(|text| text.as_str().is_some_and(breaks)) {
            let by = format!("the welcome messages of the listener \"{listener}\"");
            return Err(in_use("custom field", &by, "Take it out of them first."));
        }
    }
    Ok(())
}
