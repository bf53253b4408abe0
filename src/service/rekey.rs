//! Sealing again, with the first key of the instance, what an older one has sealed.

use crate::clock;
use crate::secrets::{CannotOpen, Keyring, TokenKind};
use crate::store::access::{api_keys, sessions};
use crate::store::error::StoreError;
use crate::store::pool::{Conn, Db, in_org};
use crate::store::rekey::{self, SealedAccount, SealedToken};
use crate::store::settings::{connections, listeners, message_accounts};
use crate::store::word::Stored;
use crate::store::{directory, orgs};
use uuid::Uuid;

/// How many orgs are looked up at a time.
const ORGS: i64 = 100;

/// How many tokens are sealed again in a transaction, so that nobody waits long for it.
const TOKENS: i64 = 200;

/// How far it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    pub orgs: u64,
    /// What is sealed with the first key now, and was not.
    pub listener_urls: u64,
    pub accounts: u64,
    /// URLs and secrets of connections.
    pub connections: u64,
    /// What no key opens; it stays as it is.
    pub unreadable: u64,
    /// What is known by an older key until it is used: only its bearer has the token.
    pub sessions: u64,
    pub api_keys: u64,
}

impl Rekeyed {
    /// Whether nothing needs an older key any more.
    pub fn is_complete(&self) -> bool {
        self.unreadable + self.sessions + self.api_keys == 0
    }
}

/// Goes over all orgs, beside the servers that run; `progress` is told after each. Begun again, it
/// goes on where it was.
pub fn rekey(
    db: &Db,
    keys: &Keyring,
    mut progress: impl FnMut(&Rekeyed),
) -> Result<Rekeyed, StoreError> {
    let (mut done, mut after) = (Rekeyed::default(), Uuid::nil());
    loop {
        let page = db.run_here(|conn| orgs::ids_after(conn, after, ORGS))?;
        let Some(last) = page.last() else { return Ok(done) };
        after = *last;
        for org in page {
            db.run_here(|conn| rekey_org(conn, keys, org, &mut done))?;
            done.orgs += 1;
            progress(&done);
        }
    }
}

fn rekey_org(
    conn: &mut Conn,
    keys: &Keyring,
    org: Uuid,
    done: &mut Rekeyed,
) -> Result<(), StoreError> {
    let mut after = Some(Uuid::nil());
    while let Some(from) = after {
        after = in_org(conn, org, |conn| reseal_tokens(conn, keys, org, from, done))?;
    }
    in_org(conn, org, |conn| {
        reseal_accounts(conn, keys, org, done)?;
        reseal_connections(conn, keys, org, done)?;
        let (first, now) = (keys.first_id(), clock::now());
        done.sessions += count(sessions::count_of_other_keys(conn, org, &first, now)?);
        done.api_keys += count(api_keys::count_of_other_keys(conn, org, &first, now)?);
        Ok(())
    })
}

/// The last of those that were looked at; none where there are no more.
fn reseal_tokens(
    conn: &mut Conn,
    keys: &Keyring,
    org: Uuid,
    after: Uuid,
    done: &mut Rekeyed,
) -> Result<Option<Uuid>, StoreError> {
    // First, as every change of a setting does; and what is cached of the listeners has their hashes.
    directory::bump(conn, org)?;
    let tokens = rekey::tokens(conn, org, &keys.mark(), after, TOKENS)?;
    for SealedToken { id, token_sealed } in &tokens {
        let place = listeners::token_place(org, *id);
        match keys.open(&place, token_sealed).map(String::from_utf8) {
            Ok(Ok(token)) => {
                let hash = keys.token_hash(TokenKind::Listener, &token).hash;
                let sealed = keys.seal(&place, token.as_bytes());
                rekey::set_token(conn, org, *id, &hash, &sealed)?;
                done.listener_urls += 1;
            }
            Ok(Err(_)) | Err(CannotOpen) => done.unreadable += 1,
        }
    }
    Ok(tokens.last().map(|last| last.id))
}

fn reseal_accounts(
    conn: &mut Conn,
    keys: &Keyring,
    org: Uuid,
    done: &mut Rekeyed,
) -> Result<(), StoreError> {
    let accounts = rekey::accounts(conn, org, &keys.mark())?;
    for SealedAccount { channel: Stored(channel), secrets_sealed } in accounts {
        let place = message_accounts::secrets_place(org, channel);
        match keys.open(&place, &secrets_sealed) {
            Ok(secrets) => {
                rekey::set_account(conn, org, channel, &keys.seal(&place, &secrets))?;
                done.accounts += 1;
            }
            Err(CannotOpen) => done.unreadable += 1,
        }
    }
    Ok(())
}

fn reseal_connections(
    conn: &mut Conn,
    keys: &Keyring,
    org: Uuid,
    done: &mut Rekeyed,
) -> Result<(), StoreError> {
    for (id, sealed) in rekey::connection_tokens(conn, org, &keys.mark())? {
        let place = connections::token_place(org, id);
        match keys.open(&place, &sealed).map(String::from_utf8) {
            Ok(Ok(token)) => {
                let hash = keys.token_hash(TokenKind::Connection, &token).hash;
                let sealed = keys.seal(&place, token.as_bytes());
                rekey::set_connection_token(conn, org, id, &hash, &sealed)?;
                done.connections += 1;
            }
            Ok(Err(_)) | Err(CannotOpen) => done.unreadable += 1,
        }
    }
    for (id, sealed) in rekey::connection_secrets(conn, org, &keys.mark())? {
        let place = connections::secret_place(org, id);
        match keys.open(&place, &sealed) {
            Ok(secret) => {
                rekey::set_connection_secret(conn, org, id, &keys.seal(&place, &secret))?;
                done.connections += 1;
            }
            Err(CannotOpen) => done.unreadable += 1,
        }
    }
    Ok(())
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}
