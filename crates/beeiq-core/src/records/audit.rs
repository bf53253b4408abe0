//! What a line of the audit log tells of a change (`api.md` 4).

use crate::words;
use serde_json::{Map, Value, json};

words! {
    /// What was done to a setting.
    #[schema(as = AuditAction)]
    pub enum Action {
        Created => "created",
        /// Some of its fields were changed.
        Changed => "changed",
        Deleted => "deleted",
        /// A listener was given a new URL.
        Rotated => "rotated",
        /// A user was given another password.
        PasswordSet => "password_set",
        /// A user has signed in.
        SignedIn => "signed_in",
        /// Somebody gave a wrong password for a user.
        SignInFailed => "sign_in_failed",
        /// It was the last one that is looked at from there for a while.
        LockedOut => "locked_out",
        /// A customer was erased with all that hangs on it.
        Erased => "erased",
        /// The org's records were emptied on staging.
        Reset => "reset",
    }
}

/// Field → `{from, to}` of what differs between two representations of a resource; `null` where
/// there was, or is, nothing. Representations hold no secret in clear.
pub fn changes(before: &Value, after: &Value) -> Value {
    let nothing = Map::new();
    let before = before.as_object().unwrap_or(&nothing);
    let after = after.as_object().unwrap_or(&nothing);
    let mut changes = Map::new();
    for name in before.keys().chain(after.keys()) {
        let from = before.get(name).unwrap_or(&Value::Null);
        let to = after.get(name).unwrap_or(&Value::Null);
        if from != to {
            changes.insert(name.clone(), json!({"from": from, "to": to}));
        }
    }
    Value::Object(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        for (before, after, told) in [
            (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), json!({"b": {"from": 2, "to": 3}})),
            (json!({"a": 1}), json!({"a": 1}), json!({})),
            (Value::Null, json!({"a": 1}), json!({"a": {"from": null, "to": 1}})),
            (json!({"a": [1]}), Value::Null, json!({"a": {"from": [1], "to": null}})),
        ] {
            assert_eq!(changes(&before, &after), told, "{before} → {after}");
        }
    }
}
