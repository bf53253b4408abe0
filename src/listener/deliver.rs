//! A delivery as a whole: decided and answered in one commit, again where others were faster.

use super::admission::Credentials;
use super::answer::Answer;
use super::batch::{Batch, mentions};
use super::codes::{CodeAllocator, Reserved};
use super::envelope::{self, Envelope, Item, Limits};
use super::job::{Came, Job, Setback};
use super::received::{Options, Received};
use super::replay::Progress;
use super::retry::Retry;
use crate::actions::{Context, Request};
use crate::clock;
use crate::db::{Conn, Db, in_org, in_org_with_kept_plans};
use crate::directory::{Directory, DirectoryCache};
use crate::domain::fault::{Code, Fault, Warning};
use crate::error::{Problem, StoreError};
use crate::metrics::Counters;
use crate::outbox::Wake;
use crate::store::idempotency::FirstAnswer;
use crate::store::writes::{Delivery, Origin, insert_delivery};
use crate::store::{batch_load, deliveries, directory};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// How often a batch is decided anew because others were faster. Each time at least one of them
/// got through, so only a long queue over the same identifiers comes near it.
const ATTEMPTS: u32 = 60;

/// From when on it may be that the database refuses for a reason of its own.
const PATIENT_ATTEMPTS: u32 = 3;

/// What takes deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub(super) db: Db,
    pub(super) directories: DirectoryCache,
    /// Rung when something has been kept for later.
    pub(super) kept_for_later: Notify,
    codes: CodeAllocator,
    limits: Limits,
    staging: bool,
    mail_domain: String,
    wake: Wake,
    counters: Counters,
}

/// An answer, ready to be sent.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON.
    pub body: String,
    /// Whether it is the answer that an earlier request of the same `Idempotency-Key` got.
    pub replayed: bool,
    /// Where what it was taken for can be asked for: the delivery.
    pub pending: Option<Uuid>,
}

impl Reply {
    fn processed(status: u16, body: String) -> Self {
        Self { status, body, replayed: false, pending: None }
    }

    /// Taken for later (`listener.md` 9).
    fn pending(delivery: Uuid) -> Self {
        let body = serde_json::json!({"requestId": delivery, "status": "pending"}).to_string();
        Self { status: 202, body, replayed: false, pending: Some(delivery) }
    }
}

impl Pipeline {
    /// A pipeline over that database.
    #[must_use]
    pub fn new(
        db: Db,
        directories: DirectoryCache,
        limits: Limits,
        staging: bool,
        mail_domain: String,
        wake: Wake,
        counters: Counters,
    ) -> Self {
        let codes = CodeAllocator::default();
        let kept_for_later = Notify::new();
        Self(Arc::new(Parts {
            db,
            directories,
            kept_for_later,
            codes,
            limits,
            staging,
            mail_domain,
            wake,
            counters,
        }))
    }

    /// Applies a delivery and answers it, both in one commit; or keeps it for later, where
    /// `respond_async` or the listener asks for that and it is no dry run.
    ///
    /// # Errors
    /// The problem that the request is answered with; unless the database is away it has been kept
    /// with the delivery.
    pub async fn deliver(
        &self,
        directory: Arc<Directory>,
        listener: Uuid,
        credentials: Credentials,
        received: Received,
        respond_async: bool,
    ) -> Result<Reply, Problem> {
        let org = directory.org.id;
        let asked = Options::parse(&received.query)
            .map_err(invalid_query)
            .and_then(|asked| Ok((asked, Retry::of(&received)?)));
        let ((options, warnings), retry) = match asked {
            Ok(asked) => asked,
            Err(problem) => {
                return Err(self.reject(org, listener, credentials, received, problem).await);
            }
        };
        let always = directory.listener(listener).is_some_and(|listener| listener.respond_async);
        let later = (respond_async || always) && !options.dry_run;
        let came = if later { Came::PostedForLater } else { Came::Posted }(credentials);
        let started = clock::instant();
        let job = Job { org, listener, came, received, options, warnings, retry, started };
        let reply = self.settle(directory, &Arc::new(job)).await?;
        if reply.pending.is_some() {
            self.0.kept_for_later.notify_one();
        }
        Ok(reply)
    }

    /// Brings a job to its answer; what cannot be applied is kept as such.
    pub(super) async fn settle(
        &self,
        directory: Arc<Directory>,
        job: &Arc<Job>,
    ) -> Result<Reply, Problem> {
        let id = job.received.id;
        match self.attempts(directory, job).await {
            Ok(reply) => Ok(reply),
            Err(Setback::Refused(problem)) => Err(problem.of_request(id)),
            Err(Setback::Rejected(problem)) => Err(self.keep_rejected(job, problem).await),
            Err(Setback::Repeated(first)) => self.repeat(job, first).await,
            Err(Setback::Stale | Setback::NotDue) => {
                Err(Problem::from(StoreError::Conflict).of_request(id))
            }
            Err(Setback::Store(error)) => match self.answer_kept(job, &error).await {
                Some(reply) => Ok(reply),
                None => Err(Problem::from(error).of_request(id)),
            },
        }
    }

    /// Keeps a request that cannot be looked at, and gives back the problem to answer with. Where
    /// the listener does not take it, as the settings now are, that is the problem, and nothing is
    /// kept.
    pub async fn reject(
        &self,
        org: Uuid,
        listener: Uuid,
        credentials: Credentials,
        received: Received,
        problem: Problem,
    ) -> Problem {
        let job = Arc::new(Job {
            org,
            listener,
            came: Came::Posted(credentials),
            received,
            options: Options::default(),
            warnings: Vec::new(),
            retry: None,
            started: clock::instant(),
        });
        self.keep_rejected(&job, problem).await
    }

    pub(super) async fn attempts(
        &self,
        mut directory: Arc<Directory>,
        job: &Arc<Job>,
    ) -> Result<Reply, Setback> {
        for attempt in 0..ATTEMPTS {
            let (parts, job, known) =
                (Arc::clone(&self.0), Arc::clone(job), Arc::clone(&directory));
            let org = job.org;
            let done = self.0.db.run(move |conn| parts.attempt(conn, &known, &job, attempt)).await;
            match done {
                Err(Setback::Stale) => directory = self.0.directories.current(org).await?,
                // An older directory may not know a sender who has just been added, nor that the
                // listener is closed by now.
                Err(setback @ (Setback::Rejected(_) | Setback::Repeated(_))) => {
                    let current = self.0.directories.current(org).await?;
                    if current.version == directory.version {
                        return Err(setback);
                    }
                    directory = current;
                }
                Err(Setback::Store(StoreError::Reference | StoreError::Taken)) => {
                    tokio::time::sleep(backoff(attempt)).await;
                    directory = self.0.directories.current(org).await?;
                }
                Err(Setback::Store(StoreError::Conflict)) => {
                    tokio::time::sleep(backoff(attempt)).await;
                }
                done => return done,
            }
        }
        Err(Setback::Store(StoreError::Conflict))
    }

    /// Keeps a request that cannot be applied, and gives back the problem to answer with.
    pub(super) async fn keep_rejected(&self, job: &Arc<Job>, problem: Problem) -> Problem {
        let id = job.received.id;
        if matches!(job.came, Came::Replayed { .. }) {
            // The delivery itself is kept already, and nothing has become of this.
            return problem.of_request(id);
        }
        match self.0.directories.current(job.org).await {
            Ok(current) => {
                if let Err(Setback::Refused(refusal)) = job.admitted(&current) {
                    return refusal.of_request(id);
                }
            }
            Err(error) => return Problem::from(error).of_request(id),
        }
        let problem = problem.of_request(id);
        let (kept, org, job) = (problem.clone(), job.org, Arc::clone(job));
        let stored = self
            .0
            .db
            .in_org(org, move |conn| {
                let status = actix_web::ResponseError::status_code(&kept).as_u16();
                let body = serde_json::to_string(&kept.body(job.received.id)).unwrap_or_default();
                let reply = Reply::processed(status, body);
                keep(conn, &job, &job.delivery(None, "rejected", &reply))
            })
            .await;
        match stored {
            Ok(()) => {
                self.0.counters.delivered("rejected");
                problem
            }
            Err(error) => Problem::from(error).of_request(id),
        }
    }

    /// Gives the answer of the first request of an `Idempotency-Key` again; that it was asked for
    /// again is kept.
    async fn repeat(&self, job: &Arc<Job>, first: FirstAnswer) -> Result<Reply, Problem> {
        let id = job.received.id;
        let (org, job) = (job.org, Arc::clone(job));
        let kept = self.0.db.in_org(org, move |conn| {
            let FirstAnswer {
                delivery,
                fingerprint: _,
                status,
                http_status,
                answer,
                respond_async,
            } = first;
            let (status, first) = if respond_async {
                ("succeeded".to_owned(), Reply::pending(delivery))
            } else {
                let http_status = http_status.and_then(|it| u16::try_from(it).ok()).unwrap_or(200);
                (status, Reply::processed(http_status, answer.unwrap_or_default()))
            };
            let reply = Reply { replayed: true, ..first };
            let repeats = Some(delivery);
            insert_delivery(conn, &Delivery { repeats, ..job.delivery(None, &status, &reply) })?;
            Ok::<_, StoreError>(reply)
        });
        let reply = kept.await.map_err(|error| Problem::from(error).of_request(id))?;
        self.0.counters.delivered("repeated");
        Ok(reply)
    }

    /// Where the connection was lost at the commit, whether it arrived is not known: if the
    /// delivery is there, so is everything that its answer says.
    async fn answer_kept(&self, job: &Arc<Job>, error: &StoreError) -> Option<Reply> {
        if !matches!(error, StoreError::Unavailable(_)) {
            return None;
        }
        let (org, id) = (job.org, job.received.id);
        let kept = self.0.db.in_org(org, move |conn| deliveries::outcome(conn, org, None, id));
        let kept = kept.await.ok()??;
        if matches!(job.came, Came::PostedForLater(_)) {
            return Some(Reply::pending(id));
        }
        Some(Reply::processed(u16::try_from(kept.http_status?).ok()?, kept.answer?))
    }
}

pub(super) fn invalid_query(faults: Vec<Fault>) -> Problem {
    let detail = faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join(" ");
    Problem::new(Code::InvalidQuery, detail).with_errors(faults)
}

impl Parts {
    fn attempt(
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
        let context = Context { directory, listener };
        let mut envelope =
            envelope::read(&job.received.body, self.limits, context).map_err(Setback::Rejected)?;
        envelope.warnings.extend(job.warnings.iter().cloned());
        if let Came::PostedForLater(_) = job.came {
            return keep_for_later(conn, job, directory, &envelope);
        }
        let reserved = if job.options.dry_run {
            Reserved::default()
        } else {
            self.codes.reserve(conn, job.org, &mentions(&envelope.items))?
        };
        let mut codes = reserved.clone();
        let patient = attempt < PATIENT_ATTEMPTS;
        let done = match self.commit(conn, job, context, &envelope, &mut codes, Run::Batch) {
            // Unforeseen, or a constraint that stays violated: find the action at fault.
            Err(Setback::Store(StoreError::Refused(cause))) => {
                tracing::error!(%cause, "the database refused a batch; trying its actions one by one");
                codes = reserved.clone();
                self.commit(conn, job, context, &envelope, &mut codes, Run::OneByOne)
            }
            Err(Setback::Store(StoreError::Reference | StoreError::Taken)) if !patient => {
                codes = reserved.clone();
                self.commit(conn, job, context, &envelope, &mut codes, Run::OneByOne)
            }
            done => done,
        };
        match &done {
            Ok(_) => {
                self.codes.release(job.org, codes);
                if envelope.may_queue_messages(context) {
                    self.wake.wake();
                }
            }
            // Whether the commit arrived is not known, so the numbers may be in use.
            Err(Setback::Store(StoreError::Unavailable(_))) => {}
            Err(_) => self.codes.release(job.org, reserved),
        }
        done
    }

    fn commit(
        &self,
        conn: &mut Conn,
        job: &Job,
        context: Context<'_>,
        envelope: &Envelope<'_>,
        codes: &mut Reserved,
        run: Run,
    ) -> Result<Reply, Setback> {
        let request = Request {
            context,
            sender: envelope.sender,
            now: job.received.at,
            staging: self.staging,
        };
        let origin = Origin {
            sender: envelope.sender.id,
            listener: job.listener,
            request: job.received.id,
            at: job.received.at,
            staging: self.staging,
            mail_domain: &self.mail_domain,
        };
        let first = directory::joining_deliveries(job.org);
        let (reply, answer) = in_org_with_kept_plans(conn, job.org, &first, |conn| {
            let state = batch_load::org_state(conn, job.org)?;
            if state.directory_version != context.directory.version {
                return Err(Setback::Stale);
            }
            if let Some(retry) = &job.retry {
                retry.claim(conn, job.org, job.listener, job.received.at)?;
            }
            let Chosen { items, warnings, before } = choose(conn, job, envelope)?;
            let batch = Batch {
                org: job.org,
                items: &items,
                warnings: &warnings,
                request,
                origin,
                options: job.options,
            };
            let verdicts = match run {
                Run::Batch => batch.run(conn, state, codes)?,
                Run::OneByOne => batch.run_one_by_one(conn, codes)?,
            };
            let answer = Answer::new(job.received.id, self.staging, job.options, verdicts);
            let body = serde_json::to_string(&answer).unwrap_or_default();
            let reply = Reply::processed(answer.http_status(), body);
            let sender = Some(envelope.sender.email.as_str());
            let delivery = Delivery {
                unresolved: (!job.options.dry_run).then(|| answer.unresolved()),
                ..job.delivery(sender, answer.delivery_status(), &reply)
            };
            match before {
                Some(_) if items.is_empty() => {}
                Some(before) => keep_replay(conn, job, &delivery, &before)?,
                None => keep(conn, job, &delivery)?,
            }
            if let Some(retry) = job.retry.as_ref().filter(|_| !job.options.dry_run) {
                retry.keep(conn, job.org, job.listener, job.received.id, job.received.at)?;
            }
            Ok::<_, Setback>((reply, answer))
        })?;
        self.counters.delivered(answer.delivery_status());
        if !job.options.dry_run {
            self.counters.applied(answer.outcomes());
        }
        Ok(reply)
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
fn choose<'e>(
    conn: &mut Conn,
    job: &Job,
    envelope: &'e Envelope<'_>,
) -> Result<Chosen<'e>, Setback> {
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
            let answers = deliveries::lock_answers(conn, job.org, *root)?;
            let progress = Progress::of(answers.iter().map(String::as_str));
            let there = deliveries::still_there(conn, job.org, &progress.made())?;
            items.retain(|item| progress.wants(item.index, *only, &there));
            warnings.extend(progress.left_out(*only, &there));
            before = Some(answers);
        }
    }
    Ok(Chosen { items, warnings, before })
}

/// Keeps a delivery with its answer.
fn keep(conn: &mut Conn, job: &Job, delivery: &Delivery<'_>) -> Result<(), StoreError> {
    match job.came {
        Came::Due => deliveries::complete(conn, delivery),
        Came::Posted(_) | Came::PostedForLater(_) | Came::Replayed { .. } => {
            Ok(insert_delivery(conn, delivery)?)
        }
    }
}

/// Keeps a replay, and how far the delivery has come by it.
fn keep_replay(
    conn: &mut Conn,
    job: &Job,
    delivery: &Delivery<'_>,
    before: &[String],
) -> Result<(), StoreError> {
    let answers = before.iter().map(String::as_str).chain(delivery.answer);
    let unresolved = i32::try_from(Progress::of(answers).unresolved()).unwrap_or(i32::MAX);
    if let (Came::Replayed { root, .. }, false) = (&job.came, job.options.dry_run) {
        deliveries::set_unresolved(conn, job.org, *root, unresolved)?;
    }
    Ok(insert_delivery(conn, delivery)?)
}

/// Commits a delivery as pending: it has been read, and will be applied in its turn.
fn keep_for_later(
    conn: &mut Conn,
    job: &Job,
    directory: &Directory,
    envelope: &Envelope<'_>,
) -> Result<Reply, Setback> {
    let id = job.received.id;
    in_org(conn, job.org, |conn| {
        if batch_load::org_state(conn, job.org)?.directory_version != directory.version {
            return Err(Setback::Stale);
        }
        if let Some(retry) = &job.retry {
            retry.claim(conn, job.org, job.listener, job.received.at)?;
        }
        let reply = Reply::pending(id);
        let delivery = Delivery {
            http_status: None,
            answer: None,
            duration_ms: None,
            respond_async: true,
            ..job.delivery(Some(&envelope.sender.email), "pending", &reply)
        };
        insert_delivery(conn, &delivery)?;
        if let Some(retry) = &job.retry {
            retry.keep(conn, job.org, job.listener, id, job.received.at)?;
        }
        Ok(reply)
    })
}

/// How a batch is run.
#[derive(Clone, Copy)]
enum Run {
    Batch,
    OneByOne,
}

/// Longer each time, and never the same for two: up to 2 ms at first, up to 128 ms later.
fn backoff(attempt: u32) -> Duration {
    let most_micros = 2_000_u64 << attempt.min(6);
    Duration::from_micros(u64::from_le_bytes(clock::random_bytes()) % most_micros)
}
