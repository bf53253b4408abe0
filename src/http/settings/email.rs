//! `/api/v1/settings/email` (`api.md` 4): the mail server that the org's e-mails go through. Owner
//! and admins only.

use super::accounts::{self, Representation, Trial, TrialReport};
use crate::app::App;
use crate::config::Environment;
use crate::http::body;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument};
use crate::problem::Problem;
use crate::send::guard::Guard;
use crate::send::smtp::Security;
use crate::send::smtp::account::{self, SmtpAccount, destination};
use crate::service::message_accounts::{self, Kept, with_secrets};
use crate::{clock, send};
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::message::Channel;
use beeiq_core::values::email::Email;
use serde_json::Value;
use utoipa::ToSchema;

const CHANNEL: Channel = Channel::Email;
const PATH: &str = "/api/v1/settings/email";

/// The org's mail server; all null: the instance's. The password is shown as `********`; sent back
/// so it stays what it is. Where it would go to another place (`host`, `port`, `security`,
/// `username`) it is asked for anew.
#[derive(ToSchema)]
#[schema(as = EmailSettings, rename_all = "camelCase", example = json!({
    "host": "smtp.example.com", "port": 587, "security": "starttls", "username": "crm",
    "password": "********", "fromAddress": "crm@example.com", "fromName": "Example CRM"
}))]
#[expect(dead_code, reason = "describes JSON that is kept as such")]
pub struct EmailSettings {
    /// A name or an address.
    #[schema(max_length = 253)]
    host: Option<String>,
    /// Null: the usual one of the security, 587, 465 or 25.
    #[schema(minimum = 1, maximum = 65_535)]
    port: Option<u16>,
    /// Null: `starttls`.
    security: Option<Security>,
    /// Null: without signing in.
    #[schema(max_length = 255)]
    username: Option<String>,
    /// Set together with the user name.
    #[schema(format = Password, max_length = 255)]
    password: Option<String>,
    /// The sender's address.
    from_address: Option<String>,
    /// The sender's name.
    #[schema(max_length = 255)]
    from_name: Option<String>,
}

crate::http::routes::routes![read, change, delete, try_out];

/// The org's mail server.
#[utoipa::path(
    get, path = "/api/v1/settings/email", tag = "Settings", operation_id = "readEmailSettings",
    responses(
        (status = 200, body = EmailSettings,
         headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
    ),
)]
pub async fn read(app: web::Data<App>, Admin(actor): Admin) -> Result<HttpResponse, Problem> {
    let (inner, org) = (app.clone(), actor.org);
    let read = move |conn: &mut _| message_accounts::kept(conn, &inner.key, org, CHANNEL);
    let kept = app.read(org, read).await?;
    Ok(answer(kept.as_ref()).into_response())
}

/// Changes the org's mail server: a merge patch (RFC 7396).
#[utoipa::path(
    patch, path = "/api/v1/settings/email", tag = "Settings", operation_id = "changeEmailSettings",
    params(("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another")),
    request_body(content = EmailSettings, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = EmailSettings,
         headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        BodyProblems,
        (status = 412, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn change(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    accounts::change(&app, actor, CHANNEL, (&request, payload), wanted, |_, kept| {
        Ok(answer(Some(kept)))
    })
    .await
    .map(Representation::into_response)
}

/// Goes back to the instance's mail server.
#[utoipa::path(
    delete, path = "/api/v1/settings/email", tag = "Settings", operation_id = "deleteEmailSettings",
    responses((status = 204), AdminProblems),
)]
pub async fn delete(app: web::Data<App>, Admin(actor): Admin) -> Result<HttpResponse, Problem> {
    accounts::delete(&app, actor, CHANNEL).await
}

/// Sends one e-mail now, and reports what became of it. At most five a minute.
#[utoipa::path(
    post, path = "/api/v1/settings/email/test", tag = "Settings",
    operation_id = "testEmailSettings",
    request_body(content = Trial, example = json!({"to": "ann@example.com"})),
    responses(
        (status = 200, body = TrialReport,
         example = json!({"status": "failed", "response": "535 5.7.8 Authentication failed"})),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`no_account`"),
        (status = 429, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn try_out(
    app: web::Data<App>,
    Admin(actor): Admin,
    payload: body::Body,
) -> Result<web::Json<TrialReport>, Problem> {
    let Trial { to } = body::json(payload).await?;
    let to = Email::parse(&to).map_err(|error| {
        Problem::fields(vec![Fault::new(Code::InvalidEmail, "/to", error.to_string())])
    })?;
    let account = match app.senders.mail_account(actor.org).await {
        Ok(account) => account,
        Err(error) => return accounts::refused(error, PATH).map(web::Json),
    };
    app.account_tests.count(actor.org, CHANNEL)?;
    if app.environment == Environment::Staging {
        return Ok(web::Json(TrialReport::captured()));
    }
    let name = &app.directories.current(actor.org).await?.org.name;
    let email = send::Email {
        to: to.value().to_owned(),
        subject: format!("{name}: a test of your mail server"),
        html: None,
        text: Some(format!("This is a test of the mail server of {name}. It works.\n")),
        message_id: format!("<{}@{}>", clock::new_id(), app.mail_domain()),
        date: clock::now(),
    };
    Ok(web::Json(app.senders.email_through(account, &email).await.into()))
}

/// The account, the password in it, that a merge patch leads to.
fn wanted(before: Option<&Kept>, patch: Value, guard: &Guard) -> Result<Value, Problem> {
    let shown = before.map(|kept| &kept.shown);
    let base = accounts::with_all_fields(account::blank(), shown);
    let merged = accounts::without_nulls(body::merged(base, patch)?);
    let moved = shown.is_some_and(|shown| destination(shown) != destination(&merged));
    let full = with_secrets(merged, CHANNEL, before, moved)?;
    let account: SmtpAccount = body::from_value(full.clone())?;
    let faults = account.check(guard);
    if faults.is_empty() { Ok(full) } else { Err(Problem::fields(faults)) }
}

fn answer(kept: Option<&Kept>) -> Representation {
    let body = accounts::with_all_fields(account::blank(), kept.map(|kept| &kept.shown));
    Representation { body, etag: accounts::etag(kept) }
}
