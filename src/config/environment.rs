//! Whether messages leave the instance.

use clap::ValueEnum;

/// Whether messages leave this instance (`api.md` 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// Messages are sent.
    Production,
    /// Messages are captured in the outbox.
    Staging,
}

impl Environment {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }
}
