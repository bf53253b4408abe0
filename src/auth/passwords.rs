//! Passwords: argon2id, hashed where it may block, and not many at a time.

use crate::domain::fault::{Code, Fault};
use crate::error::{Problem, StoreError};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many characters a password has (`api.md` 3).
pub const LENGTH: RangeInclusive<usize> = 10..=128;

/// How many passwords are hashed at the same time: a flood of sign-ins must leave the processors
/// to the listeners.
const AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A password of allowed length.
pub struct NewPassword(String);

impl NewPassword {
    /// Takes a password that has 10 to 128 characters.
    ///
    /// # Errors
    /// A fault at `pointer`, which does not show the password.
    pub fn parse(text: String, pointer: &str) -> Result<Self, Fault> {
        let length = text.chars().take(LENGTH.end() + 1).count();
        if LENGTH.contains(&length) {
            return Ok(Self(text));
        }
        let (code, side) = if length < *LENGTH.start() {
            (Code::OutOfRange, "short")
        } else {
            (Code::TooLong, "long")
        };
        let message = format!("The password is too {side}: it has 10 to 128 characters.");
        Err(Fault::new(code, pointer, message))
    }

    /// Its argon2id hash in PHC form. Takes a tenth of a second: not for an async thread.
    ///
    /// # Errors
    /// When the system has no randomness or memory.
    pub fn hash(&self) -> anyhow::Result<String> {
        argon2()
            .hash_password(self.0.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| anyhow::anyhow!("a password could not be hashed: {error}"))
    }
}

/// Verifies and hashes passwords, two at a time.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    dummy: Arc<str>,
}

impl Passwords {
    /// Prepares the dummy hash, which takes a tenth of a second.
    ///
    /// # Errors
    /// As [`NewPassword::hash`].
    pub fn new() -> anyhow::Result<Self> {
        let dummy = NewPassword(crate::secrets::new_password()).hash()?;
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), dummy: dummy.into() })
    }

    /// Whether that is the password. Without a hash (no such org or user) the answer is no, after
    /// the same time.
    ///
    /// # Errors
    /// 503 when too many wait already.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let _turn = self.turn().await?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.to_string());
        let matches = tokio::task::spawn_blocking(move || matches(&password, &hash)).await;
        Ok(matches.unwrap_or(false) && known)
    }

    /// The hash of a new password, when it is its turn.
    ///
    /// # Errors
    /// 503 when too many wait already.
    pub async fn hash(&self, password: NewPassword) -> Result<String, Problem> {
        let _turn = self.turn().await?;
        let hashed = tokio::task::spawn_blocking(move || password.hash()).await;
        hashed.map_err(anyhow::Error::from).flatten().map_err(|error| {
            tracing::error!("{error:#}");
            Problem::new(Code::Internal, "The password could not be hashed; this has been logged.")
        })
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Problem> {
        match tokio::time::timeout(LONGEST_WAIT, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(StoreError::Unavailable("too many sign-ins at once".to_owned()).into()),
        }
    }
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// 19 MiB, two passes, one lane: the OWASP recommendation.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> NewPassword {
        NewPassword::parse(text.to_owned(), "/password").ok().unwrap()
    }

    #[test]
    fn a_hash_is_argon2id_with_19_mib_and_two_passes() {
        let hash = password("correct horse").hash().unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    }

    #[test]
    fn a_password_has_10_to_128_characters_not_bytes() {
        for (text, fault) in [
            ("123456789".to_owned(), Some(Code::OutOfRange)),
            ("1234567890".to_owned(), None),
            ("ế".repeat(128), None),
            ("x".repeat(129), Some(Code::TooLong)),
            ("x".repeat(5_000_000), Some(Code::TooLong)),
        ] {
            let parsed = NewPassword::parse(text, "/password");
            assert_eq!(parsed.err().map(|fault| fault.code), fault);
        }
    }

    #[actix_web::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let passwords = Passwords::new().unwrap();
        let hash = password("correct horse").hash().unwrap();
        for (typed, hash, right) in [
            ("correct horse", Some(hash.clone()), true),
            ("Correct horse", Some(hash), false),
            ("correct horse", Some("no hash".to_owned()), false),
            ("correct horse", None, false),
        ] {
            assert_eq!(passwords.verify(typed.to_owned(), hash).await.unwrap(), right);
        }
    }
}
