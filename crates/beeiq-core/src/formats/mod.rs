//! The formats in which deliveries come, a file each: from bytes to actions, or why not.
//!
//! A door has a format, and what came in at it is kept with the format's name: what is deferred,
//! replayed or erased later is read as it was meant.

mod beeiq;
mod draft;
mod envelope;
mod headers;
mod iadvize;
mod oktium;
mod places;
mod pulled;
mod sources;
mod told;
mod wolkvox;

pub use draft::{Data, Draft, Heard, Part, Whose};
pub use envelope::{Envelope, Item, Limits};
pub use headers::Headers;
pub use told::Told;

use crate::batch::Context;
use crate::diagnostics::{Pointer, Refusal};
use crate::json::Meter;
use crate::records::connection::Source;
use crate::values::words::UnknownWord;
use crate::words;
use serde_json::Value;
use std::collections::BTreeSet;

words! {
    /// A format. Its word is kept with deliveries, so it never changes its meaning.
    pub enum Format {
        /// The envelope of `listener.md` 1.
        Beeiq => "beeiq",
        /// An event of Oktium (`connections.md` 2).
        Oktium => "oktium",
        /// Items of iAdvize with what was looked up of them (`connections.md` 3).
        Iadvize => "iadvize",
        /// Rows of a campaign of wolkvox (`connections.md` 4).
        Wolkvox => "wolkvox",
    }
}

impl TryFrom<String> for Format {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        word.parse()
    }
}

impl From<Source> for Format {
    fn from(source: Source) -> Self {
        match source {
            Source::Oktium => Self::Oktium,
            Source::Iadvize => Self::Iadvize,
            Source::Wolkvox => Self::Wolkvox,
        }
    }
}

impl Format {
    /// Reads what came in.
    pub fn read<'a>(
        self,
        told: Told<'_>,
        limits: Limits,
        context: Context<'a>,
    ) -> Result<Envelope<'a>, Refusal> {
        let envelope = match self {
            Self::Beeiq => beeiq::read(told.body, limits, context),
            Self::Oktium => sources::read(Source::Oktium, told, context),
            Self::Iadvize => sources::read(Source::Iadvize, told, context),
            Self::Wolkvox => sources::read(Source::Wolkvox, told, context),
        }?;
        Ok(envelope.within_messages(|index| self.pointer_to(index)))
    }

    /// Reads it as far as it takes to know that its actions can be read later; they are left out.
    pub fn check<'a>(
        self,
        told: Told<'_>,
        limits: Limits,
        context: Context<'a>,
    ) -> Result<Envelope<'a>, Refusal> {
        match self {
            Self::Beeiq => beeiq::check(told.body, limits, context),
            Self::Oktium => sources::read(Source::Oktium, told, context),
            Self::Iadvize => sources::read(Source::Iadvize, told, context),
            Self::Wolkvox => sources::read(Source::Wolkvox, told, context),
        }
    }

    /// What measures a body of at most `deepest` levels while it arrives.
    pub fn meter(self, deepest: usize) -> Meter {
        match self {
            Self::Beeiq | Self::Oktium | Self::Iadvize | Self::Wolkvox => Meter::new(deepest),
        }
    }

    /// The items of a kept body of which that is so; `None` where it cannot be taken apart.
    #[must_use]
    pub fn items_that(
        self,
        body: &[u8],
        is_so: impl Fn(&Value) -> bool,
    ) -> Option<BTreeSet<usize>> {
        match self {
            Self::Beeiq => beeiq::actions_that(body, is_so),
            Self::Oktium => oktium::items_that(body, is_so),
            Self::Iadvize => iadvize::items_that(body, is_so),
            Self::Wolkvox => wolkvox::items_that(body, is_so),
        }
    }

    /// A kept body without these items; `None` where it cannot be taken apart.
    pub fn redacted(self, body: &[u8], items: &BTreeSet<usize>) -> Option<Vec<u8>> {
        match self {
            Self::Beeiq => beeiq::redacted(body, items),
            Self::Oktium => oktium::redacted(body, items),
            Self::Iadvize => iadvize::redacted(body, items),
            Self::Wolkvox => wolkvox::redacted(body, items),
        }
    }

    /// Where the item of an action stands in the body.
    pub fn pointer_to(self, index: usize) -> Pointer {
        match self {
            Self::Beeiq => beeiq::pointer_to(index),
            Self::Oktium => Pointer::root(),
            Self::Iadvize | Self::Wolkvox => pulled::pointer_to(self.item_of(index)),
        }
    }

    /// The item that an action is of: of a listener's actions each is one.
    pub const fn item_of(self, index: usize) -> usize {
        match self {
            Self::Beeiq => index,
            Self::Oktium | Self::Iadvize | Self::Wolkvox => index / Part::MOST,
        }
    }

    /// The item that a pointer into the body leads to, or into.
    pub fn item_at(self, pointer: &str) -> Option<usize> {
        match self {
            Self::Beeiq => beeiq::action_at(pointer),
            Self::Oktium => Some(0),
            Self::Iadvize | Self::Wolkvox => pulled::item_at(pointer),
        }
    }
}
