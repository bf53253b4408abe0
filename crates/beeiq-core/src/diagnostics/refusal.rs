//! Why a whole request cannot be used.

use super::{Code, Fault};

/// Why nothing of a body can be applied (`listener.md` 2): becomes the problem document of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which problem.
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: String,
    /// The single faults, where they have places.
    pub errors: Vec<Fault>,
}

impl Refusal {
    /// A refusal with a sentence about it, and no single faults.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new() }
    }

    /// The refusal of faults that have places; its sentence is theirs together.
    pub fn of(code: Code, errors: Vec<Fault>) -> Self {
        let detail =
            errors.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join(" ");
        Self { code, detail, errors }
    }
}
