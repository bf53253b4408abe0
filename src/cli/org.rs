//! `beeiq org create`.

use super::password;
use crate::access::passwords::NewPassword;
use crate::access::secrets;
use crate::config::{DatabaseSettings, OrgSettings};
use crate::service::orgs::{NewOrg, create_org};
use crate::store::pool::{Db, DbConfig};
use anyhow::{Context, anyhow};
use beeiq_core::values::email::Email;
use beeiq_core::values::slug::Slug;
use clap::Args;
use std::io::Write;

#[derive(Args)]
pub(crate) struct OrgCreate {
    /// What its people sign in with, such as acme
    #[arg(long)]
    slug: String,
    /// Its name
    #[arg(long)]
    name: String,
    /// The owner's e-mail
    #[arg(long)]
    owner_email: String,
    /// Read the owner's password from standard input instead of making one up
    #[arg(long)]
    owner_password_stdin: bool,
    #[command(flatten)]
    orgs: OrgSettings,
    #[command(flatten)]
    database: DatabaseSettings,
}

pub(crate) fn create(order: &OrgCreate) -> anyhow::Result<()> {
    let slug = Slug::parse(&order.slug)?;
    let email = Email::parse(&order.owner_email).context("--owner-email")?;
    let name = order.name.trim();
    anyhow::ensure!(!name.is_empty() && !name.contains('\0'), "--name is empty");
    let generated = (!order.owner_password_stdin).then(secrets::new_password);
    let chosen = match &generated {
        Some(made) => made.clone(),
        None => password::from_stdin()?,
    };
    let about = [email.value(), name, slug.as_str()];
    let password =
        NewPassword::parse(chosen, "", &about).map_err(|fault| anyhow!(fault.message))?;
    let db = Db::new(&DbConfig::of(&order.database)?)?;
    let new = NewOrg {
        slug: &slug,
        name,
        owner: &email,
        password: &password,
        sms_credits: order.orgs.sms_trial_credits,
    };
    let org = create_org(&db, &new)?;
    let mut out = std::io::stdout();
    writeln!(out, "Made the org {} with the owner {}.", org.slug, email.value())?;
    if let Some(password) = generated {
        writeln!(out, "Their password, shown this once: {password}")?;
    }
    Ok(())
}
