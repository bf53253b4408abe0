//! `POST /listener/{token}`: what other systems call (`listener.md` 1, 2).
//!
//! The order matters: the URL first (404), then the caller's address (403), then whether the
//! listener is enabled (410), then its rate (429), and only then the body. What was refused before
//! that is not kept, nor what there is no room for (503).

use super::caller::caller;
use super::intake::{Intake, IntakeLimits, read_body};
use super::openapi::ProblemDocument;
use super::openapi::listener::{AnyAnswer, NothingApplied, Payload as PayloadBody, TakenForLater};
use super::rate_limit;
use crate::access::secrets::{Token, TokenKind};
use crate::app::App;
use crate::clock;
use crate::http::middleware::RequestId;
use crate::ingest::rate::Rate;
use crate::ingest::{Answer, Credentials, OverRate, Received, Reply, admit};
use crate::problem::Problem;
use crate::store::deliveries;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::{Data, Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::{Directory, Listener, RateLimit};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument;
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;

/// What a listener can answer besides what became of the actions (`listener.md` 2).
#[derive(IntoResponses)]
#[expect(dead_code, reason = "here for its description")]
pub enum ListenerProblems {
    /// `not_json`, or `invalid_idempotency_key`: not JSON, or a malformed `Idempotency-Key`.
    #[response(status = 400, content_type = "application/problem+json")]
    NotJson(ProblemDocument),
    /// `address_not_allowed`: the caller's address is not on the listener's list.
    #[response(status = 403, content_type = "application/problem+json")]
    AddressNotAllowed(ProblemDocument),
    /// `not_found`: no such listener; a token that is malformed, unknown, rotated or deleted.
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
    /// `body_too_slow`: the body came too slowly.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(ProblemDocument),
    /// `idempotency_key_in_use`: the first request of the `Idempotency-Key` is still running.
    #[response(status = 409, content_type = "application/problem+json")]
    StillRunning(ProblemDocument),
    /// `listener_disabled`.
    #[response(status = 410, content_type = "application/problem+json")]
    Disabled(ProblemDocument),
    /// `body_too_large`, `too_many_actions`, `too_deep` or `too_complex`: over a limit.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// `encoding_not_supported`: a `Content-Encoding`.
    #[response(status = 415, content_type = "application/problem+json")]
    Encoded(ProblemDocument),
    /// `all_actions_failed` or `atomic_failed`, then with `results`, `summary` and `warnings` as in
    /// a 200. `invalid_envelope` or `unknown_sender`: the envelope is wrong. `invalid_query`: a query
    /// parameter is. `idempotency_key_reused`: the key came with another request before.
    #[response(status = 422, content_type = "application/problem+json")]
    NothingApplied(NothingApplied),
    /// `rate_limited`: over the listener's rate.
    #[response(status = 429, content_type = "application/problem+json", headers(
        ("Retry-After" = u64, description = "Seconds"),
        ("RateLimit-Policy" = String, description = "The rate: `\"listener\";q=quota;w=seconds`"),
        ("RateLimit" = String, description = "What is left: `\"listener\";r=actions;t=seconds`"),
    ))]
    OverRate(ProblemDocument),
    /// `unavailable`: the database is away. `overloaded`: there is no room for the request now.
    /// Nothing was applied.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

/// How much of a header's value is kept.
const KEPT_OF_A_HEADER: usize = 1024;

crate::http::routes::routes![receive, outcome];

/// Takes a payload, applies its actions, and tells what became of each.
#[utoipa::path(
    post,
    path = "/listener/{token}",
    tag = "Listener",
    operation_id = "deliver",
    security(()),
    params(
        ("token" = String, Path, description = "The secret end of the listener's URL"),
        ("dryRun" = Option<bool>, Query, description = "Run and report everything, change nothing"),
        ("atomic" = Option<bool>, Query, description = "Apply all actions or none"),
        ("Idempotency-Key" = Option<String>, Header, max_length = 255,
         description = "The same key and body gets the stored answer again"),
        ("Prefer" = Option<String>, Header,
         description = "`respond-async`: be answered 202 once it is kept; it is applied soon after"),
    ),
    request_body(content = PayloadBody,
                 description = "The sender and his actions. The Content-Type does not matter."),
    responses(
        (status = 200, description = "Nothing failed", body = Answer),
        (status = 202, description = "Taken for later", body = TakenForLater,
         headers(("Location" = String, description = "Where its outcome is read"))),
        (status = 207, description = "Some actions failed, some did not", body = Answer),
        ListenerProblems,
    ),
)]
pub async fn receive(
    app: Data<App>,
    request: HttpRequest,
    token: Path<String>,
    payload: Payload,
    RequestId(id): RequestId,
) -> Result<HttpResponse, Problem> {
    let at = clock::now();
    let mut admitted =
        admitted(&app, &request, &token).await.map_err(|problem| problem.of_request(id))?;
    let answer = match within_rate(&app, &mut admitted).await {
        Ok(()) => taken(&app, &request, &admitted, payload, (id, at)).await,
        Err(problem) => Err(problem),
    };
    let mut response = answer.unwrap_or_else(|problem| problem.of_request(id).error_response());
    if let Some(rate) = admitted.rate {
        let standing = app.rates.standing(admitted.listener, rate, clock::instant());
        rate_limit::tell(response.headers_mut(), rate, standing);
    }
    Ok(response)
}

/// Reads the body of a request that may send it, and answers what becomes of it.
async fn taken(
    app: &Data<App>,
    request: &HttpRequest,
    admitted: &Admitted,
    payload: Payload,
    (id, at): (Uuid, DateTime<Utc>),
) -> Result<HttpResponse, Problem> {
    let Admitted { directory, listener, caller, credentials, rate } = admitted;
    let (org, listener) = (directory.org.id, *listener);
    let mut holding = app.capacity.hold(org)?;
    let announced = announced_length(request.headers());
    let Intake { body, meter, cut_short } =
        read_body(payload, announced, intake_limits(app), &mut holding).await?;
    if let Some(rate) = *rate {
        // The first is paid.
        let more = meter.actions().saturating_sub(1);
        app.rates.charge(listener, rate, clock::instant(), more);
    }
    // What is not worked on is only kept.
    let weight = if cut_short.is_some() { 2 * body.len() } else { meter.working_bytes() };
    let received = Received {
        id,
        at,
        caller: *caller,
        query: request.query_string().to_owned(),
        headers: kept_headers(request.headers()),
        idempotency_keys: request
            .headers()
            .get_all("idempotency-key")
            .map(|value| value.as_bytes().to_vec())
            .collect(),
        body,
        body_complete: cut_short.is_none(),
    };
    let rejected = cut_short.or_else(|| encoded(request.headers()));
    // Those that go together have their turn together.
    if rejected.is_some() || !received.goes_with_others() {
        holding.work(weight).await?;
    }
    let respond_async = prefers_async(request.headers());
    let (its, directory, credentials) = (app.clone(), Arc::clone(directory), credentials.clone());
    // A task of its own: a sender who goes away ends the handler, but not the work, whose room must
    // not be given to others before it is done.
    let work = async move {
        let pipeline = &its.pipeline;
        let answer = match rejected {
            Some(problem) => {
                Err(pipeline.reject(org, listener, credentials, received, problem).await)
            }
            None => {
                pipeline.deliver(directory, listener, credentials, received, respond_async).await
            }
        };
        drop(holding);
        answer
    };
    let done =
        actix_web::rt::spawn(crate::telemetry::request::within(id, work).in_current_span()).await;
    let mut response = answered(done.map_err(|_| broken())??, |delivery| {
        format!("{}{}/deliveries/{delivery}", app.public_url, request.path())
    });
    if respond_async && response.status() == StatusCode::ACCEPTED {
        let applied = header::HeaderValue::from_static("respond-async");
        response.headers_mut().insert(HeaderName::from_static("preference-applied"), applied);
    }
    Ok(response)
}

/// A panic; it has been logged where it happened.
pub(super) fn broken() -> Problem {
    let detail = "Something went wrong on our side; it has been logged under this requestId.";
    Problem::new(Code::Internal, detail)
}

fn answered(reply: Reply, place: impl FnOnce(Uuid) -> String) -> HttpResponse {
    let Reply { status, body, replayed, pending } = reply;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, kind));
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    if let Some(delivery) = pending {
        response.insert_header((header::LOCATION, place(delivery)));
    }
    response.body(body)
}

/// What has become of a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryOutcome {
    /// The `requestId` that the delivery was answered with.
    request_id: Uuid,
    /// `pending` until it has been applied, then `done`.
    #[schema(example = "done")]
    status: &'static str,
    /// The HTTP status that the answer would have had.
    http_status: Option<i16>,
    /// The answer, as it would have been given at once.
    #[schema(value_type = Option<AnyAnswer>)]
    answer: Option<Value>,
}

/// What has become of a delivery that was taken for later (`listener.md` 9). The URL is the credential.
#[utoipa::path(
    get,
    path = "/listener/{token}/deliveries/{requestId}",
    tag = "Listener",
    operation_id = "readOutcome",
    security(()),
    params(
        ("token" = String, Path, description = "The secret end of the listener's URL"),
        ("requestId" = Uuid, Path, description = "The `requestId` of the answer 202"),
    ),
    responses(
        (status = 200, description = "Whether it is done, and with which answer", body = DeliveryOutcome),
        (status = 403, description = "`address_not_allowed`: the caller's address is not on the listener's list",
         body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: no such listener, or no such delivery of it",
         body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`listener_disabled`",
         body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: the database is away",
         body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn outcome(
    app: Data<App>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<Json<DeliveryOutcome>, Problem> {
    let (token, id) = path.into_inner();
    let Admitted { directory, listener, .. } = admitted(&app, &request, &token).await?;
    let unknown = || Problem::not_found("delivery of this listener");
    let id: Uuid = id.parse().map_err(|_| unknown())?;
    let org = directory.org.id;
    let read = move |conn: &mut _| deliveries::outcome(conn, org, Some(listener), id);
    let found = app.db.in_org(org, read).await?.ok_or_else(unknown)?;
    let pending = found.status == "pending";
    Ok(Json(DeliveryOutcome {
        request_id: id,
        status: if pending { "pending" } else { "done" },
        http_status: found.http_status,
        answer: found.answer.and_then(|answer| serde_json::from_str(&answer).ok()),
    }))
}

/// Whether the sender wants to be answered before its actions are applied (RFC 7240).
fn prefers_async(headers: &HeaderMap) -> bool {
    let preferences = headers.get_all("prefer").filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split(',')).any(|one| {
        one.split(';').next().is_some_and(|it| it.trim().eq_ignore_ascii_case("respond-async"))
    })
}

/// A request that may send its body.
struct Admitted {
    directory: Arc<Directory>,
    listener: Uuid,
    caller: IpAddr,
    credentials: Credentials,
    /// How many actions the listener takes, where that is limited.
    rate: Option<Rate>,
}

/// Finds the listener and asks whether it takes anything from this caller. A refusal is given only
/// by the directory as it is now; a request that is let in by an older one is judged again where
/// it is applied.
async fn admitted(app: &App, request: &HttpRequest, token: &str) -> Result<Admitted, Problem> {
    let unknown = || Problem::not_found("listener");
    let parsed = Token::parse(TokenKind::Listener, token);
    // A malformed token takes the same way as an unknown one.
    let org = app.directories.org_of(parsed.as_ref().map_or("", Token::org)).await?;
    let (Some(token), Some(org)) = (parsed, org) else { return Err(unknown()) };
    let peer = request.peer_addr().map(|address| address.ip());
    let credentials = Credentials {
        token_hash: token.hash(&app.key),
        caller: peer.and_then(|peer| caller(peer, request.headers(), &app.trusted_proxies)),
        at: clock::now(),
    };
    let mut directory = app.directories.get(org).await?;
    if admit(&directory, &credentials).is_err() {
        directory = app.directories.current(org).await?;
    }
    let (listener, caller) = admit(&directory, &credentials)?;
    let (rate, listener) = (rate_of(app, listener), listener.id);
    Ok(Admitted { directory, listener, caller, credentials, rate })
}

fn rate_of(app: &App, listener: &Listener) -> Option<Rate> {
    let RateLimit { per_second, burst } = listener.rate_limit?;
    Some(Rate::new(per_second, burst, app.capacity_settings.processes))
}

/// Asks whether the listener's rate lets another request in. Where it does not, the settings are
/// looked at again now and then: an admin may have raised the rate, or taken it away.
async fn within_rate(app: &App, admitted: &mut Admitted) -> Result<(), Problem> {
    let Some(rate) = admitted.rate else { return Ok(()) };
    let listener = admitted.listener;
    let take = |rate| app.rates.take(listener, rate, clock::instant());
    let Err(OverRate { mut wait, look_again }) = take(rate) else { return Ok(()) };
    if look_again {
        let current = app.directories.current(admitted.directory.org.id).await?;
        let new = rate_of(app, admit(&current, &admitted.credentials)?.0);
        let taken = new.filter(|new| *new != rate).map(take);
        (admitted.directory, admitted.rate) = (current, new);
        match taken {
            None if new == Some(rate) => {}
            None | Some(Ok(())) => return Ok(()),
            Some(Err(over)) => wait = over.wait,
        }
    }
    Err(rate_limit::problem(wait))
}

fn intake_limits(app: &App) -> IntakeLimits {
    IntakeLimits {
        bytes: app.limits.max_body_bytes,
        deadline: app.limits.body_deadline,
        rate: app.limits.min_body_rate,
        grace: app.limits.body_grace,
        nesting: usize::try_from(app.limits.max_nesting).unwrap_or(usize::MAX),
        working_bytes: app.capacity_settings.working_bytes_of_one(),
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn encoded(headers: &HeaderMap) -> Option<Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING)?.to_str().unwrap_or("an unknown encoding");
    if encoding.trim().is_empty() || encoding.trim().eq_ignore_ascii_case("identity") {
        return None;
    }
    let shown: String = encoding.chars().take(64).collect();
    let detail =
        format!("Bodies are read as they are; send this one without `Content-Encoding: {shown}`.");
    Some(Problem::new(Code::EncodingNotSupported, detail))
}

/// The headers as the delivery keeps them: without those that are there to carry secrets.
fn kept_headers(headers: &HeaderMap) -> Value {
    let mut kept = Map::new();
    for (name, value) in headers {
        if is_secret(name.as_str()) {
            continue;
        }
        let text: String =
            String::from_utf8_lossy(value.as_bytes()).chars().take(KEPT_OF_A_HEADER).collect();
        match kept.get_mut(name.as_str()) {
            Some(Value::String(known)) => {
                known.push_str(", ");
                known.push_str(&text);
            }
            _ => {
                kept.insert(name.as_str().to_owned(), Value::String(text));
            }
        }
    }
    Value::Object(kept)
}

fn is_secret(name: &str) -> bool {
    let telling = ["auth", "cookie", "token", "secret", "signature", "hmac", "api-key", "apikey"];
    name != "idempotency-key" && telling.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn headers_that_carry_secrets_are_not_kept() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "proxy-authorization",
            "cookie",
            "x-api-key",
            "x-auth-token",
            "x-hub-signature-256",
            "x-oktium-hmac-sha256",
            "user-agent",
            "idempotency-key",
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
        }
        let kept = kept_headers(&headers);
        let mut names: Vec<&String> = kept.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["idempotency-key", "user-agent"]);
    }

    #[test]
    fn a_preference_is_found_among_others_in_any_case() {
        for (value, preferred) in [
            ("respond-async", true),
            ("return=minimal, Respond-Async;q=1", true),
            ("wait=10", false),
            ("respond-asynchronously", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static("prefer"), HeaderValue::from_static(value));
            assert_eq!(prefers_async(&headers), preferred, "{value}");
        }
    }

    #[test]
    fn an_encoding_is_refused_but_for_none() {
        for (value, refused) in [("gzip", true), ("br", true), ("identity", false), ("", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(encoded(&headers).is_some(), refused, "{value}");
        }
        assert!(encoded(&HeaderMap::new()).is_none());
    }
}
