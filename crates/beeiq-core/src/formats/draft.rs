//! What the formats of sources make of an item: actions with the data that a listener's have, where
//! each value of it stood, and what a source knows beyond that (`connections.md` 1).

use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::records::activity::ActivityKey;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// Deeper than anything that the three systems tell, and than what is made of it.
pub(super) const DEEPEST: usize = 64;

/// Which of the actions of an item it is: they are decided in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the kinds of record say it")]
pub enum Part {
    Contact,
    Deal,
    Activity,
    Ticket,
}

impl Part {
    /// How many actions an item makes at most.
    pub const MOST: usize = 4;

    /// Its place among the actions of an item.
    pub const fn place(self) -> usize {
        match self {
            Self::Contact => 0,
            Self::Deal => 1,
            Self::Activity => 2,
            Self::Ticket => 3,
        }
    }
}

/// One action of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Which item of the body: 0 where the body is one.
    pub item: usize,
    /// Where that item stands.
    pub at: Pointer,
    /// Which of its actions.
    pub part: Part,
    /// The data of the action, as `listener.md` describes it; whose it is says `heard`.
    pub data: Data,
    /// What the source knows beyond that.
    pub heard: Heard,
    /// What was wrong or odd about the item; with a fault the action fails.
    pub diagnostics: Diagnostics,
}

impl Draft {
    /// An action with nothing in it yet.
    pub fn new(item: usize, at: &Pointer, part: Part) -> Self {
        Self {
            item,
            at: at.clone(),
            part,
            data: Data::default(),
            heard: Heard::default(),
            diagnostics: Diagnostics::default(),
        }
    }

    /// An action that cannot be made of the item, and why.
    #[must_use]
    pub fn failed(mut self, code: Code, pointer: &Pointer, message: impl Into<String>) -> Self {
        self.diagnostics.fault(code, pointer, message);
        self
    }
}

/// The data of an action, and where each value of it stood in the body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data {
    /// As `listener.md` describes it.
    pub fields: Map<String, Value>,
    places: Vec<(String, Pointer)>,
}

impl Data {
    /// Sets a field; `from` is where the value stood.
    pub fn put(&mut self, field: &str, value: impl Into<Value>, from: &Pointer) {
        self.places.push((Pointer::root().member(field).into(), from.clone()));
        self.fields.insert(field.to_owned(), value.into());
    }

    /// Appends to a list.
    pub fn push(&mut self, field: &str, value: impl Into<Value>, from: &Pointer) {
        let list = self.fields.entry(field).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(entries) = list {
            let place = Pointer::root().member(field).index(entries.len());
            self.places.push((place.into(), from.clone()));
            entries.push(value.into());
        }
    }

    /// Where in the body that stood to which a pointer into the data leads; `at` where that is not
    /// known.
    pub fn origin<'p>(&'p self, pointer: &str, at: &'p Pointer) -> &'p Pointer {
        let leads = |place: &str| {
            pointer.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let known = self.places.iter().filter(|(place, _)| leads(place));
        known.max_by_key(|(place, _)| place.len()).map_or(at, |(_, origin)| origin)
    }
}

/// What a source knows of an action beyond its data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// Whose it is, in the order in which they are looked for. Of a contact the identifiers in its
    /// data come after them.
    pub whose: Vec<Whose>,
    /// What a new contact is called where the data has no name.
    pub placeholder: Option<String>,
    /// When that was so which it tells: an older telling changes nothing but fills gaps.
    pub as_of: Option<DateTime<Utc>>,
    /// The activities that it is about. Of the first it is known how new the telling was that is
    /// known; a deal is linked to all of them that are there; a ticket is opened once for the first.
    pub activities: Vec<ActivityKey>,
    /// The name of the stage of a new deal whose data has none; the org's first where it is not said.
    pub new_deal_stage: Option<String>,
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Whose {
    /// The customer whom the source knows by this id.
    External(String),
    /// The customer of an activity that is known.
    OfActivity(ActivityKey),
    /// Who has the e-mail address, as it was told.
    Email(String),
    /// Who has the phone number, as it was told.
    Phone(String),
}
