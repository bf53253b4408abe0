//! How other systems are asked.

use clap::Args;
use std::time::Duration;

/// How other systems are asked (`connections.md` 1, "Pulling").
#[derive(Args, Clone, Copy, Debug)]
pub struct PullSettings {
    /// How many connections this process asks at once; 0 leaves them to other processes
    #[arg(long, env = "BEEIQ_PULL_WORKERS", default_value_t = 4, value_name = "N")]
    pub pull_workers: u8,
    /// How long after a process's death its runs are another's, in seconds
    #[arg(long = "pull-lease-seconds", env = "BEEIQ_PULL_LEASE_SECONDS", default_value = "75")]
    #[arg(value_parser = lease_seconds, value_name = "N")]
    pub pull_lease: Duration,
    /// How long another system may take for an answer, in seconds
    #[arg(long = "pull-timeout-seconds", env = "BEEIQ_PULL_TIMEOUT_SECONDS", default_value = "60")]
    #[arg(value_parser = pull_seconds, value_name = "N")]
    pub pull_timeout: Duration,
}

fn lease_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 2..=90) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 2 to 90".to_owned()),
    }
}

/// Shorter than the time for which a token is another's who does not give it back.
fn pull_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=60) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 60".to_owned()),
    }
}
