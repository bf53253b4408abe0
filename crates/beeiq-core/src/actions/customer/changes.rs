//! What of a record differs, as its history tells it.

use serde_json::{Map, Value, json};

/// From how many entries on a list is not repeated as a whole in each line.
const LONG_LIST: usize = 100;

/// What differs so far.
pub struct Changes(pub Map<String, Value>);

impl Changes {
    pub fn field<T: PartialEq>(
        &mut self,
        field: &str,
        old: &T,
        new: &T,
        tell: impl Fn(&T) -> Value,
    ) {
        if old != new {
            self.tell(field, &tell(old), &tell(new));
        }
    }

    /// An update appends to a list, retypes in it, or clears it: entries that stay keep their place.
    pub fn list<T: PartialEq>(
        &mut self,
        field: &str,
        old: &[T],
        new: &[T],
        tell: impl Fn(&T) -> Value,
    ) {
        if old == new {
            return;
        }
        let all = old.len().max(new.len()) <= LONG_LIST;
        let told = |these: &[T], those: &[T]| -> Value {
            let differs = |(place, entry): &(usize, &T)| all || those.get(*place) != Some(*entry);
            these.iter().enumerate().filter(differs).map(|(_, entry)| tell(entry)).collect()
        };
        self.tell(field, &told(old, new), &told(new, old));
    }

    pub fn tell(&mut self, field: &str, old: &Value, new: &Value) {
        self.0.insert(field.to_owned(), json!({"old": old, "new": new}));
    }
}
