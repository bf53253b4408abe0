//! What every answer has: a request id, headers, and where it is an error, a problem document
//! (`api.md` 1, 6). What the caller has already is 304 (`api.md` 2).

use super::etag;
use crate::app::App;
use crate::clock;
use crate::config::Environment;
use crate::problem::Problem;
use crate::telemetry::request::{self, Request};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use beeiq_core::diagnostics::Code;
use std::future::{Ready, ready};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ENVIRONMENT: HeaderName = HeaderName::from_static("beeiq-environment");

/// The id of a request, as an argument of a handler: in the logs, in `X-Request-Id` and in
/// problems. A delivery of a listener has it as its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId(pub Uuid);

impl FromRequest for RequestId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.extensions().get::<Self>().copied();
        ready(Ok(id.unwrap_or_else(|| Self(clock::new_id()))))
    }
}

/// Gives each request an id, logs what became of it under its route's pattern (a path can hold a
/// token), and sees to it that every error is a problem document with that id.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    let started = clock::instant();
    let id = clock::new_id();
    request.extensions_mut().insert(RequestId(id));
    let span = span(id, request.headers());
    let deadline = request
        .app_data::<web::Data<App>>()
        .map_or(request::BACKGROUND, |app| app.request_deadline);
    let within = request::within(Request::new(id, deadline), next.call(request));
    let response = within.instrument(span.clone()).await?;
    let response = replaced(response, id);
    let response = with_headers(response, id);
    let route = response.request().match_pattern();
    let (route, method) = (route.as_deref().unwrap_or("none"), response.request().method());
    if let Some(app) = response.request().app_data::<web::Data<App>>() {
        let (status, took) = (response.status().as_u16(), started.elapsed());
        app.metrics.counters.answered(route, method.as_str(), status, took);
    }
    span.in_scope(|| {
        tracing::info!(
            %method,
            route,
            status = response.status().as_u16(),
            duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
    });
    Ok(response)
}

/// What all log lines of a request have: its id, and so that it is found by what the caller knows
/// it as, the caller's id of it and that of the trace it belongs to. Those are never used as ids.
fn span(id: Uuid, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "request",
        request_id = %id,
        caller_request_id = Empty,
        trace_id = Empty
    );
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(theirs) = text("x-request-id").and_then(caller_id) {
        span.record("caller_request_id", theirs);
    }
    if let Some(trace) = text("traceparent").and_then(trace_id) {
        span.record("trace_id", trace);
    }
    span
}

/// A caller's own id, where it looks like one and is not too long for a log.
fn caller_id(text: &str) -> Option<&str> {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.:/+=".contains(&letter);
    ((1..=128).contains(&text.len()) && text.bytes().all(fits)).then_some(text)
}

/// The trace's id in a `traceparent` (W3C Trace Context): `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace_id(text: &str) -> Option<&str> {
    let mut parts = text.split('-');
    let (_version, trace) = (parts.next()?, parts.next()?);
    let hex = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    let valid = trace.len() == 32 && trace.bytes().all(hex) && trace.bytes().any(|it| it != b'0');
    valid.then_some(trace)
}

/// The same answer; or where it is an error, its problem document with the request's id; or where
/// the caller has it already, 304.
fn replaced<B: MessageBody>(
    response: ServiceResponse<B>,
    id: Uuid,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let replaced = match response.response().error() {
        Some(error) => problem_of(error, id),
        None if is_bare_error(&response) => bare(response.response(), id),
        None if is_known(&response) => not_modified(response.headers()),
        None => return response.map_into_left_body(),
    };
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, replaced).map_into_right_body()
}

fn is_known<B>(response: &ServiceResponse<B>) -> bool {
    response.request().method().is_safe()
        && response.status() == StatusCode::OK
        && etag::is_known(response.request(), response.headers())
}

fn not_modified(headers: &HeaderMap) -> HttpResponse {
    let mut answer = HttpResponse::NotModified();
    for etag in headers.get_all(ETAG) {
        answer.insert_header((ETAG, etag));
    }
    answer.finish()
}

fn problem_of(error: &Error, id: Uuid) -> HttpResponse {
    match error.as_error::<Problem>() {
        Some(problem) if problem.request_id.is_some() => problem.error_response(),
        Some(problem) => problem.clone().of_request(id).error_response(),
        None => bare(&error.error_response(), id),
    }
}

/// The framework answers a wrong method without a body.
fn is_bare_error<B>(response: &ServiceResponse<B>) -> bool {
    response.status().is_client_error() && !response.headers().contains_key(CONTENT_TYPE)
}

/// The problem document of an error that the framework found.
fn bare<B>(response: &HttpResponse<B>, id: Uuid) -> HttpResponse {
    let allow = response.headers().get(ALLOW).cloned();
    let problem = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => {
            let methods = allow.as_ref().and_then(|it| it.to_str().ok()).unwrap_or("other methods");
            Problem::new(Code::MethodNotAllowed, format!("This path takes {methods}."))
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::BodyTooLarge, "The body is too large."),
        status if status.is_client_error() => Problem::not_found("path"),
        _ => Problem::new(
            Code::Internal,
            "Something went wrong on our side; it has been logged under this requestId.",
        ),
    };
    let mut answer = problem.of_request(id).error_response();
    if let Some(methods) = allow {
        answer.headers_mut().insert(ALLOW, methods);
    }
    answer
}

fn with_headers<B>(mut response: ServiceResponse<B>, id: Uuid) -> ServiceResponse<B> {
    let staging = response
        .request()
        .app_data::<web::Data<App>>()
        .is_some_and(|app| app.environment == Environment::Staging);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    if staging {
        headers.insert(ENVIRONMENT, HeaderValue::from_static(Environment::Staging.as_str()));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_id_is_logged_only_where_it_can_do_no_harm_there() {
        let long = "x".repeat(129);
        for (text, logged) in [
            ("0199f3c2-7b1e-7c4d-8000-000000000000", true),
            ("Root=1-67891233-abcdef012345678912345678", true),
            ("", false),
            ("two words", false),
            ("a\u{7f}", false),
            ("{\"level\":\"ERROR\"}", false),
            (long.as_str(), false),
        ] {
            assert_eq!(caller_id(text).is_some(), logged, "{text}");
        }
    }

    #[test]
    fn a_trace_is_known_by_its_traceparent() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(&parent), Some(trace));
        for wrong in ["", "00", "00-abc-00f067aa0ba902b7-01", &parent.to_uppercase()] {
            assert_eq!(trace_id(wrong), None, "{wrong}");
        }
        assert_eq!(trace_id(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))), None);
    }
}
