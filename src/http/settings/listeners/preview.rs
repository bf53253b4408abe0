//! `POST /api/v1/listeners/{id}/preview` (`api.md` 4): a listener's welcome messages, tried out.

use crate::access::Actor;
use crate::app::App;
use crate::clock;
use crate::config::Environment;
use crate::http::body;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument};
use crate::problem::Problem;
use crate::store::batch_load;
use crate::store::pool::Conn;
use actix_web::web;
use beeiq_core::actions::{Act, AddContact};
use beeiq_core::batch::{Context, Ids, Keys, Overlay, Request, Snapshot};
use beeiq_core::diagnostics::{Diagnostics, Pointer, Warning};
use beeiq_core::directory::{Directory, User};
use beeiq_core::records::counter::Counter;
use beeiq_core::records::message::Content;
use beeiq_core::values::sms::segments;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// For whom to render.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewOrder {
    /// The `data` of an `add-contact`.
    #[schema(value_type = Object, example = json!({
        "name": "Huy", "emails": [{"value": "huy@example.com"}], "phones": [{"value": "0905000001"}]
    }))]
    data: Value,
}

/// The welcome messages as that contact would get them, also where the data has no address for one:
/// then a warning says so. Null: the listener has none, or it cannot be rendered.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Preview {
    /// The e-mail.
    email: Option<EmailPreview>,
    /// The SMS.
    sms: Option<SmsPreview>,
    /// What is odd about the data, and which message that contact would not get and why.
    warnings: Vec<Warning>,
}

/// An e-mail, rendered.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmailPreview {
    /// The subject.
    #[schema(example = "Welcome to Acme, Huy")]
    subject: String,
    /// The HTML part.
    html: String,
    /// The text part.
    text: Option<String>,
}

/// An SMS, rendered.
#[derive(Debug, Serialize, ToSchema)]
pub struct SmsPreview {
    /// The text.
    #[schema(example = "Acme: welcome Huy!")]
    content: String,
    /// How many segments it takes.
    #[schema(minimum = 1)]
    segments: u32,
}

crate::http::routes::routes![preview];

/// Renders a listener's welcome messages for a contact. Nothing is made or sent, and it does not
/// matter whether the org has the contact already.
#[utoipa::path(
    post, path = "/api/v1/listeners/{id}/preview", tag = "Listeners",
    operation_id = "previewListener",
    params(("id" = Uuid, Path)),
    request_body = PreviewOrder,
    responses(
        (status = 200, body = Preview),
        AdminProblems,
        BodyProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn preview(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
    payload: body::Body,
) -> Result<web::Json<Preview>, Problem> {
    let id = id.parse().map_err(|_| unknown())?;
    let PreviewOrder { data } = body::json(payload).await?;
    let directory = app.directories.current(actor.org).await?;
    let staging = app.environment == Environment::Staging;
    let org = actor.org;
    let preview =
        app.read(org, move |conn| render(conn, &actor, &directory, id, &data, staging)).await?;
    Ok(web::Json(preview))
}

fn render(
    conn: &mut Conn,
    actor: &Actor,
    directory: &Arc<Directory>,
    listener: Uuid,
    data: &Value,
    staging: bool,
) -> Result<Preview, Problem> {
    let listener =
        directory.listeners.iter().find(|known| known.id == listener).ok_or_else(unknown)?;
    let sender = directory.users.acting(actor.user()).ok_or_else(unknown)?;
    let context = Context { directory, listener, connection: None };
    let mut diagnostics = Diagnostics::default();
    let at = Pointer::root().member("data");
    let Some(action) = AddContact::read(data, at, context, &mut diagnostics) else {
        return Err(Problem::fields(diagnostics.faults));
    };
    let mut keys = Keys::default();
    action.collect_keys(&mut keys);
    // A preview costs nothing, so it needs no credits.
    let snapshot = Snapshot { sms_credits: i64::MAX, ..batch_load::load(conn, actor.org, &keys)? };
    let overlay = Overlay::new(request(context, sender, staging), snapshot);
    let (contents, warnings) = action
        .welcome(&overlay, &mut Invented, diagnostics)
        .map_err(|rejection| Problem::fields(rejection.faults))?;
    let mut preview = Preview { warnings, ..Preview::default() };
    for content in contents {
        preview.show(content);
    }
    Ok(preview)
}

fn unknown() -> Problem {
    Problem::not_found("listener")
}

fn request<'a>(context: Context<'a>, sender: &'a User, staging: bool) -> Request<'a> {
    // Nothing is kept of it.
    Request { id: Uuid::nil(), context, sender, now: clock::now(), staging }
}

impl Preview {
    fn show(&mut self, content: Content) {
        match content {
            Content::Email { subject, html, text } => {
                self.email = Some(EmailPreview { subject, html, text });
            }
            Content::Sms { text: content } => {
                let segments = segments(&content).count;
                self.sms = Some(SmsPreview { content, segments });
            }
        }
    }
}

/// Ids and numbers of records that are never written.
struct Invented;

impl Ids for Invented {
    fn id(&mut self) -> Uuid {
        clock::new_id()
    }

    fn number(&mut self, _: Counter) -> i64 {
        1
    }

    fn deal_id(&mut self) -> String {
        "1".to_owned()
    }
}
