//! Rows that go in one request, and the key under which it may be sent again.

use super::source::{Row, RowFault, Source};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// How large a body may become: below what a listener takes (10 MiB).
pub(crate) const MOST_BYTES: usize = 9 << 20;

/// Consecutive rows of the file.
#[derive(Debug)]
pub(crate) struct Batch {
    /// How many rows of the file are before it.
    pub(crate) first: u64,
    /// The rows, those without an action included.
    pub(crate) rows: Vec<Row>,
}

impl Batch {
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn has_actions(&self) -> bool {
        self.rows.iter().any(|row| row.action.is_ok())
    }

    /// The body that asks for its actions in the name of that user.
    pub(crate) fn body(&self, sender: &str) -> String {
        let actions: Vec<&str> =
            self.rows.iter().filter_map(|row| row.action.as_deref().ok()).collect();
        format!("{{\"senderUser\":{},\"data\":[{}]}}", json!(sender), actions.join(","))
    }

    /// The `Idempotency-Key` of a body: the same for the same rows of the same import.
    pub(crate) fn key(&self, import: &str, body: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(import);
        hash.update([0]);
        hash.update(body);
        let hex: String =
            hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("import-{}-{}-{hex}", self.first + 1, self.first + self.len())
    }
}

/// The rows that are still to be sent.
pub(crate) struct Queue {
    source: Source,
    ahead: VecDeque<Row>,
    taken: u64,
}

impl Queue {
    pub(crate) const fn new(source: Source) -> Self {
        Self { source, ahead: VecDeque::new(), taken: 0 }
    }

    pub(crate) const fn source(&self) -> &Source {
        &self.source
    }

    /// Passes over rows that have been sent before.
    pub(crate) fn skip(&mut self, rows: u64) -> anyhow::Result<()> {
        while self.taken < rows {
            anyhow::ensure!(
                self.source.next_row()?.is_some(),
                "the file has fewer rows than have been sent"
            );
            self.taken += 1;
        }
        Ok(())
    }

    /// The next rows, at most so many and no more bytes than a request may have; `None` at the end.
    pub(crate) fn take(&mut self, most: usize) -> anyhow::Result<Option<Batch>> {
        let (first, mut rows, mut bytes) = (self.taken, Vec::new(), 0);
        while rows.len() < most {
            let next = match self.ahead.pop_front() {
                Some(row) => Some(row),
                None => self.source.next_row()?,
            };
            let Some(mut row) = next else { break };
            let size = row.action.as_ref().map_or(0, |action| action.len() + 1);
            if size > MOST_BYTES {
                row.action = Err(RowFault::too_large());
            } else if bytes + size > MOST_BYTES {
                self.ahead.push_front(row);
                break;
            } else {
                bytes += size;
            }
            rows.push(row);
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let batch = Batch { first, rows };
        self.taken += batch.len();
        Ok(Some(batch))
    }

    /// Takes back a batch, to be sent in parts.
    pub(crate) fn give_back(&mut self, batch: Batch) {
        self.taken = batch.first;
        for row in batch.rows.into_iter().rev() {
            self.ahead.push_front(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn queue(lines: &str) -> Queue {
        Queue::new(Source::lines(Box::new(Cursor::new(lines.to_owned())), "add-contact"))
    }

    fn numbers(batch: &Batch) -> Vec<u64> {
        batch.rows.iter().map(|row| row.number).collect()
    }

    #[test]
    fn a_batch_is_bounded_in_rows_and_in_bytes() {
        let mut few = queue("{}\n{}\n{}\n");
        assert_eq!(numbers(&few.take(2).unwrap().unwrap()), [1, 2]);
        assert_eq!(numbers(&few.take(2).unwrap().unwrap()), [3]);
        assert!(few.take(2).unwrap().is_none());

        let long = format!("{{\"bgInfo\":\"{}\"}}\n", "x".repeat(MOST_BYTES / 2 - 100));
        let oversized = format!("{{\"bgInfo\":\"{}\"}}\n", "x".repeat(MOST_BYTES));
        let mut large = queue(&[long.as_str(), &long, &oversized, &long, "{}"].concat());
        assert_eq!(numbers(&large.take(9).unwrap().unwrap()), [1, 2, 3]);
        let rest = large.take(9).unwrap().unwrap();
        assert_eq!((rest.first, numbers(&rest)), (3, vec![4, 5]));
    }

    #[test]
    fn a_row_that_no_request_can_carry_fails_alone() {
        let oversized = format!("{{\"bgInfo\":\"{}\"}}\n{{}}", "x".repeat(MOST_BYTES));
        let batch = queue(&oversized).take(9).unwrap().unwrap();
        assert_eq!(batch.rows[0].action, Err(RowFault::too_large()));
        assert!(batch.rows[1].action.is_ok());
    }

    /// A key that changed would do things twice; one that did not would not do them.
    #[test]
    fn a_key_stays_with_its_rows_and_its_body() {
        let batch = |lines: &str, skipped, most| {
            let mut queue = queue(lines);
            queue.skip(skipped).unwrap();
            queue.take(most).unwrap().unwrap()
        };
        let key =
            |batch: &Batch, import: &str, sender: &str| batch.key(import, &batch.body(sender));
        let lines = "{\"name\":\"a\"}\n{\"name\":\"a\"}\n{\"name\":\"b\"}\n";
        let first = batch(lines, 0, 1);
        assert_eq!(
            first.body("ann"),
            r#"{"senderUser":"ann","data":[{"actionType":"add-contact","data":{"name":"a"}}]}"#
        );
        assert_eq!(key(&first, "i", "ann"), key(&batch(lines, 0, 1), "i", "ann"));
        let others = [
            key(&batch(lines, 1, 1), "i", "ann"),
            key(&batch(lines, 2, 1), "i", "ann"),
            key(&batch(lines, 0, 2), "i", "ann"),
            key(&first, "j", "ann"),
            key(&first, "i", "bob"),
        ];
        assert!(!others.contains(&key(&first, "i", "ann")), "{others:?}");
    }

    #[test]
    fn what_is_given_back_is_taken_again_in_order() {
        let mut queue = queue("{}\n{}\n{}\n{}\n");
        let batch = queue.take(3).unwrap().unwrap();
        queue.give_back(batch);
        let half = queue.take(2).unwrap().unwrap();
        assert_eq!((half.first, numbers(&half)), (0, vec![1, 2]));
        let rest = queue.take(9).unwrap().unwrap();
        assert_eq!((rest.first, numbers(&rest)), (2, vec![3, 4]));
        assert!(queue.skip(5).is_err());
    }
}
