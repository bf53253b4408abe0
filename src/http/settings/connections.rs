//! `/api/v1/connections` (`connections.md` 1): other systems that feed the org. Owner and admins only.

use super::listeners::Rotation;
use super::operations::handlers;
use super::resource::Change;
use crate::app::App;
use crate::http::body;
use crate::problem::Problem;
use crate::service::settings::Edit;
use crate::service::settings::connections::{Connection, ConnectionSettings, Connections};
use actix_web::{HttpRequest, HttpResponse, web};

pub type ConnectionChange = Change<ConnectionSettings>;

handlers! {
    resource(app): connections(&app), paths: ("/api/v1/connections", "/api/v1/connections/{id}"),
    tag: "Connections", one: "a connection", several: "connections",
    named: ("Connection", "Connections"), entry: Connection,
    operations: [list, read, change(ConnectionChange), delete] and [create, rotate, resume], filters: []
}

/// Makes a connection.
#[utoipa::path(
    post, path = "/api/v1/connections", tag = "Connections", operation_id = "createConnection",
    request_body = ConnectionSettings,
    responses(
        (status = 201, body = Connection, headers(
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
    let made = resource::create(connections(&app), &app, actor, payload).await;
    app.pulls.wake();
    made
}

/// Gives a connection a new URL; the earlier ones end with the grace.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/rotate", tag = "Connections",
    operation_id = "rotateConnection",
    params(("id" = Uuid, Path)),
    request_body(content = Rotation, example = json!({"graceSeconds": 3600})),
    responses(
        (status = 200, body = Connection, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        NotFound,
        (status = 400, body = ProblemDocument, content_type = "application/problem+json",
         description = "`not_json`: not JSON."),
        (status = 408, body = ProblemDocument, content_type = "application/problem+json",
         description = "`body_too_slow`: it took over 30 seconds."),
        (status = 413, body = ProblemDocument, content_type = "application/problem+json",
         description = "`body_too_large`: over 1 MiB. `too_complex`: it holds too many values."),
        (status = 422, body = ProblemDocument, content_type = "application/problem+json",
         description = "`invalid_fields`: faults in fields, with pointers. `not_push`: it is asked"),
    ),
)]
pub async fn rotate(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let (id, org) = (id.into_inner(), actor.org);
    let grace = body::json::<Rotation>(payload).await?.grace_seconds;
    let connections = connections(&app);
    let rotate = move |conn: &mut _| connections.rotate(&mut Edit::of(conn, &actor), &id, grace);
    resource::shown::<Connections>(HttpResponse::Ok(), &app.write(org, rotate).await?)
}

/// Ends a pause of a connection: it is asked again at once.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/resume", tag = "Connections",
    operation_id = "resumeConnection",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = Connection), AdminProblems, NotFound),
)]
pub async fn resume(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, org, connections) = (id.into_inner(), actor.org, connections(&app));
    let resume = move |conn: &mut _| connections.resume(&mut Edit::of(conn, &actor), &id);
    let resumed = app.write(org, resume).await?;
    app.pulls.wake();
    resource::shown::<Connections>(HttpResponse::Ok(), &resumed)
}

fn connections(app: &App) -> Connections {
    Connections::new(&app.key, &app.public_url, app.senders.guard())
}
