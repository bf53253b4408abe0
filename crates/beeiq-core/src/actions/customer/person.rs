//! The fields of a person or company (`listener.md` 3), once: the table makes of them what a payload
//! may say, the names that are known, how they are read, written over a record and told in its
//! history, and their JSON Schema. What of a record is in no table, `changes` names: a field that is
//! in neither does not compile.

use super::changes::Changes;
use super::field_kinds::{
    Addresses, BirthDate, Emails, FieldKind, Gender, Ims, Line, Name, PassportNumber, Phones, Text,
    Websites,
};
use super::lists::read_tags;
use crate::batch::Context;
use crate::diagnostics::Pointer;
use crate::json::{Fields, Given};
use crate::records::customer::Customer;
use crate::records::identity::{Identity, IdentityKind, World};
use crate::values::phone::Region;
use serde_json::Value;

/// Why a source in a payload is not used (`listener.md` 3, "Defaults of the listener").
const SOURCE_IS_THE_LISTENERS: &str = "the source is set by the listener alone.";

macro_rules! person {
    ($($field:ident: $kind:ty = $name:literal, $about:literal;)+) => {
        /// What a payload says of a person or company: the fields that stand for themselves.
        /// Permits, custom fields and companies, which refer to others, are read beside it.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Person {
            $(pub $field: Given<<$kind as FieldKind>::Given>,)+
            pub tags: Given<Vec<String>>,
        }

        /// The names of all fields that a person or company may carry.
        pub const PERSON_FIELDS: &[&str] = &[
            $($name,)+
            "type",
            "tag",
            "cusFields",
            "permit",
            "companyContact",
            "companyLead",
            "customerId",
            "contactType",
            "source",
            "contactSource",
            "leadSource",
        ];

        impl Person {
            /// Reads them all, noting every fault.
            pub fn read(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Self {
                for source in ["source", "contactSource", "leadSource"] {
                    fields.ignore(source, SOURCE_IS_THE_LISTENERS);
                }
                Self {
                    $($field: <$kind as FieldKind>::read(fields, $name, context),)+
                    tags: read_tags(fields),
                }
            }

            /// Fills what is given into what of a record is empty; lists gain.
            pub fn fill_in(&self, record: &mut Customer, region: Region) {
                let Self { $($field,)+ tags: _ } = self;
                $(<$kind as FieldKind>::fill_in(&mut record.$field, $field, region);)+
            }

            /// Writes what is given over a record; its tags are written by their ids.
            pub fn write_over(&self, record: &mut Customer, region: Region) {
                let Self { $($field,)+ tags: _ } = self;
                $(<$kind as FieldKind>::write_over(&mut record.$field, $field, region);)+
            }
        }

        /// Tells what of these fields differs.
        pub fn tell_changes(changes: &mut Changes, old: &Customer, new: &Customer) {
            let Customer {
                $($field,)+
                id: _,
                code: _,
                cus_fields: _,
                permit: _,
                company: _,
                source: _,
                owner: _,
                tags: _,
                created_at: _,
                updated_at: _,
            } = new;
            $(<$kind as FieldKind>::tell(changes, $name, &old.$field, $field);)+
        }

        /// The JSON Schema of one of these fields.
        pub fn person_schema(name: &str) -> Option<Value> {
            match name {
                $($name => Some(<$kind as FieldKind>::schema($about)),)+
                _ => None,
            }
        }
    };
}

person! {
    name: Name = "name", "The first name, or a company's name.";
    lastname: Line = "lastname", "";
    title: Line = "title", "";
    passport: PassportNumber = "passport", "A passport's or identity card's number; identifies.";
    contact_id: Line = "contactId", "The sender's own identifier; identifies.";
    gender: Gender = "gender", "0 male, 1 female, 2 other.";
    bg_info: Text = "bgInfo", "";
    date_of_birth: BirthDate = "dateOfBirth",
        "An ISO date or date-time, epoch milliseconds, or the text of a JavaScript Date.";
    emails: Emails = "emails", "An e-mail address; identifies.";
    phones: Phones = "phones", "A phone number; identifies.";
    addresses: Addresses = "addresses", "";
    websites: Websites = "websites", "";
    im: Ims = "im", "";
}

impl Person {
    /// The identifiers that it brings, in the order in which a match counts, each once.
    pub fn identities(&self, world: World) -> Vec<Identity> {
        let identity = |(kind, value, _): (_, &str, _)| Identity::new(world, kind, value);
        self.identifiers().map(identity).collect()
    }

    /// The same with the place of each, in a payload that stands at `at`.
    pub fn placed_identities(&self, world: World, at: &Pointer) -> Vec<(Identity, Pointer)> {
        self.identifiers()
            .map(|(kind, value, place)| {
                let place = place.cloned().unwrap_or_else(|| at.member(kind.as_str()));
                (Identity::new(world, kind, value), place)
            })
            .collect()
    }

    /// The same; those without a place are the field of their name.
    fn identifiers(&self) -> impl Iterator<Item = (IdentityKind, &str, Option<&Pointer>)> {
        let contact_id =
            self.contact_id.as_set().map(|id| (IdentityKind::ContactId, id.as_str(), None));
        let passport =
            self.passport.as_set().map(|passport| (IdentityKind::Passport, passport.key(), None));
        let emails = self.emails.as_set().into_iter().flatten();
        let emails = emails.map(|typed| (IdentityKind::Email, typed.value.key(), Some(&typed.at)));
        let phones = self.phones.as_set().into_iter().flatten();
        let phones = phones.map(|typed| (IdentityKind::Phone, typed.value.key(), Some(&typed.at)));
        contact_id.into_iter().chain(passport).chain(emails).chain(phones)
    }
}
