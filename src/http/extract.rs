//! Who is calling, as an argument of a handler.

use super::caller::address_of;
use crate::access::{Actor, Caller, Session, bearer};
use crate::app::App;
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use beeiq_core::diagnostics::Code;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

async fn caller(request: &HttpRequest) -> Result<Caller, Problem> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(bearer::unauthorized)?;
    let value = request.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let mut caller = bearer::authenticate(&app.access, value).await?;
    caller.actor.address = address_of(request, &app.trusted_proxies);
    // Until it has been answered; what its body takes is charged to it.
    let permit = app.pipeline.capacity().hold(caller.actor.org)?;
    request.extensions_mut().insert(permit);
    Ok(caller)
}

/// As an argument of a handler: any user or API key of the org may; 401 without a good
/// `Authorization: Bearer <token>`.
impl FromRequest for Actor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move { Ok(caller(&request).await?.actor) }.boxed_local()
    }
}

impl FromRequest for Session {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let Caller { session, actor } = caller(&request).await?;
            let id = session.ok_or_else(|| {
                Problem::new(Code::Forbidden, "An API key may not do this; sign in as a user.")
            })?;
            Ok(Self { id, actor })
        }
        .boxed_local()
    }
}

/// As an argument of a handler: only owner and admins may; 403 for members.
#[derive(Clone, Debug)]
pub(crate) struct Admin(pub Actor);

impl FromRequest for Admin {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let actor = Actor::from_request(request, payload);
        async move {
            let actor = actor.await?;
            actor.must_be_admin()?;
            Ok(Self(actor))
        }
        .boxed_local()
    }
}
