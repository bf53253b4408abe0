//! `beeiq rekey`.

use super::failure::Failure;
use crate::config::{DatabaseSettings, SecretSettings};
use crate::service::rekey::{Rekeyed, rekey};
use crate::store::pool::{Db, DbConfig};
use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;

#[derive(Args)]
pub(crate) struct RekeySettings {
    #[command(flatten)]
    secrets: SecretSettings,
    #[command(flatten)]
    database: DatabaseSettings,
}

pub(crate) fn run(settings: &RekeySettings) -> Result<(), Failure> {
    let keys = settings.secrets.keys().map_err(Failure::Usage)?;
    let config = DbConfig::of(&settings.database).map_err(Failure::Usage)?;
    // On a terminal only.
    let style = "{spinner} {human_pos} orgs, {msg}";
    let style = ProgressStyle::with_template(style).context("the style of the progress")?;
    let bar = ProgressBar::new_spinner().with_style(style);
    let done = rekey(&Db::new(&config)?, &keys, |done| {
        bar.set_position(done.orgs);
        bar.set_message(format!("{} listeners, {} accounts", done.listener_urls, done.accounts));
    })
    .context("begin it again: it goes on where it was")?;
    bar.finish_and_clear();
    Ok(report(&done).context("standard output")?)
}

fn report(done: &Rekeyed) -> std::io::Result<()> {
    let Rekeyed { orgs, listener_urls, accounts, connections, unreadable, sessions, api_keys } =
        done;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "Sealed again, of {orgs} orgs: {listener_urls} listener URLs, {accounts} accounts, and {connections} \
         URLs and secrets of connections."
    )?;
    if *unreadable > 0 {
        writeln!(
            out,
            "No key of BEEIQ_SECRET_KEY opens {unreadable} of them: rotate those listeners, enter \
             those accounts anew, or add the key that sealed them."
        )?;
    }
    if sessions + api_keys > 0 {
        writeln!(
            out,
            "{sessions} sessions and {api_keys} API keys are known by an older key until they are \
             used. Keep it until this says none, or those people sign in anew and those keys are \
             replaced."
        )?;
    }
    if done.is_complete() {
        writeln!(out, "Nothing needs an older key any more: take it out of BEEIQ_SECRET_KEY.")?;
    }
    Ok(())
}
