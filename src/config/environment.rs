//! Whether messages leave the instance.

use beeiq_core::words;
use clap::ValueEnum;

words! {
    /// Whether messages leave this instance (`api.md` 6).
    #[derive(Default, ValueEnum)]
    pub enum Environment {
        /// Messages are sent.
        #[default]
        Production => "production",
        /// Messages are captured in the outbox.
        Staging => "staging",
    }
}
