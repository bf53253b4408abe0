//! The operations of a settings resource, with their descriptions: a macro, since each resource has
//! handlers of its own in the API's document, and they differ by names alone.

/// The five operations of a resource, as `api.md` 2 has them, with their descriptions; and the names
/// that they use, which the module need not import again. With `@but_create`, all but create;
/// `conflict` is what else a 409 of a change or a delete can be.
macro_rules! handlers {
    (
        resource: $resource:expr, paths: ($many:tt, $one:tt), tag: $tag:tt,
        one: $what:tt, several: $several:tt, named: ($Singular:tt, $Plural:tt),
        entry: $Entry:ident, settings: $Settings:ident, change: $Change:ident,
        filters: [$($filter:tt)*]
    ) => {
        use crate::app::App;
        use crate::http::extract::Admin;
        use crate::problem::Problem;
        use crate::http::openapi::{
            AdminProblems, BodyProblems, NameTaken, NotFound, ProblemDocument, QueryProblem,
            Stale,
        };
        use crate::http::page::Page;
        use crate::http::settings::resource;
        use actix_web::{HttpRequest, HttpResponse, web};

        $crate::http::settings::operations::handlers! {
            @but_create resource: $resource, paths: ($many, $one), tag: $tag,
            one: $what, several: $several, named: ($Singular, $Plural),
            entry: $Entry, change: $Change, filters: [$($filter)*]
        }

        #[doc = concat!("Adds a ", $what, ".")]
        #[utoipa::path(
            post, path = $many, tag = $tag, operation_id = concat!("create", $Singular),
            summary = concat!("Adds a ", $what, "."),
            request_body = $Settings,
            responses(
                (status = 201, body = $Entry, headers(
                    ("Location" = String, description = "Where it is read"),
                    ("ETag" = String, description = "For If-Match"),
                )),
                AdminProblems,
                BodyProblems,
                NameTaken,
            ),
        )]
        pub async fn create(
            app: web::Data<App>,
            Admin(actor): Admin,
            payload: web::Payload,
        ) -> Result<HttpResponse, Problem> {
            resource::create($resource, &app, actor, payload).await
        }

        $crate::http::routes::routes![list, create, read, change, delete];
    };
    (
        @but_create resource: $resource:expr, paths: ($many:tt, $one:tt), tag: $tag:tt,
        one: $what:tt, several: $several:tt, named: ($Singular:tt, $Plural:tt),
        entry: $Entry:ident, change: $Change:ident, filters: [$($filter:tt)*]
        $(, conflict: $conflict:tt)?
    ) => {
        #[doc = concat!("Lists ", $several, ", newest first.")]
        #[utoipa::path(
            get, path = $many, tag = $tag, operation_id = concat!("list", $Plural),
            summary = concat!("Lists ", $several, ", newest first."),
            params(
                ("limit" = Option<i64>, Query, minimum = 1, maximum = 100, description = "How many; 20 when absent"),
                ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
                $($filter)*
            ),
            responses((status = 200, body = Page<$Entry>), AdminProblems, QueryProblem),
        )]
        pub async fn list(
            app: web::Data<App>,
            Admin(actor): Admin,
            request: HttpRequest,
        ) -> Result<web::Json<Page<$Entry>>, Problem> {
            resource::list($resource, &app, actor, &request).await
        }

        #[doc = concat!("Reads a ", $what, ".")]
        #[utoipa::path(
            get, path = $one, tag = $tag, operation_id = concat!("read", $Singular),
            summary = concat!("Reads a ", $what, "."),
            params(("id" = String, Path)),
            responses(
                (status = 200, body = $Entry, headers(("ETag" = String, description = "For If-Match"))),
                AdminProblems,
                NotFound,
            ),
        )]
        pub async fn read(
            app: web::Data<App>,
            Admin(actor): Admin,
            id: web::Path<String>,
        ) -> Result<HttpResponse, Problem> {
            resource::read($resource, &app, actor, id.into_inner()).await
        }

        #[doc = concat!("Changes a ", $what, ": a merge patch (RFC 7396).")]
        #[utoipa::path(
            patch, path = $one, tag = $tag, operation_id = concat!("change", $Singular),
            summary = concat!("Changes a ", $what, ": a merge patch (RFC 7396)."),
            params(
                ("id" = String, Path),
                ("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another"),
            ),
            request_body(content = $Change, content_type = "application/merge-patch+json"),
            responses(
                (status = 200, body = $Entry, headers(("ETag" = String, description = "For If-Match"))),
                AdminProblems,
                BodyProblems,
                NotFound,
                (status = 409, body = ProblemDocument, content_type = "application/problem+json",
                 description = concat!(
                    "`name_taken`, or `in_use` where the change cannot be while it is" $(, $conflict)?
                 )),
                Stale,
            ),
        )]
        pub async fn change(
            app: web::Data<App>,
            Admin(actor): Admin,
            request: HttpRequest,
            id: web::Path<String>,
            payload: web::Payload,
        ) -> Result<HttpResponse, Problem> {
            resource::change($resource, &app, actor, &request, id.into_inner(), payload).await
        }

        #[doc = concat!("Deletes a ", $what, " that nothing refers to.")]
        #[utoipa::path(
            delete, path = $one, tag = $tag, operation_id = concat!("delete", $Singular),
            summary = concat!("Deletes a ", $what, " that nothing refers to."),
            params(
                ("id" = String, Path),
                ("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another"),
            ),
            responses(
                (status = 204),
                AdminProblems,
                NotFound,
                (status = 409, body = ProblemDocument, content_type = "application/problem+json",
                 description = concat!("`in_use`, and by what" $(, $conflict)?)),
                Stale,
            ),
        )]
        pub async fn delete(
            app: web::Data<App>,
            Admin(actor): Admin,
            request: HttpRequest,
            id: web::Path<String>,
        ) -> Result<HttpResponse, Problem> {
            resource::delete($resource, &app, actor, &request, id.into_inner()).await
        }
    };
}
pub(super) use handlers;
