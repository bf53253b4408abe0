//! What a connection hears, pushed to it or pulled by it (`connections.md` 1, 2).

use super::admission::admit_push;
use super::attempt_error::AttemptError;
use super::deliver::to_its_end;
use super::idempotency::Idempotency;
use super::intake::Intake;
use super::job::{Cursor, Job, Origin, Whose};
use super::pipeline::Pipeline;
use super::received::Received;
use super::reply::Reply;
use crate::access::signature;
use crate::clock;
use crate::problem::Problem;
use crate::secrets::{Token, TokenHash, TokenKind};
use crate::store::connection_state;
use crate::store::settings::connections::secret_place;
use crate::telemetry::request::{self, Request};
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::Directory;
use beeiq_core::formats::{Format, Headers};
use beeiq_core::records::connection::{Connection, OktiumSettings, Source, SourceSettings};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use secrecy::SecretString;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use uuid::Uuid;

/// The largest event that is taken: 1 MiB.
const LARGEST_EVENT: usize = 1024 * 1024;

/// What a system sends to a connection's URL.
pub(crate) struct Event<B> {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    /// The secret end of the URL.
    pub(crate) token: String,
    pub(crate) caller: IpAddr,
    /// Those that are kept.
    pub(crate) headers: Headers,
    pub(crate) signature: Option<String>,
    /// Of which business it says to be.
    pub(crate) business: Option<String>,
    /// By what it would be recognised if it came again with the same body.
    pub(crate) name: Option<String>,
    pub(crate) announced_bytes: Option<u64>,
    /// The body, piece by piece.
    pub(crate) body: B,
}

/// A connection to which a URL leads.
struct PushDoor {
    directory: Arc<Directory>,
    connection: Connection,
    tokens: Vec<TokenHash>,
}

/// What was pulled of a resource.
#[derive(Clone)]
pub(crate) struct Pulled {
    pub(crate) org: Uuid,
    pub(crate) connection: Uuid,
    pub(crate) source: Source,
    /// The document of `connections.md` 1.
    pub(crate) body: Vec<u8>,
    /// How far the resource has been asked for with that; none where more of its window comes.
    pub(crate) cursor: Option<Cursor>,
}

impl Pipeline {
    /// Applies what a system tells, and keeps it: then it has been told, and what could not be applied
    /// can be replayed. What is not signed as it should be is not kept, but counted and told in the
    /// connection's `lastError`.
    pub(crate) async fn push<B, P, E>(&self, event: Event<B>) -> Result<Reply, Problem>
    where
        B: Stream<Item = Result<P, E>> + Unpin,
        P: AsRef<[u8]>,
        E: Display,
    {
        let door = self.push_door(&event.token).await?;
        let (org, connection) = (door.directory.org.id, door.connection.id);
        let format = Format::from(door.connection.source());
        let mut permit = self.0.capacity.hold(org)?;
        let (meter, length) =
            (format.meter(self.0.deepest()), (event.announced_bytes, LARGEST_EVENT));
        let Intake { body, meter, cut_short } =
            self.0.read_body(event.body, length, meter, &mut permit).await?;
        let signature = event.signature.unwrap_or_default();
        let refused = match (cut_short, self.push_secret(org, connection).await?) {
            (Some(problem), _) => Some(problem),
            (None, secret) if !signature::is_of(&signature, &body, &secret) => {
                Some(bad_signature())
            }
            (None, _) => wrong_business(&door.connection, event.business.as_deref()),
        };
        if let Some(problem) = refused {
            return Err(self.refuse_event(org, connection, problem).await);
        }
        let whose = Whose { org, listener: door.connection.listener, connection: Some(connection) };
        let name = event.name;
        let idempotency =
            name.and_then(|name| Idempotency::of_event(org, connection, &name, &body, event.at));
        let arrived = (event.id, event.at, event.caller);
        let received = Received::heard(arrived, event.headers, format, body);
        let job = Arc::new(Job::heard(whose, Origin::Pushed(door.tokens), received, idempotency));
        permit.work(meter.working_bytes()).await?;
        let its = self.clone();
        let work = async move {
            let _permit = permit;
            let reply = its.settle(door.directory, &job).await?;
            its.note_heard(org, connection).await;
            Ok(reply)
        };
        to_its_end(Request::new(event.id, self.0.limits.request_deadline), work).await
    }

    /// The connection that a URL leads to: 404 where to none, 410 where it is disabled. A refusal is
    /// given only by the settings as they are now.
    async fn push_door(&self, token: &str) -> Result<PushDoor, Problem> {
        let unknown = || Problem::not_found("connection");
        let parsed = Token::parse(TokenKind::Connection, token);
        // A malformed token takes the same way as an unknown one.
        let org = self.0.directories.org_of(parsed.as_ref().map_or("", Token::org)).await?;
        let (Some(token), Some(org)) = (parsed, org) else { return Err(unknown()) };
        let (tokens, now) = (token.hashes(&self.0.key), clock::now());
        let mut directory = self.0.directories.get(org).await?;
        if admit_push(&directory, &tokens, now).is_err() {
            directory = self.0.directories.current(org).await?;
        }
        let connection = admit_push(&directory, &tokens, now)?.clone();
        Ok(PushDoor { directory, connection, tokens })
    }

    /// With what a connection's events are signed.
    async fn push_secret(&self, org: Uuid, connection: Uuid) -> Result<SecretString, Problem> {
        let find = move |conn: &mut _| connection_state::secret(conn, org, connection);
        let sealed = self.0.db.in_org(org, find).await?;
        let sealed = sealed.ok_or_else(|| Problem::not_found("connection"))?;
        let opened = self.0.key.open(&secret_place(org, connection), &sealed).ok();
        let secret = opened.and_then(|bytes| String::from_utf8(bytes).ok());
        secret.map(SecretString::from).ok_or_else(|| {
            tracing::error!(%org, %connection, "the secret of a connection cannot be opened");
            Problem::new(Code::Internal, "The connection's secret cannot be read; enter it again.")
        })
    }

    /// Tells the connection's admins why it takes nothing.
    async fn refuse_event(&self, org: Uuid, connection: Uuid, problem: Problem) -> Problem {
        let (code, message, at) = (problem.code.as_str(), problem.detail.clone(), clock::now());
        let note = move |conn: &mut _| {
            connection_state::note_error(conn, org, connection, code, &message, at)
        };
        if let Err(error) = self.0.db.in_org(org, note).await {
            tracing::warn!(%error, "why an event was refused could not be noted");
        }
        self.0.counters.refused_event(code);
        problem
    }

    async fn note_heard(&self, org: Uuid, connection: Uuid) {
        let at = clock::now();
        let note = move |conn: &mut _| connection_state::note_heard(conn, org, connection, at);
        if let Err(error) = self.0.db.in_org(org, note).await {
            tracing::warn!(%error, "that a connection was told something could not be noted");
        }
    }

    /// Applies what was pulled, and keeps it; in the same commit the cursor moves. What cannot be read
    /// at all is not kept: it is the program's own document, and will be asked for again.
    pub(crate) async fn pulled(&self, pulled: Pulled) -> Result<Reply, Problem> {
        let Pulled { org, connection, source, body, cursor } = pulled;
        let format = Format::from(source);
        let (id, at) = (clock::new_id(), clock::now());
        let directory = self.0.directories.get(org).await?;
        let listener = directory.connection(connection).map(|connection| connection.listener);
        let listener = listener.ok_or_else(|| Problem::not_found("connection"))?;
        let mut permit = self.0.capacity.hold(org)?;
        let mut meter = format.meter(self.0.deepest());
        meter.feed(&body);
        permit.grow(body.len())?;
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let received = Received::heard((id, at, nobody), Headers::none(), format, body);
        let whose = Whose { org, listener, connection: Some(connection) };
        let job = Arc::new(Job::heard(whose, Origin::Pulled(cursor), received, None));
        permit.work(meter.working_bytes().min(self.0.working_bytes)).await?;
        let its = self.clone();
        let work = async move {
            let _permit = permit;
            its.attempts(directory, &job).await.map_err(|error| match error {
                AttemptError::Repeated(_) => Problem::new(Code::Internal, "It came twice."),
                error => Problem::from(error).of_request(id),
            })
        };
        to_its_end(Request::new(id, request::BACKGROUND), work).await
    }
}

fn bad_signature() -> Problem {
    let detail = "`X-Oktium-Hmac-Sha256` is not the HMAC-SHA256 of the body under the connection's \
                  `secret`; enter the same secret in both.";
    Problem::new(Code::BadSignature, detail)
}

fn wrong_business(connection: &Connection, told: Option<&str>) -> Option<Problem> {
    let SourceSettings::Oktium(OktiumSettings { business_id: Some(expected), .. }) =
        &connection.settings
    else {
        return None;
    };
    (told != Some(expected)).then(|| {
        let detail = "`X-Oktium-Business-Id` is not the connection's `businessId`; mend that, or \
                      leave it empty to take any.";
        Problem::new(Code::WrongBusiness, detail)
    })
}
