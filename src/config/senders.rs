//! How messages leave the instance.

use super::values::{network, public_url};
use clap::Args;
use ipnetwork::IpNetwork;
use secrecy::SecretString;
use std::time::Duration;

const TWILIO: &str = "https://api.twilio.com";
const ESMS: &str = "https://rest.esms.vn";
const SPEEDSMS: &str = "https://api.speedsms.vn";

/// How messages leave the instance.
#[derive(Args, Clone, Debug)]
pub struct SenderSettings {
    /// Private networks that the mail and SMS servers of orgs may be in, comma separated
    #[arg(
        long,
        env = "BEEIQ_OUTBOUND_ALLOW",
        value_delimiter = ',',
        value_parser = network,
        value_name = "CIDR,…"
    )]
    pub outbound_allow: Vec<IpNetwork>,
    /// The SMS account of orgs without one of their own: JSON with the fields of /settings/sms
    #[arg(long, env = "BEEIQ_SMS_ACCOUNT", hide_env_values = true, value_name = "JSON")]
    pub sms_account: Option<SecretString>,
    /// How long an SMS provider may take to answer, in seconds
    #[arg(
        long = "sms-timeout-seconds",
        env = "BEEIQ_SMS_TIMEOUT_SECONDS",
        default_value = "20",
        value_parser = sms_seconds,
        value_name = "N"
    )]
    pub sms_timeout: Duration,
    /// Where Twilio's API is
    #[arg(
        long,
        env = "BEEIQ_TWILIO_URL",
        default_value = TWILIO,
        value_parser = public_url,
        value_name = "URL"
    )]
    pub twilio_url: String,
    /// Where the API of eSMS.vn is
    #[arg(
        long,
        env = "BEEIQ_ESMS_URL",
        default_value = ESMS,
        value_parser = public_url,
        value_name = "URL"
    )]
    pub esms_url: String,
    /// Where the API of SpeedSMS.vn is
    #[arg(
        long,
        env = "BEEIQ_SPEEDSMS_URL",
        default_value = SPEEDSMS,
        value_parser = public_url,
        value_name = "URL"
    )]
    pub speedsms_url: String,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            outbound_allow: Vec::new(),
            sms_account: None,
            sms_timeout: Duration::from_secs(20),
            twilio_url: TWILIO.to_owned(),
            esms_url: ESMS.to_owned(),
            speedsms_url: SPEEDSMS.to_owned(),
        }
    }
}

/// Shorter than the time after which a message may be taken over by another process.
fn sms_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=45) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 45".to_owned()),
    }
}
