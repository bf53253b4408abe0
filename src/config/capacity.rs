//! How much a process takes on at a time.

use super::limits::Limits;
use super::values::seconds;
use clap::Args;
use std::time::Duration;

/// How much this process takes on at a time, whatever is sent.
#[derive(Args, Clone, Copy, Debug)]
pub struct CapacitySettings {
    /// The most connections that are served at a time
    #[arg(long, env = "BEEIQ_MAX_CONNECTIONS", default_value_t = 2048, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    pub max_connections: u32,
    /// The most bytes of bodies that are held at a time, beyond the first 16 KiB of each
    #[arg(long, env = "BEEIQ_MAX_INFLIGHT_BYTES", default_value_t = 128 * 1024 * 1024)]
    #[arg(value_name = "N")]
    pub max_inflight_bytes: usize,
    /// The most memory for working on bodies, in bytes; one body may take half of it
    #[arg(long, env = "BEEIQ_MAX_WORKING_BYTES", default_value_t = 256 * 1024 * 1024)]
    #[arg(value_name = "N")]
    pub max_working_bytes: usize,
    /// How long a request may wait for its turn before it is turned away, in seconds
    #[arg(long = "queue-seconds", env = "BEEIQ_QUEUE_SECONDS", default_value = "10")]
    #[arg(value_parser = seconds, value_name = "N")]
    pub queue: Duration,
    /// How many server processes share the traffic: each grants its share of a listener's rate
    #[arg(long, env = "BEEIQ_PROCESSES", default_value_t = 1, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub processes: u32,
}

impl CapacitySettings {
    /// The most memory that working on one body may take, in bytes.
    pub const fn working_bytes_of_one(&self) -> usize {
        self.max_working_bytes / 2
    }

    /// Whether there is room for the largest body.
    pub fn check(&self, limits: &Limits) -> anyhow::Result<()> {
        let largest = limits.max_body_bytes;
        anyhow::ensure!(
            self.max_inflight_bytes / 2 >= largest,
            "BEEIQ_MAX_INFLIGHT_BYTES (--max-inflight-bytes) must be at least twice \
             BEEIQ_MAX_BODY_BYTES (--max-body-bytes)"
        );
        anyhow::ensure!(
            self.max_working_bytes / 8 >= largest,
            "BEEIQ_MAX_WORKING_BYTES (--max-working-bytes) must be at least eight times \
             BEEIQ_MAX_BODY_BYTES (--max-body-bytes)"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    /// A body within the limit that could never be taken would be refused for ever.
    #[test]
    fn there_has_to_be_room_for_the_largest_body() {
        for (flags, complaint) in [
            (vec![], None),
            (vec!["--max-body-bytes=70000000"], Some("BEEIQ_MAX_INFLIGHT_BYTES")),
            (vec!["--max-inflight-bytes=1000000"], Some("BEEIQ_MAX_INFLIGHT_BYTES")),
            (vec!["--max-working-bytes=80000000"], Some("BEEIQ_MAX_WORKING_BYTES")),
        ] {
            let settings = parse(&flags).unwrap();
            let checked = settings.capacity.check(&settings.limits);
            let said = checked.err().map(|error| error.to_string());
            assert_eq!(said.is_some(), complaint.is_some(), "{flags:?}: {said:?}");
            assert!(said.unwrap_or_default().starts_with(complaint.unwrap_or_default()));
        }
    }
}
