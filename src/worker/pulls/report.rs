//! What a run comes to, and what follows from it.

use crate::ingest::Reply;
use crate::problem::Problem;
use crate::send::pull::Failure;
use crate::store::error::StoreError;
use crate::store::pulling::{RunCounts, Settled};
use beeiq_core::diagnostics::Code;
use beeiq_core::records::connection::{RunStatus, Window};
use beeiq_core::values::backoff::Backoff;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The waits after runs that failed for a reason that may pass: from a minute to an hour.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(75),
    longest: Duration::from_secs(3600),
    jitter: 800..=1000,
};

/// Why a run, or a resource of it, did not come to its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ended {
    /// By the other system.
    Failed(Failure),
    /// The sender is no active user any more.
    UnknownSender,
    /// It is to go on later: the process stops, or others have waited long.
    Interrupted,
    /// Somebody has changed the connection, or another process has it.
    Lost,
    /// For a reason of our own.
    Own(Code, String),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::Own(problem.code, problem.detail)
    }
}

/// What is wrong, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Trouble {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Ended {
    pub(super) fn trouble(&self) -> Trouble {
        let (code, message) = match self {
            Self::Failed(Failure::Fails(words)) => (Code::SourceFailed, words.clone()),
            Self::Failed(Failure::CredentialsRefused(words)) => {
                (Code::CredentialsRefused, format!("The credentials are refused: {words}"))
            }
            Self::Failed(Failure::Later { words, .. }) => (Code::SourceUnavailable, words.clone()),
            Self::Failed(Failure::TooLarge) => {
                let message = "The answer is too large, however little is asked for.";
                (Code::SourceFailed, message.to_owned())
            }
            Self::UnknownSender => {
                let message = "The `senderUser` is no active user any more; name another one.";
                (Code::UnknownSender, message.to_owned())
            }
            Self::Interrupted => {
                let message = "It was interrupted; the next run goes on where it stood.";
                (Code::Interrupted, message.to_owned())
            }
            Self::Lost => {
                let message = "The connection was changed meanwhile; the next run goes on.";
                (Code::Interrupted, message.to_owned())
            }
            Self::Own(code, words) => (*code, words.clone()),
        };
        Trouble { code: code.as_str(), message }
    }

    /// Whether other resources are still to be asked for.
    pub(super) const fn is_alone(&self) -> bool {
        match self {
            Self::Failed(Failure::Fails(_) | Failure::TooLarge) => true,
            Self::Failed(Failure::Later { alone, .. }) => *alone,
            Self::Failed(Failure::CredentialsRefused(_))
            | Self::UnknownSender
            | Self::Interrupted
            | Self::Lost
            | Self::Own(..) => false,
        }
    }
}

/// What a run has come to so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) counts: RunCounts,
    pub(super) resources: Vec<ResourceReport>,
    /// The first trouble with each kind of remedy is what decides.
    ends: Vec<Ended>,
}

/// What has become of a resource.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ResourceReport {
    resource: String,
    status: RunStatus,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    items: u32,
    error: Option<Trouble>,
    #[serde(skip)]
    items_before: u32,
}

impl Report {
    pub(super) fn begin(&mut self, resource: &str, Window { from, to }: Window) {
        self.resources.push(ResourceReport {
            resource: resource.to_owned(),
            status: RunStatus::Running,
            from,
            to,
            items: 0,
            error: None,
            items_before: self.counts.items,
        });
    }

    /// Ends the resource that was begun last.
    pub(super) fn end(&mut self, ended: Option<&Ended>) {
        let items = self.counts.items;
        if let Some(last) = self.resources.last_mut().filter(|it| it.status == RunStatus::Running) {
            last.items = items - last.items_before;
            last.error = ended.map(Ended::trouble);
            last.status = match ended {
                None => RunStatus::Succeeded,
                Some(_) if last.items > 0 => RunStatus::Partial,
                Some(_) => RunStatus::Failed,
            };
        }
        self.ends.extend(ended.cloned());
    }

    /// What became of the whole.
    fn status(&self) -> RunStatus {
        let succeeded =
            self.resources.iter().filter(|it| it.status == RunStatus::Succeeded).count();
        if self.ends.is_empty() {
            RunStatus::Succeeded
        } else if succeeded > 0 || self.counts.items > 0 {
            RunStatus::Partial
        } else {
            RunStatus::Failed
        }
    }

    /// What has become of the run, what of it is told, and how the connection goes on. It is to be
    /// asked again `due_in`, and has failed so often before; `roll` is any number.
    pub(super) fn conclusion(
        &self,
        due_in: Duration,
        failures: i32,
        roll: u32,
    ) -> (RunStatus, Option<Trouble>, Settled) {
        let worst = self.ends.iter().min_by_key(|ended| rank(ended));
        let trouble = worst.map(Ended::trouble);
        let error = trouble.clone().map(|trouble| (trouble.code, trouble.message));
        let fine = Settled { again_in: due_in, failures: 0, succeeded: false, paused: None, error };
        let earlier = u32::try_from(failures).unwrap_or_default();
        let wait = BACKOFF.wait(earlier, roll);
        let backed_off =
            |wait| Settled { again_in: wait, failures: failures.saturating_add(1), ..fine.clone() };
        let settled = match worst {
            None => Settled { succeeded: true, ..fine },
            Some(Ended::Failed(Failure::CredentialsRefused(_))) => {
                Settled { paused: Some(Code::CredentialsRefused.as_str()), ..fine }
            }
            Some(Ended::UnknownSender) => {
                Settled { paused: Some(Code::UnknownSender.as_str()), ..fine }
            }
            Some(Ended::Failed(Failure::Later { retry_after, .. })) => {
                backed_off(wait.max(retry_after.unwrap_or_default()))
            }
            Some(Ended::Own(..)) => backed_off(wait),
            Some(Ended::Failed(Failure::Fails(_) | Failure::TooLarge)) => fine,
            Some(Ended::Interrupted | Ended::Lost) => {
                Settled { again_in: Duration::ZERO, failures, error: None, ..fine }
            }
        };
        (self.status(), trouble, settled)
    }
}

/// What comes first of several troubles: that which stops everything, and then that which may pass.
const fn rank(ended: &Ended) -> u8 {
    match ended {
        Ended::UnknownSender | Ended::Failed(Failure::CredentialsRefused(_)) => 0,
        Ended::Failed(Failure::Later { retry_after: Some(_), .. }) => 1,
        Ended::Failed(Failure::Later { retry_after: None, .. }) => 2,
        Ended::Own(..) => 3,
        Ended::Failed(Failure::Fails(_) | Failure::TooLarge) => 4,
        Ended::Interrupted | Ended::Lost => 5,
    }
}

/// How many actions of a delivery had which status.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) created: u32,
    pub(super) updated: u32,
    pub(super) unchanged: u32,
    duplicate: u32,
    queued: u32,
    pub(super) failed: u32,
}

impl Summary {
    pub(super) fn of(reply: &Reply) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Told {
            summary: Summary,
        }
        let told: Told = serde_json::from_str(&reply.body).unwrap_or_default();
        told.summary
    }

    pub(super) const fn add_to(self, counts: &mut RunCounts) {
        let Self { created, updated, unchanged, duplicate, queued, failed } = self;
        counts.created += created + queued;
        counts.updated += updated;
        counts.unchanged += unchanged + duplicate;
        counts.failed += failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE: Duration = Duration::from_secs(300);

    fn later(retry_after: Option<u64>) -> Ended {
        let retry_after = retry_after.map(Duration::from_secs);
        Ended::Failed(Failure::Later { words: "down".to_owned(), retry_after, alone: true })
    }

    fn report(ends: &[Option<Ended>]) -> Report {
        let mut report = Report::default();
        let (from, to) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH);
        for ended in ends {
            report.begin("it", Window { from, to });
            report.end(ended.as_ref());
        }
        report
    }

    /// How a run ended, whether it succeeded, and then code, seconds until the next, failures, pause.
    type Case =
        (Vec<Option<Ended>>, RunStatus, Option<&'static str>, u64, i32, Option<&'static str>);

    fn check(cases: Vec<Case>) {
        for (ends, status, code, seconds, failures, paused) in cases {
            let (its, trouble, settled) = report(&ends).conclusion(DUE, 2, 0);
            assert_eq!(its, status, "{ends:?}");
            assert_eq!(trouble.map(|trouble| trouble.code), code, "{ends:?}");
            assert_eq!(settled.error.as_ref().map(|(code, _)| *code), code, "{ends:?}");
            assert_eq!(settled.again_in.as_secs(), seconds, "{ends:?}");
            assert_eq!((settled.failures, settled.paused), (failures, paused), "{ends:?}");
            assert_eq!(settled.succeeded, status == RunStatus::Succeeded, "{ends:?}");
        }
    }

    #[test]
    fn what_went_wrong_decides_when_it_is_asked_again() {
        let fails = Ended::Failed(Failure::Fails("no".to_owned()));
        check(vec![
            (vec![None, None], RunStatus::Succeeded, None, 300, 0, None),
            (vec![], RunStatus::Succeeded, None, 300, 0, None),
            (
                vec![None, Some(fails.clone())],
                RunStatus::Partial,
                Some("source_failed"),
                300,
                0,
                None,
            ),
            (vec![Some(fails.clone())], RunStatus::Failed, Some("source_failed"), 300, 0, None),
            (
                vec![Some(fails), None, Some(later(None))],
                RunStatus::Partial,
                Some("source_unavailable"),
                240,
                3,
                None,
            ),
            (
                vec![Some(later(Some(900)))],
                RunStatus::Failed,
                Some("source_unavailable"),
                900,
                3,
                None,
            ),
            (
                vec![Some(later(Some(1)))],
                RunStatus::Failed,
                Some("source_unavailable"),
                240,
                3,
                None,
            ),
        ]);
    }

    #[test]
    fn what_somebody_has_to_mend_pauses_it() {
        let refused = Ended::Failed(Failure::CredentialsRefused("no".to_owned()));
        let own = Ended::Own(Code::Overloaded, "busy".to_owned());
        check(vec![
            (vec![Some(own)], RunStatus::Failed, Some("overloaded"), 240, 3, None),
            (
                vec![None, Some(later(None)), Some(refused)],
                RunStatus::Partial,
                Some("credentials_refused"),
                300,
                0,
                Some("credentials_refused"),
            ),
            (
                vec![Some(Ended::UnknownSender)],
                RunStatus::Failed,
                Some("unknown_sender"),
                300,
                0,
                Some("unknown_sender"),
            ),
        ]);
    }

    #[test]
    fn the_waits_go_from_a_minute_to_an_hour() {
        for (failures, roll, seconds) in [(0, 0, 60), (0, 200, 75), (1, 0, 120), (9, 200, 3600)] {
            let (_, _, settled) = report(&[Some(later(None))]).conclusion(DUE, failures, roll);
            assert_eq!(settled.again_in.as_secs(), seconds, "{failures} {roll}");
        }
    }

    #[test]
    fn what_is_interrupted_is_due_at_once_and_no_failure() {
        let (status, trouble, settled) =
            report(&[None, Some(Ended::Interrupted)]).conclusion(DUE, 2, 0);
        assert_eq!(status, RunStatus::Partial);
        assert_eq!(trouble.map(|trouble| trouble.code), Some("interrupted"));
        let expected = Settled {
            again_in: Duration::ZERO,
            failures: 2,
            succeeded: false,
            paused: None,
            error: None,
        };
        assert_eq!(settled, expected);
    }
}
