//! How messages leave the instance.

use super::values::{network, public_url};
use crate::access::secrets::Secret;
use clap::Args;
use ipnetwork::IpNetwork;
use std::time::Duration;

#[derive(Args, Clone, Debug)]
pub struct SenderSettings {
    /// Private networks that the mail and SMS servers of orgs may be in, comma separated
    #[arg(long, env = "BEEIQ_OUTBOUND_ALLOW", value_name = "CIDR,…")]
    #[arg(value_delimiter = ',', value_parser = network)]
    pub outbound_allow: Vec<IpNetwork>,
    /// The SMS account of orgs without one of their own: JSON with the fields of /settings/sms
    #[arg(long, env = "BEEIQ_SMS_ACCOUNT", hide_env_values = true, value_name = "JSON")]
    pub sms_account: Option<Secret<String>>,
    /// How long an SMS provider may take to answer, in seconds
    #[arg(long = "sms-timeout-seconds", env = "BEEIQ_SMS_TIMEOUT_SECONDS", default_value = "20")]
    #[arg(value_parser = sms_seconds, value_name = "N")]
    pub sms_timeout: Duration,
    /// Where Twilio's API is
    #[arg(long, env = "BEEIQ_TWILIO_URL", default_value = "https://api.twilio.com")]
    #[arg(value_parser = public_url, value_name = "URL")]
    pub twilio_url: String,
    /// Where the API of eSMS.vn is
    #[arg(
        long,
        env = "BEEIQ_ESMS_URL",
        default_value = "https://rest.esms.vn",
        value_name = "URL"
    )]
    #[arg(value_parser = public_url)]
    pub esms_url: String,
    /// Where the API of SpeedSMS.vn is
    #[arg(long, env = "BEEIQ_SPEEDSMS_URL", default_value = "https://api.speedsms.vn")]
    #[arg(value_parser = public_url, value_name = "URL")]
    pub speedsms_url: String,
}

/// Shorter than the time after which a message may be taken over by another process.
fn sms_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=45) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 45".to_owned()),
    }
}
