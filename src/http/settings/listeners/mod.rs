//! `/api/v1/listeners` (`api.md` 4): the URLs that other systems post to. Owner and admins only.

pub mod preview;

use super::operations::handlers;
use super::resource::Change;
use crate::app::App;
use crate::http::body;
use crate::problem::Problem;
use crate::service::settings::Edit;
use crate::service::settings::listeners::{Listener, ListenerSettings, Listeners};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

/// How to rotate a listener's URL.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotation {
    /// How long the earlier URLs go on working, in seconds, at most 366 days.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 31_622_400)]
    pub(in crate::http::settings) grace_seconds: u32,
}

pub type ListenerChange = Change<ListenerSettings>;

handlers! {
    resource(app): listeners(&app), paths: ("/api/v1/listeners", "/api/v1/listeners/{id}"),
    tag: "Listeners", one: "a listener", several: "listeners", named: ("Listener", "Listeners"),
    entry: Listener, operations: [list, read, change(ListenerChange), delete] and [create, rotate], filters: []
}

/// Makes a listener. A tag that is new is created.
#[utoipa::path(
    post, path = "/api/v1/listeners", tag = "Listeners", operation_id = "createListener",
    request_body(content = ListenerSettings, example = json!({
        "name": "Contact form", "allowedIps": ["203.0.113.0/24", "2001:db8::/32"],
        "defaultTag": "newsletter", "contactSource": "Website",
        "welcomeEmail": {"subject": "Welcome, {{ name }}", "body": "<p>Hello {{ name }}!</p>"},
        "welcomeSms": {"enabled": false, "content": "Welcome, {{ name }}!"}
    })),
    responses(
        (status = 201, body = Listener, headers(
            ("Location" = String, description = "Where it is read"),
            ("ETag" = String, description = "For If-Match"),
        )),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`name_taken`, or `limit_reached`"),
    ),
)]
pub async fn create(
    app: web::Data<App>,
    Admin(actor): Admin,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    resource::create(listeners(&app), &app, actor, payload).await
}

/// Gives a listener a new URL; the earlier ones end with the grace.
#[utoipa::path(
    post, path = "/api/v1/listeners/{id}/rotate", tag = "Listeners",
    operation_id = "rotateListener",
    params(("id" = Uuid, Path)),
    request_body(content = Rotation, example = json!({"graceSeconds": 3600})),
    responses(
        (status = 200, body = Listener, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        BodyProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn rotate(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let (id, org) = (id.into_inner(), actor.org);
    let Rotation { grace_seconds } = body::json(payload).await?;
    let listeners = listeners(&app);
    let rotate =
        move |conn: &mut _| listeners.rotate(&mut Edit::of(conn, &actor), &id, grace_seconds);
    resource::shown::<Listeners>(HttpResponse::Ok(), &app.write(org, rotate).await?)
}

pub(crate) fn listeners(app: &App) -> Listeners {
    Listeners::new(&app.key, &app.public_url)
}
