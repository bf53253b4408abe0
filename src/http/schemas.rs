//! What to send: the payload's JSON Schema, for everybody and with an org's own names, and examples
//! (`api.md` 6).

use super::openapi::{AdminProblems, NotFound, SignedInProblems};
use super::settings::listeners::listeners;
use crate::access::Actor;
use crate::app::App;
use crate::http::extract::Admin;
use crate::problem::Problem;
use crate::service::settings;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use beeiq_core::actions::ActionType;
use beeiq_core::batch::Context;
use beeiq_core::directory::Directory;
use beeiq_core::schema;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

const SCHEMA_JSON: &str = "application/schema+json";

/// An example of an action.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Example {
    /// The action that it shows.
    action_type: ActionType,
    /// What to post to a listener.
    #[schema(value_type = Object)]
    payload: Value,
}

/// An example of each action.
#[derive(Serialize, ToSchema)]
pub(crate) struct Examples {
    /// In the order in which the actions are described.
    data: Vec<Example>,
}

/// What to send to a listener.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListenerGuide {
    /// The payload's JSON Schema, with the org's own names.
    #[schema(value_type = Object)]
    schema: Value,
    /// A payload that works.
    #[schema(value_type = Object)]
    example: Value,
    /// The same as a command to paste; it holds the listener's URL.
    curl: String,
}

crate::http::routes::routes![payload, examples, of_listener];

/// The payload's JSON Schema (2020-12).
#[utoipa::path(
    get, path = "/schemas/listener.json", tag = "Listener", operation_id = "payloadSchema",
    security(()),
    responses((status = 200, body = Object, content_type = "application/schema+json")),
)]
pub(crate) async fn payload(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, SCHEMA_JSON))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .json(schema::payload(&format!("{}{}", app.public_url, schema::PATH), None))
}

/// A valid payload for each action, of the org's own names and the caller as the sender.
#[utoipa::path(
    get, path = "/api/v1/examples", tag = "Staging", operation_id = "examples",
    responses((status = 200, body = Examples), SignedInProblems),
)]
pub(crate) async fn examples(
    app: web::Data<App>,
    actor: Actor,
) -> Result<web::Json<Examples>, Problem> {
    let directory = app.directories.current(actor.org).await?;
    let examples = schema::examples(&directory, sender(&directory, &actor));
    let data = examples
        .into_iter()
        .map(|schema::Example { action_type, payload }| Example { action_type, payload })
        .collect();
    Ok(web::Json(Examples { data }))
}

/// What to send to that listener: the schema with the org's own names, an example, a command.
#[utoipa::path(
    get, path = "/api/v1/listeners/{id}/schema", tag = "Listeners",
    operation_id = "listenerSchema",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = ListenerGuide),
        AdminProblems,
        NotFound,
    ),
)]
pub(crate) async fn of_listener(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<web::Json<ListenerGuide>, Problem> {
    let unknown = || Problem::not_found("listener");
    let id: Uuid = id.parse().map_err(|_| unknown())?;
    let directory = app.directories.current(actor.org).await?;
    let listener = directory.listeners.iter().find(|it| it.id == id).ok_or_else(unknown)?;
    let (listeners, org) = (listeners(&app), actor.org);
    let read = move |conn: &mut _| settings::read(conn, org, &listeners, &id.to_string());
    let door = app.read(org, read).await?;
    let context = Context { directory: &directory, listener, connection: None };
    let place = format!("{}/api/v1/listeners/{id}/schema", app.public_url);
    let examples = schema::examples(&directory, sender(&directory, &actor));
    let example = examples.into_iter().next().map(|first| first.payload).unwrap_or_default();
    Ok(web::Json(ListenerGuide {
        schema: schema::payload(&place, Some(context)),
        curl: curl(door.url()?, &example),
        example,
    }))
}

/// The e-mail of the caller, who is an active user.
fn sender<'d>(directory: &'d Directory, actor: &Actor) -> &'d str {
    directory.users.acting(actor.user()).map_or("", |user| &user.email)
}

/// A command that posts the payload, quoted for a POSIX shell.
fn curl(url: &str, payload: &Value) -> String {
    let payload = serde_json::to_string_pretty(payload).unwrap_or_default();
    let quoted = payload.replace('\'', r"'\''");
    format!("curl -sS '{url}' -H 'Content-Type: application/json' -d '{quoted}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_quoted_for_the_shell() {
        let command = curl("http://x/listener/t", &serde_json::json!({"name": "O'Neil; rm -rf /"}));
        assert!(command.contains(r#""O'\''Neil; rm -rf /""#), "{command}");
    }
}
