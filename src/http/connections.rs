//! `POST /connections/{token}`: what Oktium calls (`connections.md` 2).

use super::caller::address_or_peer;
use super::listener::{announced_length, answered, kept_headers};
use super::openapi::ProblemDocument;
use super::openapi::listener::AnyAnswer;
use crate::app::App;
use crate::clock;
use crate::http::middleware::RequestId;
use crate::ingest::Event;
use crate::problem::Problem;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::IntoResponses;

/// What a connection can answer besides what became of an event.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "here for its description")]
pub enum EventProblems {
    /// `bad_signature`: `X-Oktium-Hmac-Sha256` is wrong or absent. Nothing is kept.
    #[response(status = 401, content_type = "application/problem+json")]
    BadSignature(ProblemDocument),
    /// `wrong_business`: `X-Oktium-Business-Id` is not the connection's. Nothing is kept.
    #[response(status = 403, content_type = "application/problem+json")]
    WrongBusiness(ProblemDocument),
    /// `not_found`: no such connection.
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument),
    /// `body_too_slow`: the body came too slowly.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(ProblemDocument),
    /// `connection_disabled`.
    #[response(status = 410, content_type = "application/problem+json")]
    Disabled(ProblemDocument),
    /// `body_too_large`: over 1 MiB, or `too_complex`.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// `unavailable`, `overloaded` or `outcome_unknown`: send it again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

crate::http::routes::routes![receive];

/// Takes an event of a system that pushes, and tells what became of it. Whatever was kept is answered
/// 200, failed actions too: an admin can replay it.
#[utoipa::path(
    post,
    path = "/connections/{token}",
    tag = "Listener",
    operation_id = "receiveEvent",
    security(()),
    params(
        ("token" = String, Path, description = "The secret end of the connection's URL"),
        ("X-Oktium-Hmac-Sha256" = String, Header,
         description = "HMAC-SHA256 of the body under the connection's secret, in base64 or hex"),
        ("X-Oktium-Event-Key" = Option<String>, Header, description = "Which event it is"),
        ("X-Oktium-Business-Id" = Option<String>, Header, description = "Whose it is"),
        ("X-Hook-UUID" = Option<String>, Header,
         description = "With the same body it gets the first answer again"),
    ),
    request_body(content = serde_json::Value, description = "An event as Oktium sends it"),
    responses((status = 200, description = "It was kept", body = AnyAnswer), EventProblems),
)]
pub async fn receive(
    app: Data<App>,
    request: HttpRequest,
    token: Path<String>,
    payload: Payload,
    RequestId(id): RequestId,
) -> Result<HttpResponse, Problem> {
    let (headers, token) = (request.headers(), token.into_inner());
    let event = Event {
        id,
        at: clock::now(),
        caller: address_or_peer(&request, &app.trusted_proxies),
        headers: kept_headers(headers, &token),
        signature: header(headers, "x-oktium-hmac-sha256"),
        business: header(headers, "x-oktium-business-id"),
        name: header(headers, "x-hook-uuid"),
        announced_bytes: announced_length(headers),
        body: payload,
        token,
    };
    let reply = app.pipeline.push(event).await.map_err(|problem| problem.of_request(id))?;
    Ok(answered(reply, false, |_| String::new()))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.trim().to_owned()).filter(|value| !value.is_empty())
}
