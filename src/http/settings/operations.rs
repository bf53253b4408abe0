//! The operations of a settings resource, with their descriptions: a macro, since each resource has
//! handlers of its own in the API's document, and they differ by names alone.

/// The operations of a resource, as `api.md` 2 has them, with their descriptions: `list`, `read` and
/// `delete`, `create(Settings)` and `change(Change)`. `resource(app)` is the resource, of an app with
/// that name; after `and` come the module's own handlers; `conflict` is what else a 409 of a change or a delete can be.
macro_rules! handlers {
    (
        resource($app:ident): $resource:expr, paths: $paths:tt, tag: $tag:tt,
        one: $a:tt, several: $several:tt, named: $named:tt, entry: $Entry:ident,
        operations: $operations:tt $(and $own:tt)?, filters: $filters:tt
    ) => {
        $crate::http::settings::operations::handlers! {
            resource($app): $resource, paths: $paths, tag: $tag, one: $a, several: $several,
            named: $named, entry: $Entry, operations: $operations $(and $own)?, filters: $filters,
            conflict: ""
        }
    };
    (
        resource($app:ident): $resource:expr, paths: $paths:tt, tag: $tag:tt,
        one: $a:tt, several: $several:tt, named: $named:tt, entry: $Entry:ident,
        operations: [$($operation:ident $(($type:ident))?),+] $(and [$($own:ident),+])?,
        filters: $filters:tt, conflict: $conflict:tt
    ) => {
        #[allow(unused_imports, reason = "not every resource has every operation")]
        use crate::http::openapi::{
            AdminProblems, BodyProblems, NameTaken, NotFound, ProblemDocument, QueryProblem, Stale,
        };
        use crate::http::extract::Admin;
        use crate::http::page::Page;
        use crate::http::settings::resource;

        $($crate::http::settings::operations::handlers! {
            @each $operation [$($type)?] $app ($resource) $paths $tag $a $several $named $Entry
            $filters $conflict
        })+

        $crate::http::routes::routes![$($operation),+ $(, $($own),+)?];
    };
    (
        @each list [] $app:ident ($resource:expr) ($many:tt, $one:tt) $tag:tt $a:tt $several:tt
        ($Singular:tt, $Plural:tt) $Entry:ident [$($filter:tt)*] $conflict:tt
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
            $app: web::Data<App>,
            Admin(actor): Admin,
            request: HttpRequest,
        ) -> Result<HttpResponse, Problem> {
            resource::list($resource, &$app, actor, &request).await
        }
    };
    (
        @each read [] $app:ident ($resource:expr) ($many:tt, $one:tt) $tag:tt $a:tt $several:tt
        ($Singular:tt, $Plural:tt) $Entry:ident [$($filter:tt)*] $conflict:tt
    ) => {
        #[doc = concat!("Reads ", $a, ".")]
        #[utoipa::path(
            get, path = $one, tag = $tag, operation_id = concat!("read", $Singular),
            summary = concat!("Reads ", $a, "."),
            params(("id" = String, Path)),
            responses(
                (status = 200, body = $Entry, headers(("ETag" = String, description = "For If-Match"))),
                AdminProblems,
                NotFound,
            ),
        )]
        pub async fn read(
            $app: web::Data<App>,
            Admin(actor): Admin,
            id: web::Path<String>,
        ) -> Result<HttpResponse, Problem> {
            resource::read($resource, &$app, actor, id.into_inner()).await
        }
    };
    (
        @each create [$Settings:ident] $app:ident ($resource:expr) ($many:tt, $one:tt) $tag:tt $a:tt $several:tt
        ($Singular:tt, $Plural:tt) $Entry:ident [$($filter:tt)*] $conflict:tt
    ) => {
        #[doc = concat!("Adds ", $a, ".")]
        #[utoipa::path(
            post, path = $many, tag = $tag, operation_id = concat!("create", $Singular),
            summary = concat!("Adds ", $a, "."),
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
            $app: web::Data<App>,
            Admin(actor): Admin,
            payload: $crate::http::body::Body,
        ) -> Result<HttpResponse, Problem> {
            resource::create($resource, &$app, actor, payload).await
        }
    };
    (
        @each change [$Change:ident] $app:ident ($resource:expr) ($many:tt, $one:tt) $tag:tt $a:tt $several:tt
        ($Singular:tt, $Plural:tt) $Entry:ident [$($filter:tt)*] $conflict:tt
    ) => {
        #[doc = concat!("Changes ", $a, ": a merge patch (RFC 7396).")]
        #[utoipa::path(
            patch, path = $one, tag = $tag, operation_id = concat!("change", $Singular),
            summary = concat!("Changes ", $a, ": a merge patch (RFC 7396)."),
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
                    "`name_taken`, or `in_use` where the change cannot be while it is" , $conflict
                 )),
                Stale,
            ),
        )]
        pub async fn change(
            $app: web::Data<App>,
            Admin(actor): Admin,
            request: HttpRequest,
            id: web::Path<String>,
            payload: $crate::http::body::Body,
        ) -> Result<HttpResponse, Problem> {
            resource::change($resource, &$app, actor, &request, id.into_inner(), payload).await
        }
    };
    (
        @each delete [] $app:ident ($resource:expr) ($many:tt, $one:tt) $tag:tt $a:tt $several:tt
        ($Singular:tt, $Plural:tt) $Entry:ident [$($filter:tt)*] $conflict:tt
    ) => {
        #[doc = concat!("Deletes ", $a, " that nothing refers to.")]
        #[utoipa::path(
            delete, path = $one, tag = $tag, operation_id = concat!("delete", $Singular),
            summary = concat!("Deletes ", $a, " that nothing refers to."),
            params(
                ("id" = String, Path),
                ("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another"),
            ),
            responses(
                (status = 204),
                AdminProblems,
                NotFound,
                (status = 409, body = ProblemDocument, content_type = "application/problem+json",
                 description = concat!("`in_use`, and by what" , $conflict)),
                Stale,
            ),
        )]
        pub async fn delete(
            $app: web::Data<App>,
            Admin(actor): Admin,
            request: HttpRequest,
            id: web::Path<String>,
        ) -> Result<HttpResponse, Problem> {
            resource::delete($resource, &$app, actor, &request, id.into_inner()).await
        }
    };
}
pub(super) use handlers;
