//! What has become of the actions of a delivery so far, and what of it a replay runs.

use super::answer::{ActionResult, ActionStatus, Answer, RecordBody, RelatedRole, RelatedStatus};
use crate::store::error::StoreError;
use beeiq_core::diagnostics::{Code, Fault, Warning};
use beeiq_core::formats::Format;
use beeiq_core::records::model::Model;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
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
#[derive(Default)]
pub(super) struct Progress {
    actions: BTreeMap<usize, Action>,
}

enum Action {
    NotApplied,
    /// With the records it created that a second run could create again.
    Applied(Vec<Created>),
}

#[derive(Clone, Copy)]
struct Created {
    id: Uuid,
    model: Model,
}

impl Progress {
    /// Reads the answers of a delivery and of its replays, in their order.
    pub(super) fn of<'a>(answers: impl IntoIterator<Item = &'a str>) -> Result<Self, StoreError> {
        let mut progress = Self::default();
        for answer in answers {
            let answer = Answer::kept(answer).map_err(|error| StoreError::unreadable(&error))?;
            answer.iter().for_each(|answer| progress.note(answer));
        }
        Ok(progress)
    }

    /// Goes on with the answer of a further replay.
    pub(super) fn note(&mut self, answer: &Answer) {
        for result in &answer.results {
            if result.status.is_applied() {
                self.actions.insert(result.index, Action::Applied(created_by(result)));
            } else {
                self.actions.entry(result.index).or_insert(Action::NotApplied);
            }
        }
    }

    pub(super) fn created_ids(&self) -> Vec<Uuid> {
        self.actions.values().flat_map(Action::created).map(|created| created.id).collect()
    }

    /// Whether the action at `index` is to be run; `there` are those of [`Progress::created_ids`]
    /// that are still there. What the answers do not tell of has not been run.
    pub(super) fn wants(&self, index: usize, only: Only, there: &HashSet<Uuid>) -> bool {
        match (self.actions.get(&index), only) {
            (None | Some(Action::NotApplied), _) => true,
            (Some(Action::Applied(_)), Only::Failed) => false,
            (Some(action), Only::All) => action.still(there).is_none(),
        }
    }

    /// A warning for each action that is left out because what it created is there.
    pub(super) fn left_out(
        &self,
        format: Format,
        only: Only,
        there: &HashSet<Uuid>,
    ) -> Vec<Warning> {
        let warning = |(index, action): (&usize, &Action)| {
            let Created { id, model } = action.still(there).filter(|_| only == Only::All)?;
            let message =
                format!("The {model} {id} that this action made is there; it is not run again.");
            Some(Fault::new(Code::AlreadyApplied, format.pointer_to(*index), message))
        };
        self.actions.iter().filter_map(warning).collect()
    }

    /// How many actions have not been applied yet.
    pub(super) fn unresolved(&self) -> i32 {
        let open = self.actions.values().filter(|action| matches!(action, Action::NotApplied));
        i32::try_from(open.count()).unwrap_or(i32::MAX)
    }
}

impl Action {
    fn created(&self) -> &[Created] {
        match self {
            Self::NotApplied => &[],
            Self::Applied(created) => created,
        }
    }

    /// The first of what it created that is still there.
    fn still(&self, there: &HashSet<Uuid>) -> Option<&Created> {
        self.created().iter().find(|created| there.contains(&created.id))
    }
}

/// What an action created that a second run could create again: notes, tickets, activities and messages,
/// and people and companies, of which those without identifiers are found by nothing. A deal and a
/// contact's company are found by their names.
fn created_by(result: &ActionResult) -> Vec<Created> {
    let created = |record: &RecordBody, is_new: bool| {
        let could_double = record.model.is_made_again(is_new);
        Some(Created { id: record.id.filter(|_| could_double)?, model: record.model })
    };
    let own = result.record.iter();
    let own = own.filter_map(|record| created(record, result.status == ActionStatus::Created));
    let related = result.related.iter().filter(|related| {
        related.status == RelatedStatus::Created && related.role != RelatedRole::Company
    });
    own.chain(related.filter_map(|related| created(&related.record, true))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOTE: Uuid = Uuid::from_u128(1);

    /// As an older version may have kept it: without what has a default.
    fn told(results: &[Value]) -> String {
        let summary = json!({"total": results.len(), "created": 0, "updated": 0, "unchanged": 0,
            "duplicate": 0, "queued": 0, "failed": 0});
        json!({"requestId": NOTE, "environment": "staging", "dryRun": false, "summary": summary,
            "results": results})
        .to_string()
    }

    fn answer(results: &[(usize, &str, &str)]) -> String {
        let result = |(index, status, model): &(usize, &str, &str)| {
            let record = (!model.is_empty()).then(|| json!({"model": model, "id": NOTE}));
            json!({"index": index, "status": status, "record": record})
        };
        told(&results.iter().map(result).collect::<Vec<_>>())
    }

    fn wanted(answers: &[String], only: Only, there: &[Uuid]) -> Vec<usize> {
        let progress = Progress::of(answers.iter().map(String::as_str)).unwrap();
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
            let progress = Progress::of(answers.iter().map(String::as_str)).unwrap();
            assert_eq!(progress.unresolved(), i32::try_from(left.len()).unwrap());
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
            let progress = Progress::of(answers.iter().map(String::as_str)).unwrap();
            let left_out = progress.left_out(Format::Beeiq, Only::All, &HashSet::from([NOTE]));
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
            let answers = [told(&[result])];
            assert_eq!(wanted(&answers, Only::All, &[NOTE]).contains(&0), run, "{role} {status}");
            assert!(wanted(&answers, Only::All, &[]).contains(&0));
        }
    }
}
