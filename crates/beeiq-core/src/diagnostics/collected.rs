//! What was found wrong or odd while reading one action.

use super::{Code, Fault, Warning};

/// No answer needs more of either to be mended; a hostile body could have millions.
const MOST: usize = 100;

/// Faults and warnings, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// What stops the action.
    pub faults: Vec<Fault>,
    /// What does not.
    pub warnings: Vec<Warning>,
}

impl Diagnostics {
    /// Notes a fault.
    pub fn fault(&mut self, code: Code, pointer: impl Into<String>, message: impl Into<String>) {
        push(&mut self.faults, Fault::new(code, pointer, message));
    }

    /// Notes something odd.
    pub fn warn(&mut self, code: Code, pointer: impl Into<String>, message: impl Into<String>) {
        push(&mut self.warnings, Fault::new(code, pointer, message));
    }
}

fn push(list: &mut Vec<Fault>, fault: Fault) {
    if list.len() < MOST {
        list.push(fault);
        if list.len() == MOST
            && let Some(last) = list.last_mut()
        {
            last.message.push_str(" (There may be more like it; only the first 100 are told.)");
        }
    }
}
