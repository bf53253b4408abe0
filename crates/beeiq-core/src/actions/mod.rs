//! What each action type decides, and why: pure, a file an action (`docs/architecture.md`, "decide").
//!
//! An action is read ([`Action::read`]), says what has to be known ([`Action::collect_keys`]), and is
//! decided ([`Action::decide`]) against an [`Overlay`]: changes, or every fault it has.

pub(crate) mod add_activity;
mod add_contact;
mod add_deal;
mod add_lead;
pub(crate) mod add_note;
pub(crate) mod add_ticket;
mod channel;
mod cus_fields;
pub(crate) mod customer;
pub(crate) mod deal;
mod details;
mod permit;
pub(crate) mod send_sms;
#[cfg(test)]
pub(crate) mod testing;
mod update_contact;
mod update_lead;
mod welcome;

pub use add_activity::AddActivity;
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
use crate::words;
use serde_json::Value;

words! {
    /// What is to be done (`listener.md` 1).
    pub enum ActionType {
        /// Adds a person or a company, unless there is one.
        AddContact => "add-contact",
        /// Changes a person or a company.
        UpdateContact => "update-contact",
        /// Adds a lead, unless there is one.
        AddLead => "add-lead",
        /// Changes a lead.
        UpdateLead => "update-lead",
        /// Adds a deal, or changes it.
        AddDeal => "add-deal",
        /// Adds a note to a customer, a lead or a deal.
        AddNote => "add-note",
        /// Adds a ticket of a customer or a lead.
        AddTicket => "add-ticket",
        /// Adds something that happened with a customer, or changes it.
        AddActivity => "add-activity",
        /// Sends an SMS to numbers.
        SendSms => "send-sms",
    }
}

impl ActionType {
    /// The fields of the `data` of such an action.
    #[must_use]
    pub const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::AddContact | Self::UpdateContact | Self::AddLead | Self::UpdateLead => {
                customer::person::PERSON_FIELDS
            }
            Self::AddDeal => deal::fields::DEAL_FIELDS,
            Self::AddNote => add_note::NOTE_FIELDS,
            Self::AddTicket => add_ticket::TICKET_FIELDS,
            Self::AddActivity => add_activity::ACTIVITY_FIELDS,
            Self::SendSms => send_sms::SMS_FIELDS,
        }
    }

    /// The type of that name, or what to send instead.
    ///
    /// # Errors
    /// The names that there are, or the one that was probably meant.
    pub fn named(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::as_str);
        name.parse().map_err(|_| match nearest(name, names) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("there are {}.", listed(names, names.len())),
        })
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
    /// Adds or changes an activity.
    AddActivity(Box<AddActivity>),
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
        let action_type = ActionType::named(action_type).map_err(|help| {
            let shown: String = action_type.chars().take(64).collect();
            let message = format!("There is no action \"{shown}\"; {help}");
            diagnostics.fault(Code::UnknownActionType, at.member("actionType"), message);
        });
        let at = at.member("data");
        match action_type.ok()? {
            ActionType::AddContact => AddContact::read(data, at, context, diagnostics)
                .map(|action| Self::AddContact(Box::new(action))),
            ActionType::UpdateContact => UpdateContact::read(data, at, context, diagnostics)
                .map(|action| Self::UpdateContact(Box::new(action))),
            ActionType::AddLead => AddLead::read(data, at, context, diagnostics)
                .map(|action| Self::AddLead(Box::new(action))),
            ActionType::UpdateLead => UpdateLead::read(data, at, context, diagnostics)
                .map(|action| Self::UpdateLead(Box::new(action))),
            ActionType::AddDeal => AddDeal::read(data, at, context, diagnostics)
                .map(|action| Self::AddDeal(Box::new(action))),
            ActionType::AddNote => AddNote::read(data, at, context, diagnostics)
                .map(|action| Self::AddNote(Box::new(action))),
            ActionType::AddTicket => AddTicket::read(data, at, context, diagnostics)
                .map(|action| Self::AddTicket(Box::new(action))),
            ActionType::AddActivity => AddActivity::read(data, at, context, diagnostics)
                .map(|action| Self::AddActivity(Box::new(action))),
            ActionType::SendSms => SendSms::read(data, at, context, diagnostics).map(Self::SendSms),
        }
    }

    /// What has to be known before it can be decided.
    pub fn collect_keys(&self, keys: &mut Keys) {
        match self {
            Self::AddContact(action) => action.collect_keys(keys),
            Self::AddLead(action) => action.collect_keys(keys),
            Self::AddNote(action) => action.collect_keys(keys),
            Self::AddTicket(action) => action.collect_keys(keys),
            Self::AddActivity(action) => action.collect_keys(keys),
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
            Self::AddActivity(action) => action.decide(overlay, ids, diagnostics),
            Self::SendSms(action) => action.decide(overlay, ids, diagnostics),
            Self::UpdateContact(action) => action.decide(overlay, ids, diagnostics),
            Self::UpdateLead(action) => action.decide(overlay, ids, diagnostics),
            Self::AddDeal(action) => action.decide(overlay, ids, diagnostics),
        }
    }
}
