//! Running actions of a kept delivery again (`listener.md` 9, `api.md` 4): those that have not been
//! applied yet, or all, and in either case nothing twice.

use super::deliver::{Pipeline, Reply, invalid_query};
use super::job::{Came, Job};
use super::received::{Options, Received};
use super::retry::Retry;
use crate::clock;
use crate::problem::Problem;
use crate::store::deliveries::{self, Root};
use crate::store::error::StoreError;
use beeiq_core::diagnostics::{Code, Fault, Pointer, Warning};
use beeiq_core::json::Meter;
use beeiq_core::records::model::Model;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// Which actions are run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// Those that no delivery or replay has applied yet.
    Failed,
    /// All, but for those that made what is still there.
    All,
}

/// What has become of the actions of a delivery so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    actions: BTreeMap<usize, Action>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    /// It has not been applied.
    Open,
    /// It has been.
    Applied,
    /// It has been, and made what a second run could make again.
    Made(Vec<Record>),
}

/// A record that an action made.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    id: Uuid,
    /// Which kind of record.
    model: Model,
}

impl Progress {
    /// Reads the answers of a delivery and of its replays, in their order.
    #[must_use]
    pub fn of<'a>(answers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut progress = Self::default();
        for answer in answers {
            let Ok(answer) = serde_json::from_str::<Value>(answer) else { continue };
            let results = answer.get("results").and_then(Value::as_array);
            for result in results.into_iter().flatten() {
                progress.take(result);
            }
        }
        progress
    }

    fn take(&mut self, result: &Value) {
        let Some(index) = result.get("index").and_then(Value::as_u64) else { return };
        let Ok(index) = usize::try_from(index) else { return };
        if matches!(word(result, "status"), "failed" | "not_applied") {
            self.actions.entry(index).or_insert(Action::Open);
            return;
        }
        let made = made_by(result);
        let action = if made.is_empty() { Action::Applied } else { Action::Made(made) };
        self.actions.insert(index, action);
    }

    /// The records that were made.
    #[must_use]
    pub fn made(&self) -> Vec<Uuid> {
        self.actions.values().flat_map(Action::made).map(|record| record.id).collect()
    }

    /// Whether the action at `index` is to be run; `there` are the ids that [`Progress::made`] named
    /// and that are still there. What the answers do not tell of has not been run.
    #[must_use]
    pub fn wants(&self, index: usize, only: Only, there: &HashSet<Uuid>) -> bool {
        match (self.actions.get(&index), only) {
            (None | Some(Action::Open), _) => true,
            (Some(Action::Applied | Action::Made(_)), Only::Failed) => false,
            (Some(action), Only::All) => action.still(there).is_none(),
        }
    }

    /// A warning for each action that is left out because what it made is there.
    #[must_use]
    pub fn left_out(&self, only: Only, there: &HashSet<Uuid>) -> Vec<Warning> {
        let warning = |(index, action): (&usize, &Action)| {
            let Record { id, model } = action.still(there).filter(|_| only == Only::All)?;
            let at = Pointer::root().member("data").index(*index);
            let message =
                format!("The {model} {id} that this action made is there; it is not run again.");
            Some(Fault::new(Code::AlreadyApplied, at, message))
        };
        self.actions.iter().filter_map(warning).collect()
    }

    /// How many actions have not been applied yet.
    #[must_use]
    pub fn unresolved(&self) -> usize {
        self.actions.values().filter(|action| **action == Action::Open).count()
    }
}

impl Action {
    fn made(&self) -> &[Record] {
        match self {
            Self::Open | Self::Applied => &[],
            Self::Made(records) => records,
        }
    }

    /// The first of what it made that is still there.
    fn still(&self, there: &HashSet<Uuid>) -> Option<&Record> {
        self.made().iter().find(|record| there.contains(&record.id))
    }
}

/// What an action made that a second run could make again: notes, tickets and messages, and people
/// and companies, of which those without identifiers are found by nothing. A deal and a contact's
/// company are found by their names.
fn made_by(result: &Value) -> Vec<Record> {
    let record = |one: &Value| {
        let model: Model = word(one, "model").parse().ok()?;
        Some(Record { id: word(one, "id").parse().ok()?, model })
    };
    let is_new = |one: &Value| word(one, "status") == "created";
    let own = result.get("record").and_then(record);
    let own = own.filter(|own| own.model.is_made_again(is_new(result)));
    let related = result.get("related").and_then(Value::as_array).into_iter().flatten();
    let related = related
        .filter(|one| is_new(one) && word(one, "role") != "company")
        .filter_map(record)
        .filter(|one| one.model.is_made_again(true));
    own.into_iter().chain(related).collect()
}

fn word<'v>(of: &'v Value, name: &str) -> &'v str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A kept delivery whose actions can be run again.
#[derive(Debug)]
pub struct Replayable {
    root: Root,
    options: Options,
    warnings: Vec<Warning>,
    working_bytes: usize,
}

impl Replayable {
    /// How much memory working on it takes at most, in bytes: an estimate.
    #[must_use]
    pub const fn working_bytes(&self) -> usize {
        self.working_bytes
    }
}

impl Pipeline {
    /// Reads the delivery whose actions are meant by that one, which may be a replay itself.
    /// Bodies are nested `deepest` levels at most.
    ///
    /// # Errors
    /// 404; 409 `still_pending` and `not_replayable`; 422 `invalid_query`.
    pub async fn replayable(
        &self,
        org: Uuid,
        delivery: Uuid,
        deepest: usize,
    ) -> Result<Replayable, Problem> {
        let read = move |conn: &mut _| {
            let root = deliveries::root(conn, org, delivery)?;
            Ok::<_, StoreError>(root.map(|root| {
                let mut meter = Meter::new(deepest);
                meter.feed(&root.body);
                (root, meter.working_bytes())
            }))
        };
        let found = self.0.db.in_org(org, read).await?;
        let (root, working_bytes) = found.ok_or_else(|| Problem::not_found("delivery"))?;
        if root.status == "pending" {
            let detail = "The delivery has not been applied yet; it will be in its turn.";
            return Err(Problem::new(Code::StillPending, detail));
        }
        if root.http_status == Some(deliveries::KEY_IN_USE) {
            let detail = "It came while the first request of its `Idempotency-Key` was running, \
                          whose actions these are; replay that one.";
            return Err(Problem::new(Code::NotReplayable, detail));
        }
        if root.body.is_empty() || !root.body_complete {
            let detail = "Its body was not read to its end, or has been erased; \
                          there is nothing to run again.";
            return Err(Problem::new(Code::NotReplayable, detail));
        }
        let (options, warnings) = Options::parse(&root.query).map_err(invalid_query)?;
        Ok(Replayable { root, options, warnings, working_bytes })
    }

    /// Runs actions of a kept delivery again and keeps that as a delivery of its own, which points
    /// at the first. Those that have been applied are not run a second time, however often or at
    /// the same time it is asked for. `caller` is the address of who asks.
    ///
    /// # Errors
    /// 404 where the listener is gone; 409 `not_replayable`, or while a request of its
    /// `Idempotency-Key` runs; where the envelope is still wrong, the listener's answer to that.
    pub async fn replay(
        &self,
        org: Uuid,
        replayable: Replayable,
        only: Only,
        caller: Option<IpAddr>,
    ) -> Result<Reply, Problem> {
        let Replayable { root, options, warnings, working_bytes: _ } = replayable;
        let job = Job {
            org,
            listener: root.listener_id,
            came: Came::Replayed { root: root.id, only },
            retry: Retry::of_rejected(&root),
            received: Received {
                id: clock::new_id(),
                at: clock::now(),
                caller: caller.unwrap_or_else(|| root.caller.ip()),
                query: root.query,
                headers: Value::Object(serde_json::Map::new()),
                idempotency_keys: Vec::new(),
                body: root.body,
                body_complete: true,
            },
            options,
            warnings,
            started: clock::instant(),
        };
        let directory = self.0.directories.current(org).await?;
        self.settle(directory, &Arc::new(job)).await
    }
}

/// Somebody has been erased from the body since it was read.
pub(super) fn changed() -> Problem {
    let detail = "Somebody has been erased from it meanwhile; ask again to run what is left.";
    Problem::new(Code::NotReplayable, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOTE: Uuid = Uuid::from_u128(1);

    fn answer(results: &[(usize, &str, &str)]) -> String {
        let result = |(index, status, model): &(usize, &str, &str)| {
            let record = (!model.is_empty()).then(|| json!({"model": model, "id": NOTE}));
            json!({"index": index, "status": status, "record": record})
        };
        json!({"results": results.iter().map(result).collect::<Vec<_>>()}).to_string()
    }

    fn wanted(answers: &[String], only: Only, there: &[Uuid]) -> Vec<usize> {
        let progress = Progress::of(answers.iter().map(String::as_str));
        let there = there.iter().copied().collect();
        (0..4).filter(|index| progress.wants(*index, only, &there)).collect()
    }

    #[test]
    fn failed_actions_are_run_until_one_replay_applies_them() {
        let first = answer(&[
            (0, "created", "contact"),
            (1, "failed", ""),
            (2, "failed", ""),
            (3, "updated", "contact"),
        ]);
        let second = answer(&[(1, "created", "contact"), (2, "failed", "")]);
        let third = answer(&[(2, "duplicate", "contact")]);
        for (answers, left) in [
            (vec![first.clone()], vec![1, 2]),
            (vec![first.clone(), second.clone()], vec![2]),
            (vec![first, second, third], vec![]),
        ] {
            assert_eq!(wanted(&answers, Only::Failed, &[]), left, "{answers:?}");
            let progress = Progress::of(answers.iter().map(String::as_str));
            assert_eq!(progress.unresolved(), left.len());
        }
    }

    #[test]
    fn of_an_atomic_delivery_that_was_withdrawn_all_are_run() {
        let answers = [answer(&[
            (0, "not_applied", ""),
            (1, "failed", ""),
            (2, "not_applied", ""),
            (3, "not_applied", ""),
        ])];
        assert_eq!(wanted(&answers, Only::Failed, &[]), [0, 1, 2, 3]);
    }

    #[test]
    fn a_delivery_of_which_nothing_was_read_is_run_whole() {
        for answers in [vec![], vec!["{}".to_owned()], vec!["no JSON".to_owned()]] {
            assert_eq!(wanted(&answers, Only::Failed, &[]), [0, 1, 2, 3]);
        }
    }

    #[test]
    fn what_made_a_record_is_run_again_only_where_that_is_gone() {
        for (status, model) in [
            ("created", "note"),
            ("created", "ticket"),
            ("queued", "sms"),
            ("created", "contact"),
            ("created", "account"),
            ("created", "lead"),
        ] {
            let answers = [answer(&[
                (0, "duplicate", "contact"),
                (1, status, model),
                (2, "unchanged", "contact"),
                (3, "failed", ""),
            ])];
            assert_eq!(wanted(&answers, Only::All, &[NOTE]), [0, 2, 3], "{model}");
            assert_eq!(wanted(&answers, Only::All, &[]), [0, 1, 2, 3], "{model}");
            assert_eq!(wanted(&answers, Only::Failed, &[]), [3], "{model}");
            let progress = Progress::of(answers.iter().map(String::as_str));
            let left_out = progress.left_out(Only::All, &HashSet::from([NOTE]));
            assert_eq!(left_out.len(), 1, "{model}");
            assert_eq!(left_out[0].pointer, "/data/1");
        }
    }

    /// A customer of a deal who has a name alone is found by nothing, whatever else there is.
    #[test]
    fn a_deal_is_run_again_only_where_no_customer_that_it_made_is_there() {
        for (role, status, run) in [
            ("dealWith", "created", false),
            ("contact", "created", false),
            ("contact", "linked", true),
            ("company", "created", true),
        ] {
            let related = json!([
                {"role": "contact", "status": "linked", "model": "contact", "id": NOTE},
                {"role": role, "status": status, "model": "account", "id": NOTE},
            ]);
            let deal = json!({"model": "deal", "id": Uuid::from_u128(2)});
            let result =
                json!({"index": 0, "status": "updated", "record": deal, "related": related});
            let answers = [json!({"results": [result]}).to_string()];
            assert_eq!(wanted(&answers, Only::All, &[NOTE]).contains(&0), run, "{role} {status}");
            assert!(wanted(&answers, Only::All, &[]).contains(&0));
        }
    }
}
