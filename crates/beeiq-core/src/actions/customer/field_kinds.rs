//! The kinds of fields that a person or company has: how each is read from a payload, written over
//! what a record keeps, told in its history, and described in JSON Schema.

use super::changes::Changes;
use super::lists::{
    Typed, TypedAddress, address_key, read_addresses, read_im, read_typed, read_websites,
};
use crate::batch::Context;
use crate::diagnostics::Code;
use crate::json::{Fields, Given, Longest};
use crate::records::connection::Source;
use crate::records::customer::{
    Address, ContactType, EmailEntry, GENDER_OTHER, Im, ImProtocol, PhoneEntry, Website,
};
use crate::schema::parts::{
    addresses, array_of, choice, described, line, number_choice, object_of, single_or, text,
    typed_values,
};
use crate::values::date::calendar_date;
use crate::values::email::Email;
use crate::values::passport::Passport;
use crate::values::phone::{Phone, Region};
use crate::values::text::fold;
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A kind of field. In an update lists gain what they did not hold, and nothing is dropped but by
/// `null`.
pub trait FieldKind {
    /// What a payload says.
    type Given;
    /// What a record keeps.
    type Kept: PartialEq + Serialize;

    fn read(fields: &mut Fields<'_, '_>, name: &str, context: Context<'_>) -> Given<Self::Given>;

    fn write_over(kept: &mut Self::Kept, given: &Given<Self::Given>, region: Region);

    /// The same where nothing is kept yet; lists gain as they do by `write_over`.
    fn fill_in(kept: &mut Self::Kept, given: &Given<Self::Given>, region: Region);

    fn tell(changes: &mut Changes, name: &str, old: &Self::Kept, new: &Self::Kept) {
        changes.field(name, old, new, |value| json!(value));
    }

    /// `about` may be empty.
    fn schema(about: &str) -> Value;
}

macro_rules! kind {
    ($(#[$doc:meta])* $kind:ident: $given:ty => $kept:ty {
        read: $read:expr, write: $write:expr, empty: $empty:expr, $(tell: $tell:expr,)? schema: $schema:expr $(,)?
    }) => {
        $(#[$doc])*
        pub struct $kind;

        impl FieldKind for $kind {
            type Given = $given;
            type Kept = $kept;

            fn read(fields: &mut Fields<'_, '_>, name: &str, context: Context<'_>) -> Given<$given> {
                let read: fn(&mut Fields<'_, '_>, &str, Context<'_>) -> Given<$given> = $read;
                read(fields, name, context)
            }

            fn write_over(kept: &mut $kept, given: &Given<$given>, region: Region) {
                let write: fn(&mut $kept, &Given<$given>, Region) = $write;
                write(kept, given, region);
            }

            fn fill_in(kept: &mut $kept, given: &Given<$given>, region: Region) {
                let is_empty: fn(&$kept) -> bool = $empty;
                if is_empty(kept) {
                    Self::write_over(kept, given, region);
                }
            }

            $(fn tell(changes: &mut Changes, name: &str, old: &$kept, new: &$kept) {
                let tell: fn(&mut Changes, &str, &$kept, &$kept) = $tell;
                tell(changes, name, old, new);
            })?

            fn schema(about: &str) -> Value {
                let schema: fn(&str) -> Value = $schema;
                schema(about)
            }
        }
    };
}

kind! {
    /// A text of one line.
    Line: String => Option<String> {
        read: |fields, name, _| fields.text(name, Longest::LINE),
        write: |kept, given, _| set(kept, given),
        empty: Option::is_none,
        schema: |about| described(line(), about),
    }
}

kind! {
    /// A text of several paragraphs.
    Text: String => Option<String> {
        read: |fields, name, _| fields.text(name, Longest::TEXT),
        write: |kept, given, _| set(kept, given),
        empty: Option::is_none,
        schema: |about| described(text(), about),
    }
}

kind! {
    /// A name, which no record is without.
    Name: String => String {
        read: |fields, name, _| fields.text(name, Longest::LINE),
        write: |kept, given, _| {
            if let Some(name) = given.as_set() {
                kept.clone_from(name);
            }
        },
        empty: |name| Source::is_placeholder(name),
        schema: |about| described(line(), about),
    }
}

kind! {
    /// A passport's number, which identifies; kept as it was typed.
    PassportNumber: Passport => Option<String> {
        read: |fields, name, _| {
            fields.borrowed_text(name, Longest::LINE).and_then(|text| {
                Passport::parse(&text)
                    .map_err(|error| fields.fault(name, Code::InvalidValue, error.to_string()))
                    .ok()
            })
        },
        write: |kept, given, _| set(kept, &given.as_ref().and_then(|it| Some(it.value().to_owned()))),
        empty: Option::is_none,
        schema: |about| described(line(), about),
    }
}

kind! {
    /// 0 to 2; other, where it is not said.
    Gender: i16 => i16 {
        read: |fields, name, _| {
            fields.number_choice(name, &[(0, "male"), (1, "female"), (2, "other")])
        },
        write: |kept, given, _| set_or_default(kept, given, GENDER_OTHER),
        empty: |gender| *gender == GENDER_OTHER,
        schema: |about| described(number_choice(&[0, 1, 2]), about),
    }
}

kind! {
    /// A day, in the org's time zone where it is given as an instant.
    BirthDate: NaiveDate => Option<NaiveDate> {
        read: |fields, name, context| {
            fields.date(name, |input| calendar_date(input, context.directory.org.time_zone))
        },
        write: |kept, given, _| set(kept, given),
        empty: Option::is_none,
        schema: |about| described(line(), about),
    }
}

kind! {
    /// E-mails, each once by identity.
    Emails: Vec<Typed<Email>> => Vec<EmailEntry> {
        read: |fields, _, context| read_typed(fields, context),
        write: |kept, given, _| {
            let retype = |held: &mut EmailEntry, new| retype(&mut held.r#type, new);
            merge(kept, given, |new| (email_entry(new), new.r#type), email_key, retype);
        },
        empty: |_| true,
        tell: |changes, name, old, new| changes.list(name, old, new, |email| json!(email)),
        schema: typed_values::<ContactType>,
    }
}

kind! {
    /// Phone numbers, each once by identity.
    Phones: Vec<Typed<Phone>> => Vec<PhoneEntry> {
        read: |fields, _, context| read_typed(fields, context),
        write: |kept, given, region| {
            let key = |phone: &PhoneEntry| phone_key(phone, region);
            let retype = |held: &mut PhoneEntry, new| retype(&mut held.r#type, new);
            merge(kept, given, |new| (phone_entry(new), new.r#type), key, retype);
        },
        empty: |_| true,
        tell: |changes, name, old, new| changes.list(name, old, new, |phone| json!(phone)),
        schema: typed_values::<ContactType>,
    }
}

kind! {
    /// Postal addresses; one that says the same but for its type is there once.
    Addresses: Vec<TypedAddress> => Vec<Address> {
        read: |fields, _, _| read_addresses(fields),
        write: |kept, given, _| {
            let retype = |held: &mut Address, new| retype(&mut held.r#type, new);
            merge(kept, given, |new| (new.address.clone(), new.r#type), address_key, retype);
        },
        empty: |_| true,
        tell: |changes, name, old, new| changes.list(name, old, new, |address| json!(address)),
        schema: |_| addresses(),
    }
}

kind! {
    /// Websites, each once in any case.
    Websites: Vec<Website> => Vec<Website> {
        read: |fields, _, _| read_websites(fields),
        write: |kept, given, _| {
            merge(kept, given, |new| (new.clone(), ()), |website| fold(&website.value), |_, ()| {});
        },
        empty: |_| true,
        tell: |changes, name, old, new| changes.list(name, old, new, |website| json!(website)),
        schema: |_| single_or(array_of(single_or(object_of(&[("value", line())])))),
    }
}

kind! {
    /// Messenger accounts, each once by protocol and value.
    Ims: Vec<Im> => Vec<Im> {
        read: |fields, _, _| read_im(fields),
        write: |kept, given, _| {
            merge(kept, given, |new| (new.clone(), ()), |im| (im.protocol, fold(&im.value)), |_, ()| {});
        },
        empty: |_| true,
        tell: |changes, name, old, new| changes.list(name, old, new, |im| json!(im)),
        schema: |_| array_of(object_of(&[("protocol", choice::<ImProtocol>()), ("value", line())])),
    }
}

/// The form in which an e-mail that is kept is compared.
pub fn email_key(entry: &EmailEntry) -> String {
    Email::key_of_kept(&entry.value)
}

/// The form in which a phone that is kept is compared.
pub fn phone_key(entry: &PhoneEntry, region: Region) -> String {
    match &entry.e164 {
        Some(e164) => e164.clone(),
        None => Phone::parse(&entry.value, region)
            .map_or_else(|_| fold(&entry.value), |phone| phone.key().to_owned()),
    }
}

fn email_entry(typed: &Typed<Email>) -> EmailEntry {
    let r#type = typed.r#type.set().unwrap_or_default();
    EmailEntry { r#type, value: typed.value.value().to_owned() }
}

fn phone_entry(typed: &Typed<Phone>) -> PhoneEntry {
    PhoneEntry {
        r#type: typed.r#type.set().unwrap_or_default(),
        value: typed.value.value().to_owned(),
        e164: typed.value.e164().map(str::to_owned),
    }
}

/// What was given; cleared, nothing.
pub fn set<T: Clone>(field: &mut Option<T>, given: &Given<T>) {
    match given {
        Given::Absent => {}
        Given::Clear => *field = None,
        Given::Set(value) => *field = Some(value.clone()),
    }
}

/// What was given; cleared, the default.
pub fn set_or_default<T: Clone>(field: &mut T, given: &Given<T>, default: T) {
    match given {
        Given::Absent => {}
        Given::Clear => *field = default,
        Given::Set(value) => *field = value.clone(),
    }
}

/// An entry that is there already keeps its type, unless another is said.
fn retype<T: Copy + Default>(r#type: &mut T, given: Given<T>) {
    set_or_default(r#type, &given, T::default());
}

/// Merges what is given into a list: `entry` makes of each what is kept, with its type.
fn merge<G, T, Y, K: std::hash::Hash + Eq>(
    held: &mut Vec<T>,
    given: &Given<Vec<G>>,
    entry: impl Fn(&G) -> (T, Y),
    key: impl Fn(&T) -> K,
    retype: impl Fn(&mut T, Y),
) {
    match given {
        Given::Absent => {}
        Given::Clear => held.clear(),
        // What was read holds each once already.
        Given::Set(new) if held.is_empty() => held.extend(new.iter().map(|new| entry(new).0)),
        Given::Set(new) => merge_list(held, new.iter().map(entry), key, retype),
    }
}

/// Adds to `held` what it does not hold by `key`; an entry that it does hold takes the new type.
pub fn merge_list<T, Y, K: std::hash::Hash + Eq>(
    held: &mut Vec<T>,
    new: impl IntoIterator<Item = (T, Y)>,
    key: impl Fn(&T) -> K,
    retype: impl Fn(&mut T, Y),
) {
    let mut place_of: HashMap<K, usize> =
        held.iter().enumerate().map(|(place, entry)| (key(entry), place)).collect();
    for (entry, r#type) in new {
        match place_of.get(&key(&entry)).and_then(|place| held.get_mut(*place)) {
            Some(there) => retype(there, r#type),
            None => {
                place_of.insert(key(&entry), held.len());
                held.push(entry);
            }
        }
    }
}
