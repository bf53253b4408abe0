//! One transaction: deliveries of an org, decided and kept with their answers in one commit.

use super::answer::{Answer, Verdicts};
use super::batch::{Batch, Part, collect_keys};
use super::codes::Reserved;
use super::deliver::{Parts, Reply};
use super::job::{Came, Job, Setback};
use super::replay::{Progress, changed};
use crate::store::error::StoreError;
use crate::store::pool::{Conn, in_org, in_org_with_kept_plans};
use crate::store::writes::{self, Delivery, Outgoing};
use crate::store::{deliveries, directory};
use beeiq_core::batch::{Context, Keys, Pending, Request};
use beeiq_core::diagnostics::Warning;
use beeiq_core::directory::{Directory, Listener};
use beeiq_core::formats::beeiq::{self, Envelope, Item, Limits};

/// From when on it may be that the database refuses for a reason of its own.
const PATIENT_ATTEMPTS: u32 = 3;

/// A delivery that has been read.
pub(super) struct Reading<'a> {
    job: &'a Job,
    context: Context<'a>,
    envelope: Envelope<'a>,
}

impl<'a> Reading<'a> {
    /// Reads it: wholly where its actions are run now.
    fn of(
        job: &'a Job,
        directory: &'a Directory,
        listener: &'a Listener,
        limits: Limits,
    ) -> Result<Self, Setback> {
        let context = Context { directory, listener };
        let read = match job.came {
            Came::PostedForLater(_) => beeiq::check,
            Came::Posted(_) | Came::Due | Came::Replayed { .. } => beeiq::read,
        };
        let mut envelope = read(&job.received.body, limits, context)
            .map_err(|refusal| Setback::Rejected(refusal.into()))?;
        envelope.warnings.extend(job.warnings.iter().cloned());
        Ok(Self { job, context, envelope })
    }

    const fn request(&self, staging: bool) -> Request<'_> {
        let Self { job, context, envelope } = self;
        let (id, now) = (job.received.id, job.received.at);
        Request { id, context: *context, sender: envelope.sender, now, staging }
    }
}

fn keys(readings: &[Reading<'_>]) -> Keys {
    let mut keys = Keys::default();
    for Reading { envelope, context, .. } in readings {
        collect_keys(&envelope.items, *context, &mut keys);
    }
    keys
}

/// A delivery with its answer.
struct Answered {
    reply: Reply,
    /// None where it is to be applied later.
    answer: Option<Answer>,
}

impl Parts {
    /// Applies a delivery, or keeps it for later, in one transaction.
    pub(super) fn attempt(
        &self,
        conn: &mut Conn,
        directory: &Directory,
        job: &Job,
        attempt: u32,
    ) -> Result<Reply, Setback> {
        let listener = job.admitted(directory)?;
        // Before anything else, so that what has become wrong since does not change the answer.
        if let Some(retry) = &job.retry {
            in_org(conn, job.org, |conn| {
                retry.seen_before(conn, job.org, job.listener, job.received.at)
            })?;
        }
        let reading = Reading::of(job, directory, listener, self.limits)?;
        let readings = std::slice::from_ref(&reading);
        let keys = keys(readings);
        let reserved = if job.options.dry_run {
            Reserved::default()
        } else {
            self.codes.reserve(conn, job.org, &keys)?
        };
        let mut codes = reserved.clone();
        let patient = attempt < PATIENT_ATTEMPTS;
        let done = match self.commit(conn, readings, &keys, &mut codes, Run::Batch) {
            // Unforeseen, or a constraint that stays violated: find the action at fault.
            Err(Setback::Store(StoreError::Refused(cause))) => {
                tracing::error!(%cause, "the database refused a batch; trying its actions one by one");
                codes = reserved.clone();
                self.commit(conn, readings, &keys, &mut codes, Run::OneByOne)
            }
            Err(Setback::Store(StoreError::Reference | StoreError::Taken)) if !patient => {
                codes = reserved.clone();
                self.commit(conn, readings, &keys, &mut codes, Run::OneByOne)
            }
            done => done,
        };
        let mut replies = self.settle_codes(job, readings, done, codes, reserved)?;
        replies.pop().ok_or(Setback::Store(StoreError::Conflict))
    }

    /// Applies deliveries of one org, or keeps them for later, in one transaction: all of them or
    /// none. `None` for those that cannot be looked at here.
    ///
    /// # Errors
    /// Where they have to be tried each by itself; [`StoreError::Unavailable`] where it is not
    /// known whether they have been applied.
    pub(super) fn attempt_together(
        &self,
        conn: &mut Conn,
        directory: &Directory,
        jobs: &[&Job],
    ) -> Result<Vec<Option<Reply>>, Setback> {
        let mut read = Vec::with_capacity(jobs.len());
        for &job in jobs {
            let reading = job
                .admitted(directory)
                .and_then(|listener| Reading::of(job, directory, listener, self.limits));
            read.push(reading.ok());
        }
        let there: Vec<bool> = read.iter().map(Option::is_some).collect();
        let readings: Vec<Reading<'_>> = read.into_iter().flatten().collect();
        let Some(first) = readings.first() else { return Ok(jobs.iter().map(|_| None).collect()) };
        let job = first.job;
        let keys = keys(&readings);
        let reserved = self.codes.reserve(conn, job.org, &keys)?;
        let mut codes = reserved.clone();
        let done = self.commit(conn, &readings, &keys, &mut codes, Run::Batch);
        let mut replies = self.settle_codes(job, &readings, done, codes, reserved)?.into_iter();
        Ok(there.into_iter().map(|there| if there { replies.next() } else { None }).collect())
    }

    /// Gives back the numbers that were not used, and wakes who has something to send now.
    fn settle_codes(
        &self,
        job: &Job,
        readings: &[Reading<'_>],
        done: Result<Vec<Reply>, Setback>,
        left: Reserved,
        reserved: Reserved,
    ) -> Result<Vec<Reply>, Setback> {
        match &done {
            Ok(_) => {
                self.codes.release(job.org, left);
                if readings.iter().any(|it| it.envelope.may_queue_messages(it.context)) {
                    self.wake.wake();
                }
            }
            // Whether the commit arrived is not known, so the numbers may be in use.
            Err(Setback::Store(StoreError::Unavailable(_))) => {}
            Err(_) => self.codes.release(job.org, reserved),
        }
        done
    }

    /// The transaction. Several deliveries only where none has a key or options.
    fn commit(
        &self,
        conn: &mut Conn,
        readings: &[Reading<'_>],
        keys: &Keys,
        codes: &mut Reserved,
        run: Run,
    ) -> Result<Vec<Reply>, Setback> {
        let Some(Reading { job: first, context, .. }) = readings.first() else {
            return Ok(Vec::new());
        };
        let (org, options) = (first.org, first.options);
        let lock = directory::joining_deliveries(org);
        let answered = in_org_with_kept_plans(conn, org, &lock, |conn| {
            let (mut parts, mut before) = (Vec::new(), Vec::new());
            for reading in readings {
                let job = reading.job;
                if let Some(retry) = &job.retry {
                    retry.claim(conn, job.org, job.listener, job.received.at)?;
                }
                let Chosen { items, warnings, before: answers } = choose(conn, reading)?;
                parts.push(Part { items, warnings, request: reading.request(self.staging) });
                before.push(answers);
            }
            let batch = Batch { org, parts: &parts, options, outgoing: self.outgoing() };
            let (verdicts, pending) = match run {
                Run::Batch => batch.decide(conn, keys, codes)?,
                Run::OneByOne => (batch.run_one_by_one(conn, codes)?, Pending::default()),
            };
            let answered: Vec<Answered> = readings
                .iter()
                .zip(verdicts)
                .map(|(reading, verdicts)| self.answer(reading.job, verdicts))
                .collect();
            let kept = keep(conn, readings, &answered, &before)?;
            let current = writes::write(conn, org, &pending, &kept, self.outgoing())?;
            // By which settings it was decided shows last: it needs no query of its own there.
            if current != context.directory.version {
                return Err(Setback::Stale);
            }
            for job in readings.iter().map(|it| it.job).filter(|job| !job.options.dry_run) {
                if let Some(retry) = &job.retry {
                    retry.keep(conn, job.org, job.listener, job.received.id, job.received.at)?;
                }
            }
            Ok::<_, Setback>(answered)
        })?;
        for (reading, Answered { answer, .. }) in readings.iter().zip(&answered) {
            if let Some(answer) = answer {
                self.counters.delivered(answer.delivery_status());
                if !reading.job.options.dry_run {
                    self.counters.applied(answer.outcomes());
                }
            }
        }
        Ok(answered.into_iter().map(|answered| answered.reply).collect())
    }

    fn answer(&self, job: &Job, verdicts: Verdicts) -> Answered {
        let id = job.received.id;
        if let Came::PostedForLater(_) = job.came {
            return Answered { reply: Reply::pending(id), answer: None };
        }
        let answer = Answer::new(id, self.staging, job.options, verdicts);
        let body = serde_json::to_string(&answer).unwrap_or_default();
        Answered { reply: Reply::processed(answer.http_status(), body), answer: Some(answer) }
    }

    fn outgoing(&self) -> Outgoing<'_> {
        Outgoing { staging: self.staging, mail_domain: &self.mail_domain }
    }
}

/// Notes what has become of deliveries that are kept already, and gives back the rows of the others.
/// Of a replay that ran nothing there is none. `before` are, of each replay, what the delivery and
/// its earlier replays were answered.
fn keep<'a>(
    conn: &mut Conn,
    readings: &'a [Reading<'_>],
    answered: &'a [Answered],
    before: &[Option<Vec<String>>],
) -> Result<Vec<Delivery<'a>>, Setback> {
    let mut rows = Vec::with_capacity(readings.len());
    for ((reading, answered), before) in readings.iter().zip(answered).zip(before) {
        let (job, row) = (reading.job, row(reading, answered));
        match (&job.came, before) {
            (Came::Due, _) => {
                // Where somebody has rejected or deleted it meanwhile, nothing of it is applied.
                if !deliveries::complete(conn, job.org, &row)? {
                    return Err(Setback::NotDue);
                }
            }
            (Came::Replayed { .. }, Some(_))
                if answered.answer.as_ref().is_some_and(Answer::is_empty) => {}
            (Came::Replayed { root, .. }, Some(before)) if !job.options.dry_run => {
                let answers = before.iter().map(String::as_str).chain(row.answer);
                let unresolved = Progress::of(answers).unresolved();
                let unresolved = i32::try_from(unresolved).unwrap_or(i32::MAX);
                deliveries::set_unresolved(conn, job.org, *root, unresolved)?;
                rows.push(row);
            }
            (Came::Posted(_) | Came::PostedForLater(_) | Came::Replayed { .. }, _) => {
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

/// The row of a delivery.
fn row<'a>(reading: &'a Reading<'_>, answered: &'a Answered) -> Delivery<'a> {
    let Reading { job, envelope, .. } = reading;
    let sender = Some(envelope.sender.email.as_str());
    match &answered.answer {
        Some(answer) => Delivery {
            unresolved: (!job.options.dry_run).then(|| answer.unresolved()),
            ..job.delivery(sender, answer.delivery_status(), &answered.reply)
        },
        None => Delivery {
            http_status: None,
            answer: None,
            duration_ms: None,
            respond_async: true,
            ..job.delivery(sender, "pending", &answered.reply)
        },
    }
}

/// What of an envelope is run.
struct Chosen<'e> {
    items: Vec<&'e Item>,
    warnings: Vec<Warning>,
    /// Of a replay: what the delivery and its earlier replays were answered.
    before: Option<Vec<String>>,
}

/// Chooses what is run, once nobody else can be at it: all, or of a replay what it is for.
fn choose<'e>(conn: &mut Conn, reading: &'e Reading<'_>) -> Result<Chosen<'e>, Setback> {
    let Reading { job, envelope, .. } = reading;
    let mut items: Vec<&Item> = envelope.items.iter().collect();
    let mut warnings = envelope.warnings.clone();
    let mut before = None;
    match &job.came {
        Came::Posted(_) | Came::PostedForLater(_) => {}
        Came::Due => {
            if !deliveries::take_turn(conn, job.org, job.listener, job.received.id)? {
                return Err(Setback::NotDue);
            }
        }
        Came::Replayed { root, only } => {
            let answers = deliveries::lock_answers(conn, job.org, *root, &job.received.body)?;
            let answers = answers.ok_or_else(|| Setback::Rejected(changed()))?;
            let progress = Progress::of(answers.iter().map(String::as_str));
            let there = deliveries::still_there(conn, job.org, &progress.made())?;
            items.retain(|item| progress.wants(item.index, *only, &there));
            warnings.extend(progress.left_out(*only, &there));
            before = Some(answers);
        }
    }
    Ok(Chosen { items, warnings, before })
}

/// How a batch is run.
#[derive(Clone, Copy)]
enum Run {
    Batch,
    OneByOne,
}
