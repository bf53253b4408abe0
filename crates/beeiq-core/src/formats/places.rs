//! Where in a body that stood which an action was made of.

use super::draft::Data;
use crate::diagnostics::{Fault, Pointer};

/// Under which the data of a draft stands while it is read: no body has it.
const DATA: &str = "\u{1}";

/// Where the data of a draft stands while it is read, which is made of an item that stands `at`.
pub(super) fn data_at(at: &Pointer) -> Pointer {
    at.member(DATA)
}

/// Where in the body that stood which an action was made of.
#[derive(Clone, Debug)]
pub struct Places {
    at: Pointer,
    data: Data,
}

impl Places {
    /// Where the parts of a draft's data stood, that is of an item that stands `at`.
    pub(super) const fn new(at: Pointer, data: Data) -> Self {
        Self { at, data }
    }

    /// Makes faults that name places in the action's data name those in the body.
    pub fn relocate(&self, faults: &mut [Fault]) {
        let data = data_at(&self.at);
        for fault in faults {
            if let Some(pointer) = fault.pointer.strip_prefix(data.as_str()) {
                fault.pointer = self.data.origin(pointer, &self.at).into();
            }
        }
    }
}
