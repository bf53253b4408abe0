//! `beeiq user set-password`.

use super::password;
use crate::access::throttle;
use crate::clock;
use crate::config::DatabaseSettings;
use crate::store::error::StoreError;
use crate::store::pool::{Db, DbConfig, in_org};
use crate::store::{orgs, sessions, users};
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
    let now = clock::now();
    let changed = Db::new(&DbConfig::of(&order.database)?)?.run_here(|conn| {
        let Some(org) = orgs::with_slug(conn, &order.org)? else {
            return Ok(None);
        };
        in_org(conn, org.id, |conn| {
            let changed = users::set_password(conn, org.id, email.key(), &hash, now)?;
            if let Some(user) = changed {
                sessions::delete_of_user(conn, org.id, user)?;
                throttle::lift(conn, &org.slug, email.key(), now)?;
            }
            Ok::<_, StoreError>(changed)
        })
    })?;
    anyhow::ensure!(
        changed.is_some(),
        "there is no user {} in an org \"{}\"",
        email.value(),
        order.org
    );
    writeln!(std::io::stdout(), "Changed the password; the user's sessions are ended.")?;
    Ok(())
}
