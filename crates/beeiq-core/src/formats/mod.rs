//! The formats in which deliveries come, a file each: from bytes to actions, or why not.
//!
//! A door has a format, and what came in at it is kept with the format's name: what is deferred,
//! replayed or erased later is read as it was meant.

mod beeiq;
mod envelope;
mod headers;

pub use envelope::{Envelope, Item, Limits};
pub use headers::Headers;

use crate::batch::Context;
use crate::diagnostics::{Pointer, Refusal};
use crate::json::Meter;
use crate::values::words::UnknownWord;
use crate::words;
use serde_json::Value;
use std::collections::BTreeSet;

words! {
    /// A format. Its word is kept with deliveries, so it never changes its meaning.
    pub enum Format {
        /// The envelope of `listener.md` 1.
        Beeiq => "beeiq",
    }
}

impl TryFrom<String> for Format {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        word.parse()
    }
}

impl Format {
    /// Reads a body with the headers that are kept of its request.
    pub fn read<'a>(
        self,
        body: &[u8],
        _headers: &Headers,
        limits: Limits,
        context: Context<'a>,
    ) -> Result<Envelope<'a>, Refusal> {
        let envelope = match self {
            Self::Beeiq => beeiq::read(body, limits, context),
        }?;
        Ok(envelope.within_messages(|index| self.pointer_to(index)))
    }

    /// Reads it as far as it takes to know that its actions can be read later; they are left out.
    pub fn check<'a>(
        self,
        body: &[u8],
        _headers: &Headers,
        limits: Limits,
        context: Context<'a>,
    ) -> Result<Envelope<'a>, Refusal> {
        match self {
            Self::Beeiq => beeiq::check(body, limits, context),
        }
    }

    /// What measures a body of at most `deepest` levels while it arrives.
    pub fn meter(self, deepest: usize) -> Meter {
        match self {
            Self::Beeiq => Meter::new(deepest),
        }
    }

    /// The actions of a kept body of which that is so; `None` where it cannot be taken apart.
    #[must_use]
    pub fn actions_that(
        self,
        body: &[u8],
        is_so: impl Fn(&Value) -> bool,
    ) -> Option<BTreeSet<usize>> {
        match self {
            Self::Beeiq => beeiq::actions_that(body, is_so),
        }
    }

    /// A kept body without the data of these actions; `None` where it cannot be taken apart.
    pub fn redacted(self, body: &[u8], actions: &BTreeSet<usize>) -> Option<Vec<u8>> {
        match self {
            Self::Beeiq => beeiq::redacted(body, actions),
        }
    }

    /// Where an action stands in the body.
    pub fn pointer_to(self, index: usize) -> Pointer {
        match self {
            Self::Beeiq => beeiq::pointer_to(index),
        }
    }

    /// The action that a pointer into the body leads to, or into.
    pub fn action_at(self, pointer: &str) -> Option<usize> {
        match self {
            Self::Beeiq => beeiq::action_at(pointer),
        }
    }
}
