//! Deals: list, read, history (`api.md` 5).

use super::NoSuchRecord;
use super::deal_filters::{self, DealParameters, FILTERS};
use super::filters::PageParameters;
use super::history::{HistoryLine, history_line};
use super::representation::{
    CustomFieldEntry, PermitBody, contact_type, custom_fields, permit, stored,
};
use crate::access::Actor;
use crate::app::App;
use crate::http::etag;
use crate::http::openapi::{QueryProblem, SignedInProblems};
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::store::customer_references::CustomerReference;
use crate::store::deals::{self, Deal};
use crate::store::error::StoreError;
use crate::store::history;
use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::directory::{Directory, Entry, Names};
use beeiq_core::records::deal::DealOwners;
use beeiq_core::values::custom_field::Model;
use beeiq_core::values::text::clean;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A deal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deal)]
pub struct DealBody {
    /// Its id.
    pub id: Uuid,
    /// Its visible id: the sender's own, or a number.
    #[schema(example = "192")]
    pub deal_id: String,
    /// The name.
    pub name: String,
    /// The amount: a decimal number with up to 4 digits after the point.
    #[schema(example = "50000")]
    pub value: Option<String>,
    /// ISO 4217.
    #[schema(example = "VND")]
    pub currency: String,
    /// What it is about.
    pub description: Option<String>,
    /// How far it has come.
    pub stage: Option<String>,
    /// What kind of deal it is.
    pub category: Option<String>,
    /// What it is about, out of the org's list.
    pub package: Option<String>,
    /// When it is to be closed, or was.
    pub close_date: Option<DateTime<Utc>>,
    /// Who owns it.
    pub owners: DealOwnersBody,
    /// The customer that it is with; null after he was erased.
    pub deal_with: Option<DealCustomerBody>,
    /// Related customers, oldest first.
    pub contacts: Vec<DealCustomerBody>,
    /// Custom fields that have a value, in the org's order.
    pub cus_fields: Vec<CustomFieldEntry>,
    /// Who may read it beside its owners.
    pub permit: PermitBody,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Who owns a deal.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DealOwnersBody {
    /// Users, by their e-mails.
    pub users: Vec<String>,
    /// Groups, by their names.
    pub groups: Vec<String>,
}

/// A customer of a deal.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DealCustomerBody {
    /// `customer` (contacts and accounts) or `lead`.
    #[schema(example = "customer")]
    pub contact_type: &'static str,
    /// The code.
    #[schema(example = "PID-1")]
    pub customer_id: String,
    /// The name; null where you may not see it.
    pub name: Option<String>,
}

crate::http::routes::routes![list_deals, read_deal, deal_history];

/// Lists deals, newest first; a member gets those that he owns, himself or by a group, and those
/// that permits let him see. A parameter that is unknown or wrong is a 422.
#[utoipa::path(
    get,
    path = "/api/v1/deals",
    tag = "Records",
    operation_id = "listDeals",
    params(DealParameters),
    responses(
        (status = 200, description = "A page of deals", body = Page<DealBody>),
        SignedInProblems,
        QueryProblem,
    ),
)]
pub async fn list_deals(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
) -> Result<Json<Page<DealBody>>, Problem> {
    let query = Query::of_list(&request, &FILTERS)?;
    let (paging, filters) = (query.paging()?, deal_filters::read(&query)?);
    let directory = app.directories.current(actor.org).await?;
    let rows = app
        .db
        .in_org(actor.org, move |conn| {
            deals::list(conn, &actor, &filters, paging.before(), paging.rows())
        })
        .await?;
    let bodies: Vec<DealBody> =
        rows.into_iter().map(|row| deal(row, &directory)).collect::<Result<_, _>>()?;
    Ok(Json(paging.page(bodies, |body| body.id)))
}

/// Reads a deal by its id or its `dealId`.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/deals/{id}",
    tag = "Records",
    operation_id = "readDeal",
    params(("id" = String, Path, description = "Its id, or its `dealId`", example = "192")),
    responses(
        (status = 200, description = "The deal", body = DealBody, headers(("ETag" = String))),
        SignedInProblems,
        QueryProblem,
        NoSuchRecord,
    ),
)]
pub async fn read_deal(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let address = addressed(&id)?;
    let directory = app.directories.current(actor.org).await?;
    let found = app
        .db
        .in_org(actor.org, move |conn| deals::find(conn, &actor, &address))
        .await?
        .ok_or_else(|| Problem::not_found("deal"))?;
    let body = deal(found, &directory)?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag::of(&body))).json(body))
}

/// Lists what happened to a deal, newest first.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/deals/{id}/history",
    tag = "Records",
    operation_id = "dealHistory",
    params(
        ("id" = String, Path, description = "Its id, or its `dealId`", example = "192"),
        PageParameters
    ),
    responses(
        (status = 200, description = "A page of its history", body = Page<HistoryLine>),
        SignedInProblems,
        NoSuchRecord,
        QueryProblem,
    ),
)]
pub async fn deal_history(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    let paging = Query::of_list(&request, &[])?.paging()?;
    let address = addressed(&id)?;
    let lines = app
        .db
        .in_org(actor.org, move |conn| {
            let Some(deal) = deals::find_id(conn, &actor, &address)? else {
                return Ok::<_, StoreError>(None);
            };
            let subject = Subject::Deal(deal);
            let page = history::list(conn, actor.org, subject, paging.before(), paging.rows())?;
            Ok(Some(page))
        })
        .await?
        .ok_or_else(|| Problem::not_found("deal"))?;
    Ok(Json(paging.page(lines, |line| line.id).map(history_line)))
}

/// The id or visible id that a path names, as it would have been kept.
fn addressed(id: &str) -> Result<String, Problem> {
    let address = clean(id);
    if address.contains('\0') { Err(Problem::not_found("deal")) } else { Ok(address) }
}

/// A deal in the words of the org's directory.
///
/// # Errors
/// 500 where a stored list is not of its shape.
fn deal(found: Deal, directory: &Directory) -> Result<DealBody, Problem> {
    let Deal { record, owners, deal_with, contacts } = found;
    Ok(DealBody {
        cus_fields: custom_fields(stored(record.cus_fields)?, Model::Deal, directory),
        permit: permit(
            record.permit_status,
            record.permit_group_id,
            &record.permit_user_ids,
            directory,
        ),
        id: record.id,
        deal_id: record.deal_id,
        name: record.name,
        value: record.value.map(|value| value.normalize().to_string()),
        currency: record.currency,
        description: record.description,
        stage: entry(&directory.deal_stages, Some(record.stage_id)),
        category: entry(&directory.deal_categories, record.category_id),
        package: entry(&directory.deal_packages, record.package_id),
        close_date: record.close_date,
        owners: owners_body(&owners, directory),
        deal_with: deal_with.map(customer),
        contacts: contacts.into_iter().map(customer).collect(),
        created_at: record.created_at,
        updated_at: record.updated_at,
    })
}

pub(super) fn entry(entries: &Names<Entry>, id: Option<Uuid>) -> Option<String> {
    entries.with_id(id?).map(|entry| entry.name.clone())
}

fn owners_body(owners: &DealOwners, directory: &Directory) -> DealOwnersBody {
    let users = owners.users.iter().filter_map(|id| directory.users.with_id(*id));
    let groups = owners.groups.iter().filter_map(|id| directory.groups.with_id(*id));
    DealOwnersBody {
        users: users.map(|user| user.email.clone()).collect(),
        groups: groups.map(|group| group.name.clone()).collect(),
    }
}

fn customer(customer: CustomerReference) -> DealCustomerBody {
    let CustomerReference { id: _, code, name } = customer;
    DealCustomerBody { contact_type: contact_type(code.kind), customer_id: code.to_string(), name }
}
