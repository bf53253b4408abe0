//! A delivery as a whole: brought to its answer, again where others were faster.

use super::admission::Credentials;
use super::capacity::{Capacity, Overloaded};
use super::codes::CodeAllocator;
use super::job::{Came, Job, Setback};
use super::received::{Options, Received};
use super::retry::Retry;
use super::together::{Lines, Ride};
use crate::clock;
use crate::directory::DirectoryCache;
use crate::problem::Problem;
use crate::store::deliveries;
use crate::store::error::StoreError;
use crate::store::idempotency::FirstAnswer;
use crate::store::pool::{Conn, Db};
use crate::store::writes::{Delivery, insert_deliveries};
use crate::telemetry::metrics::Counters;
use crate::worker::outbox::Wake;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::directory::Directory;
use beeiq_core::formats::beeiq::Limits;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// How often a batch is decided anew because others were faster. Each time at least one of them
/// got through, so only a long queue over the same identifiers comes near it.
const ATTEMPTS: u32 = 60;

/// What takes deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub(super) db: Db,
    pub(super) directories: DirectoryCache,
    /// Rung when something has been kept for later.
    pub(super) kept_for_later: Notify,
    pub(super) capacity: Capacity,
    pub(super) lines: Lines,
    pub(super) codes: CodeAllocator,
    pub(super) limits: Limits,
    pub(super) staging: bool,
    pub(super) mail_domain: String,
    pub(super) wake: Wake,
    pub(super) counters: Counters,
}

/// What becomes of the messages that deliveries cause.
#[derive(Clone)]
pub struct Messages {
    /// Whether they are captured instead of sent.
    pub staging: bool,
    /// What `Message-ID`s end in.
    pub mail_domain: String,
    /// Told when there may be some.
    pub wake: Wake,
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
    pub(super) fn processed(status: u16, body: String) -> Self {
        Self { status, body, replayed: false, pending: None }
    }

    /// Taken for later (`listener.md` 9).
    pub(super) fn pending(delivery: Uuid) -> Self {
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
        capacity: Capacity,
        limits: Limits,
        Messages { staging, mail_domain, wake }: Messages,
        counters: Counters,
    ) -> Self {
        Self(Arc::new(Parts {
            db,
            directories,
            kept_for_later: Notify::new(),
            capacity,
            lines: Lines::default(),
            codes: CodeAllocator::default(),
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
        // Held until the end.
        let _turn = if job.goes_with_others() {
            let turned_away = |why: Overloaded| Setback::Refused(why.into());
            match self.go_with_others(Arc::clone(&directory), job).await {
                Ride::Answered(reply) => return Ok(reply),
                Ride::Lost(error) => return Err(error.into()),
                Ride::TurnedAway(why) => return Err(turned_away(why)),
                Ride::Alone => Some(self.0.capacity.turn(job.org).await.map_err(turned_away)?),
            }
        } else {
            None
        };
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
                Err(Setback::Store(StoreError::Reference(_) | StoreError::Taken(_))) => {
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
    async fn keep_rejected(&self, job: &Arc<Job>, problem: Problem) -> Problem {
        let problem = problem.of_request(job.received.id);
        if matches!(job.came, Came::Replayed { .. }) {
            // The delivery itself is kept already, and nothing has become of this.
            return problem;
        }
        match self.store_rejected(job, problem.clone()).await {
            Ok(()) => problem,
            Err(Setback::Refused(refusal)) => refusal.of_request(job.received.id),
            Err(Setback::Store(error)) => Problem::from(error).of_request(job.received.id),
            Err(_) => Problem::from(StoreError::Conflict).of_request(job.received.id),
        }
    }

    /// Keeps a request as one that cannot be applied.
    ///
    /// # Errors
    /// [`Setback::Refused`] where the listener does not take it, as the settings now are; those of
    /// the database.
    pub(super) async fn store_rejected(
        &self,
        job: &Arc<Job>,
        problem: Problem,
    ) -> Result<(), Setback> {
        let org = job.org;
        let current = self.0.directories.current(org).await?;
        if let Err(setback @ Setback::Refused(_)) = job.admitted(&current) {
            return Err(setback);
        }
        let job = Arc::clone(job);
        let keep = move |conn: &mut Conn| {
            let status = actix_web::ResponseError::status_code(&problem).as_u16();
            let body = serde_json::to_string(&problem.body(job.received.id)).unwrap_or_default();
            let reply = Reply::processed(status, body);
            let row = job.delivery(None, "rejected", &reply);
            if let Came::Due = job.came {
                // Where it does not wait any more somebody else has been at it.
                deliveries::complete(conn, org, &row)?;
                return Ok(());
            }
            insert_deliveries(conn, org, &[row])
        };
        self.0.db.in_org(org, keep).await?;
        self.0.counters.delivered("rejected");
        Ok(())
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
            let delivery = Delivery { repeats, ..job.delivery(None, &status, &reply) };
            insert_deliveries(conn, org, &[delivery])?;
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

/// Longer each time, and never the same for two: up to 2 ms at first, up to 128 ms later.
fn backoff(attempt: u32) -> Duration {
    let most_micros = 2_000_u64 << attempt.min(6);
    Duration::from_micros(u64::from_le_bytes(clock::random_bytes()) % most_micros)
}
