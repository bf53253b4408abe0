//! `Idempotency-Key`: what lets a sender try again without doing twice (`listener.md` 2).

use sha2::{Digest, Sha256};

/// How long an answer is kept for its key, in days.
pub const KEPT_DAYS: i64 = 7;

/// A key of 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "An `Idempotency-Key` has 1 to 255 visible ASCII characters; send one such header or none."
)]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// Reads a header's value.
    pub fn parse(value: &[u8]) -> Result<Self, InvalidIdempotencyKey> {
        let visible = value.iter().all(u8::is_ascii_graphic);
        if !visible || value.is_empty() || value.len() > 255 {
            return Err(InvalidIdempotencyKey);
        }
        String::from_utf8(value.to_vec()).map(Self).map_err(|_| InvalidIdempotencyKey)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes two requests of a key the same: the query counts as part of the body.
pub fn fingerprint(query: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(query.len().to_be_bytes());
    hash.update(query);
    hash.update(body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_ascii_of_1_to_255_characters() {
        for (value, fits) in [
            ("a", true),
            ("8e03978e-40d5-43e8-bc93-6894a57f9324", true),
            ("\"quoted\"", true),
            ("", false),
            ("two words", false),
            ("tab\t", false),
            ("ключ", false),
        ] {
            assert_eq!(IdempotencyKey::parse(value.as_bytes()).is_ok(), fits, "{value}");
        }
        assert!(IdempotencyKey::parse(&[b'x'; 255]).is_ok());
        assert!(IdempotencyKey::parse(&[b'x'; 256]).is_err());
    }

    #[test]
    fn the_query_and_the_body_are_told_apart() {
        assert_ne!(fingerprint("a", b"b"), fingerprint("ab", b""));
        assert_ne!(fingerprint("", b"b"), fingerprint("", b"c"));
        assert_eq!(fingerprint("a", b"b"), fingerprint("a", b"b"));
    }
}
