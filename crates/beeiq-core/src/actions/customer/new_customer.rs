//! Making a customer: the record, what identifies it, its tags and history, its welcome
//! (`listener.md` 3, "Defaults of the listener").

use super::person::{Person, TypedAddress, TypedEmail, TypedPhone};
use crate::actions::cus_fields::CusFields;
use crate::batch::change::{Change, Claim, NewTag, Subject};
use crate::batch::customers::company_name_identity;
use crate::batch::snapshot::{Ids, Workspace};
use crate::json::Given;
use crate::records::customer::{Address, Customer, CustomerKind, EmailEntry, PhoneEntry};
use crate::records::history::{Event, Maker};
use crate::records::permit::Permit;
use crate::values::text::fold;
use std::collections::HashMap;
use uuid::Uuid;

/// `gender` where none is given: other.
pub const GENDER_OTHER: i16 = 2;

/// Everything that a payload says of a customer that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCustomer<'a> {
    /// Contact, account or lead.
    pub kind: CustomerKind,
    /// Its own fields; `name` is there.
    pub person: &'a Person,
    /// Its custom fields.
    pub cus_fields: &'a CusFields,
    /// Who may read it.
    pub permit: &'a Permit,
    /// The account it belongs to.
    pub company: Option<Uuid>,
}

/// The record, with what else comes with it in `changes`, in order.
pub fn create(
    new: &NewCustomer<'_>,
    workspace: &Workspace<'_>,
    ids: &mut dyn Ids,
    changes: &mut Vec<Change>,
) -> Customer {
    let tags = tags_of(new, workspace, ids, changes);
    let customer = record(new, tags, workspace, ids);
    let claims = new.person.identities(new.kind.world()).into_iter().map(|identity| {
        Change::IdentityClaimed(Claim { identity, customer: customer.id, exclusive: true })
    });
    changes.extend(claims);
    changes.extend(claim_of_name(&customer, workspace, false));
    let created = Event::created(Maker::Listener);
    changes.push(Change::history(ids.id(), Subject::Customer(customer.id), created));
    customer
}

/// The claim of an account to its name, where nobody has it yet. `exclusive` where the account is
/// only made because there is none of that name.
pub fn claim_of_name(
    customer: &Customer,
    workspace: &Workspace<'_>,
    exclusive: bool,
) -> Option<Change> {
    if customer.code.kind != CustomerKind::Account {
        return None;
    }
    let identity = company_name_identity(&fold(&customer.name));
    if workspace.customers.holder(&identity).is_some() {
        return None;
    }
    Some(Change::IdentityClaimed(Claim { identity, customer: customer.id, exclusive }))
}

/// The e-mails as they are kept.
#[must_use]
pub fn email_entries(emails: &[TypedEmail]) -> Vec<EmailEntry> {
    emails
        .iter()
        .map(|typed| EmailEntry {
            r#type: typed.r#type.set().unwrap_or_default(),
            value: typed.email.value().to_owned(),
        })
        .collect()
}

/// The phones as they are kept.
#[must_use]
pub fn phone_entries(phones: &[TypedPhone]) -> Vec<PhoneEntry> {
    phones
        .iter()
        .map(|typed| PhoneEntry {
            r#type: typed.r#type.set().unwrap_or_default(),
            value: typed.phone.value().to_owned(),
            e164: typed.phone.e164().map(str::to_owned),
        })
        .collect()
}

/// The addresses as they are kept.
#[must_use]
pub fn address_entries(addresses: &[TypedAddress]) -> Vec<Address> {
    addresses.iter().map(|typed| typed.address.clone()).collect()
}

/// The record itself, with these tags.
pub fn record(
    new: &NewCustomer<'_>,
    tags: Vec<Uuid>,
    workspace: &Workspace<'_>,
    ids: &mut dyn Ids,
) -> Customer {
    let NewCustomer { kind, person, cus_fields, permit, company } = new;
    let request = &workspace.request;
    let text = |given: &Given<String>| given.as_set().cloned();
    Customer {
        id: ids.id(),
        code: ids.code(*kind),
        contact_id: text(&person.contact_id),
        name: text(&person.name).unwrap_or_default(),
        lastname: text(&person.lastname),
        title: text(&person.title),
        passport: person.passport.as_set().map(|passport| passport.value().to_owned()),
        gender: person.gender.as_set().copied().unwrap_or(GENDER_OTHER),
        bg_info: text(&person.bg_info),
        date_of_birth: person.date_of_birth.as_set().copied(),
        emails: person.emails.as_set().map(|emails| email_entries(emails)).unwrap_or_default(),
        phones: person.phones.as_set().map(|phones| phone_entries(phones)).unwrap_or_default(),
        addresses: person
            .addresses
            .as_set()
            .map(|addresses| address_entries(addresses))
            .unwrap_or_default(),
        websites: person.websites.as_set().cloned().unwrap_or_default(),
        im: person.im.as_set().cloned().unwrap_or_default(),
        cus_fields: cus_fields
            .iter()
            .filter_map(|(field, value)| Some((*field, value.as_set()?.clone())))
            .collect(),
        permit: (*permit).clone(),
        company: *company,
        source: source_of(*kind, workspace),
        owner: request.sender.id,
        tags,
        created_at: request.now,
        updated_at: request.now,
    }
}

/// The listener's source for that kind of record; a payload has none.
#[must_use]
pub fn source_of(kind: CustomerKind, workspace: &Workspace<'_>) -> Option<Uuid> {
    let listener = workspace.request.context.listener;
    match kind {
        CustomerKind::Contact | CustomerKind::Account => listener.contact_source,
        CustomerKind::Lead => listener.lead_source,
    }
}

/// The payload's tags; the listener's default where it has none.
fn tags_of(
    new: &NewCustomer<'_>,
    workspace: &Workspace<'_>,
    ids: &mut dyn Ids,
    changes: &mut Vec<Change>,
) -> Vec<Uuid> {
    match new.person.tags.as_set() {
        Some(names) => tags_named(names, workspace, ids, changes),
        None => workspace.request.context.listener.default_tag.into_iter().collect(),
    }
}

/// The tags of those names, those not yet known created.
pub fn tags_named(
    names: &[String],
    workspace: &Workspace<'_>,
    ids: &mut dyn Ids,
    changes: &mut Vec<Change>,
) -> Vec<Uuid> {
    // A contact and its company may bring the same new one.
    let created: HashMap<String, Uuid> = changes
        .iter()
        .filter_map(|change| match change {
            Change::TagCreated(tag) => Some((tag.name_key.clone(), tag.id)),
            _ => None,
        })
        .collect();
    let tag = |name: &String| {
        let name_key = fold(name);
        let known = workspace.tag(&name_key).or_else(|| created.get(&name_key).copied());
        known.unwrap_or_else(|| {
            let id = ids.id();
            changes.push(Change::TagCreated(NewTag { id, name: name.clone(), name_key }));
            id
        })
    };
    names.iter().map(tag).collect()
}
