//! What is logged how.

use clap::{Args, ValueEnum};

#[derive(Args, Clone, Debug)]
pub struct LogSettings {
    /// How log lines look
    #[arg(long, env = "BEEIQ_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What is logged: a level, or target=level pairs
    #[arg(
        long,
        env = "BEEIQ_LOG",
        default_value = "info,actix_server=warn",
        value_name = "FILTER"
    )]
    pub log_filter: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// Text for people.
    Text,
}
