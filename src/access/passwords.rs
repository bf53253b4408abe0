//! Passwords: argon2id, hashed where it may block, and not many at a time.

use crate::problem::Problem;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use beeiq_core::diagnostics::{Code, Fault};
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use zxcvbn::{Score, zxcvbn};

/// How many characters a password has (`api.md` 3).
pub(crate) const LENGTH: RangeInclusive<usize> = 10..=128;

/// How many may wait for their turn, beside those whose turn it is.
const LONGEST_QUEUE: usize = 256;
/// How long a sign-in waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How hard to guess a password has to be, of 0 to 4.
const FAIR: Score = Score::Two;

/// A password of allowed length that is not easily guessed.
pub struct NewPassword(String);

impl NewPassword {
    /// Takes a password that has 10 to 128 characters, and that `zxcvbn` does not find weak. What is
    /// `about` its owner (their e-mail, name and org) makes it no better. Takes a few milliseconds.
    pub fn parse(text: String, pointer: &str, about: &[&str]) -> Result<Self, Fault> {
        let length = text.chars().take(LENGTH.end() + 1).count();
        if LENGTH.contains(&length) {
            let guessed = zxcvbn(&text, about);
            if guessed.score() >= FAIR {
                return Ok(Self(text));
            }
            let why = guessed.feedback().and_then(|feedback| feedback.warning());
            let why = why.map(|warning| format!(" {warning}")).unwrap_or_default();
            let message = format!(
                "The password is too easy to guess.{why} Take four or more words that have nothing \
                 to do with each other."
            );
            return Err(Fault::new(Code::InvalidValue, pointer, message));
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
    pub fn hash(&self) -> anyhow::Result<String> {
        argon2()
            .hash_password(self.0.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| anyhow::anyhow!("a password could not be hashed: {error}"))
    }

    /// Whether the hash is of this password. As slow as [`NewPassword::hash`].
    pub(crate) fn is_that_of(&self, hash: &str) -> bool {
        matches(&self.0, hash)
    }
}

/// Verifies and hashes passwords, on half the processors at most: a flood of sign-ins must leave the others to
/// the listeners.
#[derive(Clone)]
pub struct Passwords {
    queue: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    dummy: Arc<str>,
}

impl Passwords {
    /// Prepares the dummy hash, which takes a tenth of a second.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let dummy = NewPassword(super::secrets::new_password()).hash()?;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self::limited(dummy, (processors / 2).max(1), LONGEST_QUEUE))
    }

    fn limited(dummy: String, at_once: usize, queue: usize) -> Self {
        Self {
            queue: Arc::new(Semaphore::new(at_once + queue)),
            turns: Arc::new(Semaphore::new(at_once)),
            dummy: dummy.into(),
        }
    }

    /// Whether that is the password. Without a hash (no such org or user) the answer is no, after
    /// the same time.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Problem> {
        let _turn = self.turn().await?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.to_string());
        let matches = tokio::task::spawn_blocking(move || matches(&password, &hash)).await;
        Ok(matches.unwrap_or(false) && known)
    }

    /// The hash of a new password, when it is its turn.
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, Problem> {
        let _turn = self.turn().await?;
        let hashed = tokio::task::spawn_blocking(move || password.hash()).await;
        hashed.map_err(anyhow::Error::from).flatten().map_err(|error| {
            tracing::error!("{error:#}");
            Problem::new(Code::Internal, "The password could not be hashed; this has been logged.")
        })
    }

    /// A place in the queue, and then a turn.
    async fn turn(&self) -> Result<(SemaphorePermit<'_>, SemaphorePermit<'_>), Problem> {
        let busy = || {
            let detail = "Too many sign-ins at once; try again in a moment.";
            Problem::new(Code::TooManyAttempts, detail).retry_after(5)
        };
        let place = self.queue.try_acquire().map_err(|_| busy())?;
        match tokio::time::timeout(LONGEST_WAIT, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok((place, turn)),
            _ => Err(busy()),
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
        NewPassword::parse(text.to_owned(), "/password", &[]).ok().unwrap()
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
            ("kế hoạch 7".to_owned(), None),
            (format!("correct horse battery{}", "ế".repeat(107)), None),
            ("x".repeat(129), Some(Code::TooLong)),
            ("x".repeat(5_000_000), Some(Code::TooLong)),
        ] {
            let parsed = NewPassword::parse(text, "/password", &[]);
            assert_eq!(parsed.err().map(|fault| fault.code), fault);
        }
    }

    #[test]
    fn a_password_that_is_easily_guessed_is_refused() {
        let about = ["linh.tran@acme.example", "Linh Tran", "Acme Foods"];
        for (text, fair) in [
            ("1234567890", false),
            ("password123", false),
            ("qwertyuiop", false),
            ("aaaaaaaaaaaaaa", false),
            ("linh.tran@acme.example", false),
            ("Acme Foods", false),
            ("correct horse battery", true),
            ("vT7#pq2!xLm0", true),
        ] {
            let parsed = NewPassword::parse(text.to_owned(), "/password", &about);
            let code = parsed.err().map(|fault| fault.code);
            assert_eq!(code, (!fair).then_some(Code::InvalidValue), "{text}");
        }
    }

    #[tokio::test]
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

    /// Without an end of the queue a flood would fill the memory, and each wait for nothing.
    #[tokio::test]
    async fn whom_the_queue_has_no_place_for_is_told_so_at_once() {
        let hash = password("correct horse").hash().unwrap();
        let passwords = Passwords::limited(hash.clone(), 1, 1);
        let verify = || passwords.verify("correct horse".to_owned(), Some(hash.clone()));
        let done = futures_util::future::join_all((0..5).map(|_| verify())).await;
        let refused: Vec<_> = done.iter().filter_map(|done| done.as_ref().err()).collect();
        assert_eq!((done.len() - refused.len(), refused.len()), (2, 3));
        for problem in refused {
            assert_eq!((problem.code, problem.retry_after), (Code::TooManyAttempts, Some(5)));
        }
        assert!(verify().await.unwrap());
    }
}
