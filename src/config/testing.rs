//! Settings as a command line gives them, for tests.

use super::ServeSettings;
use clap::Parser;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    settings: ServeSettings,
}

/// The settings of those flags, or the complaint.
pub fn parse(flags: &[&str]) -> Result<ServeSettings, String> {
    Program::try_parse_from([&["beeiq"], flags].concat())
        .map(|program| program.settings)
        .map_err(|error| error.to_string())
}
