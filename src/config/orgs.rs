//! What new orgs are given.

use clap::Args;

/// What new orgs are given.
#[derive(Args, Clone, Copy, Debug)]
pub struct OrgSettings {
    /// Trial SMS segments of a new org
    #[arg(
        long,
        env = "BEEIQ_SMS_TRIAL_CREDITS",
        default_value_t = 20,
        value_parser = clap::value_parser!(i64).range(0..),
        value_name = "N"
    )]
    pub sms_trial_credits: i64,
}
