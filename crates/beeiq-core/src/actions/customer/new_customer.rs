//! Making a customer: the record, what identifies it, its tags and history, its welcome
//! (`listener.md` 3, "Defaults of the listener").

use super::person::Person;
use crate::actions::cus_fields::CusFields;
use crate::batch::{Change, Claim, Ids, NewTag, Overlay, Subject, company_name_identity};
use crate::records::customer::{Customer, CustomerKind};
use crate::records::history::{Event, Maker};
use crate::records::permit::Permit;
use crate::values::text::fold;
use std::collections::HashMap;
use uuid::Uuid;

/// Everything that a payload says of a customer that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCustomer<'a> {
    pub kind: CustomerKind,
    /// Its own fields; `name` is there.
    pub person: &'a Person,
    pub cus_fields: &'a CusFields,
    pub permit: &'a Permit,
    pub company: Option<Uuid>,
}

/// The record, with what else comes with it in `changes`, in order.
pub fn create(
    new: &NewCustomer<'_>,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    changes: &mut Vec<Change>,
) -> Customer {
    let tags = tags_of(new, overlay, ids, changes);
    let customer = record(new, tags, overlay, ids);
    let claims = new.person.identities(new.kind.world()).into_iter().map(|identity| {
        Change::IdentityClaimed(Claim { identity, customer: customer.id, exclusive: true })
    });
    changes.extend(claims);
    changes.extend(claim_of_name(&customer, overlay, false));
    let created = Event::created(Maker::Listener);
    changes.push(Change::history(ids.id(), Subject::Customer(customer.id), created));
    customer
}

/// The claim of an account to its name, where nobody has it yet. `exclusive` where the account is
/// only made because there is none of that name.
pub fn claim_of_name(
    customer: &Customer,
    overlay: &Overlay<'_>,
    exclusive: bool,
) -> Option<Change> {
    if customer.code.kind != CustomerKind::Account {
        return None;
    }
    let identity = company_name_identity(&fold(&customer.name));
    if overlay.customers.holder(&identity).is_some() {
        return None;
    }
    Some(Change::IdentityClaimed(Claim { identity, customer: customer.id, exclusive }))
}

/// The record itself, with these tags.
pub fn record(
    new: &NewCustomer<'_>,
    tags: Vec<Uuid>,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
) -> Customer {
    let NewCustomer { kind, person, cus_fields, permit, company } = new;
    let request = &overlay.request;
    let mut customer = Customer::new(ids.id(), ids.code(*kind), request.sender.id, request.now);
    person.write_over(&mut customer, request.context.directory.org.region);
    customer.cus_fields = cus_fields
        .iter()
        .filter_map(|(field, value)| Some((*field, value.as_set()?.clone())))
        .collect();
    customer.permit.clone_from(permit);
    customer.company = *company;
    customer.source = source_of(*kind, overlay);
    customer.tags = tags;
    customer
}

/// The listener's source for that kind of record; a payload has none.
pub fn source_of(kind: CustomerKind, overlay: &Overlay<'_>) -> Option<Uuid> {
    let listener = overlay.request.context.listener;
    match kind {
        CustomerKind::Contact | CustomerKind::Account => listener.contact_source,
        CustomerKind::Lead => listener.lead_source,
    }
}

/// The payload's tags; the listener's default where it has none.
fn tags_of(
    new: &NewCustomer<'_>,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    changes: &mut Vec<Change>,
) -> Vec<Uuid> {
    match new.person.tags.as_set() {
        Some(names) => tags_named(names, overlay, ids, changes),
        None => overlay.request.context.listener.default_tag.into_iter().collect(),
    }
}

/// The tags of those names, those not yet known created.
pub fn tags_named(
    names: &[String],
    overlay: &Overlay<'_>,
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
        let known = overlay.tag(&name_key).or_else(|| created.get(&name_key).copied());
        known.unwrap_or_else(|| {
            let id = ids.id();
            changes.push(Change::TagCreated(NewTag { id, name: name.clone(), name_key }));
            id
        })
    };
    names.iter().map(tag).collect()
}
