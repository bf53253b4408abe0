//! What each listener has taken lately, in this process.
//!
//! A process keeps its own account: an exact one over all processes would be a statement and a
//! contended row for every request. Where several serve, each is told how many there are
//! (`--processes`) and grants its share, so that together they stay within the rate as far as
//! traffic is spread evenly.

use super::rate::{Bucket, Quota, Rate};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often a listener that is refused is looked at for a new rate.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How many accounts are kept before those that have run off are dropped.
const FIRST_SWEEP: usize = 1024;

/// The accounts of all listeners.
#[derive(Debug)]
pub(super) struct Quotas {
    started: Instant,
    accounts: Mutex<Accounts>,
}

#[derive(Debug)]
struct Accounts {
    of: HashMap<Uuid, Account>,
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    rate: Rate,
    bucket: Bucket,
    looked_at: Option<Duration>,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OverRate {
    pub(super) wait: Duration,
    /// Whether it is time to see if the rate is still the one that it was judged by.
    pub(super) look_again: bool,
}

impl Quotas {
    /// Empty accounts, from `now` on.
    pub(super) fn new(now: Instant) -> Self {
        let accounts = Accounts { of: HashMap::new(), sweep_at: FIRST_SWEEP };
        Self { started: now, accounts: Mutex::new(accounts) }
    }

    /// Takes a request of that listener, unless its rate is exhausted.
    pub(super) fn take(&self, listener: Uuid, rate: Rate, now: Instant) -> Result<(), OverRate> {
        self.with(listener, rate, now, |account, now| {
            account.bucket.take(rate, now).map_err(|wait| {
                let due = account.looked_at.is_none_or(|last| now >= last + LOOK_AGAIN);
                if due {
                    account.looked_at = Some(now);
                }
                OverRate { wait, look_again: due }
            })
        })
    }

    /// Charges the actions of a request that was taken.
    pub(super) fn charge(&self, listener: Uuid, rate: Rate, now: Instant, actions: u32) {
        self.with(listener, rate, now, |account, now| account.bucket.charge(rate, now, actions));
    }

    pub(super) fn quota(&self, listener: Uuid, rate: Rate, now: Instant) -> Quota {
        self.with(listener, rate, now, |account, now| account.bucket.quota(rate, now))
    }

    /// Works on the account of a listener; one of another rate begins anew.
    fn with<T>(
        &self,
        listener: Uuid,
        rate: Rate,
        now: Instant,
        work: impl FnOnce(&mut Account, Duration) -> T,
    ) -> T {
        let now = now.saturating_duration_since(self.started);
        let mut accounts = self.lock();
        accounts.sweep(now);
        let new = Account { rate, bucket: Bucket::default(), looked_at: None };
        let account = accounts.of.entry(listener).or_insert(new);
        if account.rate != rate {
            *account = new;
        }
        work(account, now)
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        // Nothing in here panics while it holds the lock; even so the accounts stay usable.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    /// Drops what has run off, whenever there are twice as many as were left the last time.
    fn sweep(&mut self, now: Duration) {
        if self.of.len() >= self.sweep_at {
            self.of.retain(|_, account| !account.bucket.backlog(now).is_zero());
            self.sweep_at = FIRST_SWEEP.max(self.of.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn listeners_have_accounts_of_their_own_and_a_new_rate_begins_anew() {
        let now = clock::instant();
        let rates = Quotas::new(now);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let slow = Rate::new(1, 1, 1);
        assert!(rates.take(one, slow, now).is_ok());
        rates.charge(one, slow, now, 99);
        assert!(rates.take(one, slow, now).is_err());
        assert!(rates.take(other, slow, now).is_ok());
        assert!(rates.take(one, Rate::new(2, 1, 1), now).is_ok());
    }

    /// A flood of refused requests must not become a flood of questions to the database.
    #[test]
    fn a_refused_listener_is_looked_at_again_once_a_second() {
        let now = clock::instant();
        let rates = Quotas::new(now);
        let (listener, rate) = (Uuid::from_u128(1), Rate::new(1, 1, 1));
        rates.charge(listener, rate, now, 1000);
        let looks: Vec<bool> = [0, 10, 999, 1000, 1001, 2000]
            .map(|at| rates.take(listener, rate, now + Duration::from_millis(at)))
            .map(|taken| taken.unwrap_err().look_again)
            .to_vec();
        assert_eq!(looks, [true, false, false, true, false, true]);
    }

    #[test]
    fn accounts_that_have_run_off_are_dropped() {
        let now = clock::instant();
        let rates = Quotas::new(now);
        let rate = Rate::new(1000, 1, 1);
        for n in 0..10 * FIRST_SWEEP as u128 {
            let at = now + Duration::from_millis(u64::try_from(n).unwrap());
            rates.take(Uuid::from_u128(n), rate, at).unwrap();
        }
        assert!(rates.lock().of.len() <= FIRST_SWEEP);
    }
}
