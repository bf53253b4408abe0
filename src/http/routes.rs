//! A route and its documentation are declared once: `routes!` names the handlers of a module, and
//! takes path, method and description from each one's `#[utoipa::path]`.

use actix_web::guard::{Any, Get, Head};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, Route};
use utoipa::openapi::{OpenApi, PathItem};

/// One operation of the API.
pub(crate) struct Operation {
    /// Makes the document of this operation alone, with the schemas that it uses.
    pub(crate) describe: fn() -> OpenApi,
    pub(crate) handle: Handle,
}

/// Gives a route its handler.
type Handle = fn(Route) -> Route;

/// Makes the module's `ROUTES` of its handlers: `routes![list, create, read];`.
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        pub(crate) const ROUTES: &[$crate::http::routes::Operation] = &[$({
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($handler))]
            struct Described;

            $crate::http::routes::Operation {
                describe: <Described as utoipa::OpenApi>::openapi,
                handle: |route| route.to($handler),
            }
        }),+];
    };
}
pub(crate) use routes;

/// Operations put together: their document, and the routes of each path.
pub(super) struct Api {
    pub(super) document: OpenApi,
    paths: Vec<(String, Vec<(Method, Handle)>)>,
}

impl Api {
    /// Adds the operations to a document. Their paths are compared with a request's in the order in
    /// which they come here.
    pub(super) fn new(
        mut document: OpenApi,
        operations: impl Iterator<Item = &'static Operation>,
    ) -> Self {
        let mut paths: Vec<(String, Vec<(Method, Handle)>)> = Vec::new();
        for Operation { describe, handle } in operations {
            let described = describe();
            for (path, item) in &described.paths.paths {
                let routes = methods(item).map(|method| (method, *handle));
                match paths.iter_mut().find(|(known, _)| known == path) {
                    Some((_, there)) => there.extend(routes),
                    None => paths.push((path.clone(), routes.collect())),
                }
            }
            document.merge(described);
        }
        Self { document, paths }
    }

    /// Serves them. The operations of a path are one resource, which answers 405 to other methods.
    pub(super) fn serve(&self, config: &mut ServiceConfig) {
        for (path, routes) in &self.paths {
            let add = |resource: Resource, (method, handle): &(Method, Handle)| {
                resource.route(handle(route(method)))
            };
            config.service(routes.iter().fold(web::resource(path.as_str()), add));
        }
    }
}

fn methods(item: &PathItem) -> impl Iterator<Item = Method> + use<> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let described = [
        (get.is_some(), Method::GET),
        (post.is_some(), Method::POST),
        (put.is_some(), Method::PUT),
        (patch.is_some(), Method::PATCH),
        (delete.is_some(), Method::DELETE),
    ];
    described.into_iter().filter_map(|(there, method)| there.then_some(method))
}

fn route(method: &Method) -> Route {
    if method == Method::GET { read() } else { web::method(method.clone()) }
}

/// GET, and HEAD, which is the same without the body.
pub(super) fn read() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}
