//! The records of an org, as the API reads them (`api.md` 5).

pub mod customers;
mod deal_filters;
pub mod deals;
mod filters;
pub mod history;
pub mod notes;
mod record;
pub mod representation;
pub mod tickets;

use super::openapi::ProblemDocument;
use super::read;
use actix_web::web::{ServiceConfig, delete, resource};
use utoipa::IntoResponses;

/// The routes.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(resource("/api/v1/contacts").route(read().to(customers::list_contacts)))
        .service(
            resource("/api/v1/contacts/{id}")
                .route(read().to(customers::read_contact))
                .route(delete().to(customers::erase_contact)),
        )
        .service(
            resource("/api/v1/contacts/{id}/history").route(read().to(customers::contact_history)),
        )
        .service(resource("/api/v1/accounts").route(read().to(customers::list_accounts)))
        .service(
            resource("/api/v1/accounts/{id}")
                .route(read().to(customers::read_account))
                .route(delete().to(customers::erase_account)),
        )
        .service(
            resource("/api/v1/accounts/{id}/history").route(read().to(customers::account_history)),
        )
        .service(resource("/api/v1/leads").route(read().to(customers::list_leads)))
        .service(
            resource("/api/v1/leads/{id}")
                .route(read().to(customers::read_lead))
                .route(delete().to(customers::erase_lead)),
        )
        .service(resource("/api/v1/leads/{id}/history").route(read().to(customers::lead_history)))
        .service(resource("/api/v1/deals").route(read().to(deals::list_deals)))
        .service(resource("/api/v1/deals/{id}").route(read().to(deals::read_deal)))
        .service(resource("/api/v1/deals/{id}/history").route(read().to(deals::deal_history)))
        .service(resource("/api/v1/tickets").route(read().to(tickets::list_tickets)))
        .service(resource("/api/v1/tickets/{id}").route(read().to(tickets::read_ticket)))
        .service(resource("/api/v1/tickets/{id}/history").route(read().to(tickets::ticket_history)))
        .service(resource("/api/v1/notes").route(read().to(notes::list_notes)))
        .service(resource("/api/v1/notes/{id}").route(read().to(notes::read_note)));
}

/// `not_found`: there is none, or none that the caller may see.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub struct NoSuchRecord(
    /// It says what.
    pub ProblemDocument,
);
