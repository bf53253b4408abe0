//! What became of rows, counted.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How many rows came to what; each row to one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tally {
    created: u64,
    updated: u64,
    unchanged: u64,
    duplicate: u64,
    queued: u64,
    failed: u64,
}

impl Tally {
    /// Counts a row under an answer's status; `false` where there is no such status.
    pub(crate) fn count(&mut self, status: &str) -> bool {
        let counter = match status {
            "created" => &mut self.created,
            "updated" => &mut self.updated,
            "unchanged" => &mut self.unchanged,
            "duplicate" => &mut self.duplicate,
            "queued" => &mut self.queued,
            "failed" => &mut self.failed,
            _ => return false,
        };
        *counter += 1;
        true
    }

    pub(crate) const fn count_failed(&mut self) {
        self.failed += 1;
    }

    pub(crate) const fn failed(&self) -> u64 {
        self.failed
    }

    pub(crate) const fn total(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.duplicate + self.queued + self.failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, updated, unchanged, duplicate, queued, failed } = self;
        write!(
            f,
            "{} rows = {created} created + {updated} updated + {unchanged} unchanged \
             + {duplicate} duplicate + {queued} queued + {failed} failed",
            self.total()
        )
    }
}
