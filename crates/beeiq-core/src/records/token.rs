//! The secret part of a URL that other systems call, as far as it is kept.

use chrono::{DateTime, Utc};

/// One of the tokens that lead to a listener or a connection.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its keyed hash.
    pub hash: Vec<u8>,
    /// Until when, where it has been rotated.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Token {
    /// Whether one of them has that hash, and still leads somewhere.
    #[must_use]
    pub fn any_is(tokens: &[Self], hash: &[u8], now: DateTime<Utc>) -> bool {
        let leads =
            |token: &Self| token.hash == hash && token.expires_at.is_none_or(|end| now < end);
        tokens.iter().any(leads)
    }
}
