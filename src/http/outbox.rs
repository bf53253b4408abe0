//! `/api/v1/outbox` (`api.md` 4): the messages, and what became of them. Owner and admins only.

use super::etag;
use super::openapi::{AdminProblems, ProblemDocument, QueryProblem};
use super::page::{Page, Query, invalid};
use super::records::representation::{CustomerReferenceBody, customer_reference};
use crate::access::Actor;
use crate::app::App;
use crate::http::extract::Admin;
use crate::problem::Problem;
use crate::store::error::StoreError;
use crate::store::outbox::{self, AttemptRow, Decision, Filters, Message};
use crate::store::pool::Conn;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::Code;
use beeiq_core::records::message::{Channel, Content, Status};
use beeiq_core::values::suggest;
use beeiq_core::values::words::Word;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxMessage)]
pub struct MessageBody {
    /// Its id.
    id: Uuid,
    /// `email` or `sms`.
    #[schema(example = "email")]
    channel: Channel,
    /// `pending`, `sending`, `sent`, `dead`, `cancelled` or `captured`.
    #[schema(example = "sent")]
    status: Status,
    /// The e-mail address or the number, in E.164, that it goes to.
    #[schema(example = "huy.nguyen@example.com")]
    to: String,
    /// An e-mail's subject; null for an SMS.
    subject: Option<String>,
    /// The contact or account, and the lead, that it is for.
    recipients: Vec<CustomerReferenceBody>,
    /// The request that caused it.
    request_id: Option<Uuid>,
    /// The listener by which that came.
    listener_id: Option<Uuid>,
    /// The same on every attempt.
    #[schema(example = "<01a1fbad-0000-7000-8000-000000000001@crm.example>")]
    message_id: String,
    /// The id that the provider gave it.
    provider_id: Option<String>,
    /// What the provider answered last.
    last_response: Option<String>,
    /// When it is tried next, at the earliest; null where it is not.
    next_attempt_at: Option<DateTime<Utc>>,
    /// Until when nothing of the channel is sent, because its account was refused; null otherwise.
    paused_until: Option<DateTime<Utc>>,
    /// When it was queued.
    created_at: DateTime<Utc>,
    /// When the provider took it over.
    sent_at: Option<DateTime<Utc>>,
}

/// A message with its content and its attempts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxMessageInFull)]
pub struct WholeMessageBody {
    /// What the list tells of it.
    #[serde(flatten)]
    message: MessageBody,
    /// An e-mail's content, as it is sent; null for an SMS.
    email: Option<EmailContentBody>,
    /// An SMS's content, as it is sent; null for an e-mail.
    sms: Option<SmsContentBody>,
    /// Its tries, in order.
    attempts: Vec<AttemptBody>,
}

/// A rendered e-mail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EmailContent)]
pub struct EmailContentBody {
    /// The subject.
    subject: String,
    /// The HTML part.
    html: Option<String>,
    /// The text part.
    text: Option<String>,
}

/// A rendered SMS.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SmsContent)]
pub struct SmsContentBody {
    /// The text.
    content: String,
    /// How many SMS it takes.
    segments: Option<i16>,
}

/// A try of a message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OutboxAttempt)]
pub struct AttemptBody {
    /// From 1.
    number: i32,
    /// When it began.
    at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    duration_ms: i32,
    /// `sent`, `transient` (tried again) or `permanent`.
    #[schema(example = "sent")]
    outcome: String,
    /// What the provider answered.
    #[schema(example = "250 2.0.0 Ok: queued as 4F1A2B")]
    response: String,
}

crate::http::routes::routes![list, read, retry, cancel];

/// The org's messages, newest first.
#[utoipa::path(
    get, path = "/api/v1/outbox", tag = "Outbox", operation_id = "listMessages",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100, description = "How many; 20 when absent"),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
        ("channel" = Option<String>, Query, description = "`email` or `sms`"),
        ("status" = Option<String>, Query,
         description = "`pending`, `sending`, `sent`, `dead`, `cancelled` or `captured`"),
        ("to" = Option<String>, Query, description = "This address, in any case, or number in E.164"),
    ),
    responses((status = 200, body = Page<MessageBody>), AdminProblems, QueryProblem),
)]
pub async fn list(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
) -> Result<web::Json<Page<MessageBody>>, Problem> {
    let query = Query::of_list(&request, &["channel", "status", "to"])?;
    let paging = query.paging()?;
    let filters = Filters {
        channel: choice(&query, "channel")?,
        status: choice(&query, "status")?,
        to: query.get("to").map(|to| to.trim().to_owned()),
    };
    let rows = app
        .read(actor.org, move |conn| {
            outbox::list(conn, &actor, &filters, paging.before(), paging.rows())
        })
        .await?;
    Ok(web::Json(paging.page(rows, |message| message.row.id).map(shown)))
}

/// One message, with its content and its attempts.
#[utoipa::path(
    get, path = "/api/v1/outbox/{id}", tag = "Outbox", operation_id = "readMessage",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WholeMessageBody, headers(("ETag" = String, description = "Of this state"))),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn read(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    let message = app.read(actor.org, move |conn| whole(conn, &actor, id)).await?;
    Ok(answer(&message))
}

/// Sends a message again that is dead or cancelled, or one that waits at once; ends the pause of its
/// channel.
#[utoipa::path(
    post, path = "/api/v1/outbox/{id}/retry", tag = "Outbox", operation_id = "retryMessage",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WholeMessageBody, headers(("ETag" = String, description = "Of this state"))),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`wrong_status`: it is being sent, is sent, or is never to be sent"),
    ),
)]
pub async fn retry(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let message = decide(&app, actor, &id, outbox::retry, "retried").await?;
    app.outbox.wake();
    Ok(answer(&message))
}

/// Sees to it that a message that waits, or is dead, is not sent.
#[utoipa::path(
    post, path = "/api/v1/outbox/{id}/cancel", tag = "Outbox", operation_id = "cancelMessage",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WholeMessageBody, headers(("ETag" = String, description = "Of this state"))),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`wrong_status`: it is being sent, is sent, cancelled, or never to be sent"),
    ),
)]
pub async fn cancel(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(answer(&decide(&app, actor, &id, outbox::cancel, "cancelled").await?))
}

type Decide = fn(&mut Conn, Uuid, Uuid) -> Result<Decision, StoreError>;

async fn decide(
    app: &App,
    actor: Actor,
    id: &str,
    decide: Decide,
    wish: &'static str,
) -> Result<WholeMessageBody, Problem> {
    let id = parse_id(id)?;
    app.write(actor.org, move |conn| match decide(conn, actor.org, id)? {
        Decision::Done => whole(conn, &actor, id),
        Decision::Unknown => Err(unknown()),
        Decision::Refused(status) => {
            let message = format!("A message that is {status} cannot be {wish}.");
            Err(Problem::new(Code::WrongStatus, message))
        }
    })
    .await
}

fn whole(conn: &mut Conn, actor: &Actor, id: Uuid) -> Result<WholeMessageBody, Problem> {
    let message = outbox::find(conn, actor, id)?.ok_or_else(unknown)?;
    let attempts = outbox::attempts(conn, actor.org, id)?;
    let (email, sms) = match outbox::content(conn, actor.org, id)? {
        Content::Email { subject, html, text } => {
            (Some(EmailContentBody { subject, html: Some(html), text }), None)
        }
        Content::Sms { text: content } => {
            (None, Some(SmsContentBody { content, segments: message.row.segments }))
        }
    };
    let attempts = attempts.into_iter().map(attempt).collect();
    Ok(WholeMessageBody { message: shown(message), email, sms, attempts })
}

fn answer(message: &WholeMessageBody) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag::of(message))).json(message)
}

fn shown(message: Message) -> MessageBody {
    let Message { row, subject, channel, status, recipients, pause } = message;
    let waits = status == Status::Pending;
    MessageBody {
        id: row.id,
        channel,
        status,
        to: row.recipient,
        subject,
        recipients: recipients.into_iter().map(customer_reference).collect(),
        request_id: row.request_id,
        listener_id: row.listener_id,
        message_id: row.message_id,
        provider_id: row.provider_id,
        last_response: row.last_words,
        next_attempt_at: waits.then_some(row.next_attempt_at),
        paused_until: pause.filter(|_| waits).map(|pause| pause.until),
        created_at: row.created_at,
        sent_at: row.sent_at,
    }
}

fn attempt(row: AttemptRow) -> AttemptBody {
    let AttemptRow { number, at, duration_ms, outcome, words } = row;
    AttemptBody { number, at, duration_ms, outcome, response: words }
}

/// A parameter that is one of a few words.
fn choice<W: Word>(query: &Query, name: &str) -> Result<Option<W>, Problem> {
    let words = || suggest::listed(W::ALL.iter().map(|one| one.as_str()), W::ALL.len());
    let read =
        |word: &str| word.parse().map_err(|_| invalid(name, &format!("is one of {}.", words())));
    query.get(name).map(read).transpose()
}

fn parse_id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("message")
}
