//! `POST /listener/{token}`: what other systems call (`listener.md` 1, 2).

use super::caller::address_of;
use super::openapi::ProblemDocument;
use super::openapi::listener::{AnyAnswer, NothingApplied, Payload as PayloadBody, TakenForLater};
use super::rate_limit;
use crate::app::App;
use crate::clock;
use crate::http::middleware::RequestId;
use crate::ingest::{Answer, Answered, Arrival, Reply};
use crate::problem::Problem;
use crate::store::deliveries;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{Data, Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use beeiq_core::diagnostics::Code;
use beeiq_core::formats::{Format, Headers};
use beeiq_core::records::delivery::DeliveryStatus;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;

/// What is posted to a listener.
const FORMAT: Format = Format::Beeiq;

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
    /// `unavailable`: the database is away. `overloaded`: there is no room for the request now. In
    /// both cases nothing was applied. `outcome_unknown`: the database was lost while it committed;
    /// `GET /deliveries/{requestId}` and a retry with the same `Idempotency-Key` tell.
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
                 description = "The sender and their actions. The Content-Type does not matter."),
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
) -> HttpResponse {
    let headers = request.headers();
    let prefers_async = prefers_async(headers);
    let keys = headers.get_all("idempotency-key").map(|value| value.as_bytes().to_vec());
    let token = token.into_inner();
    let arrival = Arrival {
        id,
        at: clock::now(),
        caller: address_of(&request, &app.trusted_proxies),
        query: request.query_string().replace(token.as_str(), CUT_OUT),
        headers: kept_headers(headers, &token),
        token,
        idempotency_keys: keys.collect(),
        prefers_async,
        format: FORMAT,
        announced_bytes: announced_length(headers),
        unreadable: encoded(headers),
        body: payload,
    };
    let Answered { reply, quota } = app.pipeline.deliver(arrival).await;
    let mut response = match reply {
        Ok(reply) => answered(reply, prefers_async, |delivery| {
            format!("{}{}/deliveries/{delivery}", app.public_url, request.path())
        }),
        Err(problem) => problem.error_response(),
    };
    if let Some((rate, quota)) = quota {
        rate_limit::tell(response.headers_mut(), rate, quota);
    }
    response
}

pub(super) fn answered(
    reply: Reply,
    prefers_async: bool,
    location: impl FnOnce(Uuid) -> String,
) -> HttpResponse {
    let Reply { status, body, replayed, pending } = reply;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, kind));
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    if let Some(delivery) = pending {
        response.insert_header((header::LOCATION, location(delivery)));
    }
    if prefers_async && status == StatusCode::ACCEPTED {
        let applied = HeaderValue::from_static("respond-async");
        response.insert_header((HeaderName::from_static("preference-applied"), applied));
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
    let caller = address_of(&request, &app.trusted_proxies);
    let (org, listener) = app.pipeline.admit_reader(&token, caller).await?;
    let unknown = || Problem::not_found("delivery of this listener");
    let id: Uuid = id.parse().map_err(|_| unknown())?;
    let read = move |conn: &mut _| deliveries::outcome(conn, org, Some(listener), id);
    let found = app.db.in_org(org, read).await?.ok_or_else(unknown)?;
    let pending = found.status == DeliveryStatus::Pending;
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

pub(super) fn announced_length(headers: &HeaderMap) -> Option<u64> {
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

/// The headers that are kept: those that tell what was sent by which program, and none that may carry
/// a secret under a name that nobody foresaw.
const KEPT_HEADERS: [&str; 22] = [
    "accept",
    "accept-language",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "host",
    "idempotency-key",
    "origin",
    "prefer",
    "referer",
    "traceparent",
    "transfer-encoding",
    "user-agent",
    "via",
    "x-attempt-number",
    "x-forwarded-for",
    "x-hook-uuid",
    "x-oktium-branch-id",
    "x-oktium-business-id",
    "x-oktium-event-key",
    "x-request-id",
];

/// What stands where the listener's token was.
const CUT_OUT: &str = "[token]";

/// The headers as the delivery keeps them, without the listener's token wherever it stands.
pub(super) fn kept_headers(headers: &HeaderMap, token: &str) -> Headers {
    let kept = headers.iter().filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
    let shown = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes()).replace(token, CUT_OUT);
        text.chars().take(KEPT_OF_A_HEADER).collect()
    };
    kept.map(|(name, value)| (name.as_str().to_owned(), shown(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_that_carry_no_secrets_are_kept_and_never_the_token() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "proxy-authorization",
            "cookie",
            "x-api-key",
            "x-auth-token",
            "x-hub-signature-256",
            "x-oktium-hmac-sha256",
            "x-shop-password",
            "user-agent",
            "idempotency-key",
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
        }
        let referer = HeaderValue::from_static("https://crm.example/listener/t0k3n");
        headers.insert(header::REFERER, referer);
        let kept = kept_headers(&headers, "t0k3n");
        assert_eq!(kept.get("referer"), Some("https://crm.example/listener/[token]"));
        let names: Vec<&str> = kept.names().collect();
        assert_eq!(names, ["idempotency-key", "referer", "user-agent"]);
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
