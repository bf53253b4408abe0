//! `/api/v1/tags`, `/slas`, and the lists that an org chooses from: `/sources`, `/channels`,
//! `/deal-stages`, `/deal-categories`, `/deal-packages` (`api.md` 4).

use super::operations::handlers;
use super::resource::Change;
use crate::app::App;
use crate::http::routes::Operation;
use crate::problem::Problem;
use crate::service::settings::Entry;
use crate::service::settings::names::{Names, SlaSettings, TagSettings};
use crate::service::settings::picklists::{Picklist, PicklistEntrySettings};
use actix_web::{HttpRequest, HttpResponse, web};

pub type Tag = Entry<TagSettings>;
pub type TagChange = Change<TagSettings>;
pub type Sla = Entry<SlaSettings>;
pub type SlaChange = Change<SlaSettings>;
pub type PicklistEntry = Entry<PicklistEntrySettings>;
pub type PicklistEntryChange = Change<PicklistEntrySettings>;

/// Makes a module of each resource, and `ROUTES` of them all.
macro_rules! named {
    ($(
        $(#[$doc:meta])*
        $module:ident: $resource:expr, $paths:tt, $tag:literal, $one:literal, $several:literal,
        $named:tt, $Entry:ident($Settings:ident, $Change:ident);
    )+) => {
        $(
            $(#[$doc])*
            pub mod $module {
                use super::*;

                handlers! {
                    resource(app): $resource, paths: $paths, tag: $tag, one: $one,
                    several: $several, named: $named, entry: $Entry,
                    operations: [list, read, create($Settings), change($Change), delete],
                    filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
                }
            }
        )+

        pub(crate) const ROUTES: &[&[Operation]] = &[$($module::ROUTES),+];
    };
}

named! {
    tags: Names::<TagSettings>::default(), ("/api/v1/tags", "/api/v1/tags/{id}"),
        "Tags", "a tag", "tags", ("Tag", "Tags"), Tag(TagSettings, TagChange);
    slas: Names::<SlaSettings>::default(), ("/api/v1/slas", "/api/v1/slas/{id}"),
        "SLAs", "a service level", "service levels", ("Sla", "Slas"), Sla(SlaSettings, SlaChange);
    /// Where customers come from.
    sources: Picklist::SOURCES, ("/api/v1/sources", "/api/v1/sources/{id}"),
        "Sources", "a source", "sources", ("Source", "Sources"),
        PicklistEntry(PicklistEntrySettings, PicklistEntryChange);
    /// Through which notes and tickets come. A new org has the nine of `listener.md` 7; payloads find
    /// them by these names, so an org that renames or deletes one does without it.
    channels: Picklist::CHANNELS, ("/api/v1/channels", "/api/v1/channels/{id}"),
        "Channels", "a channel", "channels", ("Channel", "Channels"),
        PicklistEntry(PicklistEntrySettings, PicklistEntryChange);
    /// How far a deal has come.
    deal_stages: Picklist::STAGES, ("/api/v1/deal-stages", "/api/v1/deal-stages/{id}"),
        "Deal stages", "a deal stage", "deal stages", ("DealStage", "DealStages"),
        PicklistEntry(PicklistEntrySettings, PicklistEntryChange);
    /// What kinds of deal there are.
    deal_categories: Picklist::CATEGORIES, ("/api/v1/deal-categories", "/api/v1/deal-categories/{id}"),
        "Deal categories", "a deal category", "deal categories", ("DealCategory", "DealCategories"),
        PicklistEntry(PicklistEntrySettings, PicklistEntryChange);
    /// What deals may be about.
    deal_packages: Picklist::PACKAGES, ("/api/v1/deal-packages", "/api/v1/deal-packages/{id}"),
        "Deal packages", "a deal package", "deal packages", ("DealPackage", "DealPackages"),
        PicklistEntry(PicklistEntrySettings, PicklistEntryChange);
}
