//! What every format reads a payload into.

use crate::actions::Action;
use crate::diagnostics::{Diagnostics, Warning};
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
}
