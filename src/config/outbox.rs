//! How messages are sent.

use super::values::seconds;
use clap::Args;
use std::time::Duration;

/// How messages are sent (`listener.md` 8).
#[derive(Args, Clone, Copy, Debug)]
pub struct OutboxSettings {
    /// How many messages this process sends at once; 0: it sends none
    #[arg(long, env = "BEEIQ_OUTBOX_WORKERS", default_value_t = 16, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub outbox_workers: u16,
    /// How long after a process's death its messages are another's, in seconds
    #[arg(long = "outbox-lease-seconds", env = "BEEIQ_OUTBOX_LEASE_SECONDS", default_value = "60")]
    #[arg(value_parser = seconds, value_name = "N")]
    pub outbox_lease: Duration,
}
