//! How often an org may try its accounts.

use crate::problem::Problem;
use beeiq_core::diagnostics::Code;
use beeiq_core::records::message::Channel;
use moka::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// How many trials of an account an org has in [`TRIAL_PERIOD`], in each process.
const MOST_TRIALS: u32 = 5;
/// See [`MOST_TRIALS`].
const TRIAL_PERIOD: Duration = Duration::from_secs(60);

/// How often each org has lately tried its accounts: whoever has an admin's password is not to
/// send any number of messages to anybody. Cheap to clone.
#[derive(Clone)]
pub struct AccountTests(Cache<(Uuid, Channel), Arc<AtomicU32>>);

impl Default for AccountTests {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(TRIAL_PERIOD).build())
    }
}

impl AccountTests {
    /// Counts one.
    pub(crate) fn count(&self, org: Uuid, channel: Channel) -> Result<(), Problem> {
        let count = self.0.get_with((org, channel), Arc::default);
        if count.fetch_add(1, Ordering::Relaxed) < MOST_TRIALS {
            return Ok(());
        }
        let message = format!("An account is tried at most {MOST_TRIALS} times a minute.");
        Err(Problem::new(Code::TooManyAttempts, message).retry_after(TRIAL_PERIOD.as_secs()))
    }
}
