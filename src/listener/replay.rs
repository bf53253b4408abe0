//! Running actions of a kept delivery again (`listener.md` 9, `api.md` 4): those that have not been
//! applied yet, or all, and in either case nothing twice.

use super::deliver::{Pipeline, Reply, invalid_query};
use super::job::{Came, Job};
use super::received::{Options, Received};
use crate::clock;
use crate::domain::fault::{Code, Fault, Pointer, Warning};
use crate::error::Problem;
use crate::store::deliveries;
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
    /// All, but for notes, tickets and messages that are there already.
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
    /// It has been, and made what a second run would make again.
    Made {
        /// The note, ticket or message.
        id: Uuid,
        /// Which of these.
        model: String,
    },
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
        let word =
            |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let status = word(result.get("status"));
        if matches!(status.as_str(), "failed" | "not_applied") {
            self.actions.entry(index).or_insert(Action::Open);
            return;
        }
        let record = result.get("record");
        let model = word(record.and_then(|record| record.get("model")));
        let id = word(record.and_then(|record| record.get("id"))).parse();
        let once = matches!(model.as_str(), "note" | "ticket" | "sms");
        let action = match id {
            Ok(id) if once => Action::Made { id, model },
            _ => Action::Applied,
        };
        self.actions.insert(index, action);
    }

    /// The notes, tickets and messages that were made.
    #[must_use]
    pub fn made(&self) -> Vec<Uuid> {
        let id = |action: &Action| match action {
            Action::Made { id, .. } => Some(*id),
            Action::Open | Action::Applied => None,
        };
        self.actions.values().filter_map(id).collect()
    }

    /// Whether the action at `index` is to be run; `there` are the ids that [`Progress::made`] named
    /// and that are still there. What the answers do not tell of has not been run.
    #[must_use]
    pub fn wants(&self, index: usize, only: Only, there: &HashSet<Uuid>) -> bool {
        match (self.actions.get(&index), only) {
            (None | Some(Action::Open), _) | (Some(Action::Applied), Only::All) => true,
            (Some(Action::Applied | Action::Made { .. }), Only::Failed) => false,
            (Some(Action::Made { id, .. }), Only::All) => !there.contains(id),
        }
    }

    /// A warning for each action that is left out because what it makes is there.
    #[must_use]
    pub fn left_out(&self, only: Only, there: &HashSet<Uuid>) -> Vec<Warning> {
        let warning = |(index, action): (&usize, &Action)| match action {
            Action::Made { id, model } if only == Only::All && there.contains(id) => {
                let at = Pointer::root().member("data").index(*index);
                let message =
                    format!("The {model} {id} of this action is there; it is not made again.");
                Some(Fault::new(Code::AlreadyApplied, at, message))
            }
            _ => None,
        };
        self.actions.iter().filter_map(warning).collect()
    }

    /// How many actions have not been applied yet.
    #[must_use]
    pub fn unresolved(&self) -> usize {
        self.actions.values().filter(|action| **action == Action::Open).count()
    }
}

impl Pipeline {
    /// Runs actions of a kept delivery again and keeps that as a delivery of its own, which points
    /// at the first. Those that have been applied are not run a second time, however often or at
    /// the same time it is asked for. `caller` is the address of who asks.
    ///
    /// # Errors
    /// 404; 409 `still_pending` and `not_replayable`; where the envelope is still wrong, the
    /// listener's answer to that.
    pub async fn replay(
        &self,
        org: Uuid,
        delivery: Uuid,
        only: Only,
        caller: Option<IpAddr>,
    ) -> Result<Reply, Problem> {
        let root = self.0.db.in_org(org, move |conn| deliveries::root(conn, org, delivery)).await?;
        let root = root.ok_or_else(|| Problem::not_found("delivery"))?;
        if root.status == "pending" {
            let detail = "The delivery has not been applied yet; it will be in its turn.";
            return Err(Problem::new(Code::StillPending, detail));
        }
        if root.body.is_empty() || !root.body_complete {
            let detail = "Its body was not read to its end, or has been erased; \
                          there is nothing to run again.";
            return Err(Problem::new(Code::NotReplayable, detail));
        }
        let (options, warnings) = Options::parse(&root.query).map_err(invalid_query)?;
        let job = Job {
            org,
            listener: root.listener_id,
            came: Came::Replayed { root: root.id, only },
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
            retry: None,
            started: clock::instant(),
        };
        let directory = self.0.directories.current(org).await?;
        self.settle(directory, &Arc::new(job)).await
    }
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
    fn what_made_a_note_ticket_or_message_is_run_again_only_where_that_is_gone() {
        for model in ["note", "ticket", "sms"] {
            let answers = [answer(&[
                (0, "created", "contact"),
                (1, "created", model),
                (2, "unchanged", "contact"),
                (3, "failed", ""),
            ])];
            assert_eq!(wanted(&answers, Only::All, &[NOTE]), [0, 2, 3]);
            assert_eq!(wanted(&answers, Only::All, &[]), [0, 1, 2, 3]);
            assert_eq!(wanted(&answers, Only::Failed, &[]), [3]);
            let progress = Progress::of(answers.iter().map(String::as_str));
            let left_out = progress.left_out(Only::All, &HashSet::from([NOTE]));
            assert_eq!(left_out.len(), 1);
            assert_eq!(left_out[0].pointer, "/data/1");
        }
    }
}
