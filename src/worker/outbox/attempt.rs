//! One message: sent, and what became of it kept.

use super::{Messages, Stop};
use crate::clock;
use crate::send::Outcome;
use crate::store::error::StoreError;
use crate::store::outbox::{self, Attempt, Claimed, Outgoing};
use beeiq_core::values::backoff::Backoff;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;
use uuid::Uuid;

/// How long a send may take in all, whatever its own time-outs.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10 * 60);

/// How often it is tried to keep what became of an attempt: for some ten minutes.
const KEEP_TRIES: u32 = 130;

/// The waits between those.
const KEEP_AGAIN: Backoff =
    Backoff::without_jitter(Duration::from_millis(100), Duration::from_secs(5));

impl Messages {
    /// Sends a claimed message, and keeps what became of it; or gives it back where the process is
    /// to stop.
    pub(super) async fn attempt(&self, org: Uuid, message: Claimed, stop: Stop) {
        let (id, claim) = (message.id, message.claim);
        let started = clock::instant();
        match self.outcome(org, &message, stop).await {
            Some(outcome) => {
                let roll = u32::from_le_bytes(clock::random_bytes());
                let duration = started.elapsed();
                let rendered = message.rendered;
                let attempt = Attempt { message: id, claim, duration, outcome, rendered, roll };
                self.keep(org, attempt).await;
            }
            None => {
                let given =
                    self.db.in_org(org, move |conn| outbox::hand_back(conn, org, id, claim));
                if let Err(error) = given.await {
                    tracing::warn!(%org, message = %id, %error, "a message could not be handed back");
                }
            }
        }
    }

    /// What came of sending it, the lease renewed meanwhile; none where the process is to stop first.
    async fn outcome(&self, org: Uuid, message: &Claimed, mut stop: Stop) -> Option<Outcome> {
        let mut give_back = pin!(stop.give_back());
        let sending = AssertUnwindSafe(self.send(org, &message.content)).catch_unwind();
        let mut sending = pin!(tokio::time::timeout(LONGEST_ATTEMPT, sending));
        loop {
            tokio::select! {
                biased;
                done = &mut sending => {
                    return Some(match done {
                        Ok(Ok(outcome)) => outcome,
                        Ok(Err(_)) => {
                            tracing::error!(%org, message = %message.id, "sending panicked");
                            Outcome::transient("a fault of our own while sending; it has been logged")
                        }
                        Err(_) => Outcome::transient("sending took too long"),
                    });
                }
                () = &mut give_back => return None,
                () = tokio::time::sleep(self.lease / 3) => self.renew(org, message).await,
            }
        }
    }

    async fn send(&self, org: Uuid, content: &Outgoing) -> Outcome {
        match content {
            Outgoing::Email(email) => self.senders.email(org, email).await,
            Outgoing::Sms(sms) => self.senders.sms(org, sms).await,
            Outgoing::Unrenderable(why) => {
                Outcome::Permanent { words: format!("The message cannot be rendered: {why}") }
            }
        }
    }

    async fn renew(&self, org: Uuid, message: &Claimed) {
        let (id, claim, lease) = (message.id, message.claim, self.lease);
        let renewed =
            self.db.in_org(org, move |conn| outbox::renew(conn, org, id, claim, lease)).await;
        if let Err(error) = renewed {
            tracing::warn!(%org, message = %id, %error, "a lease could not be renewed");
        }
    }

    /// Keeps what became of an attempt, also where the database is away for a while: what is
    /// forgotten is sent again.
    async fn keep(&self, org: Uuid, attempt: Attempt) {
        let id = attempt.message;
        for tries in 0..KEEP_TRIES {
            let attempt = attempt.clone();
            let kept = self.db.in_org(org, move |conn| outbox::finish(conn, org, &attempt)).await;
            match kept {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(%org, message = %id, "a message was taken over while it was sent");
                    return;
                }
                Err(
                    StoreError::Conflict
                    | StoreError::Unavailable(_)
                    | StoreError::OutcomeUnknown { .. },
                ) => {
                    tokio::time::sleep(KEEP_AGAIN.wait(tries, 0)).await;
                }
                Err(error) => {
                    tracing::error!(%org, message = %id, %error, "what became of a message is not kept");
                    return;
                }
            }
        }
        tracing::error!(%org, message = %id, "what became of a message is not kept");
    }
}
