//! Notes: list and read (`api.md` 5).

use super::NoSuchRecord;
use super::filters;
use super::record::{self, Address, Body};
use super::representation::{
    CustomerReferenceBody, OwnerBody, PermitBody, customer_reference, name_of, owner, permit_body,
};
use crate::access::Actor;
use crate::app::App;
use crate::http::openapi::{QueryProblem, SignedInProblems};
use crate::http::page::Page;
use crate::problem::Problem;
use crate::store::deals::references::DealReference;
use crate::store::notes::{self, FoundNote, Target};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::directory::Directory;
use beeiq_core::records::note::Note;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

crate::http::routes::routes![list_notes, read_note];

/// The names of the filters, beside `limit` and `cursor`: notes have no tags.
const FILTERS: [&str; 9] =
    ["email", "phone", "passport", "contactId", "name", "owner", "createdFrom", "createdTo", "q"];

/// A note.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Note)]
pub struct NoteBody {
    /// Its id.
    pub id: Uuid,
    /// The text.
    pub body: String,
    /// `contact` (contacts, accounts and leads) or `deal`: what it is on.
    #[schema(example = "contact")]
    pub model: &'static str,
    /// What it is on.
    pub target: NoteTargetBody,
    /// Through which channel it came.
    pub channel: Option<String>,
    /// Who may read it.
    pub permit: PermitBody,
    /// Who owns it.
    pub owner: OwnerBody,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// What a note is on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum NoteTargetBody {
    /// A contact, account or lead.
    Customer(CustomerReferenceBody),
    /// A deal.
    Deal(DealReferenceBody),
}

/// A deal that another record names.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DealReferenceBody {
    /// Its id.
    pub id: Uuid,
    /// Its visible id.
    #[schema(example = "192")]
    pub deal_id: String,
    /// Its name; null where you may not see it.
    pub name: Option<String>,
}

/// The query parameters of a list of notes, for the API's description.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by name; here for their description")]
pub(super) struct NoteParameters {
    /// Entries on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Those on the customer or lead who holds this e-mail address, as far as you may see them.
    email: Option<String>,
    /// Those on the customer or lead who holds this phone number, in any spelling.
    phone: Option<String>,
    /// Those on the customer or lead who holds this passport.
    passport: Option<String>,
    /// Those on the customer or lead with this identifier of the sender's.
    contact_id: Option<String>,
    /// Those on the customers or leads of this name, in any case.
    name: Option<String>,
    /// Those whose owner has this e-mail address.
    owner: Option<String>,
    /// Those created then or later.
    created_from: Option<DateTime<Utc>>,
    /// Those created then or earlier.
    created_to: Option<DateTime<Utc>>,
    /// Words, each of which is in the text.
    #[param(max_length = 100)]
    q: Option<String>,
}

/// Lists notes, newest first; a member gets those that their own permits let them see.
/// A parameter that is unknown or wrong is a 422.
#[utoipa::path(
    get,
    path = "/api/v1/notes",
    tag = "Records",
    operation_id = "listNotes",
    params(NoteParameters),
    responses(
        (status = 200, description = "A page of notes", body = Page<NoteBody>),
        SignedInProblems,
        QueryProblem,
    ),
)]
pub async fn list_notes(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
) -> Result<Json<Page<NoteBody>>, Problem> {
    record::list(&app, actor, &request, (&FILTERS, filters::of_org), notes::list, note).await
}

/// Reads a note by its id.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/notes/{id}",
    tag = "Records",
    operation_id = "readNote",
    params(("id" = Uuid, Path, description = "Its id")),
    responses(
        (status = 200, description = "The note", body = NoteBody, headers(("ETag" = String))),
        SignedInProblems,
        QueryProblem,
        NoSuchRecord,
    ),
)]
pub async fn read_note(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let address = Address { kind: "note", id: Uuid::try_parse(&id).ok() };
    record::read(&app, actor, &request, address, notes::find, note).await
}

impl Body for NoteBody {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// A note in the words of the org's directory.
fn note(found: FoundNote, directory: &Directory) -> Result<NoteBody, Problem> {
    let FoundNote { record, target } = found;
    let Note { id, body, target: _, channel, permit, owner: owner_id, created_at } = record;
    let (model, target) = match target {
        Target::Customer(customer) => {
            ("contact", NoteTargetBody::Customer(customer_reference(customer)))
        }
        Target::Deal(DealReference { id, deal_id, name }) => {
            ("deal", NoteTargetBody::Deal(DealReferenceBody { id, deal_id, name }))
        }
    };
    Ok(NoteBody {
        id,
        body,
        model,
        target,
        channel: name_of(&directory.channels, channel)
            .or_else(|| name_of(&directory.sources, channel)),
        permit: permit_body(&permit, directory),
        owner: owner(owner_id, directory)?,
        created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::IntoParams;

    #[test]
    fn the_described_parameters_are_those_that_are_read() {
        let described: Vec<String> =
            NoteParameters::into_params(|| None).into_iter().map(|param| param.name).collect();
        assert_eq!(described, [&["limit", "cursor"], FILTERS.as_slice()].concat());
    }
}
