//! The instance's keys and what is made with them: keyed hashes of tokens, sealed values, tokens.

use crate::clock;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// A key's public name, in front of what it has sealed: it tells nothing of the key.
const ID_LENGTH: usize = 8;
pub type KeyId = [u8; ID_LENGTH];

/// In front of the key's id, so that a value sealed before keys had ids is told apart.
const WITH_ID: u8 = 1;

/// The keys of the instance (`BEEIQ_SECRET_KEY`): the first one seals and hashes, all of them open and
/// recognise. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keyring {
    first: SecretKey,
    others: Arc<[SecretKey]>,
}

/// One of them. It is used only through keys derived from it, one for each use. Wiped when the last
/// clone is dropped.
#[derive(Clone, Debug)]
struct SecretKey {
    id: KeyId,
    bytes: Arc<SecretBox<[u8; 32]>>,
}

/// What is no secret key.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be 32 bytes in base64, or several such keys with commas between them; \
     `openssl rand -base64 32` makes one"
)]
pub struct InvalidSecretKey;

/// What cannot be opened: sealed with a key that is not there, for another place, or damaged.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened; does BEEIQ_SECRET_KEY lack the key that sealed it?")]
pub(crate) struct CannotOpen;

/// How a token, or what else is only to be recognised, is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHash {
    pub hash: [u8; 32],
    /// The key that it was made with.
    pub key_id: KeyId,
}

/// What a sealed value is bound to. Copied to another row or column it cannot be opened.
pub(crate) struct Place {
    now: String,
    /// As it was before it named the row.
    before: String,
}

impl Place {
    /// A column of a table, and the row: its org, and what tells it from the org's others. `before`
    /// is what such values were bound to by the versions without key ids.
    pub(crate) fn new(table: &str, column: &str, org: Uuid, row: &str, before: String) -> Self {
        Self { now: format!("{table}.{column}:{org}:{row}"), before }
    }
}

impl FromStr for Keyring {
    type Err = InvalidSecretKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keys = text.split(',').map(|key| {
            let bytes = BASE64_STANDARD.decode(key.trim()).map_err(|_| InvalidSecretKey)?;
            Ok(SecretKey::new(bytes.try_into().map_err(|_| InvalidSecretKey)?))
        });
        let first = keys.next().ok_or(InvalidSecretKey)??;
        Ok(Self { first, others: keys.collect::<Result<_, _>>()? })
    }
}

impl Keyring {
    /// The keyed hash under which a token is kept.
    pub fn token_hash(&self, kind: TokenKind, token: &str) -> TokenHash {
        self.first.token_hash(kind, token)
    }

    /// Encrypts a value for its place. The key's id and a random nonce are in front.
    pub(crate) fn seal(&self, place: &Place, plain: &[u8]) -> Vec<u8> {
        let SecretKey { id, .. } = &self.first;
        [&[WITH_ID], id.as_slice(), &self.first.seal(&place.now, plain)].concat()
    }

    /// Decrypts what [`Keyring::seal`] made for the same place, with whichever key.
    pub(crate) fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        if let Some((id, sealed)) = with_id(sealed)
            && let Some(key) = self.all().find(|key| key.id == *id)
        {
            return key.open(&place.now, sealed);
        }
        self.all().find_map(|key| key.open(&place.before, sealed).ok()).ok_or(CannotOpen)
    }

    /// What is in front of everything that the first key has sealed.
    pub(crate) fn mark(&self) -> Vec<u8> {
        [&[WITH_ID], self.first.id.as_slice()].concat()
    }

    /// The id of the key that hashes.
    pub(crate) fn first_id(&self) -> KeyId {
        self.first.id
    }

    fn all(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.first).chain(self.others.iter())
    }
}

/// The id of the key that sealed a value, and the rest.
fn with_id(sealed: &[u8]) -> Option<(&KeyId, &[u8])> {
    sealed.strip_prefix(&[WITH_ID])?.split_first_chunk()
}

impl SecretKey {
    fn new(bytes: [u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = hmac(&bytes, b"id");
        Self { id: [a, b, c, d, e, f, g, h], bytes: Arc::new(SecretBox::new(Box::new(bytes))) }
    }

    /// The same text has another hash for another purpose.
    fn token_hash(&self, kind: TokenKind, token: &str) -> TokenHash {
        let key = self.derived(&format!("hash:{}", kind.purpose()));
        TokenHash { hash: hmac(&key, token.as_bytes()), key_id: self.id }
    }

    fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = clock::random_bytes::<24>();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        #[expect(clippy::expect_used, reason = "fails only for values of 256 GiB")]
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("is short");
        [nonce.as_slice(), &sealed].concat()
    }

    fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, sealed) = sealed.split_first_chunk::<24>().ok_or(CannotOpen)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derived("seal").into())
    }

    fn derived(&self, label: &str) -> [u8; 32] {
        hmac(self.bytes.expose_secret(), label.as_bytes())
    }
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Listener,
    /// To which a system pushes what happens.
    Connection,
    Session,
    /// A program's access to the management API.
    ApiKey,
    /// By which another system lets us in.
    Source,
}

impl TokenKind {
    const fn purpose(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Connection => "connection",
            Self::Session => "session",
            Self::ApiKey => "api-key",
            Self::Source => "source",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Listener | Self::Connection | Self::Source => "",
            Self::Session => "bs_",
            Self::ApiKey => "bk_",
        }
    }
}

/// A well-formed token: `<public id of the org>.<43 characters>`, a session's with `bs_` in front,
/// an API key with `bk_`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    kind: TokenKind,
    org: &'a str,
    text: &'a str,
}

impl<'a> Token<'a> {
    /// Takes a token apart; none if it cannot be one.
    pub(crate) fn parse(kind: TokenKind, text: &'a str) -> Option<Self> {
        let (org, secret) = text.strip_prefix(kind.prefix())?.split_once('.')?;
        let well_formed = org.len() == PUBLIC_ID_LENGTH
            && org.chars().all(|c| c.is_digit(32) && !c.is_ascii_uppercase())
            && BASE64_URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bytes| bytes.len() == 32);
        well_formed.then_some(Self { kind, org, text })
    }

    pub(crate) fn org(&self) -> &'a str {
        self.org
    }

    /// The hashes under which it may be kept, that of the first key in front.
    pub(crate) fn hashes(&self, keys: &Keyring) -> Vec<TokenHash> {
        keys.all().map(|key| key.token_hash(self.kind, self.text)).collect()
    }
}

pub fn new_token(kind: TokenKind, org_public_id: &str) -> String {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(clock::random_bytes::<32>());
    format!("{}{org_public_id}.{secret}", kind.prefix())
}

const PUBLIC_ID_LENGTH: usize = 12;

/// A new public id of an org: 12 random characters of `0–9a–v`.
pub(crate) fn new_public_id() -> String {
    clock::random_bytes::<PUBLIC_ID_LENGTH>()
        .iter()
        .filter_map(|byte| char::from_digit(u32::from(byte % 32), 32))
        .collect()
}

/// A new password for somebody who did not choose one: 24 random characters.
pub fn new_password() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(clock::random_bytes::<18>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(byte: u8) -> String {
        BASE64_STANDARD.encode([byte; 32])
    }

    fn keys(bytes: &[u8]) -> Keyring {
        bytes.iter().map(|byte| base64(*byte)).collect::<Vec<_>>().join(",").parse().unwrap()
    }

    fn place(row: &str) -> Place {
        Place::new("table", "column", Uuid::nil(), row, "org:table:column".to_owned())
    }

    #[test]
    fn a_sealed_value_opens_in_its_row_with_its_key_only() {
        let sealed = keys(&[7]).seal(&place("row"), b"secret");
        assert_eq!(keys(&[7]).open(&place("row"), &sealed).unwrap(), b"secret");
        assert!(keys(&[7]).open(&place("another"), &sealed).is_err());
        assert!(keys(&[8]).open(&place("row"), &sealed).is_err());
        for cut in [0, 1, 5, 9, 33, sealed.len() - 1] {
            assert!(keys(&[7]).open(&place("row"), &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let (old, both, new) = (keys(&[7]), keys(&[8, 7]), keys(&[8]));
        let by_old = old.seal(&place("row"), b"secret");
        let by_both = both.seal(&place("row"), b"secret");
        for (opened, expected) in [
            (both.open(&place("row"), &by_old), true),
            (new.open(&place("row"), &by_both), true),
            (old.open(&place("row"), &by_both), false),
            (new.open(&place("row"), &by_old), false),
        ] {
            assert_eq!(opened.is_ok(), expected);
        }
        assert!(by_both.starts_with(&both.mark()) && !by_old.starts_with(&both.mark()));
    }

    /// Those have no key's id in front, and are bound to their column alone.
    #[test]
    fn what_a_version_without_key_ids_sealed_opens_with_any_key() {
        let before = SecretKey::new([7; 32]).seal("org:table:column", b"secret");
        assert_eq!(keys(&[8, 7]).open(&place("row"), &before).unwrap(), b"secret");
        assert!(keys(&[8]).open(&place("row"), &before).is_err());
    }

    #[test]
    fn sealing_twice_gives_two_texts() {
        let seal = || keys(&[7]).seal(&place("row"), b"x");
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_hash_depends_on_key_purpose_and_token() {
        let hash = |kind, token| keys(&[7]).token_hash(kind, token);
        let first = hash(TokenKind::Session, "t");
        assert_eq!(first, hash(TokenKind::Session, "t"));
        assert_ne!(first.hash, hash(TokenKind::Listener, "t").hash);
        assert_ne!(first.hash, hash(TokenKind::Session, "u").hash);
        assert_ne!(first, keys(&[8]).token_hash(TokenKind::Session, "t"));
    }

    #[test]
    fn a_token_is_looked_for_under_each_key() {
        let text = new_token(TokenKind::Session, &new_public_id());
        let token = Token::parse(TokenKind::Session, &text).unwrap();
        let by = |byte| keys(&[byte]).token_hash(TokenKind::Session, &text);
        assert_eq!(token.hashes(&keys(&[8, 7])), [by(8), by(7)]);
    }

    #[test]
    fn the_keys_are_never_printed() {
        let printed = format!("{:?}", keys(&[7, 8]));
        assert!(printed.contains("[REDACTED]") && !printed.contains("7, 7"), "{printed}");
    }

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        for right in [base64(1), format!("{}, {}", base64(1), base64(2))] {
            assert!(right.parse::<Keyring>().is_ok(), "{right}");
        }
        let short = BASE64_STANDARD.encode([1; 31]);
        let with_nothing = format!("{},", base64(1));
        for wrong in ["", "abc", &short, &with_nothing, &"A".repeat(45)] {
            assert!(wrong.parse::<Keyring>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_new_token_names_its_org_and_is_read_as_its_own_kind_only() {
        let org = new_public_id();
        let listener = new_token(TokenKind::Listener, &org);
        let session = new_token(TokenKind::Session, &org);
        assert_eq!(listener.len(), 12 + 1 + 43);
        assert_eq!(Token::parse(TokenKind::Listener, &listener).unwrap().org(), org);
        assert_eq!(Token::parse(TokenKind::Session, &session).unwrap().org(), org);
        assert!(Token::parse(TokenKind::Listener, &session).is_none());
        assert!(Token::parse(TokenKind::Session, &listener).is_none());
        let key = new_token(TokenKind::ApiKey, &org);
        assert_eq!(Token::parse(TokenKind::ApiKey, &key).unwrap().org(), org);
        assert!(Token::parse(TokenKind::Session, &key).is_none());
        assert!(Token::parse(TokenKind::Listener, &key).is_none());
    }

    #[test]
    fn what_is_no_token_is_none() {
        let secret = "A".repeat(43);
        assert!(Token::parse(TokenKind::Listener, &format!("0123456789ab.{secret}")).is_some());
        for text in [
            String::new(),
            ".".to_owned(),
            "0123456789ab".to_owned(),
            format!("0123456789a.{secret}"),
            format!("0123456789aB.{secret}"),
            format!("0123456789az.{secret}"),
            format!("0123456789ab.{secret}A"),
            format!("0123456789ab.{}B", "A".repeat(42)),
            format!("0123456789ab.{}", "=".repeat(43)),
            format!("0123456789ab.{secret}\0"),
            format!("é23456789ab.{secret}"),
        ] {
            assert!(Token::parse(TokenKind::Listener, &text).is_none(), "{text:?}");
        }
    }
}
