//! The operations of a record, with their descriptions: a macro, since each record has handlers of
//! its own in the API's document, and they differ by names alone.

/// The operations of a kind of record, as `api.md` 5 has them. `with` names their arguments, for
/// what each does with them; `id` is how a path's id is described.
macro_rules! operations {
    (
        with: $with:tt, of: ($one:literal, $several:literal), named: $named:tt, body: $Body:ident,
        paths: $paths:tt, id: $id:tt,
        $($operation:ident $details:tt => $does:expr),+ $(,)?
    ) => {
        #[allow(unused_imports, reason = "not every record has every operation")]
        use crate::http::openapi::{AdminProblems, NoSuchRecord, QueryProblem, SignedInProblems};
        use crate::access::Actor;
        use crate::app::App;
        #[allow(unused_imports, reason = "not every record has every operation")]
        use crate::http::extract::Admin;
        use crate::http::page::Page;
        #[allow(unused_imports, reason = "not every record has every operation")]
        use crate::http::records::filters::PageParameters;
        #[allow(unused_imports, reason = "not every record has every operation")]
        use crate::http::records::history::HistoryLine;
        use crate::problem::Problem;
        use actix_web::web::{Data, Json, Path};
        use actix_web::{HttpRequest, HttpResponse};

        $($crate::http::records::operations::operations! {
            @$operation $with $one $several $named $Body $paths $id $details $does
        })+

        $crate::http::routes::routes![$($operation),+];
    };
    (
        @list ($app:ident, $actor:ident, $request:ident, $id:ident) $one:literal $several:literal
        ($Singular:literal, $Plural:literal, $singular:literal) $Body:ident
        ($many:literal, $single:literal, $history:literal) $described:tt
        ($Parameters:ident, $seen:literal) $does:expr
    ) => {
        #[utoipa::path(
            get, path = $many, tag = "Records", operation_id = concat!("list", $Plural),
            summary = concat!("Lists ", $several, ", newest first; a member gets ", $seen, "."),
            description = "A parameter that is unknown or wrong is a 422.",
            params($Parameters),
            responses(
                (status = 200, description = concat!("A page of ", $several), body = Page<$Body>),
                SignedInProblems,
                QueryProblem,
            ),
        )]
        pub async fn list(
            $app: Data<App>,
            $actor: Actor,
            $request: HttpRequest,
        ) -> Result<Json<Page<$Body>>, Problem> {
            $does.await
        }
    };
    (
        @read ($app:ident, $actor:ident, $request:ident, $id:ident) $one:literal $several:literal
        ($Singular:literal, $Plural:literal, $singular:literal) $Body:ident
        ($many:literal, $single:literal, $history:literal) $described:tt
        ($by:literal) $does:expr
    ) => {
        #[utoipa::path(
            get, path = $single, tag = "Records", operation_id = concat!("read", $Singular),
            summary = concat!("Reads ", $one, " by ", $by, "."),
            description = "One that is not there, or that the caller may not see, is a 404.",
            params($described),
            responses(
                (status = 200, description = concat!("The ", $singular), body = $Body, headers(("ETag" = String))),
                SignedInProblems,
                QueryProblem,
                NoSuchRecord,
            ),
        )]
        pub async fn read(
            $app: Data<App>,
            $actor: Actor,
            $request: HttpRequest,
            $id: Path<String>,
        ) -> Result<HttpResponse, Problem> {
            $does.await
        }
    };
    (
        @erase ($app:ident, $actor:ident, $request:ident, $id:ident) $one:literal $several:literal
        ($Singular:literal, $Plural:literal, $singular:literal) $Body:ident
        ($many:literal, $single:literal, $history:literal) $described:tt
        () $does:expr
    ) => {
        #[utoipa::path(
            delete, path = $single, tag = "Records", operation_id = concat!("erase", $Singular),
            summary = concat!("Erases ", $one, " with all that hangs on it: notes, tickets, activities, messages, history, and its part of the kept deliveries."),
            description = "Deals with it stay, without it. Owner and admins only.",
            params($described),
            responses((status = 204, description = "Nothing of it is left"), AdminProblems, NoSuchRecord),
        )]
        pub async fn erase(
            $app: Data<App>,
            Admin($actor): Admin,
            $id: Path<String>,
        ) -> Result<HttpResponse, Problem> {
            $does.await
        }
    };
    (
        @history ($app:ident, $actor:ident, $request:ident, $id:ident) $one:literal $several:literal
        ($Singular:literal, $Plural:literal, $singular:literal) $Body:ident
        ($many:literal, $single:literal, $history:literal) $described:tt
        () $does:expr
    ) => {
        #[utoipa::path(
            get, path = $history, tag = "Records", operation_id = concat!($singular, "History"),
            summary = concat!("Lists what happened to ", $one, ", newest first."),
            description = "One that is not there, or that the caller may not see, is a 404.",
            params($described, PageParameters),
            responses(
                (status = 200, description = "A page of its history", body = Page<HistoryLine>),
                SignedInProblems,
                NoSuchRecord,
                QueryProblem,
            ),
        )]
        pub async fn history(
            $app: Data<App>,
            $actor: Actor,
            $request: HttpRequest,
            $id: Path<String>,
        ) -> Result<Json<Page<HistoryLine>>, Problem> {
            $does.await
        }
    };
}
pub(super) use operations;
