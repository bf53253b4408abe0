//! How a record of any kind is listed and read, and its history told (`api.md` 5).

use super::filters;
use super::history::{HistoryLine, history_line};
use crate::access::Actor;
use crate::app::App;
use crate::http::etag;
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::store::error::StoreError;
use crate::store::history;
use crate::store::listing::Filters;
use crate::store::pool::Conn;
use actix_web::http::header;
use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::directory::Directory;
use serde::Serialize;
use uuid::Uuid;

/// A kind of record.
pub(super) trait Record: Copy + Send + 'static {
    /// What a path's id may be.
    type Address: Send + 'static;
    type Found: Send + 'static;
    type Body: Serialize;

    /// The filters of its list, beside `limit` and `cursor`.
    const FILTERS: &'static [&'static str];

    fn name(self) -> &'static str;

    /// What a path's id addresses; what can be none of its ids is not found either.
    fn address(self, id: &str) -> Option<Self::Address>;

    fn list(
        self,
        conn: &mut Conn,
        actor: &Actor,
        filters: &Filters,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Self::Found>, StoreError>;

    fn find(
        self,
        conn: &mut Conn,
        actor: &Actor,
        address: Self::Address,
    ) -> Result<Option<Self::Found>, StoreError>;

    /// It in the words of the org's directory.
    fn body(self, found: Self::Found, directory: &Directory) -> Result<Self::Body, Problem>;

    fn id(body: &Self::Body) -> Uuid;
}

/// A kind of record that has a history.
pub(super) trait WithHistory: Record {
    /// Whose history it is, if `actor` may see the record.
    fn subject(
        self,
        conn: &mut Conn,
        actor: &Actor,
        address: Self::Address,
    ) -> Result<Option<Subject>, StoreError>;
}

pub(super) async fn list<R: Record>(
    kind: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
) -> Result<Json<Page<R::Body>>, Problem> {
    let query = Query::of_list(request, R::FILTERS)?;
    let paging = query.paging()?;
    let directory = app.directories.current(actor.org).await?;
    let filters = filters::read(&query, directory.org.region)?;
    let found = app
        .db
        .in_org(actor.org, move |conn| {
            kind.list(conn, &actor, &filters, paging.before(), paging.rows())
        })
        .await?;
    let bodies = found.into_iter().map(|found| kind.body(found, &directory));
    Ok(Json(paging.page(bodies.collect::<Result<_, _>>()?, R::id)))
}

pub(super) async fn read<R: Record>(
    kind: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: &str,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let address = addressed(kind, id)?;
    let directory = app.directories.current(actor.org).await?;
    let found = app.db.in_org(actor.org, move |conn| kind.find(conn, &actor, address)).await?;
    let body = kind.body(found.ok_or_else(|| Problem::not_found(kind.name()))?, &directory)?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag::of(&body))).json(body))
}

pub(super) async fn read_history<R: WithHistory>(
    kind: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: &str,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    let paging = Query::of_list(request, &[])?.paging()?;
    let address = addressed(kind, id)?;
    let lines = app
        .db
        .in_org(actor.org, move |conn| {
            let Some(subject) = kind.subject(conn, &actor, address)? else {
                return Ok::<_, StoreError>(None);
            };
            history::list(conn, actor.org, subject, paging.before(), paging.rows()).map(Some)
        })
        .await?
        .ok_or_else(|| Problem::not_found(kind.name()))?;
    Ok(Json(paging.page(lines, |line| line.id).map(history_line)))
}

pub(super) fn addressed<R: Record>(kind: R, id: &str) -> Result<R::Address, Problem> {
    kind.address(id).ok_or_else(|| Problem::not_found(kind.name()))
}
