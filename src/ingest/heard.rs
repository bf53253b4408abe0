//! What a connection hears, pushed to it or pulled by it (`connections.md` 1, 2).

use super::admission::admit_push;
use super::attempt_error::AttemptError;
use super::deliver::to_its_end;
use super::idempotency::Idempotency;
use super::job::{Cursor, Job, Origin, Whose};
use super::pipeline::Pipeline;
use super::received::Received;
use super::reply::Reply;
use crate::clock;
use crate::problem::Problem;
use crate::secrets::{Token, TokenHash, TokenKind};
use crate::telemetry::request::{self, Request};
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::Directory;
use beeiq_core::formats::{Format, Headers};
use beeiq_core::records::connection::{Connection, Source};
use chrono::{DateTime, Utc};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use uuid::Uuid;

/// What a system sends to a connection's URL, its body read and its signature found right.
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) caller: IpAddr,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// By what it would be recognised if it came again with the same body.
    pub(crate) name: Option<String>,
}

/// A connection that takes what is pushed, by the settings as they are known here.
pub(crate) struct PushDoor {
    pub(crate) directory: Arc<Directory>,
    pub(crate) connection: Connection,
    tokens: Vec<TokenHash>,
}

impl PushDoor {
    pub(crate) fn org(&self) -> Uuid {
        self.directory.org.id
    }
}

/// What was pulled of a resource.
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
    /// The connection that a URL leads to: 404 where to none, 410 where it is disabled. A refusal is
    /// given only by the settings as they are now.
    pub(crate) async fn push_door(&self, token: &str) -> Result<PushDoor, Problem> {
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

    /// Applies what a system tells, and keeps it. Once it is kept it has been told: what could not be
    /// applied can be replayed, and the system need not tell it again.
    pub(crate) async fn push(&self, door: PushDoor, event: Event) -> Result<Reply, Problem> {
        let Event { id, at, caller, headers, body, name } = event;
        let PushDoor { directory, connection, tokens } = door;
        let (org, format) = (directory.org.id, Format::from(connection.source()));
        let whose = Whose { org, listener: connection.listener, connection: Some(connection.id) };
        let mut permit = self.0.capacity.hold(org)?;
        let mut meter = format.meter(self.0.deepest());
        meter.feed(&body);
        permit.grow(body.len())?;
        let idempotency =
            name.and_then(|name| Idempotency::of_event(org, connection.id, &name, &body, at));
        let received = Received::heard((id, at, caller), headers, format, body);
        let job = Arc::new(Job::heard(whose, Origin::Pushed(tokens), received, idempotency));
        permit.work(meter.working_bytes().min(self.0.working_bytes)).await?;
        let its = self.clone();
        let work = async move {
            let _permit = permit;
            its.settle(directory, &job).await
        };
        to_its_end(Request::new(id, self.0.limits.request_deadline), work).await
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
