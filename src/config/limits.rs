//! How much a request to a listener may ask for.

use super::values::seconds;
use clap::Args;
use std::time::Duration;

/// How much a request to a listener may ask for (`listener.md` 1).
#[derive(Args, Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body that a listener takes, in bytes
    #[arg(long, env = "BEEIQ_MAX_BODY_BYTES", default_value_t = 10 * 1024 * 1024, value_name = "N")]
    pub max_body_bytes: usize,
    /// The most actions in a body
    #[arg(long, env = "BEEIQ_MAX_ACTIONS", default_value_t = 5000, value_name = "N")]
    pub max_actions: usize,
    /// The deepest nesting of a body; the outer object is the first level
    #[arg(long, env = "BEEIQ_MAX_NESTING", default_value_t = 32, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(3..=100))]
    pub max_nesting: u32,
    /// How long a body may take to arrive, in seconds
    #[arg(long = "body-deadline-seconds", env = "BEEIQ_BODY_DEADLINE_SECONDS")]
    #[arg(default_value = "30", value_parser = seconds, value_name = "N")]
    pub body_deadline: Duration,
    /// How long a request may take once its body is there, in seconds
    #[arg(long = "request-deadline-seconds", env = "BEEIQ_REQUEST_DEADLINE_SECONDS")]
    #[arg(default_value = "15", value_parser = seconds, value_name = "N")]
    pub request_deadline: Duration,
    /// The least a body has to arrive by, in bytes a second
    #[arg(long, env = "BEEIQ_MIN_BODY_RATE", default_value_t = 1024, value_name = "N")]
    pub min_body_rate: u64,
    /// From when on a body has to arrive that fast, in seconds
    #[arg(long = "body-grace-seconds", env = "BEEIQ_BODY_GRACE_SECONDS", default_value = "5")]
    #[arg(value_parser = seconds, value_name = "N")]
    pub body_grace: Duration,
}
