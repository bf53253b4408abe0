//! Items on their way to be kept and applied: a document of `connections.md` 1, "Pulled".

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most items of a document.
const MOST_ITEMS: usize = 1_000;
/// A document that has so many bytes takes no more items.
const MANY_BYTES: usize = 2 * 1024 * 1024;

/// A document that items are put into.
#[derive(Debug)]
pub(super) struct Document {
    resource: String,
    /// Its beginning, with the items so far.
    body: Vec<u8>,
    items: usize,
    lookups: BTreeMap<&'static str, BTreeMap<String, Arc<Value>>>,
    looked_up_bytes: usize,
}

impl Document {
    pub(super) fn new(resource: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            body: Vec::new(),
            items: 0,
            lookups: BTreeMap::new(),
            looked_up_bytes: 0,
        }
    }

    pub(super) const fn items(&self) -> usize {
        self.items
    }

    pub(super) fn push(&mut self, item: &Value) {
        self.body.extend_from_slice(if self.items == 0 { b"" } else { b"," });
        self.body.extend_from_slice(item.to_string().as_bytes());
        self.items += 1;
    }

    /// Has what was looked up beside the items.
    pub(super) fn look_up(
        &mut self,
        kind: &'static str,
        id: &str,
        bytes: usize,
        found: &Arc<Value>,
    ) {
        let of_kind = self.lookups.entry(kind).or_default();
        if !of_kind.contains_key(id) {
            of_kind.insert(id.to_owned(), Arc::clone(found));
            self.looked_up_bytes += id.len() + bytes;
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.items >= MOST_ITEMS || self.body.len() + self.looked_up_bytes >= MANY_BYTES
    }

    /// The document; another one is begun.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let resource = self.resource.clone();
        let Self { body: items, lookups, .. } = std::mem::replace(self, Self::new(&resource));
        let mut body = format!("{{\"resource\":{},\"items\":[", json!(resource)).into_bytes();
        body.extend_from_slice(&items);
        body.extend_from_slice(b"],\"lookups\":{");
        for (at, (kind, found)) in lookups.iter().enumerate() {
            body.extend_from_slice(if at == 0 { b"" } else { b"," });
            body.extend_from_slice(format!("\"{kind}\":{{").as_bytes());
            for (at, (id, value)) in found.iter().enumerate() {
                body.extend_from_slice(if at == 0 { b"" } else { b"," });
                body.extend_from_slice(format!("{}:{value}", json!(id)).as_bytes());
            }
            body.extend_from_slice(b"}");
        }
        body.extend_from_slice(b"}}");
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_its_items_and_what_was_looked_up_for_them() {
        let mut document = Document::new("a \"b\"");
        for id in [1, 2] {
            document.push(&json!({"id": id}));
            document.look_up("visitor", "x\"y", 2, &Arc::new(json!({"n": id})));
        }
        document.look_up("visitor", "z", 2, &Arc::new(Value::Null));
        document.look_up("tag", "1", 2, &Arc::new(json!({})));
        assert_eq!(document.items(), 2);
        let told: Value = serde_json::from_slice(&document.take()).unwrap();
        let expected = json!({
            "resource": "a \"b\"",
            "items": [{"id": 1}, {"id": 2}],
            "lookups": {"visitor": {"x\"y": {"n": 1}, "z": null}, "tag": {"1": {}}},
        });
        assert_eq!(told, expected);
        let empty: Value = serde_json::from_slice(&document.take()).unwrap();
        assert_eq!(empty, json!({"resource": "a \"b\"", "items": [], "lookups": {}}));
    }

    #[test]
    fn it_is_full_by_its_items_or_its_bytes() {
        let mut document = Document::new("it");
        for count in 1..=1000 {
            assert!(!document.is_full());
            document.push(&json!(count));
        }
        assert!(document.is_full());
        let mut document = Document::new("it");
        document.push(&json!("x".repeat(MANY_BYTES)));
        assert!(document.is_full());
    }
}
