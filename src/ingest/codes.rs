//! Visible numbers, taken in blocks so that an org's requests do not wait for each other's commits.

use crate::store::counters;
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use beeiq_core::batch::Keys;
use beeiq_core::records::counter::Counter;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::iter::once;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The largest block; what a stopping process leaves unused of it is a gap in the numbers.
const LARGEST_BLOCK: i64 = 512;

/// The numbers that this process has taken and not yet used.
#[derive(Debug, Default)]
pub(super) struct CodeAllocator {
    free: Mutex<HashMap<(Uuid, Counter), Block>>,
}

#[derive(Debug, Default)]
struct Block {
    ranges: VecDeque<Range<i64>>,
    next_size: i64,
}

/// Numbers set aside for one request, by counter. What it does not use goes back.
#[derive(Clone, Debug, Default)]
pub(super) struct Reserved(BTreeMap<Counter, VecDeque<Range<i64>>>);

impl CodeAllocator {
    /// Sets aside as many numbers as a request may need at most, taking new blocks where this
    /// process has too few.
    pub(super) fn reserve(
        &self,
        conn: &mut Conn,
        org: Uuid,
        keys: &Keys,
    ) -> Result<Reserved, StoreError> {
        let mut reserved = Reserved::default();
        for (&counter, &count) in &keys.numbers {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let ranges = match counter {
                Counter::Customer(_) | Counter::Ticket => {
                    self.set_aside(conn, org, counter, count)?
                }
                Counter::Deal => self.set_deal_ids_aside(conn, org, count, &keys.deal_ids)?,
            };
            reserved.0.insert(counter, ranges);
        }
        Ok(reserved)
    }

    fn set_aside(
        &self,
        conn: &mut Conn,
        org: Uuid,
        counter: Counter,
        count: i64,
    ) -> Result<VecDeque<Range<i64>>, StoreError> {
        let (mut ranges, missing) = self.take(org, counter, count);
        if missing > 0 {
            let size = self.next_block_size(org, counter, missing);
            let start = counters::take_block(conn, org, counter.name(), size)?;
            ranges.push_back(start..start + missing);
            self.put_back(org, counter, once(start + missing..start + size));
        }
        Ok(ranges)
    }

    /// The ids that senders give their deals may be numbers too: those that are in use, or that the
    /// request mentions, are passed over for good. Where there are many, more are looked at each time.
    fn set_deal_ids_aside(
        &self,
        conn: &mut Conn,
        org: Uuid,
        count: i64,
        keys: &BTreeSet<String>,
    ) -> Result<VecDeque<Range<i64>>, StoreError> {
        let (mut free, mut missing, mut looked_at) = (VecDeque::new(), count, count);
        while missing > 0 {
            let ranges = self.set_aside(conn, org, Counter::Deal, looked_at)?;
            let candidates: Vec<i64> = ranges.into_iter().flatten().collect();
            let taken = counters::taken_deal_ids(conn, org, &candidates)?;
            for number in candidates {
                let id = number.to_string();
                if taken.contains(&id) || keys.contains(&id) {
                    continue;
                }
                if missing > 0 {
                    free.push_back(number..number + 1);
                    missing -= 1;
                } else {
                    self.put_back(org, Counter::Deal, once(number..number + 1));
                }
            }
            looked_at = (looked_at * 2).min(LARGEST_BLOCK).max(missing);
        }
        Ok(free)
    }

    /// Takes back what a request did not use.
    pub(super) fn release(&self, org: Uuid, reserved: Reserved) {
        for (counter, ranges) in reserved.0 {
            self.put_back(org, counter, ranges);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Uuid, Counter), Block>> {
        // Nothing in here panics while it holds the lock; even so the numbers stay usable.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to `count` numbers, lowest first, and how many are missing.
    fn take(&self, org: Uuid, counter: Counter, count: i64) -> (VecDeque<Range<i64>>, i64) {
        let mut free = self.lock();
        let block = free.entry((org, counter)).or_default();
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

    fn put_back(&self, org: Uuid, counter: Counter, ranges: impl IntoIterator<Item = Range<i64>>) {
        let mut free = self.lock();
        let block = free.entry((org, counter)).or_default();
        block.ranges.extend(ranges.into_iter().filter(|range| !range.is_empty()));
        block.ranges.make_contiguous().sort_by_key(|range| range.start);
    }

    /// Blocks double, so that a busy org seldom asks and a quiet one wastes few numbers.
    fn next_block_size(&self, org: Uuid, counter: Counter, missing: i64) -> i64 {
        let mut free = self.lock();
        let block = free.entry((org, counter)).or_default();
        let size = block.next_size.max(1);
        block.next_size = (size * 2).min(LARGEST_BLOCK);
        size.max(missing)
    }
}

impl Reserved {
    /// The next number of that counter; `None` where more are asked for than were set aside.
    pub(super) fn next(&mut self, counter: Counter) -> Option<i64> {
        let ranges = self.0.get_mut(&counter)?;
        let range = ranges.front_mut()?;
        let number = range.next();
        if range.is_empty() {
            ranges.pop_front();
        }
        number
    }
}
