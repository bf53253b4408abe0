//! The records of an org, as the API reads them (`api.md` 5).

pub mod customers;
mod filters;
pub mod history;
pub mod representation;

use actix_web::web::{ServiceConfig, get, resource};
use utoipa::OpenApi;

/// The routes, below the API's base path.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(resource("/contacts").route(get().to(customers::list_contacts)))
        .service(resource("/contacts/{id}").route(get().to(customers::read_contact)))
        .service(resource("/contacts/{id}/history").route(get().to(customers::contact_history)))
        .service(resource("/accounts").route(get().to(customers::list_accounts)))
        .service(resource("/accounts/{id}").route(get().to(customers::read_account)))
        .service(resource("/accounts/{id}/history").route(get().to(customers::account_history)))
        .service(resource("/leads").route(get().to(customers::list_leads)))
        .service(resource("/leads/{id}").route(get().to(customers::read_lead)))
        .service(resource("/leads/{id}/history").route(get().to(customers::lead_history)));
}

/// The description of these routes, to be merged into that of the whole API.
#[derive(OpenApi)]
#[openapi(paths(
    customers::list_contacts,
    customers::read_contact,
    customers::contact_history,
    customers::list_accounts,
    customers::read_account,
    customers::account_history,
    customers::list_leads,
    customers::read_lead,
    customers::lead_history,
))]
pub struct RecordsApi;
