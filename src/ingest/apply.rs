//! One transaction: deliveries of an org, decided and kept with their answers in one commit. A
//! single one is a group of one.

use super::answer::{Answer, DeliveryResult};
use super::attempt_error::AttemptError;
use super::batch::{Batch, Decided, Part, collect_keys};
use super::codes::Reserved;
use super::job::{Cursor, Job, Origin};
use super::pipeline::Parts;
use super::progress::Progress;
use super::received::Received;
use super::reply::Reply;
use crate::problem::Problem;
use crate::store::error::StoreError;
use crate::store::pool::{Conn, in_org, in_org_with_kept_plans};
use crate::store::writes::{self, Delivery};
use crate::store::{connection_state, deliveries, directory};
use beeiq_core::batch::{Context, Keys, Request};
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::Directory;
use beeiq_core::formats::{Envelope, Item, Told};
use beeiq_core::records::delivery::DeliveryStatus;
use std::sync::atomic::Ordering;

/// From when on it may be that the database refuses for a reason of its own.
const PATIENT_ATTEMPTS: u32 = 3;

/// A delivery that has been read.
struct Reading<'a> {
    job: &'a Job,
    context: Context<'a>,
    envelope: Envelope<'a>,
}

impl<'a> Reading<'a> {
    const fn request(&self, staging: bool) -> Request<'_> {
        let Self { job, context, envelope } = self;
        let (id, now) = (job.received.id, job.received.at);
        Request { id, context: *context, sender: envelope.sender, now, staging }
    }
}

/// How a batch is run.
#[derive(Clone, Copy)]
enum Run {
    Batch,
    OneByOne,
}

/// A delivery with its answer.
struct Answered {
    reply: Reply,
    /// None where it is deferred.
    answer: Option<Answer>,
}

impl Parts {
    /// Applies deliveries of one org in one transaction, or keeps those that are deferred. One that
    /// cannot be looked at has an end of its own, the others have one together. Several only where
    /// they share their transaction ([`Job::shares_transaction`]).
    pub(super) fn apply(
        &self,
        conn: &mut Conn,
        directory: &Directory,
        jobs: &[&Job],
        attempt: u32,
    ) -> Result<Vec<Result<Reply, AttemptError>>, AttemptError> {
        let read: Vec<_> = jobs.iter().map(|job| self.read(conn, directory, job)).collect();
        let readings: Vec<_> = read.iter().filter_map(|read| read.as_ref().ok()).collect();
        let mut replies = self.write(conn, &readings, attempt)?.into_iter();
        let end = |read: Result<Reading<'_>, AttemptError>| {
            read.and_then(|_| replies.next().ok_or_else(|| StoreError::Conflict.into()))
        };
        Ok(read.into_iter().map(end).collect())
    }

    /// Reads a delivery: wholly where its actions are run now.
    fn read<'a>(
        &self,
        conn: &mut Conn,
        directory: &'a Directory,
        job: &'a Job,
    ) -> Result<Reading<'a>, AttemptError> {
        let context = job.admitted(directory)?;
        // Before anything else, so that what has become wrong since does not change the answer.
        if let Some(idempotency) = &job.idempotency {
            in_org(conn, job.org, |conn| idempotency.seen_before(conn))?;
        }
        let (received, limits) = (&job.received, self.format_limits());
        let Received { format, body, headers, at, .. } = received;
        let told = Told { body, headers, at: *at };
        let read = if job.defers() {
            format.check(told, limits, context)
        } else {
            format.read(told, limits, context)
        };
        let mut envelope = read.map_err(|refusal| AttemptError::Rejected(refusal.into()))?;
        envelope.warnings.extend(job.warnings.iter().cloned());
        Ok(Reading { job, context, envelope })
    }

    /// Writes what is decided of them, with numbers set aside for the codes of new records.
    fn write(
        &self,
        conn: &mut Conn,
        readings: &[&Reading<'_>],
        attempt: u32,
    ) -> Result<Vec<Reply>, AttemptError> {
        let Some(Reading { job, .. }) = readings.first() else { return Ok(Vec::new()) };
        let mut keys = Keys::default();
        for reading in readings {
            collect_keys(
                &reading.envelope.items,
                reading.request(self.outgoing().staging),
                &mut keys,
            );
        }
        let reserved = if job.options.dry_run {
            Reserved::default()
        } else {
            self.codes.reserve(conn, job.org, &keys)?
        };
        let mut left = reserved.clone();
        let mut done = self.commit(conn, readings, &keys, &mut left, Run::Batch);
        if let (Err(error), [_]) = (&done, readings)
            && may_be_an_actions_fault(error, attempt)
        {
            left = reserved.clone();
            done = self.commit(conn, readings, &keys, &mut left, Run::OneByOne);
        }
        match &done {
            Ok(_) => self.codes.release(job.org, left),
            // Whether the commit arrived is not known, so the numbers may be in use.
            Err(AttemptError::Store(
                StoreError::Unavailable(_) | StoreError::OutcomeUnknown { .. },
            )) => {}
            Err(_) => self.codes.release(job.org, reserved),
        }
        done
    }

    fn commit(
        &self,
        conn: &mut Conn,
        readings: &[&Reading<'_>],
        keys: &Keys,
        codes: &mut Reserved,
        run: Run,
    ) -> Result<Vec<Reply>, AttemptError> {
        let Some(Reading { job: first, context, .. }) = readings.first() else {
            return Ok(Vec::new());
        };
        let (org, options) = (first.org, first.options);
        let outgoing = self.outgoing();
        let lock = directory::joining_deliveries(org);
        let (answered, queues_messages) = in_org_with_kept_plans(conn, org, &lock, |conn| {
            let (mut parts, mut progress) = (Vec::new(), Vec::new());
            for reading in readings {
                if let Some(idempotency) = &reading.job.idempotency {
                    idempotency.claim(conn)?;
                }
                let (part, before) = choose(conn, reading, outgoing.staging)?;
                parts.push(part);
                progress.push(before);
            }
            let batch = Batch { org, parts: &parts, options, outgoing };
            let Decided { results, pending, queues_messages } = match run {
                Run::Batch => batch.decide(conn, keys, codes)?,
                Run::OneByOne => batch.run_one_by_one(conn, codes)?,
            };
            let answer = |(reading, result): (&&Reading<'_>, _)| self.answer(reading.job, result);
            let answered: Vec<_> = readings.iter().zip(results).map(answer).collect();
            let rows = keep(conn, readings, &answered, progress)?;
            let current = writes::write(conn, org, &pending, &rows, outgoing)?;
            // By which settings it was decided shows last: it needs no query of its own there.
            if current != context.directory.version {
                return Err(AttemptError::Stale);
            }
            if let (Some(idempotency), false) = (&first.idempotency, options.dry_run) {
                idempotency.keep(conn, first.received.id)?;
            }
            Ok((answered, queues_messages))
        })?;
        if queues_messages {
            self.messages.wake.wake();
        }
        let told = |Answered { reply, answer }| {
            if let Some(answer) = answer {
                self.applied.fetch_add(1, Ordering::Relaxed);
                self.counters.delivered(answer.delivery_status().as_str());
                if !options.dry_run {
                    self.counters.applied(answer.outcomes());
                }
            }
            reply
        };
        Ok(answered.into_iter().map(told).collect())
    }

    fn answer(&self, job: &Job, result: DeliveryResult) -> Answered {
        let id = job.received.id;
        if job.defers() {
            return Answered { reply: Reply::pending(id), answer: None };
        }
        let answer = Answer::new(id, self.messages.environment, job.options, result, job.teller());
        let body = serde_json::to_string(&answer).unwrap_or_default();
        let status = job.status(answer.http_status());
        Answered { reply: Reply::processed(status, body), answer: Some(answer) }
    }
}

/// Whether one of the actions may be at fault: the refusal is unforeseen, or a constraint stays
/// violated.
fn may_be_an_actions_fault(error: &AttemptError, attempt: u32) -> bool {
    match error {
        AttemptError::Store(StoreError::Refused(cause)) => {
            tracing::error!(%cause, "the database refused a batch; trying its actions one by one");
            true
        }
        AttemptError::Store(StoreError::Reference(_) | StoreError::Taken(_)) => {
            attempt >= PATIENT_ATTEMPTS
        }
        AttemptError::Store(
            StoreError::Conflict | StoreError::Unavailable(_) | StoreError::OutcomeUnknown { .. },
        )
        | AttemptError::Stale
        | AttemptError::Refused(_)
        | AttemptError::Rejected(_)
        | AttemptError::Repeated(_)
        | AttemptError::NotDue
        | AttemptError::Ungrouped => false,
    }
}

/// Chooses what is run, once nobody else can be at it: all, or of a replay what it is for, with what
/// has become of its actions so far.
fn choose<'r>(
    conn: &mut Conn,
    reading: &'r Reading<'_>,
    staging: bool,
) -> Result<(Part<'r>, Progress), AttemptError> {
    let Reading { job, envelope, .. } = reading;
    let format = job.received.format;
    let mut items: Vec<&Item> = envelope.items.iter().collect();
    let mut warnings = envelope.warnings.clone();
    let mut progress = Progress::default();
    match &job.origin {
        Origin::Posted { .. } | Origin::Pushed(_) | Origin::Pulled(_) => {}
        Origin::Deferred => {
            if !deliveries::take_turn(conn, job.org, job.listener, job.received.id)? {
                return Err(AttemptError::NotDue);
            }
        }
        Origin::Replayed { root, only } => {
            deliveries::hold_queue(conn, job.org, job.listener)?;
            let answers = deliveries::lock_answers(conn, job.org, *root, &job.received.body)?;
            let answers = answers.ok_or_else(|| AttemptError::Rejected(changed()))?;
            progress = Progress::of(answers.iter().map(String::as_str))?;
            let there = deliveries::still_there(conn, job.org, &progress.created_ids())?;
            items.retain(|item| progress.wants(item.index, *only, &there));
            warnings.extend(progress.left_out(format, *only, &there));
        }
    }
    Ok((Part { items, warnings, request: reading.request(staging), format }, progress))
}

/// Notes what has become of deliveries that are kept already, and gives back the rows of the others.
/// Of a replay that ran nothing there is none.
fn keep<'a>(
    conn: &mut Conn,
    readings: &'a [&Reading<'_>],
    answered: &'a [Answered],
    progress: Vec<Progress>,
) -> Result<Vec<Delivery<'a>>, AttemptError> {
    let mut rows = Vec::with_capacity(readings.len());
    for ((reading, answered), mut progress) in readings.iter().zip(answered).zip(progress) {
        let (job, row) = (reading.job, row(reading, answered));
        match (&job.origin, &answered.answer) {
            (Origin::Posted { .. } | Origin::Pushed(_), _) => rows.push(row),
            (Origin::Pulled(cursor), _) => {
                if let (Some(cursor), Some(connection)) = (cursor, job.connection) {
                    let Cursor { run, resource, until } = cursor;
                    connection_state::move_cursor(
                        conn,
                        job.org,
                        (connection, *run),
                        resource,
                        *until,
                    )?;
                }
                rows.push(row);
            }
            (Origin::Deferred, _) => {
                // Where somebody has rejected or deleted it meanwhile, nothing of it is applied.
                if !deliveries::complete(conn, job.org, &row)? {
                    return Err(AttemptError::NotDue);
                }
            }
            (Origin::Replayed { .. }, None) => {}
            (Origin::Replayed { root, .. }, Some(answer)) => {
                if answer.is_empty() {
                    continue;
                }
                if !job.options.dry_run {
                    progress.note(answer);
                    let unresolved = progress.unresolved();
                    deliveries::set_unresolved(conn, job.org, *root, unresolved)?;
                }
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

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
            ..job.delivery(sender, DeliveryStatus::Pending, &answered.reply)
        },
    }
}

/// Somebody has been erased from the body since it was read.
fn changed() -> Problem {
    let detail = "Somebody has been erased from it meanwhile; ask again to run what is left.";
    Problem::new(Code::NotReplayable, detail)
}
