//! Passwords that commands are given.

use anyhow::Context;
use std::io::Read;

/// A line of standard input, whose end does not belong to it.
pub(crate) fn from_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text).context("standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
