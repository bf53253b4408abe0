//! What operators see: logs, metrics, and which request a task works for (`api.md` 1).

pub mod metrics;
pub mod request;

use crate::config::{LogFormat, LogSettings};
use anyhow::Context;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error, panics included.
///
/// # Errors
/// When the filter is malformed, or logging has been started before.
pub fn init(settings: &LogSettings) -> anyhow::Result<()> {
    let filter: EnvFilter = settings
        .log_filter
        .parse()
        .context("BEEIQ_LOG (--log-filter) is no filter such as info,beeiq=debug")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            builder.compact().with_target(false).with_ansi(colours).try_init()
        }
    }
    .map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs where a panic was, not what it says: its message may quote what a customer sent.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    tracing::error!(location, thread = thread.name(), "panicked");
}
