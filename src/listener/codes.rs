//! Visible numbers, taken in blocks so that an org's requests do not wait for each other's commits.

use crate::domain::customer::CustomerKind;
use crate::error::StoreError;
use crate::store::counters;
use diesel::pg::PgConnection;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The largest block; what a stopping process leaves unused of it is a gap in the numbers.
const LARGEST_BLOCK: i64 = 512;

/// The numbers that this process has taken and not yet used.
#[derive(Debug, Default)]
pub struct CodeAllocator {
    free: Mutex<HashMap<(Uuid, CustomerKind), Block>>,
}

#[derive(Debug, Default)]
struct Block {
    ranges: VecDeque<Range<i64>>,
    next_size: i64,
}

/// Numbers set aside for one request, by kind. What it does not use goes back.
#[derive(Clone, Debug, Default)]
pub struct Reserved(BTreeMap<CustomerKind, VecDeque<Range<i64>>>);

impl CodeAllocator {
    /// Sets aside as many numbers as a request may need at most, taking new blocks where this
    /// process has too few.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reserve(
        &self,
        conn: &mut PgConnection,
        org: Uuid,
        needed: &BTreeMap<CustomerKind, usize>,
    ) -> Result<Reserved, StoreError> {
        let mut reserved = Reserved::default();
        for (&kind, &count) in needed {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let (mut ranges, missing) = self.take(org, kind, count);
            if missing > 0 {
                let size = self.next_block_size(org, kind, missing);
                let start = counters::take_block(conn, org, kind.as_str(), size)?;
                ranges.push_back(start..start + missing);
                let rest = start + missing..start + size;
                self.put_back(org, kind, std::iter::once(rest).collect());
            }
            reserved.0.insert(kind, ranges);
        }
        Ok(reserved)
    }

    /// Takes back what a request did not use.
    pub fn release(&self, org: Uuid, reserved: Reserved) {
        for (kind, ranges) in reserved.0 {
            self.put_back(org, kind, ranges);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Uuid, CustomerKind), Block>> {
        // Nothing in here panics while it holds the lock; even so the numbers stay usable.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to `count` numbers, lowest first, and how many are missing.
    fn take(&self, org: Uuid, kind: CustomerKind, count: i64) -> (VecDeque<Range<i64>>, i64) {
        let mut free = self.lock();
        let block = free.entry((org, kind)).or_default();
        let (mut taken, mut missing) = (VecDeque::new(), count);
        while missing > 0
            && let Some(mut range) = block.ranges.pop_front()
        {
            let length = (range.end - range.start).min(missing);
            taken.push_back(range.start..range.start + length);
            missing -= length;
            range.start += length;
            if !range.is_empty() {
                block.ranges.push_front(range);
            }
        }
        (taken, missing)
    }

    fn put_back(&self, org: Uuid, kind: CustomerKind, ranges: VecDeque<Range<i64>>) {
        let mut free = self.lock();
        let block = free.entry((org, kind)).or_default();
        block.ranges.extend(ranges.into_iter().filter(|range| !range.is_empty()));
        block.ranges.make_contiguous().sort_by_key(|range| range.start);
    }

    /// Blocks double, so that a busy org seldom asks and a quiet one wastes few numbers.
    fn next_block_size(&self, org: Uuid, kind: CustomerKind, missing: i64) -> i64 {
        let mut free = self.lock();
        let block = free.entry((org, kind)).or_default();
        let size = block.next_size.max(1);
        block.next_size = (size * 2).min(LARGEST_BLOCK);
        size.max(missing)
    }
}

impl Reserved {
    /// The next number of that kind; `None` where more are asked for than were set aside.
    pub fn next(&mut self, kind: CustomerKind) -> Option<i64> {
        let ranges = self.0.get_mut(&kind)?;
        let range = ranges.front_mut()?;
        let number = range.next();
        if range.is_empty() {
            ranges.pop_front();
        }
        number
    }
}
