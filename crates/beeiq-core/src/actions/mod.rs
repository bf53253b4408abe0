//! What each action type decides, and why: pure, a file an action (`docs/architecture.md`, "decide").
//!
//! An action is read ([`Action::read`]), says what has to be known ([`Action::collect_keys`]), and is
//! decided ([`Action::decide`]) against an [`Overlay`]: changes, or every fault it has.

mod add_contact;
mod add_deal;
mod add_lead;
pub(crate) mod add_note;
pub(crate) mod add_ticket;
mod channel;
mod cus_fields;
pub(crate) mod customer;
pub(crate) mod deal;
mod permit;
pub(crate) mod send_sms;
#[cfg(test)]
pub(crate) mod testing;
mod update_contact;
mod update_lead;
mod welcome;

pub use add_contact::AddContact;
pub use add_deal::AddDeal;
pub use add_lead::AddLead;
pub use add_note::AddNote;
pub use add_ticket::AddTicket;
pub use send_sms::SendSms;
pub use update_contact::UpdateContact;
pub use update_lead::UpdateLead;

use crate::batch::{Context, Decision, Ids, Keys, Overlay, Rejection};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::values::suggest::{listed, nearest};
use serde_json::Value;

/// The action types, by the names that payloads have for them (`listener.md` 1).
pub const ACTION_TYPES: &[&str] = &[
    "add-contact",
    "update-contact",
    "add-lead",
    "update-lead",
    "add-deal",
    "add-note",
    "add-ticket",
    "send-sms",
];

/// The fields of the `data` of an action of that type; `None` where there is no such type.
#[must_use]
pub fn fields_of(action_type: &str) -> Option<&'static [&'static str]> {
    match action_type {
        "add-contact" | "update-contact" | "add-lead" | "update-lead" => {
            Some(customer::person::PERSON_FIELDS)
        }
        "add-deal" => Some(deal::fields::DEAL_FIELDS),
        "add-note" => Some(add_note::NOTE_FIELDS),
        "add-ticket" => Some(add_ticket::TICKET_FIELDS),
        "send-sms" => Some(send_sms::SMS_FIELDS),
        _ => None,
    }
}

/// An action, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Adds a contact or account.
    AddContact(Box<AddContact>),
    /// Changes a contact or account.
    UpdateContact(Box<UpdateContact>),
    /// Adds a lead.
    AddLead(Box<AddLead>),
    /// Adds a note to a customer or a deal.
    AddNote(Box<AddNote>),
    /// Adds a ticket of a customer or lead.
    AddTicket(Box<AddTicket>),
    /// Sends an SMS to some numbers.
    SendSms(SendSms),
    /// Changes a lead.
    UpdateLead(Box<UpdateLead>),
    /// Adds or changes a deal.
    AddDeal(Box<AddDeal>),
}

impl Action {
    /// Reads the `data` of an action of that type, which stands at `at`. What is wrong or odd goes
    /// to `diagnostics`; `None` where there is nothing to decide about.
    pub fn read(
        action_type: &str,
        data: &Value,
        at: &Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let data_at = at.member("data");
        match action_type {
            "add-contact" => AddContact::read(data, data_at, context, diagnostics)
                .map(|action| Self::AddContact(Box::new(action))),
            "add-lead" => AddLead::read(data, data_at, context, diagnostics)
                .map(|action| Self::AddLead(Box::new(action))),
            "add-note" => AddNote::read(data, data_at, context, diagnostics)
                .map(|action| Self::AddNote(Box::new(action))),
            "add-ticket" => AddTicket::read(data, data_at, context, diagnostics)
                .map(|action| Self::AddTicket(Box::new(action))),
            "send-sms" => SendSms::read(data, data_at, context, diagnostics).map(Self::SendSms),
            "update-contact" => UpdateContact::read(data, data_at, context, diagnostics)
                .map(|action| Self::UpdateContact(Box::new(action))),
            "update-lead" => UpdateLead::read(data, data_at, context, diagnostics)
                .map(|action| Self::UpdateLead(Box::new(action))),
            "add-deal" => AddDeal::read(data, data_at, context, diagnostics)
                .map(|action| Self::AddDeal(Box::new(action))),
            unknown => {
                let shown: String = unknown.chars().take(64).collect();
                let help = match nearest(unknown, ACTION_TYPES.iter().copied()) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("there are {}.", listed(ACTION_TYPES, ACTION_TYPES.len())),
                };
                let message = format!("There is no action \"{shown}\"; {help}");
                diagnostics.fault(Code::UnknownActionType, at.member("actionType"), message);
                None
            }
        }
    }

    /// What has to be known before it can be decided.
    pub fn collect_keys(&self, keys: &mut Keys) {
        match self {
            Self::AddContact(action) => action.collect_keys(keys),
            Self::AddLead(action) => action.collect_keys(keys),
            Self::AddNote(action) => action.collect_keys(keys),
            Self::AddTicket(action) => action.collect_keys(keys),
            Self::SendSms(action) => action.collect_keys(keys),
            Self::UpdateContact(action) => action.collect_keys(keys),
            Self::UpdateLead(action) => action.collect_keys(keys),
            Self::AddDeal(action) => action.collect_keys(keys),
        }
    }

    /// Decides it against what is known, without I/O. `diagnostics` are those of reading it.
    ///
    /// # Errors
    /// Every fault that it has; then it changes nothing.
    pub fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        match self {
            Self::AddContact(action) => action.decide(overlay, ids, diagnostics),
            Self::AddLead(action) => action.decide(overlay, ids, diagnostics),
            Self::AddNote(action) => action.decide(overlay, ids, diagnostics),
            Self::AddTicket(action) => action.decide(overlay, ids, diagnostics),
            Self::SendSms(action) => action.decide(overlay, ids, diagnostics),
            Self::UpdateContact(action) => action.decide(overlay, ids, diagnostics),
            Self::UpdateLead(action) => action.decide(overlay, ids, diagnostics),
            Self::AddDeal(action) => action.decide(overlay, ids, diagnostics),
        }
    }
}
