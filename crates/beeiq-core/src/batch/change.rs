//! What deciding yields: changes as values.

use crate::diagnostics::{Diagnostics, Fault, Warning};
use crate::records::activity::Activity;
use crate::records::customer::{Customer, CustomerCode};
use crate::records::deal::Deal;
use crate::records::history::Event;
use crate::records::identity::{Identity, IdentityKind};
use crate::records::message::Wording;
use crate::records::model::Model;
use crate::records::note::Note;
use crate::records::ticket::{Ticket, TicketCode};
use crate::values::template::MergeFields;
use crate::words;
use std::sync::Arc;
use uuid::Uuid;

/// One change that an action wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A customer comes to be.
    CustomerCreated(Box<Customer>),
    /// A customer is from now on like this.
    CustomerChanged(Box<Customer>),
    /// A customer comes to hold an identity.
    IdentityClaimed(Claim),
    /// Nobody holds an identity any more.
    IdentityReleased(Identity),
    /// A deal comes to be.
    DealCreated {
        /// The record.
        deal: Box<Deal>,
        /// Whether only because there is none of its name: then the change is void where somebody
        /// else was faster with the name.
        by_name: bool,
    },
    /// A deal is from now on like this.
    DealChanged(Box<Deal>),
    /// A tag comes to be.
    TagCreated(NewTag),
    /// A note comes to be.
    NoteAdded(Box<Note>),
    /// A ticket comes to be.
    TicketAdded(Box<Ticket>),
    /// An activity comes to be.
    ActivityAdded(Box<Activity>),
    /// An activity is from now on like this.
    ActivityChanged(Box<Activity>),
    /// A line in a record's history.
    HistoryAdded(HistoryLine),
    /// A message is to be sent.
    MessageQueued(Box<Message>),
}

impl Change {
    /// A line in a record's history.
    pub const fn history(id: Uuid, subject: Subject, event: Event) -> Self {
        Self::HistoryAdded(HistoryLine { id, subject, event })
    }
}

/// Who comes to hold which identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The identity.
    pub identity: Identity,
    /// Its holder.
    pub customer: Uuid,
    /// Whether the change is void where somebody else was faster. A company's name may be shared.
    pub exclusive: bool,
}

/// A tag not yet known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTag {
    /// Its id.
    pub id: Uuid,
    /// As written first.
    pub name: String,
    /// As compared.
    pub name_key: String,
}

/// A line in the history of a record (`api.md` 5).
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryLine {
    /// Ascending, so that later lines are newer.
    pub id: Uuid,
    /// Whose history.
    pub subject: Subject,
    /// What happened.
    pub event: Event,
}

/// Whose history a line is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A contact's, account's or lead's.
    Customer(Uuid),
    /// A deal's.
    Deal(Uuid),
    /// A ticket's.
    Ticket(Uuid),
}

impl Subject {
    /// The customer, where it is one's.
    pub const fn customer(self) -> Option<Uuid> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Deal(_) | Self::Ticket(_) => None,
        }
    }

    /// The deal, where it is one's.
    pub const fn deal(self) -> Option<Uuid> {
        match self {
            Self::Deal(id) => Some(id),
            Self::Customer(_) | Self::Ticket(_) => None,
        }
    }

    /// The ticket, where it is one's.
    pub const fn ticket(self) -> Option<Uuid> {
        match self {
            Self::Ticket(id) => Some(id),
            Self::Customer(_) | Self::Deal(_) => None,
        }
    }
}

/// A message: a wording, and what is filled into it. It is rendered when it is sent or shown, so that
/// what a batch makes does not grow with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id in the outbox.
    pub id: Uuid,
    /// The customer it is for, where it is for one.
    pub customer: Option<Uuid>,
    /// The lead it is for: a number may be held by a customer and by a lead.
    pub lead: Option<Uuid>,
    /// An e-mail address, or a number in E.164.
    pub recipient: String,
    /// What it says.
    pub wording: Arc<Wording>,
    /// What is filled in, where the wording is a template.
    pub merge: Option<Box<MergeFields>>,
    /// How many segments an SMS takes.
    pub segments: Option<u32>,
}

/// What became of an action that did not fail.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What is said of it.
    pub outcome: Outcome,
    /// What it changes.
    pub changes: Vec<Change>,
}

/// What an answer says of an action that did not fail (`listener.md` 2).
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The status.
    pub status: Status,
    /// The record that it is about; none where there is none any more.
    pub record: Option<RecordRef>,
    /// By which identifier a duplicate was recognised.
    pub matched_by: Option<IdentityKind>,
    /// Other records that it touched or came upon.
    pub related: Vec<Related>,
    /// What was odd.
    pub warnings: Vec<Warning>,
}

impl Outcome {
    /// That of an action that is about no record.
    #[must_use]
    pub const fn without_record(status: Status, warnings: Vec<Warning>) -> Self {
        Self { status, record: None, matched_by: None, related: Vec::new(), warnings }
    }
}

words! {
    /// What became of an action (`listener.md` 2).
    #[schema(as = ActionStatus)]
    pub enum Status {
        Created => "created",
        Updated => "updated",
        Unchanged => "unchanged",
        Duplicate => "duplicate",
        Queued => "queued",
    }
}

/// A record as answers name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRef {
    /// Its id.
    pub id: Uuid,
    /// What it is, and how it is called.
    pub name: RecordName,
}

impl RecordRef {
    /// A customer.
    pub const fn of_customer(id: Uuid, code: CustomerCode) -> Self {
        Self { id, name: RecordName::Customer(code) }
    }
}

/// What a record is, and its visible code where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordName {
    /// A contact, account or lead.
    Customer(CustomerCode),
    /// A note.
    Note,
    /// A ticket.
    Ticket(TicketCode),
    /// An activity.
    Activity,
    /// A message in the outbox.
    Sms,
    /// A deal, by its visible id.
    Deal(String),
}

impl RecordName {
    /// The record's model.
    pub fn model(&self) -> Model {
        match self {
            Self::Customer(code) => code.kind.into(),
            Self::Note => Model::Note,
            Self::Ticket(_) => Model::Ticket,
            Self::Activity => Model::Activity,
            Self::Sms => Model::Sms,
            Self::Deal(_) => Model::Deal,
        }
    }

    /// Its visible code.
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Customer(code) => Some(code.to_string()),
            Self::Ticket(code) => Some(code.to_string()),
            Self::Note | Self::Activity | Self::Sms => None,
            Self::Deal(deal_id) => Some(deal_id.clone()),
        }
    }
}

/// Another record, and what it is to the action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// What it is to the action.
    pub role: Role,
    /// Which record.
    pub record: RecordRef,
}

words! {
    /// Whether a related record was there already.
    pub enum Link {
        /// Made for the action.
        Created => "created",
        /// Found, and not changed.
        Linked => "linked",
    }
}

/// What a related record is to the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The contact's company, made for it.
    CompanyCreated,
    /// The contact's company, found.
    CompanyLinked,
    /// The customer that the deal is with.
    DealWith(Link),
    /// A related customer of the deal.
    Contact(Link),
    /// Another record that an identifier of the payload matched.
    Candidate,
    /// A message that was queued.
    Message,
    /// The customer of a ticket.
    Customer(Link),
}

/// An action that changes nothing, and every reason why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejection {
    /// Every fault.
    pub faults: Vec<Fault>,
    /// What was odd besides.
    pub warnings: Vec<Warning>,
}

impl From<Diagnostics> for Rejection {
    fn from(diagnostics: Diagnostics) -> Self {
        let Diagnostics { faults, warnings } = diagnostics;
        Self { faults, warnings }
    }
}
