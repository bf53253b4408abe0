//! `POST /api/v1/sandbox/reset` (`api.md` 6): on staging, an org without records again.
//!
//! Customers, deals, tickets, notes, activities, their history, messages, deliveries and idempotency keys go;
//! settings stay, and tags, which are settings too. The trial SMS credits are as many as those of a
//! new org. Visible codes go on counting, since a code is never used twice.

use super::openapi::{Forbidden, ProblemDocument, SignedInProblems};
use crate::access::{Actor, Role};
use crate::app::App;
use crate::clock;
use crate::config::Environment;
use crate::problem::Problem;
use crate::service::audit::{self, Subject};
use crate::store::error::StoreError;
use crate::store::sandbox::{Records, delete_piece, set_sms_credits};
use actix_web::web;
use beeiq_core::diagnostics::Code;
use beeiq_core::records::audit::Action;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// How often a piece is tried that another transaction is in the way of.
const ATTEMPTS: u32 = 10;

/// What a reset has deleted.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reset {
    /// Contacts, accounts and leads, with their notes, tickets, activities and history.
    customers: usize,
    /// Deals, with their notes and history.
    deals: usize,
    /// Messages of the outbox.
    messages: usize,
    /// Deliveries, with their idempotency keys.
    deliveries: usize,
    /// The trial SMS segments that the org has again.
    sms_credits: i64,
}

crate::http::routes::routes![reset];

/// Empties the org's records and keeps its settings. Only its owner may, and only on staging. What
/// comes in while it runs stays.
#[utoipa::path(
    post, path = "/api/v1/sandbox/reset", tag = "Staging", operation_id = "resetSandbox",
    responses(
        (status = 200, body = Reset, description = "How many records were deleted"),
        SignedInProblems,
        Forbidden,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`staging_only`: the instance is in production"),
    ),
)]
pub(crate) async fn reset(app: web::Data<App>, actor: Actor) -> Result<web::Json<Reset>, Problem> {
    if actor.role != Role::Owner {
        return Err(Problem::new(Code::Forbidden, "Only the owner of the org may do this."));
    }
    if app.environment != Environment::Staging {
        let detail = "This instance is in production: its records are not emptied.";
        return Err(Problem::new(Code::StagingOnly, detail));
    }
    let (org, until) = (actor.org, clock::now());
    let mut reset = Reset { sms_credits: app.sms_trial_credits, ..Reset::default() };
    for records in Records::ALL {
        let deleted = match records {
            Records::Messages => &mut reset.messages,
            Records::Deals => &mut reset.deals,
            Records::Customers => &mut reset.customers,
            Records::Deliveries => &mut reset.deliveries,
        };
        while let piece @ 1.. = piece(&app, org, records, until).await? {
            *deleted += piece;
        }
    }
    let credits = reset.sms_credits;
    let Reset { customers, deals, messages, deliveries, sms_credits: _ } = reset;
    let counts = json!({
        "customers": customers, "deals": deals, "messages": messages, "deliveries": deliveries,
    });
    app.db
        .in_org(org, move |conn| {
            set_sms_credits(conn, org, credits)?;
            let subject = Subject { resource: "sandbox", id: "", name: "" };
            let gone = beeiq_core::records::audit::changes(&counts, &json!({}));
            audit::record(conn, &actor, Action::Reset, subject, &gone)
        })
        .await?;
    Ok(web::Json(reset))
}

/// Deletes the next piece; again where a delivery was in the way.
async fn piece(
    app: &App,
    org: Uuid,
    records: Records,
    until: DateTime<Utc>,
) -> Result<usize, StoreError> {
    for _ in 1..ATTEMPTS {
        let done = app.db.in_org(org, move |conn| delete_piece(conn, org, records, until)).await;
        if !matches!(done, Err(StoreError::Conflict | StoreError::Reference(_))) {
            return done;
        }
    }
    app.db.in_org(org, move |conn| delete_piece(conn, org, records, until)).await
}
