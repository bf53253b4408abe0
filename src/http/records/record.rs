//! How records of any kind are listed and read, and their history told (`api.md` 5).

use super::history::{HistoryLine, history_line};
use crate::access::Actor;
use crate::app::App;
use crate::http::etag;
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::store::error::StoreError;
use crate::store::history;
use crate::store::pool::Conn;
use actix_web::http::header;
use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::directory::Directory;
use serde::Serialize;
use uuid::Uuid;

/// A record as the API shows it.
pub(super) trait Body: Serialize {
    fn id(&self) -> Uuid;
}

/// What a path's id addresses, if it can be an id of this kind of record.
pub(super) struct Address<A> {
    pub(super) kind: &'static str,
    pub(super) id: Option<A>,
}

impl<A> Address<A> {
    pub(super) fn get(self) -> Result<A, Problem> {
        self.id.ok_or_else(|| Problem::not_found(self.kind))
    }
}

/// A page of a list with these filters: their names, and how they are read. Of what `load` finds,
/// shown by `body`.
pub(super) async fn list<W: Send + 'static, F: Send + 'static, B: Body>(
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    (names, filters): (&[&str], impl FnOnce(&Query, &Directory) -> Result<W, Problem>),
    load: impl FnOnce(&mut Conn, &Actor, &W, Option<Uuid>, i64) -> Result<Vec<F>, StoreError>
    + Send
    + 'static,
    body: impl Fn(F, &Directory) -> Result<B, Problem>,
) -> Result<Json<Page<B>>, Problem> {
    let query = Query::of_list(request, names)?;
    let paging = query.paging()?;
    let directory = app.directories.current(actor.org).await?;
    let filters = filters(&query, &directory)?;
    let found = app
        .db
        .in_org(actor.org, move |conn| load(conn, &actor, &filters, paging.before(), paging.rows()))
        .await?;
    let bodies = found.into_iter().map(|found| body(found, &directory));
    Ok(Json(paging.page(bodies.collect::<Result<_, _>>()?, B::id)))
}

/// The record that is addressed, if `find` finds it for the caller.
pub(super) async fn read<A: Send + 'static, F: Send + 'static, B: Body>(
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    address: Address<A>,
    find: impl FnOnce(&mut Conn, &Actor, A) -> Result<Option<F>, StoreError> + Send + 'static,
    body: impl FnOnce(F, &Directory) -> Result<B, Problem>,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let (kind, id) = (address.kind, address.get()?);
    let directory = app.directories.current(actor.org).await?;
    let found = app.db.in_org(actor.org, move |conn| find(conn, &actor, id)).await?;
    let body = body(found.ok_or_else(|| Problem::not_found(kind))?, &directory)?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag::of(&body))).json(body))
}

/// The history of the record that is addressed, if `find` finds it for the caller.
pub(super) async fn read_history<A: Send + 'static>(
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    address: Address<A>,
    find: impl FnOnce(&mut Conn, &Actor, A) -> Result<Option<Uuid>, StoreError> + Send + 'static,
    subject: fn(Uuid) -> Subject,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    let paging = Query::of_list(request, &[])?.paging()?;
    let (kind, id) = (address.kind, address.get()?);
    let lines = app
        .db
        .in_org(actor.org, move |conn| {
            let Some(id) = find(conn, &actor, id)? else {
                return Ok::<_, StoreError>(None);
            };
            history::list(conn, actor.org, subject(id), paging.before(), paging.rows()).map(Some)
        })
        .await?
        .ok_or_else(|| Problem::not_found(kind))?;
    Ok(Json(paging.page(lines, |line| line.id).map(history_line)))
}
