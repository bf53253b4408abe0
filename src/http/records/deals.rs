//! Deals: list, read, history (`api.md` 5).

use super::NoSuchRecord;
use super::deal_filters::{DealParameters, FILTERS};
use super::filters;
use super::filters::PageParameters;
use super::history::HistoryLine;
use super::record::{self, Address, Body};
use super::representation::{
    CustomFieldEntry, PermitBody, contact_type, custom_fields, name_of, permit_body,
};
use crate::access::Actor;
use crate::app::App;
use crate::http::openapi::{QueryProblem, SignedInProblems};
use crate::http::page::Page;
use crate::problem::Problem;
use crate::store::customers::references::CustomerReference;
use crate::store::deals::{self, FoundDeal};
use crate::store::pool::Conn;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::directory::Directory;
use beeiq_core::records::deal::{Deal, DealOwners};
use beeiq_core::values::custom_field::Model;
use beeiq_core::values::text::clean;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

crate::http::routes::routes![list_deals, read_deal, deal_history];

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
    /// The customer that it is with; null after they were erased.
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

/// Lists deals, newest first; a member gets those that they own, themselves or by a group, and
/// those that permits let them see. A parameter that is unknown or wrong is a 422.
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
    record::list(&app, actor, &request, (&FILTERS, filters::of_org), deals::list, deal).await
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
    let find = |conn: &mut Conn, actor: &Actor, id: String| deals::find(conn, actor, &id);
    record::read(&app, actor, &request, address(&id), find, deal).await
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
    let find = |conn: &mut Conn, actor: &Actor, id: String| deals::find_id(conn, actor, &id);
    record::read_history(&app, actor, &request, address(&id), find, Subject::Deal).await
}

impl Body for DealBody {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// The id or visible id that a path names, as it would have been kept.
fn address(id: &str) -> Address<String> {
    let id = Some(clean(id)).filter(|address| !address.contains('\0'));
    Address { kind: "deal", id }
}

/// A deal in the words of the org's directory.
fn deal(found: FoundDeal, directory: &Directory) -> Result<DealBody, Problem> {
    let FoundDeal { record, deal_with, contacts } = found;
    let Deal {
        id,
        deal_id,
        name,
        value,
        currency,
        description,
        stage,
        category,
        package,
        close_date,
        owners,
        cus_fields,
        permit,
        deal_with: _,
        contacts: _,
        created_at,
        updated_at,
    } = record;
    Ok(DealBody {
        id,
        deal_id,
        name,
        value: value.map(|value| value.normalize().to_string()),
        currency,
        description,
        stage: name_of(&directory.deal_stages, Some(stage)),
        category: name_of(&directory.deal_categories, category),
        package: name_of(&directory.deal_packages, package),
        close_date,
        owners: owners_body(&owners, directory),
        deal_with: deal_with.map(customer),
        contacts: contacts.into_iter().map(customer).collect(),
        cus_fields: custom_fields(cus_fields, Model::Deal, directory),
        permit: permit_body(&permit, directory),
        created_at,
        updated_at,
    })
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
