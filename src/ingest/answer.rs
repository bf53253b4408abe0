//! What the sender is told (`listener.md` 2).

use super::received::Options;
use crate::config::Environment;
use beeiq_core::actions::ActionType;
use beeiq_core::batch::{Link, Outcome, RecordRef, Rejection, Related, Role, Status};
use beeiq_core::diagnostics::{Code, Fault, Warning};
use beeiq_core::records::delivery::DeliveryStatus;
use beeiq_core::records::identity::IdentityKind;
use beeiq_core::records::model::Model;
use beeiq_core::words;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use std::borrow::Cow;
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a message says that quoted what was sent, once its subject has been erased.
const ERASED: &str = "Erased.";

words! {
    /// What became of an action.
    pub(crate) enum ActionStatus {
        Created => "created",
        Updated => "updated",
        Unchanged => "unchanged",
        Duplicate => "duplicate",
        Queued => "queued",
        Failed => "failed",
        /// It did not fail, but another of its atomic request did.
        NotApplied => "not_applied",
    }
}

words! {
    /// What a related record is to the action.
    pub(crate) enum RelatedRole {
        Company => "company",
        DealWith => "dealWith",
        Contact => "contact",
        Customer => "customer",
        Candidate => "candidate",
        Message => "message",
    }
}

words! {
    /// What became of a related record.
    pub(crate) enum RelatedStatus {
        Created => "created",
        Linked => "linked",
        Unchanged => "unchanged",
        Queued => "queued",
    }
}

/// The body of an answer to actions that were read. Where all failed it is a problem (RFC 9457) as
/// well. It is kept with the delivery and read back for replays and erasing, so what is added to it
/// has a default.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(description = "What became of the actions of a delivery.")]
pub struct Answer {
    // Of a problem alone, whose description has them.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    problem_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    title: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    code: Option<Code>,
    /// The id of the request, by which it is found among the deliveries.
    #[serde(default)]
    #[schema(required = true)]
    request_id: Uuid,
    /// `production`, or `staging`, where no message is sent.
    #[serde(default)]
    #[schema(required = true, value_type = String, example = "production")]
    environment: Environment,
    /// Whether nothing was changed.
    #[serde(default)]
    #[schema(required = true)]
    dry_run: bool,
    /// What is odd about the request as a whole.
    #[serde(default)]
    #[schema(required = true)]
    warnings: Vec<Warning>,
    /// How many actions had which status.
    #[serde(default)]
    #[schema(required = true)]
    summary: Summary,
    /// What became of each action, in order.
    pub(super) results: Vec<ActionResult>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(ignore)]
    errors: Vec<Fault>,
}

/// How many actions had which status; those that were not applied are in `total` alone.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
struct Summary {
    #[schema(required = true)]
    total: usize,
    #[schema(required = true)]
    created: usize,
    #[schema(required = true)]
    updated: usize,
    #[schema(required = true)]
    unchanged: usize,
    #[schema(required = true)]
    duplicate: usize,
    #[schema(required = true)]
    queued: usize,
    #[schema(required = true)]
    failed: usize,
}

/// What became of one action.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionResult {
    /// Where the action stands in `data`.
    pub(super) index: usize,
    /// Its `actionType`; null where it has none that is a text.
    #[schema(example = "add-contact")]
    action_type: Option<String>,
    /// `created`, `updated`, `unchanged`, `duplicate`, `queued`, `failed` or `not_applied`.
    #[schema(value_type = String, example = "created")]
    pub(super) status: ActionStatus,
    /// The record that it is about; null where it failed.
    pub(super) record: Option<RecordBody>,
    /// Of a duplicate: `contactId`, `passport`, `email` or `phone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "email")]
    matched_by: Option<IdentityKind>,
    /// What else was made, linked or found.
    #[serde(default)]
    #[schema(required = true)]
    pub(super) related: Vec<RelatedBody>,
    /// What is odd about the action.
    #[serde(default)]
    #[schema(required = true)]
    warnings: Vec<Warning>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<ErrorBody>,
}

/// A record of an answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = AnsweredRecord)]
pub(super) struct RecordBody {
    /// `contact`, `account`, `lead`, `deal`, `ticket`, `note`, `sms` …
    #[schema(value_type = String, example = "contact")]
    pub(super) model: Model,
    /// Its id; null where a dry run would make it.
    pub(super) id: Option<Uuid>,
    /// What people call it by; null for what has none, and where a dry run would make it.
    #[schema(example = "PID-1")]
    code: Option<String>,
}

/// A record that an action has to do with besides its own.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = RelatedRecord)]
pub(super) struct RelatedBody {
    /// `company`, `dealWith`, `contact`, `customer`, `candidate` or `message`.
    #[schema(value_type = String, example = "company")]
    pub(super) role: RelatedRole,
    /// `created`, `linked`, `unchanged` or `queued`.
    #[schema(value_type = String, example = "created")]
    pub(super) status: RelatedStatus,
    #[serde(flatten)]
    pub(super) record: RecordBody,
}

/// Why an action failed: its first fault, and all of them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActionError)]
struct ErrorBody {
    /// The stable code.
    #[schema(value_type = String, example = "required")]
    code: Code,
    /// A sentence that names the remedy.
    message: String,
    /// Where: a JSON Pointer (RFC 6901) into the body.
    #[schema(example = "/data/0/data/name")]
    pointer: String,
    /// All faults of the action, the first included.
    errors: Vec<Fault>,
}

/// An action with what became of it.
pub(super) struct DecidedAction {
    pub(super) index: usize,
    pub(super) action_type: Option<String>,
    pub(super) result: Result<Outcome, Rejection>,
}

/// To whom an answer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Teller {
    /// Who wrote the payload and mends it: where nothing could be applied that is a problem.
    Integrator,
    /// Another system, which cannot mend anything: it has told what it had to (`connections.md` 2).
    Source,
}

/// What became of a delivery, from which its answer is made.
pub(super) struct DeliveryResult {
    pub(super) actions: Vec<DecidedAction>,
    /// What is odd about the request as a whole.
    pub(super) warnings: Vec<Warning>,
    /// Records that are shown without an id or code, since they were not made after all.
    pub(super) unreal: HashSet<Uuid>,
}

impl Answer {
    pub(super) fn new(
        request_id: Uuid,
        environment: Environment,
        options: Options,
        DeliveryResult { actions, warnings, unreal }: DeliveryResult,
        teller: Teller,
    ) -> Self {
        let withdrawn = options.atomic && actions.iter().any(|one| one.result.is_err());
        let results: Vec<ActionResult> =
            actions.into_iter().map(|one| result(one, withdrawn, &unreal)).collect();
        let mut answer = Self {
            problem_type: None,
            title: None,
            status: None,
            detail: None,
            code: None,
            request_id,
            environment,
            dry_run: options.dry_run,
            warnings,
            summary: summarise(&results),
            results,
            errors: Vec::new(),
        };
        match teller {
            Teller::Integrator => answer.become_problem(withdrawn),
            Teller::Source => {}
        }
        answer
    }

    /// Reads what was kept of a delivery as its answer; `None` where no actions were read, so that
    /// it is a problem alone.
    pub(super) fn kept(text: &str) -> Result<Option<Self>, serde_json::Error> {
        #[derive(Deserialize)]
        struct Told {
            results: Option<IgnoredAny>,
        }
        match serde_json::from_str(text) {
            Ok(Told { results: Some(_) }) => serde_json::from_str(text).map(Some),
            Ok(Told { results: None }) | Err(_) => Ok(None),
        }
    }

    /// The HTTP status: 200 nothing failed, 207 some did, 422 all did or an atomic request was
    /// withdrawn.
    pub(super) fn http_status(&self) -> u16 {
        match (self.status, self.summary.failed) {
            (Some(status), _) => status,
            (None, 0) => 200,
            (None, _) => 207,
        }
    }

    pub(super) fn delivery_status(&self) -> DeliveryStatus {
        match (self.status, self.summary.failed) {
            (Some(_), _) => DeliveryStatus::Failed,
            (None, 0) => DeliveryStatus::Succeeded,
            (None, failed) if failed == self.summary.total => DeliveryStatus::Failed,
            (None, _) => DeliveryStatus::Partial,
        }
    }

    /// Whether it tells of no action.
    pub(super) const fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// How many actions were not applied, and could be by a replay.
    pub(super) fn unresolved(&self) -> i32 {
        let left = self.results.iter().filter(|result| !result.status.is_applied()).count();
        i32::try_from(left).unwrap_or(i32::MAX)
    }

    /// Of each action its type, `unknown` for one that there is not, and its status.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.results.iter().map(|result| {
            let given = result.action_type.as_deref().unwrap_or_default();
            (given.parse().map_or("unknown", ActionType::as_str), result.status.as_str())
        })
    }

    /// Takes out what it quotes of some actions; `is_theirs` tells a pointer that leads into them.
    pub(super) fn forget(
        &mut self,
        is_of_them: impl Fn(usize) -> bool,
        is_theirs: impl Fn(&str) -> bool + Copy,
    ) {
        // The detail of a problem is what is wrong with the only action.
        if let ([only], Some(detail)) = (self.results.as_slice(), &mut self.detail)
            && is_of_them(only.index)
        {
            ERASED.clone_into(detail);
        }
        for result in self.results.iter_mut().filter(|result| is_of_them(result.index)) {
            result.warnings.clear();
            if let Some(error) = &mut result.error {
                ERASED.clone_into(&mut error.message);
                error.errors.clear();
            }
        }
        for faults in [&mut self.errors, &mut self.warnings] {
            faults.retain(|fault| !is_theirs(&fault.pointer));
        }
    }

    /// With one action, what is wrong with it.
    fn all_failed(&self) -> String {
        match self.results.as_slice() {
            [only] => only.error.as_ref().map(|error| error.message.clone()).unwrap_or_default(),
            several => format!("All {} actions failed; see results.", several.len()),
        }
    }

    fn become_problem(&mut self, withdrawn: bool) {
        let Summary { total, failed, .. } = self.summary;
        let (code, title, detail) = if withdrawn {
            let detail = format!(
                "{failed} of {total} actions failed, and the request is atomic: nothing was applied."
            );
            (Code::AtomicFailed, "Nothing was applied", detail)
        } else if total > 0 && failed == total {
            (Code::AllActionsFailed, "No action could be applied", self.all_failed())
        } else {
            return;
        };
        self.problem_type = Some(format!("urn:beeiq:problem:{}", code.as_str()));
        self.title = Some(title.into());
        self.status = Some(422);
        self.detail = Some(detail);
        self.code = Some(code);
        self.errors = self
            .results
            .iter()
            .filter_map(|result| result.error.as_ref())
            .flat_map(|error| error.errors.iter().cloned())
            .take(100)
            .collect();
    }
}

impl ActionStatus {
    pub(super) const fn is_applied(self) -> bool {
        match self {
            Self::Failed | Self::NotApplied => false,
            Self::Created | Self::Updated | Self::Unchanged | Self::Duplicate | Self::Queued => {
                true
            }
        }
    }
}

impl From<Status> for ActionStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Created => Self::Created,
            Status::Updated => Self::Updated,
            Status::Unchanged => Self::Unchanged,
            Status::Duplicate => Self::Duplicate,
            Status::Queued => Self::Queued,
        }
    }
}

impl ActionResult {
    /// Whether it names that record, by its id or code.
    pub(super) fn tells_of(&self, id: Uuid, code: &str) -> bool {
        let records = self.record.iter().chain(self.related.iter().map(|related| &related.record));
        records.into_iter().any(|it| it.id == Some(id) || it.code.as_deref() == Some(code))
    }

    /// Whether it names one of these.
    pub(super) fn names(&self, ids: &HashSet<Uuid>) -> bool {
        let records = self.record.iter().chain(self.related.iter().map(|related| &related.record));
        records.filter_map(|record| record.id).any(|id| ids.contains(&id))
    }
}

fn result(
    DecidedAction { index, action_type, result }: DecidedAction,
    withdrawn: bool,
    unreal: &HashSet<Uuid>,
) -> ActionResult {
    let empty = ActionResult {
        index,
        action_type,
        status: ActionStatus::Failed,
        record: None,
        matched_by: None,
        related: Vec::new(),
        warnings: Vec::new(),
        error: None,
    };
    match result {
        Err(Rejection { faults, warnings }) => {
            ActionResult { warnings, error: error_body(faults), ..empty }
        }
        Ok(outcome) if withdrawn => {
            ActionResult { status: ActionStatus::NotApplied, warnings: outcome.warnings, ..empty }
        }
        Ok(Outcome { status, record, matched_by, related, warnings }) => ActionResult {
            status: status.into(),
            record: record.as_ref().map(|record| record_body(record, unreal)),
            matched_by,
            related: related.iter().map(|one| related_body(one, unreal)).collect(),
            warnings,
            ..empty
        },
    }
}

fn error_body(faults: Vec<Fault>) -> Option<ErrorBody> {
    let Fault { code, message, pointer } = faults.first()?.clone();
    Some(ErrorBody { code, message, pointer, errors: faults })
}

fn record_body(record: &RecordRef, unreal: &HashSet<Uuid>) -> RecordBody {
    let real = !unreal.contains(&record.id);
    RecordBody {
        model: record.name.model(),
        id: real.then_some(record.id),
        code: record.name.code().filter(|_| real),
    }
}

fn related_body(related: &Related, unreal: &HashSet<Uuid>) -> RelatedBody {
    let linked = |link| match link {
        Link::Created => RelatedStatus::Created,
        Link::Linked => RelatedStatus::Linked,
    };
    let (role, status) = match related.role {
        Role::CompanyCreated => (RelatedRole::Company, RelatedStatus::Created),
        Role::CompanyLinked => (RelatedRole::Company, RelatedStatus::Linked),
        Role::DealWith(link) => (RelatedRole::DealWith, linked(link)),
        Role::Contact(link) => (RelatedRole::Contact, linked(link)),
        Role::Candidate => (RelatedRole::Candidate, RelatedStatus::Unchanged),
        Role::Customer(link) => (RelatedRole::Customer, linked(link)),
        Role::Message => (RelatedRole::Message, RelatedStatus::Queued),
    };
    RelatedBody { role, status, record: record_body(&related.record, unreal) }
}

fn summarise(results: &[ActionResult]) -> Summary {
    let mut summary = Summary { total: results.len(), ..Summary::default() };
    for result in results {
        let counter = match result.status {
            ActionStatus::Created => &mut summary.created,
            ActionStatus::Updated => &mut summary.updated,
            ActionStatus::Unchanged => &mut summary.unchanged,
            ActionStatus::Duplicate => &mut summary.duplicate,
            ActionStatus::Queued => &mut summary.queued,
            ActionStatus::Failed => &mut summary.failed,
            ActionStatus::NotApplied => continue,
        };
        *counter += 1;
    }
    summary
}

#[cfg(test)]
mod tests;
