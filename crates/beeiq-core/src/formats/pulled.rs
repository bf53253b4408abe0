//! The document in which pulled items are kept, and its items read field by field (`connections.md` 1):
//! `{"resource": "…", "items": [as they came], "lookups": {…}}`.

use super::beeiq::malformed;
use super::draft::{DEEPEST, Draft, Part};
use crate::diagnostics::{Code, Diagnostics, Pointer, Refusal};
use crate::json;
use crate::values::text::clean;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The most items of a document.
const MOST_ITEMS: usize = 1_000;

/// The most characters that a field of one line holds.
const LONGEST_LINE: usize = 255;

/// The most bytes that the details of an activity take as JSON.
const LARGEST_DETAILS: usize = 16 * 1024;

/// What was pulled of a resource, and what was looked up for it.
#[derive(Debug)]
pub(super) struct Document {
    /// Which resource; of wolkvox the campaign.
    pub(super) resource: String,
    items: Vec<Value>,
    lookups: Map<String, Value>,
}

impl Document {
    /// Reads a kept body.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let value = json::parse(body, DEEPEST).map_err(|error| malformed(&error))?;
        let document = Self::of(value).ok_or_else(|| {
            let detail = "The body is not what was pulled: an object with the text `resource`, the \
                          array `items` and the object `lookups`.";
            Refusal::new(Code::InvalidEnvelope, detail)
        })?;
        let count = document.items.len();
        if count > MOST_ITEMS {
            let detail = format!("The body has {count} items; there are {MOST_ITEMS} at most.");
            return Err(Refusal::new(Code::TooManyActions, detail));
        }
        Ok(document)
    }

    fn of(mut value: Value) -> Option<Self> {
        let mut take = |name| value.get_mut(name).map(Value::take);
        match (take("resource")?, take("items")?, take("lookups")?) {
            (Value::String(resource), Value::Array(items), Value::Object(lookups)) => {
                Some(Self { resource, items, lookups })
            }
            _ => None,
        }
    }

    /// What `read` makes of its items. One that is none fails, as that `part`.
    pub(super) fn drafts(
        &self,
        part: Part,
        read: impl Fn(&PulledItem<'_>) -> Vec<Draft>,
    ) -> Vec<Draft> {
        let drafts = |(index, value): (usize, &Value)| {
            let at = pointer_to(index);
            match value {
                Value::Object(fields) if !fields.is_empty() => {
                    read(&PulledItem { index, told: Object { fields, at } })
                }
                Value::Object(_) => {
                    let message = "Nothing is left of the item: what it told was taken out with its \
                                   customer.";
                    vec![Draft::new(index, &at, part).failed(Code::Required, &at, message)]
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_) => {
                    let message = "The item is no object.";
                    vec![Draft::new(index, &at, part).failed(Code::WrongType, &at, message)]
                }
            }
        };
        self.items.iter().enumerate().flat_map(drafts).collect()
    }

    /// What was looked up of that kind by that id, where it was there.
    pub(super) fn looked_up(&self, kind: &str, id: &str) -> Option<Object<'_>> {
        let at = Pointer::root().member("lookups").member(kind).member(id);
        let fields = self.lookups.get(kind)?.get(id)?.as_object()?;
        Some(Object { fields, at })
    }
}

/// An item of a document.
#[derive(Clone, Debug)]
pub(super) struct PulledItem<'v> {
    index: usize,
    /// What it tells.
    pub(super) told: Object<'v>,
}

impl PulledItem<'_> {
    /// An action of it with nothing in it yet.
    pub(super) fn draft(&self, part: Part) -> Draft {
        Draft::new(self.index, &self.told.at, part)
    }

    /// An action that cannot be made of it, because of that field.
    pub(super) fn failed(
        &self,
        part: Part,
        code: Code,
        field: &str,
        message: impl Into<String>,
    ) -> Draft {
        self.draft(part).failed(code, &self.told.place(field), message)
    }
}

/// An object as another system writes it: what is blank, or of another type than asked for, is absent.
#[derive(Clone, Debug)]
pub(super) struct Object<'v> {
    /// As they came.
    pub(super) fields: &'v Map<String, Value>,
    /// Where it stands.
    pub(super) at: Pointer,
}

impl<'v> Object<'v> {
    /// Where that field of it stands.
    pub(super) fn place(&self, field: &str) -> Pointer {
        self.at.member(field)
    }

    /// The names of its fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        self.fields.keys().map(String::as_str)
    }

    /// A field as it came.
    pub(super) fn value(&self, field: &str) -> Option<&'v Value> {
        self.fields.get(field)
    }

    /// A text; numbers are taken as they are written.
    pub(super) fn text(&self, field: &str) -> Option<String> {
        text_of(self.value(field)?)
    }

    /// The id of something else: 0 is none.
    pub(super) fn id(&self, field: &str) -> Option<String> {
        self.text(field).filter(|id| id != "0")
    }

    /// Whether it says yes.
    pub(super) fn says(&self, field: &str) -> bool {
        match self.value(field) {
            Some(Value::Bool(yes)) => *yes,
            Some(value) => text_of(value).is_some_and(|text| text == "1" || text == "true"),
            None => false,
        }
    }
}

/// A text or number as it can be kept: clean, without U+0000, not blank.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) if text.contains('\0') => clean(&text.replace('\0', "")),
        Value::String(text) => clean(text),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Puts a text into a field of one line: as much of it as fits.
pub(super) fn put_line(draft: &mut Draft, field: &str, text: &str, from: &Pointer) {
    let text = line(text, from, &mut draft.diagnostics);
    draft.data.put(field, text, from);
}

/// As much of a text as a field of one line holds.
pub(super) fn line(text: &str, from: &Pointer, diagnostics: &mut Diagnostics) -> String {
    if text.len() <= LONGEST_LINE || text.chars().count() <= LONGEST_LINE {
        return text.to_owned();
    }
    let message = format!("It is longer than {LONGEST_LINE} characters; the rest was left out.");
    diagnostics.warn(Code::TooLong, from, message);
    text.chars().take(LONGEST_LINE - 1).chain(['…']).collect()
}

/// As much of a text as takes so many bytes as JSON.
pub(super) fn fit_json(
    text: &str,
    most: usize,
    from: &Pointer,
    diagnostics: &mut Diagnostics,
) -> String {
    let (mut room, mut end) = (most.saturating_sub("\"…\"".len()), None);
    for (at, character) in text.char_indices() {
        let bytes = match character {
            '"' | '\\' => 2,
            control if control < ' ' => 6,
            other => other.len_utf8(),
        };
        match room.checked_sub(bytes) {
            Some(left) => room = left,
            None => {
                end = Some(at);
                break;
            }
        }
    }
    let Some(kept) = end.and_then(|end| text.get(..end)) else { return text.to_owned() };
    let message = format!("It is longer than {} KiB; the rest was left out.", most / 1024);
    diagnostics.warn(Code::TooLong, from, message);
    format!("{kept}…")
}

/// The details of an activity: as many of the members as they hold.
pub(super) fn put_details<'m>(
    draft: &mut Draft,
    members: impl IntoIterator<Item = (&'m str, Value)>,
    from: &Pointer,
) {
    let (mut details, mut room) = (Map::new(), LARGEST_DETAILS - "{}".len());
    for (name, value) in members {
        let bytes = json!({ name: &value }).to_string().len();
        if let Some(left) = room.checked_sub(bytes) {
            room = left;
            details.insert(name.to_owned(), value);
        } else {
            let shown: String = name.chars().take(64).collect();
            let kib = LARGEST_DETAILS / 1024;
            let message = format!("`{shown}` was left out: `details` hold {kib} KiB.");
            draft.diagnostics.warn(Code::TooLong, from, message);
        }
    }
    if !details.is_empty() {
        draft.data.put("details", details, from);
    }
}

/// Where an item stands.
pub(super) fn pointer_to(item: usize) -> Pointer {
    Pointer::root().member("items").index(item)
}

/// The item that a pointer into the body leads to, or into.
pub(super) fn item_at(pointer: &str) -> Option<usize> {
    pointer.strip_prefix("/items/")?.split('/').next()?.parse().ok()
}

/// The items of a kept body of which `is_so` holds, each asked with what `told` makes of it and the
/// visitor who was looked up for it.
pub(super) fn items_that(
    body: &[u8],
    told: impl Fn(&Value, &Value) -> Value,
    is_so: impl Fn(&Value) -> bool,
) -> Option<BTreeSet<usize>> {
    let document = Document::of(json::parse(body, DEEPEST).ok()?)?;
    let visitors = document.lookups.get("visitor");
    let visitor = |item: &Value| visitors?.get(visitor_of(item)?);
    let items = document.items.iter().enumerate();
    let those = items.filter(|(_, item)| is_so(&told(item, visitor(item).unwrap_or(&Value::Null))));
    Some(those.map(|(index, _)| index).collect())
}

/// A kept body without those items, and without the visitors whom no other names.
pub(super) fn redacted(body: &[u8], items: &BTreeSet<usize>) -> Option<Vec<u8>> {
    let mut body = json::parse(body, DEEPEST).ok()?;
    Document::of(body.clone())?;
    let all = body.get_mut("items")?.as_array_mut()?;
    for &index in items {
        *all.get_mut(index)? = json!({});
    }
    let named: BTreeSet<String> = all.iter().filter_map(visitor_of).collect();
    if let Some(visitors) = body.get_mut("lookups")?.get_mut("visitor") {
        match visitors {
            Value::Object(visitors) => visitors.retain(|id, _| named.contains(id)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                *visitors = json!({});
            }
        }
    }
    Some(body.to_string().into_bytes())
}

/// The visitor whom an item names.
fn visitor_of(item: &Value) -> Option<String> {
    text_of(item.get("visitor_uid")?)
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
