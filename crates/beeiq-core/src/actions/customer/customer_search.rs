//! Which record an update means, as far as its `customerId` says (`listener.md` 3).

use crate::diagnostics::Code;
use crate::json::{Fields, Longest};
use crate::records::customer::{CustomerCode, CustomerKind};

/// How the record is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Search {
    /// By `customerId`, and by nothing else.
    ByCode(CustomerCode),
    /// By the other fields, in their order.
    ByFields,
    /// Not at all: why is told already.
    Impossible,
}

/// What `customerId` says about how to search; a code of the wrong kind is told so, with the fix.
pub fn read_search(fields: &mut Fields<'_, '_>, kinds: &[CustomerKind]) -> Search {
    let at = fields.place("customerId");
    let Some(text) = fields.text("customerId", Longest::LINE).set() else {
        return Search::ByFields;
    };
    let (fault, at, message) = match CustomerCode::parse(&text) {
        Some(code) if kinds.contains(&code.kind) => return Search::ByCode(code),
        None => {
            let shown: String = text.chars().take(64).collect();
            let message =
                format!("There is no \"{shown}\"; a `customerId` is a code such as PID-12.");
            (Code::NotFound, at, message)
        }
        Some(code) => {
            let (what, r#type, action) = match code.kind {
                CustomerKind::Contact => ("a contact", 0, "update-contact"),
                CustomerKind::Account => ("an account", 1, "update-contact"),
                CustomerKind::Lead => ("a lead", 0, "update-lead"),
            };
            if kinds.iter().any(|kind| kind.world() == code.kind.world()) {
                let message = format!(
                    "{code} is the code of {what}, whose `type` is {type}; send that, or leave `type` out."
                );
                (Code::WrongKind, fields.place("type"), message)
            } else {
                let message = format!(
                    "{code} is the code of {what}; to change it use the actionType `{action}`."
                );
                (Code::WrongKind, at, message)
            }
        }
    };
    fields.diagnostics.fault(fault, &at, message);
    Search::Impossible
}

pub const fn kind_alone(kind: CustomerKind) -> &'static [CustomerKind] {
    match kind {
        CustomerKind::Contact => &[CustomerKind::Contact],
        CustomerKind::Account => &[CustomerKind::Account],
        CustomerKind::Lead => &[CustomerKind::Lead],
    }
}
