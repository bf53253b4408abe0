//! The instance's own mail server.

use super::values::seconds;
use clap::Args;
use secrecy::SecretString;
use std::time::Duration;

/// The instance's own mail server, for orgs that have set none.
#[derive(Args, Clone, Debug)]
pub struct SmtpSettings {
    /// The mail server, as smtp://user:password@host:port?security=starttls|tls|none or smtps://…
    #[arg(long, env = "BEEIQ_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<SecretString>,
    /// Whom its mail is from, as "BeeIQ <noreply@example.com>"
    #[arg(long, env = "BEEIQ_SMTP_FROM", value_name = "NAME <ADDRESS>")]
    pub smtp_from: Option<String>,
    /// How many e-mails an org may send through it in a day (UTC); what is more waits for the next
    #[arg(long, env = "BEEIQ_SMTP_DAILY_QUOTA", default_value_t = 1000, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub smtp_daily_quota: u32,
    /// How long a mail server may take to answer a command, in seconds; four times that for a mail
    #[arg(long = "smtp-timeout-seconds", env = "BEEIQ_SMTP_TIMEOUT_SECONDS", default_value = "30")]
    #[arg(value_parser = seconds, value_name = "N")]
    pub smtp_timeout: Duration,
}
