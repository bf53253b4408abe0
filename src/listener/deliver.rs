//! A delivery as a whole: decided and answered in one commit, again where others were faster.

use super::admission::{Credentials, admit};
use super::answer::Answer;
use super::batch::{Batch, mentions};
use super::codes::{CodeAllocator, Reserved};
use super::envelope::{self, Envelope, Limits};
use super::received::{Options, Received};
use super::retry::{NotFirst, Retry};
use crate::actions::{Context, Request};
use crate::clock;
use crate::db::{Conn, Db, in_org, in_org_with_kept_plans};
use crate::directory::{Directory, DirectoryCache, Listener};
use crate::domain::fault::{Code, Fault, Warning};
use crate::error::{DbError, Problem, StoreError};
use crate::store::batch_load;
use crate::store::idempotency::FirstAnswer;
use crate::store::writes::{Delivery, Origin, answer_of, insert_delivery};
use ipnetwork::IpNetwork;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often a batch is decided anew because others were faster. Each time at least one of them
/// got through, so only a long queue over the same identifiers comes near it.
const ATTEMPTS: u32 = 60;

/// From when on it may be that the database refuses for a reason of its own.
const PATIENT_ATTEMPTS: u32 = 3;

/// What takes deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(Arc<Parts>);

struct Parts {
    db: Db,
    directories: DirectoryCache,
    codes: CodeAllocator,
    limits: Limits,
    staging: bool,
    mail_domain: String,
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
}

/// A delivery on its way.
struct Job {
    org: Uuid,
    listener: Uuid,
    /// To be judged again under each directory.
    credentials: Credentials,
    received: Received,
    options: Options,
    warnings: Vec<Warning>,
    retry: Option<Retry>,
    started: Instant,
}

/// What an attempt ends in besides an answer.
enum Setback {
    /// The settings have changed since the directory was read.
    Stale,
    /// The listener does not take it, as the settings now are.
    Refused(Problem),
    /// The whole request cannot be used; to be kept as such.
    Rejected(Problem),
    /// The same request has been answered before.
    Repeated(FirstAnswer),
    /// The database.
    Store(StoreError),
}

impl From<NotFirst> for Setback {
    fn from(why: NotFirst) -> Self {
        match why {
            NotFirst::Repeated(first) => Self::Repeated(first),
            NotFirst::Problem(problem) => Self::Rejected(problem),
            NotFirst::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for Setback {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbError> for Setback {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
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
    ) -> Self {
        let codes = CodeAllocator::default();
        Self(Arc::new(Parts { db, directories, codes, limits, staging, mail_domain }))
    }

    /// Applies a delivery and answers it, both in one commit.
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
    ) -> Result<Reply, Problem> {
        let (org, id) = (directory.org.id, received.id);
        let asked = Options::parse(&received.query)
            .map_err(invalid_query)
            .and_then(|asked| Ok((asked, Retry::of(&received)?)));
        let ((options, warnings), retry) = match asked {
            Ok(asked) => asked,
            Err(problem) => {
                return Err(self.reject(org, listener, credentials, received, problem).await);
            }
        };
        let started = clock::instant();
        let job = Job { org, listener, credentials, received, options, warnings, retry, started };
        let job = Arc::new(job);
        match self.attempts(directory, &job).await {
            Ok(reply) => Ok(reply),
            Err(Setback::Refused(problem)) => Err(problem.of_request(id)),
            Err(Setback::Rejected(problem)) => Err(self.keep_rejected(&job, problem).await),
            Err(Setback::Repeated(first)) => self.repeat(&job, first).await,
            Err(Setback::Stale) => Err(Problem::from(StoreError::Conflict).of_request(id)),
            Err(Setback::Store(error)) => match self.answer_kept(&job, &error).await {
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
            credentials,
            received,
            options: Options::default(),
            warnings: Vec::new(),
            retry: None,
            started: clock::instant(),
        });
        self.keep_rejected(&job, problem).await
    }

    async fn attempts(
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

    async fn keep_rejected(&self, job: &Arc<Job>, problem: Problem) -> Problem {
        let id = job.received.id;
        match self.0.directories.current(job.org).await {
            Ok(current) => {
                if let Err(refusal) = job.admitted(&current) {
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
                let reply = Reply { status, body, replayed: false };
                insert_delivery(conn, &job.delivery(None, "rejected", &reply))?;
                Ok::<_, StoreError>(())
            })
            .await;
        match stored {
            Ok(()) => problem,
            Err(error) => Problem::from(error).of_request(id),
        }
    }

    /// Gives the answer of the first request of an `Idempotency-Key` again; that it was asked for
    /// again is kept.
    async fn repeat(&self, job: &Arc<Job>, first: FirstAnswer) -> Result<Reply, Problem> {
        let id = job.received.id;
        let (org, job) = (job.org, Arc::clone(job));
        let kept = self.0.db.in_org(org, move |conn| {
            let FirstAnswer { delivery, fingerprint: _, status, http_status, answer } = first;
            let reply = Reply {
                status: http_status.and_then(|it| u16::try_from(it).ok()).unwrap_or(200),
                body: answer.unwrap_or_default(),
                replayed: true,
            };
            let repeats = Some(delivery);
            insert_delivery(conn, &Delivery { repeats, ..job.delivery(None, &status, &reply) })?;
            Ok::<_, StoreError>(reply)
        });
        kept.await.map_err(|error| Problem::from(error).of_request(id))
    }

    /// Where the connection was lost at the commit, whether it arrived is not known: if the
    /// delivery is there, so is everything that its answer says.
    async fn answer_kept(&self, job: &Arc<Job>, error: &StoreError) -> Option<Reply> {
        if !matches!(error, StoreError::Unavailable(_)) {
            return None;
        }
        let (org, id) = (job.org, job.received.id);
        let kept =
            self.0.db.in_org::<_, StoreError, _>(org, move |conn| Ok(answer_of(conn, org, id)?));
        let (status, body) = kept.await.ok()??;
        Some(Reply { status: u16::try_from(status?).ok()?, body: body?, replayed: false })
    }
}

fn invalid_query(faults: Vec<Fault>) -> Problem {
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
        let listener = job.admitted(directory).map_err(Setback::Refused)?;
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
            Ok(_) => self.codes.release(job.org, codes),
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
        let batch = Batch { org: job.org, envelope, request, origin, options: job.options };
        in_org_with_kept_plans(conn, job.org, |conn| {
            let state = batch_load::org_state(conn, job.org)?;
            if state.directory_version != context.directory.version {
                return Err(Setback::Stale);
            }
            if let Some(retry) = &job.retry {
                retry.claim(conn, job.org, job.listener, job.received.at)?;
            }
            let verdicts = match run {
                Run::Batch => batch.run(conn, state, codes)?,
                Run::OneByOne => batch.run_one_by_one(conn, codes)?,
            };
            let answer = Answer::new(job.received.id, self.staging, job.options, verdicts);
            let reply = Reply {
                status: answer.http_status(),
                body: serde_json::to_string(&answer).unwrap_or_default(),
                replayed: false,
            };
            let sender = Some(envelope.sender.email.as_str());
            insert_delivery(conn, &job.delivery(sender, answer.delivery_status(), &reply))?;
            if let Some(retry) = job.retry.as_ref().filter(|_| !job.options.dry_run) {
                retry.keep(conn, job.org, job.listener, job.received.id, job.received.at)?;
            }
            Ok(reply)
        })
    }
}

/// How a batch is run.
#[derive(Clone, Copy)]
enum Run {
    Batch,
    OneByOne,
}

impl Job {
    /// The listener, where it still takes the request.
    fn admitted<'d>(&self, directory: &'d Directory) -> Result<&'d Listener, Problem> {
        Ok(admit(directory, &self.credentials)?.0)
    }

    fn delivery<'a>(
        &'a self,
        sender: Option<&'a str>,
        status: &'a str,
        reply: &'a Reply,
    ) -> Delivery<'a> {
        let Received { id, at, caller, query, headers, idempotency_keys: _, body, body_complete } =
            &self.received;
        Delivery {
            org_id: self.org,
            id: *id,
            listener_id: self.listener,
            received_at: *at,
            caller: IpNetwork::from(*caller),
            query,
            headers,
            body,
            body_complete: *body_complete,
            sender_user: sender,
            dry_run: self.options.dry_run,
            status,
            http_status: i16::try_from(reply.status).ok(),
            answer: Some(&reply.body),
            duration_ms: i32::try_from(self.started.elapsed().as_millis()).ok(),
            repeats: None,
        }
    }
}

/// Longer each time, and never the same for two: up to 2 ms at first, up to 128 ms later.
fn backoff(attempt: u32) -> Duration {
    let most_micros = 2_000_u64 << attempt.min(6);
    Duration::from_micros(u64::from_le_bytes(clock::random_bytes()) % most_micros)
}
