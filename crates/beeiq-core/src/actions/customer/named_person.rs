//! The customer that a note or ticket names by single fields: `email`, `phone`, `passport` …
//! (`listener.md` 7).

use super::field_kinds::{FieldKind, PassportNumber};
use super::lists::{Reach, Typed, read_typed};
use super::person::Person;
use crate::batch::Context;
use crate::json::{Fields, Given, Longest};

/// Reads what identifies them: `contactId`, `passport`, `email` and `emails`, `phone` and `phones`.
pub fn read_named_person(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Person {
    Person {
        contact_id: fields.text("contactId", Longest::LINE),
        passport: PassportNumber::read(fields, "passport", context),
        emails: one_and_list(fields, context),
        phones: one_and_list(fields, context),
        ..Person::default()
    }
}

/// The one that stands by itself, then those of the list, each once.
fn one_and_list<V: Reach>(
    fields: &mut Fields<'_, '_>,
    context: Context<'_>,
) -> Given<Vec<Typed<V>>> {
    let one = fields.text(V::ONE, Longest::LINE);
    let one = one.and_then(|text| V::read(fields, V::ONE, &text, context));
    let mut all = read_typed::<V>(fields, context).set().unwrap_or_default();
    if let Given::Set(value) = one {
        all.retain(|typed| typed.value.identity() != value.identity());
        all.insert(0, Typed { at: fields.place(V::ONE), r#type: Given::Absent, value });
    }
    if all.is_empty() { Given::Absent } else { Given::Set(all) }
}
