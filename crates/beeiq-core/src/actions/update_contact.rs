//! update-contact: changes the contact or account that the payload identifies (`listener.md` 3).
//!
//! The record is searched by `customerId`, `contactId`, `passport`, `name` (with `lastname`),
//! `emails`, `phones`, in that order; the first that finds exactly one wins, and `type`, where
//! given, selects contact or account. Nothing found: a fault, and nothing is created. What the
//! payload leaves out stays as it is, `null` clears, lists and tags gain. See [`CustomerUpdate`].

use super::act::Act;
use super::customer::customer_type::{ContactKind, read_contact_type};
use super::customer::customer_update::CustomerUpdate;
use super::customer::person::PERSON_FIELDS;
use crate::batch::{Context, Decision, Ids, Keys, Overlay, Rejection};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given, Mode};
use crate::records::customer::CustomerKind;
use serde_json::Value;

/// A payload of update-contact, read.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateContact {
    update: CustomerUpdate,
}

impl Act for UpdateContact {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at, Mode::Update, PERSON_FIELDS, diagnostics)?;
        let kinds = read_kinds(&mut fields);
        Some(Self { update: CustomerUpdate::read(&mut fields, kinds, context) })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        self.update.collect_keys(keys);
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        self.update.decide(overlay, ids, diagnostics)
    }
}

/// Whom `type` selects; a `contactType` of `lead` belongs to another action.
fn read_kinds(fields: &mut Fields<'_, '_>) -> &'static [CustomerKind] {
    if read_contact_type(fields).set() == Some(ContactKind::Lead) {
        let message = "update-contact changes contacts and accounts; to change a lead use the actionType `update-lead`.";
        fields.fault("contactType", Code::WrongKind, message);
    }
    match fields.number_choice("type", &[(0, "contact"), (1, "account")]) {
        Given::Set(1) => &[CustomerKind::Account],
        Given::Set(_) => &[CustomerKind::Contact],
        Given::Absent | Given::Clear => &[CustomerKind::Contact, CustomerKind::Account],
    }
}

#[cfg(test)]
mod tests;
