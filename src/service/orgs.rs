//! Making an org with its first user: by `beeiq org create`, the demo, and the tests.

use crate::access::passwords::NewPassword;
use crate::access::{Role, secrets};
use crate::clock;
use crate::store::error::StoreError;
use crate::store::orgs::{self, OrgRow};
use crate::store::pool::{Db, in_org};
use crate::store::settings::users::{self, NewUser};
use beeiq_core::values::email::Email;
use beeiq_core::values::slug::Slug;

/// An org to be made.
pub struct NewOrg<'a> {
    /// What its people sign in with.
    pub slug: &'a Slug,
    /// Its name.
    pub name: &'a str,
    /// Its first user.
    pub owner: &'a Email,
    /// His password.
    pub password: &'a NewPassword,
    /// Trial SMS segments.
    pub sms_credits: i64,
}

/// Makes an org with the names that a new one starts with, and its owner. Hashes a password: not
/// for an async thread.
///
/// # Errors
/// When the slug is taken, or the database is away.
pub fn create_org(db: &Db, new: &NewOrg<'_>) -> anyhow::Result<OrgRow> {
    let NewOrg { slug, name, owner, password, sms_credits } = new;
    let hash = password.hash()?;
    let org = OrgRow {
        id: clock::new_id(),
        public_id: secrets::new_public_id(),
        slug: slug.as_str().to_owned(),
        name: (*name).to_owned(),
    };
    let owner = NewUser {
        id: clock::new_id(),
        email: owner,
        name: owner.value(),
        role: Role::Owner,
        password_hash: Some(&hash),
    };
    let now = clock::now();
    let made = db.run_here(|conn| {
        in_org(conn, org.id, |conn| {
            orgs::create(conn, &org, *sms_credits, now, clock::new_id)?;
            users::create(conn, org.id, &owner, now)
        })
    });
    match made {
        Err(StoreError::Taken) => anyhow::bail!("there is an org \"{}\" already", org.slug),
        done => done?,
    }
    Ok(org)
}
