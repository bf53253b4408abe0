//! What an update makes of a record (`listener.md` 3): fields are set or cleared, lists gain what
//! they did not hold, and nothing is dropped but by `null`.

use super::field_kinds::{merge_list, set, set_or_default};
use super::person::Person;
use crate::actions::cus_fields::CusFields;
use crate::json::Given;
use crate::records::customer::Customer;
use crate::records::permit::Permit;
use crate::values::phone::Region;
use uuid::Uuid;

/// Everything that is said of a record, resolved.
#[derive(Clone, Debug)]
pub struct Revision<'a> {
    pub person: &'a Person,
    pub permit: &'a Given<Permit>,
    pub cus_fields: Given<CusFields>,
    /// Tags to add.
    pub tags: Given<Vec<Uuid>>,
    pub company: Given<Uuid>,
    /// In which its phone numbers are read.
    pub region: Region,
    /// Whether only what is empty is filled in: lists and tags gain all the same.
    pub only_gaps: bool,
}

impl Revision<'_> {
    /// The record as it is afterwards; when it was changed is not part of it.
    pub fn of(self, record: &Customer) -> Customer {
        let Self { person, permit, cus_fields, tags, company, region, only_gaps } = self;
        let mut revised = record.clone();
        if only_gaps {
            person.fill_in(&mut revised, region);
        } else {
            person.write_over(&mut revised, region);
        }
        set(&mut revised.company, &company);
        set_or_default(&mut revised.permit, permit, Permit::default());
        match tags {
            Given::Absent => {}
            Given::Clear => revised.tags.clear(),
            Given::Set(tags) => {
                let tags = tags.into_iter().map(|tag| (tag, ()));
                merge_list(&mut revised.tags, tags, |tag| *tag, |_, ()| {});
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
                        Given::Set(value) if only_gaps => {
                            revised.cus_fields.entry(field).or_insert(value);
                        }
                        Given::Set(value) => drop(revised.cus_fields.insert(field, value)),
                    }
                }
            }
        }
        revised
    }
}
