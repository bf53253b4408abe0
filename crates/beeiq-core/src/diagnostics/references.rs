//! Names that a payload has and the org has to have.

use super::{Code, Diagnostics, Pointer};
use crate::values::suggest::{listed, nearest};

/// How many names a message lists.
const LISTED: usize = 20;

/// What becomes of a name that the org does not have (`listener.md` 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct References {
    /// The listener's `unknownReferences` is `skip`.
    pub skip: bool,
}

/// A name that a payload has and the org does not.
#[derive(Clone, Copy, Debug)]
pub struct UnknownName<'n> {
    /// As which fault or warning it is told.
    pub code: Code,
    /// What should have the name, for the message: `group`.
    pub what: &'n str,
    /// The name as it was sent.
    pub name: &'n str,
}

impl References {
    /// Notes that nothing has that name: a fault, or a warning that it was dropped. The message
    /// names the nearest of `names`, or lists them.
    pub fn unknown<'a>(
        self,
        diagnostics: &mut Diagnostics,
        at: &Pointer,
        UnknownName { code, what, name }: UnknownName<'_>,
        names: impl Iterator<Item = &'a str> + Clone,
    ) {
        let shown: String = name.chars().take(64).collect();
        let help = match nearest(name, names.clone()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None if names.clone().next().is_none() => "the org has none yet.".to_owned(),
            None => format!("the org has {}.", listed(names, LISTED)),
        };
        self.note(diagnostics, code, at, &format!("There is no {what} \"{shown}\"; {help}"));
    }

    /// The same without a list of names, where it would tell too much.
    pub fn note(self, diagnostics: &mut Diagnostics, code: Code, at: &Pointer, message: &str) {
        if self.skip {
            diagnostics.warn(code, at, format!("{message} It was left out."));
        } else {
            diagnostics.fault(code, at, message);
        }
    }
}
