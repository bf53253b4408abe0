//! Forgetting what has been kept long enough: deliveries, messages, and the answers of
//! `Idempotency-Key`s (`listener.md` 2, 8, 9). In small batches, so that nobody waits for it.

use super::queue::Workers;
use crate::clock;
use crate::store::access::sign_in_failures;
use crate::store::error::StoreError;
use crate::store::orgs;
use crate::store::pool::{Conn, Db, signing_in};
use crate::store::retention::{self, Forgotten, Old};
use beeiq_core::values::idempotency::KEPT_DAYS;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use uuid::Uuid;

/// How often it is looked for what is too old.
const ROUND: Duration = Duration::from_secs(10 * 60);

/// How many rows are deleted in a transaction.
const BATCH: i64 = 500;

/// How many orgs are looked up at a time.
const ORGS: i64 = 100;

/// How many days something is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub deliveries: u16,
    /// Those that wait for nothing any more.
    pub messages: u16,
}

/// Starts to forget what is kept longer. Of several processes one at a time is at an
/// org. A batch that has been begun is ended.
pub fn start(db: Db, retention: Retention) -> Workers {
    let sweeps = async move {
        loop {
            if let Err(error) = sweep(&db, clock::now(), retention).await {
                tracing::warn!("what is too old stays for now: {error}");
            }
            tokio::time::sleep(ROUND).await;
        }
    };
    Workers::spawn(|stopped| async move {
        tokio::select! {
            () = sweeps => {}
            _ = stopped => {}
        }
    })
}

/// Forgets, in all orgs, what is too old at `now`. Where that fails for one, it goes on with the
/// next: the one is told of in the log, and looked at again next time. How many failed.
pub async fn sweep(db: &Db, now: DateTime<Utc>, retention: Retention) -> Result<usize, StoreError> {
    let messages = now - TimeDelta::days(retention.messages.into());
    let old = Old {
        deliveries: first_id_at(now - TimeDelta::days(retention.deliveries.into())),
        messages: (first_id_at(messages), messages),
        keys: now - TimeDelta::days(KEPT_DAYS),
    };
    let purge = move |conn: &mut Conn| signing_in(conn, |conn| sign_in_failures::purge(conn, now));
    db.run(purge).await?;
    let (mut after, mut failed) = (Uuid::nil(), 0);
    loop {
        let page = db.run(move |conn| orgs::ids_after(conn, after, ORGS)).await?;
        let Some(last) = page.last() else { break };
        after = *last;
        for org in page {
            if let Err(error) = sweep_org(db, org, old).await {
                tracing::warn!(%org, "what is too old of an org stays for now: {error}");
                failed += 1;
            }
        }
    }
    if failed > 0 {
        tracing::error!(failed, "what is too old could not be forgotten in all orgs");
    }
    Ok(failed)
}

/// Forgets what is too old of one org, in smaller batches where one takes longer than it may.
async fn sweep_org(db: &Db, org: Uuid, old: Old) -> Result<(), StoreError> {
    let mut size = BATCH;
    loop {
        let batch = move |conn: &mut _| retention::forget(conn, org, old, size);
        match db.in_org(org, batch).await {
            Ok(Forgotten::All) => return Ok(()),
            Ok(Forgotten::Some) => {}
            Err(error) if error.is_statement_timeout() && size > 1 => size /= 2,
            Err(error) => return Err(error),
        }
    }
}

/// The smallest id that can have been made at that time: ids are UUID v7.
fn first_id_at(time: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(time.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_time_come_after_those_from_before_it() {
        let time = "2026-01-31T08:00:00Z".parse().unwrap();
        let millisecond = TimeDelta::milliseconds(1);
        assert!(first_id_at(time) > first_id_at(time - millisecond));
        assert!(first_id_at(time) < first_id_at(time + millisecond));
        assert_eq!(first_id_at(time).get_version_num(), 7);
    }
}
