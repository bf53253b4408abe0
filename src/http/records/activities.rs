//! Activities: list and read (`api.md` 5).

use super::filters::{read_one, searched};
use super::record::{self, Address, Body};
use super::representation::{
    CustomerReferenceBody, OwnerBody, PermitBody, customer_reference, owner, permit_body,
};
use crate::access::Actor;
use crate::app::App;
use crate::http::openapi::{NoSuchRecord, QueryProblem, SignedInProblems};
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::store::activities::{self, ActivityFilters, FoundActivity};
use crate::store::customers::references::CustomerAddress;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::directory::Directory;
use beeiq_core::records::activity::{Activity, ActivityKind, Operator};
use beeiq_core::records::customer::CustomerCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

crate::http::routes::routes![list_activities, read_activity];

/// The names of the filters, beside `limit` and `cursor`.
const FILTERS: [&str; 8] = ["customer", "deal", "kind", "source", "outcome", "q", "from", "to"];

/// Something that happened with a customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Activity)]
pub struct ActivityBody {
    /// Its id.
    pub id: Uuid,
    /// What happened.
    pub kind: ActivityKind,
    /// Which system told of it.
    #[schema(example = "listener")]
    pub source: String,
    /// That system's id of it.
    pub external_id: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    #[schema(example = "answered")]
    pub outcome: Option<String>,
    /// What it was about.
    pub subject: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// Who dealt with the customer: a user's e-mail, or what the source calls them.
    pub operator: Option<String>,
    /// What else the source told.
    #[schema(value_type = Object)]
    pub details: Map<String, Value>,
    /// Whose it is.
    pub customer: CustomerReferenceBody,
    /// The `dealId` of the deal that it is linked to.
    pub deal_id: Option<String>,
    /// Who may read it.
    pub permit: PermitBody,
    /// Who owns it.
    pub owner: OwnerBody,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The query parameters of a list of activities, for the API's description.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by name; here for their description")]
struct ActivityParameters {
    /// Entries on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Those of this customer or lead: a code or an id.
    customer: Option<String>,
    /// Those of this deal: a `dealId` or an id.
    deal: Option<String>,
    /// Those of this kind.
    kind: Option<ActivityKind>,
    /// Those that this system told of.
    source: Option<String>,
    /// Those that ended like this.
    outcome: Option<String>,
    /// Words, each of which is in the subject or the text.
    #[param(max_length = 100)]
    q: Option<String>,
    /// Those that began then or later.
    from: Option<DateTime<Utc>>,
    /// Those that began before.
    to: Option<DateTime<Utc>>,
}

/// Lists activities, newest first; a member gets those that their own permits let them see.
/// A parameter that is unknown or wrong is a 422.
#[utoipa::path(
    get,
    path = "/api/v1/activities",
    tag = "Records",
    operation_id = "listActivities",
    params(ActivityParameters),
    responses(
        (status = 200, description = "A page of activities", body = Page<ActivityBody>),
        SignedInProblems,
        QueryProblem,
    ),
)]
pub async fn list_activities(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
) -> Result<Json<Page<ActivityBody>>, Problem> {
    let filters = |query: &Query, _: &Directory| filters(query);
    record::list(&app, actor, &request, (&FILTERS, filters), activities::list, activity).await
}

/// Reads an activity by its id.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/activities/{id}",
    tag = "Records",
    operation_id = "readActivity",
    params(("id" = Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "The activity", body = ActivityBody, headers(("ETag" = String))),
        SignedInProblems,
        QueryProblem,
        NoSuchRecord,
    ),
)]
pub async fn read_activity(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let address = Address { kind: "activity", id: Uuid::try_parse(&id).ok() };
    record::read(&app, actor, &request, address, activities::find, activity).await
}

impl Body for ActivityBody {
    fn id(&self) -> Uuid {
        self.id
    }
}

fn filters(query: &Query) -> Result<ActivityFilters, Problem> {
    let text = |name| query.get(name).map(str::to_owned);
    Ok(ActivityFilters {
        customer: read_one(
            query,
            "customer",
            "is neither an id nor a code (PID-n, CID-n, LID-n).",
            address,
        )?,
        deal: text("deal"),
        kind: read_one(query, "kind", "is no kind of activity.", |kind| kind.parse().ok())?,
        source: text("source"),
        outcome: text("outcome"),
        q: searched(query)?,
        from: query.time("from")?,
        to: query.time("to")?,
    })
}

fn address(text: &str) -> Option<CustomerAddress> {
    let id = Uuid::try_parse(text).ok().map(CustomerAddress::Id);
    id.or_else(|| CustomerCode::parse(text).map(CustomerAddress::Code))
}

/// An activity in the words of the org's directory.
fn activity(found: FoundActivity, directory: &Directory) -> Result<ActivityBody, Problem> {
    let FoundActivity { record, customer, deal } = found;
    let Activity {
        id,
        kind,
        source,
        external_id,
        started_at,
        ended_at,
        outcome,
        subject,
        body,
        operator,
        details,
        customer: _,
        deal: _,
        permit,
        owner: owner_id,
        as_of: _,
        created_at,
        updated_at,
    } = record;
    Ok(ActivityBody {
        id,
        kind,
        source,
        external_id,
        started_at,
        ended_at,
        outcome,
        subject,
        body,
        operator: operator
            .map(|operator| match operator {
                Operator::User(id) => owner(id, directory).map(|user| user.email),
                Operator::Named(name) => Ok(name),
            })
            .transpose()?,
        details,
        customer: customer_reference(customer),
        deal_id: deal.map(|deal| deal.deal_id),
        permit: permit_body(&permit, directory),
        owner: owner(owner_id, directory)?,
        created_at,
        updated_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::IntoParams;

    #[test]
    fn the_described_parameters_are_those_that_are_read() {
        let described: Vec<String> =
            ActivityParameters::into_params(|| None).into_iter().map(|param| param.name).collect();
        assert_eq!(described, [&["limit", "cursor"], FILTERS.as_slice()].concat());
    }
}
