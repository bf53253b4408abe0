//! The headers of a request, as far as they are kept.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Header values by names in lower case; those of a repeated header are joined with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// No headers.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// The value of that header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of those that are there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(headers: I) -> Self {
        let mut all = BTreeMap::<String, String>::new();
        for (name, value) in headers {
            all.entry(name)
                .and_modify(|known| known.extend([", ", value.as_str()]))
                .or_insert(value);
        }
        Self(all)
    }
}

impl TryFrom<Value> for Headers {
    type Error = serde_json::Error;

    fn try_from(kept: Value) -> Result<Self, serde_json::Error> {
        serde_json::from_value(kept)
    }
}
