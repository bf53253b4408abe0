//! The settings: flags, environment variables and `--help` from one definition (`api.md` 1).

mod capacity;
mod database;
mod environment;
mod http;
mod limits;
mod log;
mod orgs;
mod outbox;
mod pulls;
mod secrets;
mod senders;
mod sessions;
mod smtp;
#[cfg(test)]
pub(crate) mod testing;
mod values;

pub use capacity::CapacitySettings;
pub use database::DatabaseSettings;
pub use environment::Environment;
pub use http::HttpSettings;
pub use limits::Limits;
pub use log::{LogFormat, LogSettings};
pub use orgs::OrgSettings;
pub use outbox::OutboxSettings;
pub use pulls::PullSettings;
pub use secrets::SecretSettings;
pub use senders::SenderSettings;
pub use sessions::SessionSettings;
pub use smtp::SmtpSettings;

use clap::{Args, Command};

/// Settings as they are where nothing is set, whatever the environment says.
pub(crate) fn defaults<T: Args>() -> anyhow::Result<T> {
    let command = T::augment_args(Command::new("beeiq").no_binary_name(true));
    let unset = command.mut_args(|arg| arg.env(None::<&'static str>));
    Ok(T::from_arg_matches(&unset.try_get_matches_from([""; 0])?)?)
}

#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    #[command(flatten)]
    pub http: HttpSettings,
    #[command(flatten)]
    pub database: DatabaseSettings,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub capacity: CapacitySettings,
    #[command(flatten)]
    pub orgs: OrgSettings,
    #[command(flatten)]
    pub senders: SenderSettings,
    #[command(flatten)]
    pub smtp: SmtpSettings,
    #[command(flatten)]
    pub outbox: OutboxSettings,
    #[command(flatten)]
    pub pulls: PullSettings,
    /// How many days deliveries are kept, with their bodies and answers
    #[arg(long, env = "BEEIQ_RETENTION_DAYS", default_value_t = 30, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(7..=3650))]
    pub retention_days: u16,
    /// How many days messages are kept that were sent, captured, cancelled or given up
    #[arg(long, env = "BEEIQ_MESSAGE_RETENTION_DAYS", default_value_t = 90, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(7..=3650))]
    pub message_retention_days: u16,
    /// How many tasks apply deliveries that were kept for later; 0 leaves them to other processes
    #[arg(long, env = "BEEIQ_LATER_WORKERS", default_value_t = 2, value_name = "N")]
    pub later_workers: u8,
    #[command(flatten)]
    pub sessions: SessionSettings,
    #[command(flatten)]
    pub log: LogSettings,
    #[command(flatten)]
    pub secrets: SecretSettings,
    /// Whether messages are sent, or captured in the outbox only (staging)
    #[arg(long, env = "BEEIQ_ENVIRONMENT", value_enum, default_value_t = Environment::Production)]
    pub environment: Environment,
    /// Start although row security does not bind the database's role: orgs are kept apart by queries alone
    #[arg(long, env = "BEEIQ_WITHOUT_ROW_SECURITY")]
    pub without_row_security: bool,
    /// Start without applying pending migrations
    #[arg(long)]
    pub no_migrate: bool,
}

#[cfg(test)]
mod tests {
    use super::testing::parse;

    #[test]
    fn invalid_settings_are_refused_by_name() {
        for (flag, value) in [
            ("--bind", "localhost"),
            ("--public-url", "ftp://x"),
            ("--public-url", "/listener"),
            ("--public-url", "http://x/?a=b"),
            ("--trusted-proxies", "10.0.0.0/8,proxy"),
            ("--pool-size", "0"),
            ("--max-body-bytes", "-1"),
            ("--body-deadline-seconds", "0"),
            ("--max-connections", "7"),
            ("--processes", "0"),
            ("--sms-trial-credits", "-1"),
            ("--outbound-allow", "10.0.0.0/8,intranet"),
            ("--sms-timeout-seconds", "46"),
            ("--pull-timeout-seconds", "61"),
            ("--twilio-url", "api.twilio.com"),
            ("--session-idle-hours", "0"),
            ("--session-days", "366"),
            ("--environment", "test"),
        ] {
            let argument = format!("{flag}={value}");
            assert!(parse(&[&argument]).unwrap_err().contains(flag), "{argument}");
        }
    }
}
