//! What every format reads a payload into.

use super::places::Places;
use crate::actions::Action;
use crate::batch::{Decision, Ids, Overlay, Rejection};
use crate::diagnostics::{Code, Diagnostics, Pointer, Warning};
use crate::directory::User;

/// What a payload may be at most (`listener.md` 1).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Actions.
    pub actions: usize,
    /// Levels of nesting; the outermost is the first.
    pub depth: usize,
}

/// What a payload turned out to be.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// For whom the actions are done: the "me" of permits, the owner of what they create.
    pub sender: &'a User,
    /// The actions, in order.
    pub items: Vec<Item>,
    /// What is odd about the payload as a whole.
    pub warnings: Vec<Warning>,
}

/// How many messages the actions of a payload may send, each of which takes memory that its number in
/// the body does not: those that welcome apart, of which an action has two at most.
const MOST_MESSAGES: usize = 20_000;

impl Envelope<'_> {
    /// Leaves out the actions that would send more messages than fit; each fails alone.
    #[must_use]
    pub fn within_messages(mut self, pointer_to: impl Fn(usize) -> Pointer) -> Self {
        let mut messages = 0;
        for item in &mut self.items {
            let more = item.action.as_ref().map_or(0, Action::recipients);
            if messages + more > MOST_MESSAGES {
                item.action = None;
                let message = format!(
                    "The actions of a delivery send {MOST_MESSAGES} messages at most, and with this \
                     one they would be more; send it in another delivery."
                );
                item.diagnostics.fault(Code::TooLarge, pointer_to(item.index), message);
            } else {
                messages += more;
            }
        }
        self
    }
}

/// One action of a payload.
#[derive(Debug)]
pub struct Item {
    /// Its place among the actions, by which answers and replays name it.
    pub index: usize,
    /// Its `actionType` as sent, where it is a text.
    pub action_type: Option<String>,
    /// The action, as far as there is something to decide about.
    pub action: Option<Action>,
    /// What was found while reading it.
    pub diagnostics: Diagnostics,
    /// Where what it was made of stands, where that is not where its data does.
    pub places: Option<Box<Places>>,
}

impl Item {
    /// Decides it against what is known; what is wrong or odd is told of the places in the body.
    pub fn decide(&self, overlay: &Overlay<'_>, ids: &mut dyn Ids) -> Result<Decision, Rejection> {
        let diagnostics = self.diagnostics.clone();
        let mut decided = match &self.action {
            Some(action) => action.decide(overlay, ids, diagnostics),
            None => Err(diagnostics.into()),
        };
        if let Some(places) = &self.places {
            match &mut decided {
                Ok(decision) => places.relocate(&mut decision.outcome.warnings),
                Err(Rejection { faults, warnings }) => {
                    places.relocate(faults);
                    places.relocate(warnings);
                }
            }
        }
        decided
    }
}
