//! What an update makes of a record (`listener.md` 3): fields are set or cleared, lists gain what
//! they did not hold, and nothing is dropped but by `null`.

use super::new_customer::{GENDER_OTHER, address_entries, email_entries, phone_entries};
use super::person::{Person, address_key};
use crate::actions::cus_fields::CusFields;
use crate::json::Given;
use crate::records::customer::{Customer, EmailEntry, PhoneEntry};
use crate::records::permit::Permit;
use crate::values::email::Email;
use crate::values::phone::{Phone, Region};
use crate::values::text::fold;
use std::collections::HashMap;
use uuid::Uuid;

/// Everything that is said of a record, resolved.
#[derive(Clone, Debug)]
pub struct Revision<'a> {
    /// Its own fields.
    pub person: &'a Person,
    /// Who may read it.
    pub permit: &'a Given<Permit>,
    /// Its custom fields.
    pub cus_fields: Given<CusFields>,
    /// Tags to add.
    pub tags: Given<Vec<Uuid>>,
    /// The account it belongs to.
    pub company: Given<Uuid>,
    /// In which its phone numbers are read.
    pub region: Region,
}

impl Revision<'_> {
    /// The record as it is afterwards; when it was changed is not part of it.
    #[must_use]
    pub fn of(self, record: &Customer) -> Customer {
        let Self { person, permit, cus_fields, tags, company, region } = self;
        let mut revised = record.clone();
        if let Some(name) = person.name.as_set() {
            revised.name.clone_from(name);
        }
        set(&mut revised.lastname, &person.lastname);
        set(&mut revised.title, &person.title);
        set(&mut revised.contact_id, &person.contact_id);
        set(&mut revised.bg_info, &person.bg_info);
        set(&mut revised.date_of_birth, &person.date_of_birth);
        set(&mut revised.company, &company);
        let passport = person.passport.as_ref().and_then(|new| Some(new.value().to_owned()));
        set(&mut revised.passport, &passport);
        set_or_default(&mut revised.gender, &person.gender, GENDER_OTHER);
        set_or_default(&mut revised.permit, permit, Permit::default());
        revise_lists(&mut revised, person, region);
        match tags {
            Given::Absent => {}
            Given::Clear => revised.tags.clear(),
            Given::Set(tags) => {
                merge_list(&mut revised.tags, untyped(tags), |tag| *tag, |_, ()| {})
            }
        }
        match cus_fields {
            Given::Absent => {}
            Given::Clear => revised.cus_fields.clear(),
            Given::Set(values) => {
                for (field, value) in values {
                    match value {
                        Given::Absent => {}
                        Given::Clear => drop(revised.cus_fields.remove(&field)),
                        Given::Set(value) => drop(revised.cus_fields.insert(field, value)),
                    }
                }
            }
        }
        revised
    }
}

fn revise_lists(revised: &mut Customer, person: &Person, region: Region) {
    match &person.emails {
        Given::Absent => {}
        Given::Clear => revised.emails.clear(),
        Given::Set(new) => {
            let new = email_entries(new).into_iter().zip(new.iter().map(|typed| typed.r#type));
            merge_list(&mut revised.emails, new, email_key, |held, new| {
                retype(&mut held.r#type, new)
            });
        }
    }
    match &person.phones {
        Given::Absent => {}
        Given::Clear => revised.phones.clear(),
        Given::Set(new) => {
            let new = phone_entries(new).into_iter().zip(new.iter().map(|typed| typed.r#type));
            let key = |phone: &PhoneEntry| phone_key(phone, region);
            merge_list(&mut revised.phones, new, key, |held, new| retype(&mut held.r#type, new));
        }
    }
    match &person.addresses {
        Given::Absent => {}
        Given::Clear => revised.addresses.clear(),
        Given::Set(new) => {
            let new = address_entries(new).into_iter().zip(new.iter().map(|typed| typed.r#type));
            merge_list(&mut revised.addresses, new, address_key, |held, new| {
                retype(&mut held.r#type, new);
            });
        }
    }
    match &person.websites {
        Given::Absent => {}
        Given::Clear => revised.websites.clear(),
        Given::Set(new) => {
            let new = untyped(new.iter().cloned());
            merge_list(&mut revised.websites, new, |website| fold(&website.value), |_, ()| {});
        }
    }
    match &person.im {
        Given::Absent => {}
        Given::Clear => revised.im.clear(),
        Given::Set(new) => {
            let new = untyped(new.iter().cloned());
            merge_list(&mut revised.im, new, |im| (im.protocol, fold(&im.value)), |_, ()| {});
        }
    }
}

/// The form in which an e-mail that is kept is compared.
#[must_use]
pub fn email_key(entry: &EmailEntry) -> String {
    Email::key_of_kept(&entry.value)
}

/// The form in which a phone that is kept is compared.
#[must_use]
pub fn phone_key(entry: &PhoneEntry, region: Region) -> String {
    match &entry.e164 {
        Some(e164) => e164.clone(),
        None => Phone::parse(&entry.value, region)
            .map_or_else(|_| fold(&entry.value), |phone| phone.key().to_owned()),
    }
}

fn set<T: Clone>(field: &mut Option<T>, given: &Given<T>) {
    match given {
        Given::Absent => {}
        Given::Clear => *field = None,
        Given::Set(value) => *field = Some(value.clone()),
    }
}

fn set_or_default<T: Clone>(field: &mut T, given: &Given<T>, default: T) {
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

fn untyped<T>(entries: impl IntoIterator<Item = T>) -> impl Iterator<Item = (T, ())> {
    entries.into_iter().map(|entry| (entry, ()))
}

/// Adds to `held` what it does not hold by `key`; an entry that it does hold takes the new type.
fn merge_list<T, Y, K: std::hash::Hash + Eq>(
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
