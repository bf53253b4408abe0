//! `beeiq user set-password`.

use super::password;
use crate::config::DatabaseSettings;
use crate::service::passwords::recover;
use crate::store::pool::{Db, DbConfig};
use anyhow::Context;
use beeiq_core::values::email::Email;
use clap::Args;
use std::io::Write;

#[derive(Args)]
pub(crate) struct SetPassword {
    /// The org's slug
    #[arg(long)]
    org: String,
    /// The user's e-mail
    #[arg(long)]
    email: String,
    /// Read the password from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
    #[command(flatten)]
    database: DatabaseSettings,
}

pub(crate) fn set_password(order: &SetPassword) -> anyhow::Result<()> {
    let email = Email::parse(&order.email).context("--email")?;
    let db = Db::new(&DbConfig::of(&order.database)?)?;
    let changed = recover(&db, &order.org, &email, password::from_stdin()?)?;
    anyhow::ensure!(changed, "there is no user {} in an org \"{}\"", email.value(), order.org);
    writeln!(std::io::stdout(), "Changed the password; the user's sessions are ended.")?;
    Ok(())
}
