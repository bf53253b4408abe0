//! add-contact: a new contact or account, unless the org has it already (`listener.md` 3).
//!
//! A payload is a duplicate when any of its `contactId`, `passport`, `emails`, `phones` is held by
//! any contact or account. Then nothing is added or changed but a line in the history of the one
//! that matched first. Otherwise the record is made, with its company (`listener.md` 4), its tags,
//! its history and its welcome messages.

use super::act::Act;
use super::customer::customer_data::CustomerData;
use super::customer::customer_type::{ContactKind, read_contact_type};
use super::customer::heard_customer::{collect_keys, decide_heard};
use super::customer::new_or_duplicate::decide_new_or_duplicate;
use super::customer::person::PERSON_FIELDS;
use super::of_source::OfSource;
use super::welcome::rendered;
use crate::batch::{Context, Decision, Ids, Keys, Overlay, Rejection};
use crate::diagnostics::{Code, Diagnostics, Fault, Pointer, Warning};
use crate::json::{Fields, Given, Mode};
use crate::records::customer::{Customer, CustomerKind};
use crate::records::message::Content;
use serde_json::Value;

/// A payload of add-contact, read.
#[derive(Clone, Debug, PartialEq)]
pub struct AddContact {
    customer: CustomerData,
    /// Where a source tells of them.
    of_source: Option<OfSource>,
}

impl Act for AddContact {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at, Mode::Add, PERSON_FIELDS, diagnostics)?;
        let kind = read_kind(&mut fields);
        fields.ignore(
            "customerId",
            "codes are given by the CRM; to change a record use `update-contact`.",
        );
        let named = fields.has("name");
        fields.require("name", named);
        let customer = CustomerData::read(&mut fields, kind, context);
        Some(Self { customer, of_source: None })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        self.customer.collect_keys(keys);
        if let Some(of_source) = &self.of_source {
            collect_keys(&self.customer, of_source, keys);
        }
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        match &self.of_source {
            None => decide_new_or_duplicate(&self.customer, overlay, ids, diagnostics),
            Some(of_source) => decide_heard(&self.customer, of_source, overlay, ids, diagnostics),
        }
    }
}

impl AddContact {
    /// The contact as a source tells of them: what it knows beside the data, and what was wrong with
    /// that, which is only odd here, so that the rest is kept.
    pub fn heard(mut self, of_source: OfSource, diagnostics: &mut Diagnostics) -> Self {
        let unnamed = self.customer.at.member("name");
        if of_source.placeholder.is_some() {
            let is_that =
                |fault: &Fault| fault.code == Code::Required && fault.pointer == unnamed.as_str();
            diagnostics.faults.retain(|fault| !is_that(fault));
        }
        diagnostics.warnings.append(&mut diagnostics.faults);
        self.of_source = Some(of_source);
        self
    }

    /// The listener's welcome messages as the contact would get them if it were new, which it may
    /// not be, and had an address for each: for trying them out. A warning says which it would not
    /// get.
    pub fn welcome(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Result<(Vec<Content>, Vec<Warning>), Rejection> {
        let company = self.customer.search_company(overlay, &mut diagnostics);
        if !diagnostics.faults.is_empty() {
            return Err(diagnostics.into());
        }
        let at = &self.customer.at;
        let made = self.customer.create(company, overlay, ids, &mut diagnostics);
        // What is wrong with a template was told for those who have an address.
        let mut rendering = Diagnostics::default();
        let company_name = made.company_name.as_deref();
        let contents = rendered(&made.customer, company_name, at, overlay, &mut rendering);
        let new = rendering.warnings.into_iter().filter(|it| !diagnostics.warnings.contains(it));
        let new: Vec<Warning> = new.collect();
        diagnostics.warnings.extend(new);
        let listener = overlay.request.context.listener;
        let Customer { emails, phones, .. } = &made.customer;
        for (missing, field, what) in [
            (emails.is_empty() && listener.welcome_email.is_some(), "emails", "e-mail"),
            (phones.is_empty() && listener.welcome_sms.is_some(), "phones", "SMS"),
        ] {
            if missing {
                let message = format!("There is no address for the welcome {what}.");
                diagnostics.warn(Code::WelcomeSkipped, at.member(field), message);
            }
        }
        Ok((contents, diagnostics.warnings))
    }
}

/// `type` 0 or 1; a `contactType` of `lead` belongs to another action.
fn read_kind(fields: &mut Fields<'_, '_>) -> CustomerKind {
    if read_contact_type(fields).set() == Some(ContactKind::Lead) {
        let message =
            "add-contact makes contacts and accounts; to add a lead use the actionType `add-lead`.";
        fields.fault("contactType", Code::WrongKind, message);
    }
    match fields.number_choice("type", &[(0, "contact"), (1, "account")]) {
        Given::Set(1) => CustomerKind::Account,
        _ => CustomerKind::Contact,
    }
}

#[cfg(test)]
mod tests;
