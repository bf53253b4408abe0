//! Who is in which group: e-mails and names to ids, with a fault for each that there is not.

use crate::problem::{Problem, Result};
use crate::store::pool::Conn;
use crate::store::settings::{groups, users};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::values::email::Email;
use beeiq_core::values::suggest;
use beeiq_core::values::text::fold;
use std::collections::HashMap;
use uuid::Uuid;

/// How many names a message lists.
const LISTED: usize = 20;

/// The ids of the users of these e-mails, each once.
pub(super) fn users_of(conn: &mut Conn, org: Uuid, emails: &[String]) -> Result<Vec<Uuid>> {
    let keys: Vec<String> = emails
        .iter()
        .map(|email| Email::parse(email).map_or_else(|_| fold(email), |it| it.key().to_owned()))
        .collect();
    let known: HashMap<_, _> = users::with_emails(conn, org, &keys)?.into_iter().collect();
    resolved(&keys, &known, |index| {
        let email = emails.get(index).map_or("", String::as_str);
        let message = format!("There is no user with the e-mail \"{email}\".");
        Fault::new(Code::UnknownUser, format!("/members/{index}"), message)
    })
}

/// The ids of the groups of these names, each once.
pub(super) fn groups_of(conn: &mut Conn, org: Uuid, names: &[String]) -> Result<Vec<Uuid>> {
    let keys: Vec<String> = names.iter().map(|name| fold(name)).collect();
    let known: HashMap<_, _> = groups::named(conn, org, &keys)?.into_iter().collect();
    let there_are = if keys.iter().all(|key| known.contains_key(key)) {
        String::new()
    } else {
        suggest::listed(groups::names(conn, org)?, LISTED)
    };
    resolved(&keys, &known, |index| {
        let name = names.get(index).map_or("", String::as_str);
        let message = format!("There is no group \"{name}\"; there are {there_are}.");
        Fault::new(Code::UnknownGroup, format!("/groups/{index}"), message)
    })
}

fn resolved(
    keys: &[String],
    known: &HashMap<String, Uuid>,
    unknown: impl Fn(usize) -> Fault,
) -> Result<Vec<Uuid>> {
    let (mut ids, mut faults) = (Vec::new(), Vec::new());
    for (index, key) in keys.iter().enumerate() {
        match known.get(key) {
            Some(id) if ids.contains(id) => {}
            Some(id) => ids.push(*id),
            None => faults.push(unknown(index)),
        }
    }
    if faults.is_empty() { Ok(ids) } else { Err(Problem::fields(faults)) }
}
