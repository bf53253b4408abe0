//! Passwords that commands are given.

use crate::access::passwords::NewPassword;
use anyhow::{Context, anyhow};
use std::io::Read;

/// A line of standard input, whose end does not belong to it.
pub(crate) fn from_stdin() -> anyhow::Result<NewPassword> {
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text).context("standard input")?;
    checked(text.trim_end_matches(['\r', '\n']).to_owned())
}

pub(crate) fn checked(text: String) -> anyhow::Result<NewPassword> {
    NewPassword::parse(text, "").map_err(|fault| anyhow!(fault.message))
}
