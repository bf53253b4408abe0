//! The instance's own mail server.

use super::values::seconds;
use crate::access::secrets::Secret;
use clap::Args;
use std::time::Duration;

/// The instance's own mail server, for orgs that have set none.
#[derive(Args, Clone, Debug)]
pub struct SmtpSettings {
    /// The mail server, as smtp://user:password@host:port?security=starttls|tls|none or smtps://…
    #[arg(long, env = "BEEIQ_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<Secret<String>>,
    /// Whom its mail is from, as "BeeIQ <noreply@example.com>"
    #[arg(long, env = "BEEIQ_SMTP_FROM", value_name = "NAME <ADDRESS>")]
    pub smtp_from: Option<String>,
    /// How long a mail server may take to answer a command, in seconds; four times that for a mail
    #[arg(long = "smtp-timeout-seconds", env = "BEEIQ_SMTP_TIMEOUT_SECONDS", default_value = "30")]
    #[arg(value_parser = seconds, value_name = "N")]
    pub smtp_timeout: Duration,
}
