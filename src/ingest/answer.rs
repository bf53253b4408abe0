//! What the sender is told (`listener.md` 2).

use super::received::Options;
use beeiq_core::actions::ActionType;
use beeiq_core::batch::{Outcome, RecordRef, Rejection, Related, Role};
use beeiq_core::diagnostics::{Code, Fault, Warning};
use serde::Serialize;
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// The body of an answer to actions that were read. Where all failed it is a problem (RFC 9457) as
/// well.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(description = "What became of the actions of a delivery.")]
pub struct Answer {
    // Of a problem alone, whose description has them.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    problem_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    title: Option<&'static str>,
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
    request_id: Uuid,
    /// `production`, or `staging`, where no message is sent.
    #[schema(example = "production")]
    environment: &'static str,
    /// Whether nothing was changed.
    dry_run: bool,
    /// What is odd about the request as a whole.
    warnings: Vec<Warning>,
    /// How many actions had which status.
    summary: Summary,
    /// What became of each action, in order.
    results: Vec<ActionResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(ignore)]
    errors: Vec<Fault>,
}

/// How many actions had which status; those that were not applied are in `total` alone.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    total: usize,
    created: usize,
    updated: usize,
    unchanged: usize,
    duplicate: usize,
    queued: usize,
    failed: usize,
}

/// What became of one action.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActionResult {
    /// Where the action stands in `data`.
    index: usize,
    /// Its `actionType`; null where it has none that is a text.
    #[schema(example = "add-contact")]
    action_type: Option<String>,
    /// `created`, `updated`, `unchanged`, `duplicate`, `queued`, `failed` or `not_applied`.
    #[schema(example = "created")]
    status: &'static str,
    /// The record that it is about; null where it failed.
    record: Option<RecordBody>,
    /// Of a duplicate: `contactId`, `passport`, `email` or `phone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "email")]
    matched_by: Option<&'static str>,
    /// What else was made, linked or found.
    related: Vec<RelatedBody>,
    /// What is odd about the action.
    warnings: Vec<Warning>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<ErrorBody>,
}

/// A record of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AnsweredRecord)]
struct RecordBody {
    /// `contact`, `account`, `lead`, `deal`, `ticket`, `note`, `sms` …
    #[schema(example = "contact")]
    model: &'static str,
    /// Its id; null where a dry run would make it.
    id: Option<Uuid>,
    /// What people call it by; null for what has none, and where a dry run would make it.
    #[schema(example = "PID-1")]
    code: Option<String>,
}

/// A record that an action has to do with besides its own.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RelatedRecord)]
struct RelatedBody {
    /// `company`, `dealWith`, `contact`, `customer`, `candidate` or `message`.
    #[schema(example = "company")]
    role: &'static str,
    /// `created`, `linked`, `unchanged` or `queued`.
    #[schema(example = "created")]
    status: &'static str,
    #[serde(flatten)]
    record: RecordBody,
}

/// Why an action failed: its first fault, and all of them.
#[derive(Clone, Debug, Serialize, ToSchema)]
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

/// What became of an action of a batch.
pub type Verdict = Result<Outcome, Rejection>;

/// An action with what became of it.
pub struct Verdicted {
    /// Where it stands in `data`.
    pub index: usize,
    /// Its `actionType`, where it is a text.
    pub action_type: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What an answer is made from.
pub struct Verdicts {
    /// The actions, in order.
    pub actions: Vec<Verdicted>,
    /// What is odd about the request as a whole.
    pub warnings: Vec<Warning>,
    /// Records that this request made.
    pub created: HashSet<Uuid>,
}

impl Answer {
    /// The answer to a batch.
    pub fn new(request_id: Uuid, staging: bool, options: Options, verdicts: Verdicts) -> Self {
        let Verdicts { actions, warnings, created } = verdicts;
        let dry_created = if options.dry_run { created } else { HashSet::new() };
        let withdrawn = options.atomic && actions.iter().any(|one| one.verdict.is_err());
        let results: Vec<ActionResult> =
            actions.into_iter().map(|one| result(one, withdrawn, &dry_created)).collect();
        let mut answer = Self {
            problem_type: None,
            title: None,
            status: None,
            detail: None,
            code: None,
            request_id,
            environment: if staging { "staging" } else { "production" },
            dry_run: options.dry_run,
            warnings,
            summary: summarise(&results),
            results,
            errors: Vec::new(),
        };
        answer.become_problem(withdrawn);
        answer
    }

    /// The HTTP status: 200 nothing failed, 207 some did, 422 all did or an atomic request was
    /// withdrawn.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match (self.status, self.summary.failed) {
            (Some(status), _) => status,
            (None, 0) => 200,
            (None, _) => 207,
        }
    }

    /// The status of the delivery (`listener.md` 9).
    #[must_use]
    pub fn delivery_status(&self) -> &'static str {
        match self.http_status() {
            200 => "succeeded",
            207 => "partial",
            _ => "failed",
        }
    }

    /// Whether it tells of no action.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// How many actions were not applied, and could be by a replay.
    #[must_use]
    pub fn unresolved(&self) -> i32 {
        let left = |result: &&ActionResult| matches!(result.status, "failed" | "not_applied");
        i32::try_from(self.results.iter().filter(left).count()).unwrap_or(i32::MAX)
    }

    /// Of each action its type, `unknown` for one that there is not, and its status.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.results.iter().map(|result| {
            let given = result.action_type.as_deref().unwrap_or_default();
            (given.parse().map_or("unknown", ActionType::as_str), result.status)
        })
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
        self.title = Some(title);
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

fn result(
    Verdicted { index, action_type, verdict }: Verdicted,
    withdrawn: bool,
    dry_created: &HashSet<Uuid>,
) -> ActionResult {
    let empty = ActionResult {
        index,
        action_type,
        status: "failed",
        record: None,
        matched_by: None,
        related: Vec::new(),
        warnings: Vec::new(),
        error: None,
    };
    match verdict {
        Err(Rejection { faults, warnings }) => {
            ActionResult { warnings, error: error_body(faults), ..empty }
        }
        Ok(outcome) if withdrawn => {
            ActionResult { status: "not_applied", warnings: outcome.warnings, ..empty }
        }
        Ok(Outcome { status, record, matched_by, related, warnings }) => ActionResult {
            status: status.as_str(),
            record: Some(record_body(&record, dry_created)),
            matched_by: matched_by.map(beeiq_core::records::identity::IdentityKind::as_str),
            related: related.iter().map(|one| related_body(one, dry_created)).collect(),
            warnings,
            ..empty
        },
    }
}

fn error_body(faults: Vec<Fault>) -> Option<ErrorBody> {
    let Fault { code, message, pointer } = faults.first()?.clone();
    Some(ErrorBody { code, message, pointer, errors: faults })
}

/// A dry run makes nothing, so what it would make has no id and no code.
fn record_body(record: &RecordRef, dry_created: &HashSet<Uuid>) -> RecordBody {
    let real = !dry_created.contains(&record.id);
    RecordBody {
        model: record.name.model().as_str(),
        id: real.then_some(record.id),
        code: record.name.code().filter(|_| real),
    }
}

fn related_body(related: &Related, dry_created: &HashSet<Uuid>) -> RelatedBody {
    let (role, status) = match related.role {
        Role::CompanyCreated => ("company", "created"),
        Role::CompanyLinked => ("company", "linked"),
        Role::DealWith(link) => ("dealWith", link.as_str()),
        Role::Contact(link) => ("contact", link.as_str()),
        Role::Candidate => ("candidate", "unchanged"),
        Role::Customer(link) => ("customer", link.as_str()),
        Role::Message => ("message", "queued"),
    };
    RelatedBody { role, status, record: record_body(&related.record, dry_created) }
}

fn summarise(results: &[ActionResult]) -> Summary {
    let mut summary = Summary { total: results.len(), ..Summary::default() };
    for result in results {
        let counter = match result.status {
            "created" => &mut summary.created,
            "updated" => &mut summary.updated,
            "unchanged" => &mut summary.unchanged,
            "duplicate" => &mut summary.duplicate,
            "queued" => &mut summary.queued,
            "failed" => &mut summary.failed,
            _ => continue,
        };
        *counter += 1;
    }
    summary
}
