//! What new orgs are given.

use clap::Args;

#[derive(Args, Clone, Copy, Debug)]
pub struct OrgSettings {
    /// Trial SMS segments of a new org
    #[arg(long, env = "BEEIQ_SMS_TRIAL_CREDITS", default_value_t = 20, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(i64).range(0..))]
    pub sms_trial_credits: i64,
}
