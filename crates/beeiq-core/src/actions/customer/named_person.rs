//! The customer that a note or ticket names by single fields: `email`, `phone`, `passport` …
//! (`listener.md` 7).

use super::field_kinds::{FieldKind, PassportNumber};
use super::lists::{TypedEmail, TypedPhone, read_emails, read_phones};
use super::person::Person;
use crate::batch::context::Context;
use crate::diagnostics::Code;
use crate::json::{Fields, Given, Longest};
use crate::values::email::Email;
use crate::values::phone::Phone;

/// Reads what identifies them: `contactId`, `passport`, `email` and `emails`, `phone` and `phones`.
pub fn read_named_person(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Person {
    Person {
        contact_id: fields.text("contactId", Longest::LINE),
        passport: PassportNumber::read(fields, "passport", context),
        emails: set_unless_empty(all_emails(fields)),
        phones: set_unless_empty(all_phones(fields, context)),
        ..Person::default()
    }
}

/// `email`, then those of `emails`, each once.
fn all_emails(fields: &mut Fields<'_, '_>) -> Vec<TypedEmail> {
    let at = fields.place("email");
    let single = fields.text("email", Longest::LINE).and_then(|text| {
        Email::parse(&text)
            .map_err(|error| fields.diagnostics.fault(Code::InvalidEmail, &at, error.to_string()))
            .ok()
    });
    let mut emails = read_emails(fields).set().unwrap_or_default();
    if let Given::Set(email) = single {
        emails.retain(|typed| typed.email.key() != email.key());
        emails.insert(0, TypedEmail { at, r#type: Given::Absent, email });
    }
    emails
}

/// `phone`, then those of `phones`, each once.
fn all_phones(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Vec<TypedPhone> {
    let at = fields.place("phone");
    let single = fields.text("phone", Longest::LINE).and_then(|text| {
        Phone::parse(&text, context.directory.org.region)
            .map_err(|error| fields.diagnostics.fault(Code::InvalidPhone, &at, error.to_string()))
            .ok()
    });
    let mut phones = read_phones(fields, context).set().unwrap_or_default();
    if let Given::Set(phone) = single {
        phones.retain(|typed| typed.phone.key() != phone.key());
        phones.insert(0, TypedPhone { at, r#type: Given::Absent, phone });
    }
    phones
}

fn set_unless_empty<T>(entries: Vec<T>) -> Given<Vec<T>> {
    if entries.is_empty() { Given::Absent } else { Given::Set(entries) }
}
