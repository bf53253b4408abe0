//! What each action type decides, and why: pure, a file an action (`docs/architecture.md`, "decide").
//!
//! An action is read, says what has to be known, and is decided ([`Act`]) against an [`Overlay`]:
//! changes, or every fault it has.

mod act;
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
mod of_source;
mod permit;
pub(crate) mod send_sms;
#[cfg(test)]
pub(crate) mod testing;
mod update_contact;
mod update_lead;
mod welcome;

pub use act::Act;
pub use add_activity::AddActivity;
pub use add_contact::AddContact;
pub use add_deal::AddDeal;
pub use add_lead::AddLead;
pub use add_note::AddNote;
pub use add_ticket::AddTicket;
pub use send_sms::SendSms;
pub use update_contact::UpdateContact;
pub use update_lead::UpdateLead;

use self::of_source::OfSource;
use crate::batch::{Context, Decision, Ids, Keys, Overlay, Rejection};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::formats::Heard;
use crate::values::suggest::{listed, nearest};
use crate::words;
use serde_json::Value;

/// Declares the types of actions: the variant, which is also the type that reads and decides it; its
/// word; the fields of its `data`.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident => $word:tt, $fields:expr;)+) => {
        words! {
            /// What is to be done (`listener.md` 1).
            pub enum ActionType {
                $($(#[$doc])* $name => $word,)+
            }
        }

        impl ActionType {
            /// The fields of the `data` of such an action.
            pub const fn fields(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => $fields,)+
                }
            }
        }

        /// An action, read.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Action {
            $($(#[$doc])* $name(Box<$name>),)+
        }

        impl Action {
            fn read_data(
                action_type: ActionType,
                data: &Value,
                at: Pointer,
                context: Context<'_>,
                diagnostics: &mut Diagnostics,
            ) -> Option<Self> {
                Some(match action_type {
                    $(ActionType::$name => {
                        Self::$name(Box::new($name::read(data, at, context, diagnostics)?))
                    })+
                })
            }

            /// What has to be known before it can be decided.
            pub fn collect_keys(&self, keys: &mut Keys) {
                match self {
                    $(Self::$name(action) => action.collect_keys(keys),)+
                }
            }

            /// How many messages it sends, as [`Act::recipients`] does.
            pub fn recipients(&self) -> usize {
                match self {
                    $(Self::$name(action) => action.recipients(),)+
                }
            }

            /// Decides it against what is known, as [`Act::decide`] does.
            pub fn decide(
                &self,
                overlay: &Overlay<'_>,
                ids: &mut dyn Ids,
                diagnostics: Diagnostics,
            ) -> Result<Decision, Rejection> {
                match self {
                    $(Self::$name(action) => action.decide(overlay, ids, diagnostics),)+
                }
            }
        }
    };
}

actions! {
    /// Adds a person or a company, unless there is one.
    AddContact => "add-contact", customer::person::PERSON_FIELDS;
    /// Changes a person or a company.
    UpdateContact => "update-contact", customer::person::PERSON_FIELDS;
    /// Adds a lead, unless there is one.
    AddLead => "add-lead", customer::person::PERSON_FIELDS;
    /// Changes a lead.
    UpdateLead => "update-lead", customer::person::PERSON_FIELDS;
    /// Adds a deal, or changes it.
    AddDeal => "add-deal", deal::fields::DEAL_FIELDS;
    /// Adds a note to a customer, a lead or a deal.
    AddNote => "add-note", add_note::NOTE_FIELDS;
    /// Adds a ticket of a customer or a lead.
    AddTicket => "add-ticket", add_ticket::TICKET_FIELDS;
    /// Adds something that happened with a customer, or changes it.
    AddActivity => "add-activity", add_activity::ACTIVITY_FIELDS;
    /// Sends an SMS to numbers.
    SendSms => "send-sms", send_sms::SMS_FIELDS;
}

impl ActionType {
    /// The type of that name, or what to send instead: all names, or the one that was probably meant.
    pub fn named(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::as_str);
        name.parse().map_err(|_| match nearest(name, names) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("there are {}.", listed(names, names.len())),
        })
    }
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
        Self::read_data(action_type.ok()?, data, at.member("data"), context, diagnostics)
    }
    /// Reads the action of a source, whose `data` was made of what it told; beside it stands what the
    /// source knows that a payload cannot say.
    pub fn heard(
        action_type: ActionType,
        data: &Value,
        at: Pointer,
        heard: Heard,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let action = Self::read_data(action_type, data, at, context, diagnostics)?;
        let Some(connection) = context.connection else { return Some(action) };
        // Whose it is the source knows.
        diagnostics.faults.retain(|fault| fault.code != Code::MissingIdentifier);
        let stage = heard.new_deal_stage.clone();
        let of_source = OfSource::new(heard, connection.source(), connection.on_match, context);
        Some(match action {
            Self::AddContact(it) => Self::AddContact(Box::new(it.heard(of_source, diagnostics))),
            Self::AddDeal(it) => {
                Self::AddDeal(Box::new(it.heard(of_source, stage.as_deref(), context, diagnostics)))
            }
            Self::AddActivity(it) => Self::AddActivity(Box::new(it.heard(of_source))),
            Self::AddTicket(it) => Self::AddTicket(Box::new(it.heard(of_source))),
            Self::UpdateContact(_)
            | Self::AddLead(_)
            | Self::UpdateLead(_)
            | Self::AddNote(_)
            | Self::SendSms(_) => action,
        })
    }
}
