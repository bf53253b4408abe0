//! `beeiq user set-password`.

use super::password;
use crate::config::DatabaseSettings;
use crate::service::settings::Edit;
use crate::service::settings::users::replace_password;
use crate::store::orgs;
use crate::store::pool::{Db, DbConfig, in_org};
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
    let hash = password::from_stdin()?.hash()?;
    let changed = Db::new(&DbConfig::of(&order.database)?)?.run_here(|conn| {
        let Some(org) = orgs::with_slug(conn, &order.org)? else {
            return Ok(false);
        };
        in_org(conn, org.id, |conn| {
            replace_password(&mut Edit::of_operator(conn, org.id), &org, &email, &hash)
        })
    })?;
    anyhow::ensure!(changed, "there is no user {} in an org \"{}\"", email.value(), order.org);
    writeln!(std::io::stdout(), "Changed the password; the user's sessions are ended.")?;
    Ok(())
}
