//! Having other systems asked, and trying whether they answer (`connections.md` 1).

use crate::clock;
use crate::problem::{Problem, Result};
use crate::send::pull::{Failure, Iadvize, Listed, Listing, Wolkvox};
use crate::store::pool::Conn;
use crate::store::pulling::{self, State};
use crate::store::settings::connections::secret_place;
use crate::worker::pulls::{PullParts, SharedToken, opened, wolkvox_url};
use beeiq_core::diagnostics::Code;
use beeiq_core::records::connection::{SourceSettings, Window};
use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Asks for a run of a connection, at once: the run's id.
pub(crate) fn request_run(conn: &mut Conn, org: Uuid, connection: Uuid) -> Result<Uuid> {
    let now = clock::now();
    let state = found(pulling::state(conn, org, connection, now)?)?;
    if state.kind.pushes() {
        let detail = format!("{} tells by itself what happens.", state.kind.name());
        return Err(Problem::new(Code::NotPull, detail));
    }
    if !state.enabled || state.paused {
        let detail = "The connection is disabled or paused; enable or resume it.";
        return Err(Problem::new(Code::NotActive, detail));
    }
    if state.running {
        let detail = "A run is under way, or waits for a worker; its end is among the runs.";
        return Err(Problem::new(Code::AlreadyRunning, detail));
    }
    let run = clock::new_id();
    pulling::begin_requested(conn, org, connection, run)?;
    Ok(run)
}

fn found(state: Option<State>) -> Result<State> {
    state.ok_or_else(|| Problem::not_found("connection"))
}

/// What came of trying a connection.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ConnectionTest)]
pub struct TestReport {
    /// Whether it answers.
    ok: bool,
    /// `ok`, or what is wrong.
    #[schema(example = "credentials_refused")]
    code: &'static str,
    /// The same as a sentence.
    message: String,
}

impl TestReport {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { ok: code == "ok", code, message: message.into() }
    }
}

/// Tries a connection with the least that can be asked.
pub(crate) async fn test(parts: &PullParts, org: Uuid, connection: Uuid) -> Result<TestReport> {
    let now = clock::now();
    let find = move |conn: &mut Conn| pulling::state(conn, org, connection, now);
    let state = found(parts.db.in_org(org, find).await?)?;
    let directory = parts.directories.current(org).await?;
    let known = directory.connection(connection);
    let settings = &known.ok_or_else(|| Problem::not_found("connection"))?.settings;
    let place = secret_place(org, connection);
    let Some(secret) = opened(&parts.key.open(&place, &state.secret_sealed).unwrap_or_default())
    else {
        let message = "The secret cannot be read with this instance's key; enter it anew.";
        return Ok(TestReport::new(Code::Internal.as_str(), message));
    };
    let sources = parts.sources.clone();
    let answered = match settings {
        SourceSettings::Oktium(_) => return Ok(heard(&state)),
        SourceSettings::Iadvize(settings) => {
            let account = Iadvize::new(sources, &settings.base_url, secret);
            let listing =
                Listing { what: Listed::Websites, window: None, website: None, page: 1, limit: 1 };
            account.page(listing).await.map(drop)
        }
        SourceSettings::Wolkvox(settings) => {
            let token = SharedToken::new(parts.db.clone(), &parts.key, secret.expose_secret());
            let account = Wolkvox::new(sources, &wolkvox_url(settings), secret);
            let zone = settings.time_zone.unwrap_or(directory.org.time_zone);
            let window = Window { from: now - TimeDelta::minutes(1), to: now };
            let campaign = settings.campaign_ids.first().map_or("", String::as_str);
            token.alone(account.campaign(campaign, window, zone)).await?.map(drop)
        }
    };
    Ok(match answered {
        Ok(()) => TestReport::new("ok", format!("{} answers.", state.kind.name())),
        Err(Failure::CredentialsRefused(words)) => {
            TestReport::new(Code::CredentialsRefused.as_str(), words)
        }
        Err(Failure::Fails(words)) => TestReport::new(Code::SourceFailed.as_str(), words),
        Err(Failure::Later { words, .. }) => {
            TestReport::new(Code::SourceUnavailable.as_str(), words)
        }
        Err(Failure::TooLarge) => {
            TestReport::new(Code::SourceFailed.as_str(), "The answer is too large.")
        }
    })
}

/// Of one that pushes: whether something has come.
fn heard(state: &State) -> TestReport {
    match state.last_heard_at {
        Some(at) => TestReport::new("ok", format!("Something last came at {at}.")),
        None => {
            let message = format!(
                "Nothing has come yet: enter the connection's URL and secret in {}.",
                state.kind.name()
            );
            TestReport::new(Code::NotActive.as_str(), message)
        }
    }
}
