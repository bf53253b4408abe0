//! The instance's key and what is made with it: keyed hashes of tokens, sealed values, tokens.

use crate::clock;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Deserializer};
use sha2::Sha256;
use std::fmt;
use std::str::FromStr;

/// A value that is printed as `[redacted]`.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Keeps a value from being printed.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for where it is used.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl FromStr for Secret<String> {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Secrets are read from JSON, and never written to it.
impl<'de> Deserialize<'de> for Secret<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// The key of the instance (`BEEIQ_SECRET_KEY`). It is used only through keys derived from it, one
/// for each use.
#[derive(Clone, Debug)]
pub struct SecretKey(Secret<[u8; 32]>);

/// What is no secret key.
#[derive(Debug, thiserror::Error)]
#[error("must be 32 bytes in base64; `openssl rand -base64 32` makes one")]
pub struct InvalidSecretKey;

/// What cannot be opened: sealed with another key, for another place, or damaged.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened; was BEEIQ_SECRET_KEY changed?")]
pub struct CannotOpen;

impl FromStr for SecretKey {
    type Err = InvalidSecretKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| InvalidSecretKey)?;
        Ok(Self::new(bytes.try_into().map_err(|_| InvalidSecretKey)?))
    }
}

impl SecretKey {
    /// The key made of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The keyed hash under which a token, or what else is only to be recognised, is kept. The
    /// same text has another hash for another purpose.
    #[must_use]
    pub fn token_hash(&self, purpose: &str, token: &str) -> [u8; 32] {
        hmac(&self.derived(&format!("hash:{purpose}")), token.as_bytes())
    }

    /// Encrypts a value for one place, such as `"<org>:listener_tokens:token"`: copied to another
    /// place it cannot be opened. A random nonce is in front.
    #[must_use]
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = clock::random_bytes::<24>();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        #[expect(clippy::expect_used, reason = "fails only for values of 256 GiB")]
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("is short");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Decrypts what [`SecretKey::seal`] made for the same place.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, sealed) = sealed.split_first_chunk::<24>().ok_or(CannotOpen)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derived("seal").into())
    }

    fn derived(&self, label: &str) -> [u8; 32] {
        hmac(self.0.expose(), label.as_bytes())
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
    /// The end of a listener's URL.
    Listener,
    /// A sign-in.
    Session,
    /// A program's access to the management API.
    ApiKey,
}

impl TokenKind {
    /// What its hashes are for, see [`SecretKey::token_hash`].
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Session => "session",
            Self::ApiKey => "api-key",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Listener => "",
            Self::Session => "bs_",
            Self::ApiKey => "bk_",
        }
    }
}

/// A well-formed token: `<public id of the org>.<43 characters>`, a session's with `bs_` in front,
/// an API key with `bk_`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    kind: TokenKind,
    org: &'a str,
    text: &'a str,
}

impl<'a> Token<'a> {
    /// Takes a token apart; none if it cannot be one.
    #[must_use]
    pub fn parse(kind: TokenKind, text: &'a str) -> Option<Self> {
        let (org, secret) = text.strip_prefix(kind.prefix())?.split_once('.')?;
        let well_formed = org.len() == PUBLIC_ID_LENGTH
            && org.chars().all(|c| c.is_digit(32) && !c.is_ascii_uppercase())
            && BASE64_URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bytes| bytes.len() == 32);
        well_formed.then_some(Self { kind, org, text })
    }

    /// The public id of the org that it belongs to.
    #[must_use]
    pub fn org(&self) -> &'a str {
        self.org
    }

    /// The hash under which it is kept.
    #[must_use]
    pub fn hash(&self, key: &SecretKey) -> [u8; 32] {
        key.token_hash(self.kind.purpose(), self.text)
    }
}

/// A new token of an org.
#[must_use]
pub fn new_token(kind: TokenKind, org_public_id: &str) -> String {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(clock::random_bytes::<32>());
    format!("{}{org_public_id}.{secret}", kind.prefix())
}

const PUBLIC_ID_LENGTH: usize = 12;

/// A new public id of an org: 12 random characters of `0–9a–v`.
#[must_use]
pub fn new_public_id() -> String {
    clock::random_bytes::<PUBLIC_ID_LENGTH>()
        .iter()
        .filter_map(|byte| char::from_digit(u32::from(byte % 32), 32))
        .collect()
}

/// A new password for somebody who did not choose one: 24 random characters.
#[must_use]
pub fn new_password() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(clock::random_bytes::<18>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::new([7; 32])
    }

    #[test]
    fn a_sealed_value_opens_at_its_place_with_its_key_only() {
        let sealed = key().seal("org:table:column", b"secret");
        assert_eq!(key().open("org:table:column", &sealed).unwrap(), b"secret");
        assert!(key().open("other:table:column", &sealed).is_err());
        assert!(SecretKey::new([8; 32]).open("org:table:column", &sealed).is_err());
        for cut in [0, 5, 24, sealed.len() - 1] {
            assert!(key().open("org:table:column", &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn sealing_twice_gives_two_texts() {
        assert_ne!(key().seal("p", b"x"), key().seal("p", b"x"));
    }

    #[test]
    fn a_hash_depends_on_key_purpose_and_token() {
        let hash = key().token_hash("session", "t");
        assert_eq!(hash, key().token_hash("session", "t"));
        assert_ne!(hash, key().token_hash("listener", "t"));
        assert_ne!(hash, key().token_hash("session", "u"));
        assert_ne!(hash, SecretKey::new([8; 32]).token_hash("session", "t"));
    }

    #[test]
    fn the_key_is_never_printed() {
        assert_eq!(format!("{:?}", key()), "SecretKey([redacted])");
        assert_eq!(format!("{:?}", Secret::new("s")), "[redacted]");
    }

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        assert!(BASE64_STANDARD.encode([1; 32]).parse::<SecretKey>().is_ok());
        for wrong in ["", "abc", &BASE64_STANDARD.encode([1; 31]), &"A".repeat(45)] {
            assert!(wrong.parse::<SecretKey>().is_err(), "{wrong}");
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
