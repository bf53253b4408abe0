//! What stands for a record in a path.

use super::customer::{CustomerCode, CustomerKind};
use uuid::Uuid;

/// How one record of a known kind is addressed (`api.md` 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathId {
    /// By its id.
    Id(Uuid),
    /// By its code: the n of `PID-n`.
    Number(i64),
}

impl PathId {
    /// Reads an id or a code in any case. `None` for anything else, codes of another kind included.
    pub fn parse(text: &str, kind: CustomerKind) -> Option<Self> {
        if let Ok(id) = Uuid::try_parse(text) {
            return Some(Self::Id(id));
        }
        let code = CustomerCode::parse(text)?;
        (code.kind == kind).then_some(Self::Number(code.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_an_id_or_a_code_of_the_kind_in_any_case() {
        let id = "0199f3c2-0000-7000-8000-000000000001";
        let cases = [
            (id, CustomerKind::Contact, Some(PathId::Id(Uuid::try_parse(id).unwrap()))),
            ("PID-12", CustomerKind::Contact, Some(PathId::Number(12))),
            ("pid-12", CustomerKind::Contact, Some(PathId::Number(12))),
            ("Cid-1", CustomerKind::Account, Some(PathId::Number(1))),
            ("LID-9223372036854775807", CustomerKind::Lead, Some(PathId::Number(i64::MAX))),
            ("LID-9223372036854775808", CustomerKind::Lead, None),
            ("CID-12", CustomerKind::Contact, None),
            ("PID-12", CustomerKind::Lead, None),
            ("12", CustomerKind::Contact, None),
            ("", CustomerKind::Contact, None),
        ];
        for (text, kind, expected) in cases {
            assert_eq!(PathId::parse(text, kind), expected, "{text:?} as {kind:?}");
        }
    }
}
