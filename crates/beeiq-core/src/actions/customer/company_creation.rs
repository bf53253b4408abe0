//! Making the account that a payload names and the org does not have (`listener.md` 4).

use super::company::Company;
use super::new_customer::{NewCustomer, claim_of_name, record, tags_named};
use crate::batch::{Change, Claim, Ids, KnownCustomer, Overlay, Role, Subject};
use crate::diagnostics::{Code, Diagnostics};
use crate::records::customer::CustomerKind;
use crate::records::history::{Coded, CompanyLinked, Event, Maker};
use crate::records::identity::Identity;
use uuid::Uuid;

/// Makes the account: with the listener's source, without its tag or messages. An identifier that
/// somebody holds already, or that is the contact's `own`, stays on it without identifying it.
pub fn create_company(
    company: &Company,
    own: &[Identity],
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    changes: &mut Vec<Change>,
    diagnostics: &mut Diagnostics,
) -> KnownCustomer {
    let named = company.person.tags.as_set().map_or(&[][..], Vec::as_slice);
    let tags = tags_named(named, overlay, ids, changes);
    let new = NewCustomer {
        kind: CustomerKind::Account,
        person: &company.person,
        cus_fields: &company.cus_fields,
        permit: &company.permit,
        company: None,
    };
    let account = record(&new, tags, overlay, ids);
    let known = KnownCustomer::of(&account);
    let name_claim = claim_of_name(&account, overlay, true);
    let id = account.id;
    changes.push(Change::CustomerCreated(Box::new(account)));
    changes.extend(name_claim);
    for identity in company.identities() {
        let whose = if own.contains(&identity) {
            "the contact itself".to_owned()
        } else if let Some(holder) = overlay.customers.holder(&identity) {
            holder.code.to_string()
        } else {
            let claim = Claim { identity, customer: id, exclusive: true };
            changes.push(Change::IdentityClaimed(claim));
            continue;
        };
        let message = format!(
            "The company's {} {} is held by {whose}; it was kept on the company, but does not identify it.",
            identity.kind, identity.value
        );
        diagnostics.warn(Code::IdentifierShared, &company.at, message);
    }
    changes.push(Change::history(ids.id(), Subject::Customer(id), Event::created(Maker::Company)));
    known
}

/// The line in a contact's or lead's history that says which company it belongs to now.
pub fn company_linked(
    ids: &mut dyn Ids,
    customer: Uuid,
    company: &KnownCustomer,
    role: Role,
) -> Change {
    let event = Event::CompanyLinked(CompanyLinked {
        company: Coded { id: company.id, code: company.code.to_string() },
        created: role == Role::CompanyCreated,
    });
    Change::history(ids.id(), Subject::Customer(customer), event)
}
