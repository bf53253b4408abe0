//! One message: sent, and what became of it kept.

use super::Outbox;
use crate::clock;
use crate::send::Outcome;
use crate::store::error::StoreError;
use crate::store::outbox::{self, Attempt, Claimed, Outgoing, Queue};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;
use uuid::Uuid;

/// How long a send may take in all, whatever its own time-outs.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10 * 60);

/// How often it is tried to keep what became of an attempt: for some ten minutes.
const KEEP_TRIES: u32 = 130;

impl Outbox {
    /// Sends a claimed message, and keeps what became of it; or gives it back where the process is
    /// to stop.
    pub(super) async fn attempt(self, queue: Queue, message: Claimed) {
        let (org, id, claim) = (queue.org, message.id, message.claim);
        let started = clock::instant();
        match self.outcome(queue, &message).await {
            Some(outcome) => {
                let roll = u32::from_le_bytes(clock::random_bytes());
                let duration = started.elapsed();
                self.keep(org, Attempt { message: id, claim, duration, outcome, roll }).await;
            }
            None => {
                let given =
                    self.0.db.in_org(org, move |conn| outbox::hand_back(conn, org, id, claim));
                if let Err(error) = given.await {
                    tracing::warn!(%org, message = %id, %error, "a message could not be handed back");
                }
            }
        }
        self.flights().remove(id);
        self.wake();
    }

    /// What came of sending it, the lease renewed meanwhile; none where the process is to stop first.
    async fn outcome(&self, queue: Queue, message: &Claimed) -> Option<Outcome> {
        let mut cut = self.0.cut.subscribe();
        // Its sender lives as long as `self`, so that it ends means that it became true.
        let mut cut = pin!(async move { cut.wait_for(|cut| *cut).await.is_ok() });
        let sending = AssertUnwindSafe(self.send(queue.org, &message.content)).catch_unwind();
        let mut sending = pin!(tokio::time::timeout(LONGEST_ATTEMPT, sending));
        loop {
            tokio::select! {
                biased;
                done = &mut sending => {
                    return Some(match done {
                        Ok(Ok(outcome)) => outcome,
                        Ok(Err(_)) => {
                            tracing::error!(org = %queue.org, message = %message.id, "sending panicked");
                            transient("a fault of our own while sending; it has been logged")
                        }
                        Err(_) => transient("sending took too long"),
                    });
                }
                _ = &mut cut => return None,
                () = tokio::time::sleep(self.0.config.lease / 3) => self.renew(queue.org, message).await,
            }
        }
    }

    async fn send(&self, org: Uuid, content: &Outgoing) -> Outcome {
        match content {
            Outgoing::Email(email) => self.0.senders.email(org, email).await,
            Outgoing::Sms(sms) => self.0.senders.sms(org, sms).await,
        }
    }

    async fn renew(&self, org: Uuid, message: &Claimed) {
        let (id, claim, lease) = (message.id, message.claim, self.0.config.lease);
        let renewed =
            self.0.db.in_org(org, move |conn| outbox::renew(conn, org, id, claim, lease)).await;
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
            let kept = self.0.db.in_org(org, move |conn| outbox::finish(conn, org, &attempt)).await;
            match kept {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(%org, message = %id, "a message was taken over while it was sent");
                    return;
                }
                Err(StoreError::Conflict | StoreError::Unavailable(_)) => {
                    let wait = Duration::from_millis(100).saturating_mul(1 << tries.min(6));
                    tokio::time::sleep(wait.min(Duration::from_secs(5))).await;
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

fn transient(words: &str) -> Outcome {
    Outcome::Transient { words: words.to_owned(), retry_after: None }
}
