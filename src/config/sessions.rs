//! How long a sign-in lasts.

use clap::Args;

/// How long a sign-in lasts (`api.md` 3).
#[derive(Args, Clone, Copy, Debug)]
pub struct SessionSettings {
    /// After how many hours without use a session ends
    #[arg(long, env = "BEEIQ_SESSION_IDLE_HOURS", default_value_t = 7 * 24, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub session_idle_hours: u32,
    /// After how many days a session ends, however much it is used
    #[arg(long, env = "BEEIQ_SESSION_DAYS", default_value_t = 30, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=365))]
    pub session_days: u32,
}
