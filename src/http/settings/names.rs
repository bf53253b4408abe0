//! `/api/v1/tags`, `/slas`, and the lists that an org chooses from: `/sources`, `/channels`,
//! `/deal-stages`, `/deal-categories`, `/deal-packages` (`api.md` 4).

use super::operations::handlers;
use super::resource::Change;
use crate::app::App;
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

pub mod tags {
    use super::*;

    handlers! {
        resource(app): Names::<TagSettings>::default(),
        paths: ("/api/v1/tags", "/api/v1/tags/{id}"), tag: "Tags",
        one: "a tag", several: "tags", named: ("Tag", "Tags"), entry: Tag,
        operations: [list, read, create(TagSettings), change(TagChange), delete],
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

pub mod slas {
    use super::*;

    handlers! {
        resource(app): Names::<SlaSettings>::default(),
        paths: ("/api/v1/slas", "/api/v1/slas/{id}"), tag: "SLAs",
        one: "a service level", several: "service levels", named: ("Sla", "Slas"), entry: Sla,
        operations: [list, read, create(SlaSettings), change(SlaChange), delete],
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// Where customers come from.
pub mod sources {
    use super::*;

    handlers! {
        resource(app): Picklist::SOURCES,
        paths: ("/api/v1/sources", "/api/v1/sources/{id}"), tag: "Sources",
        one: "a source", several: "sources", named: ("Source", "Sources"),
        entry: PicklistEntry,
        operations: [
            list, read, create(PicklistEntrySettings), change(PicklistEntryChange), delete
        ],
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// Through which notes and tickets come. A new org has the nine of `listener.md` 7; payloads find
/// them by these names, so an org that renames or deletes one does without it.
pub mod channels {
    use super::*;

    handlers! {
        resource(app): Picklist::CHANNELS,
        paths: ("/api/v1/channels", "/api/v1/channels/{id}"), tag: "Channels",
        one: "a channel", several: "channels", named: ("Channel", "Channels"),
        entry: PicklistEntry,
        operations: [
            list, read, create(PicklistEntrySettings), change(PicklistEntryChange), delete
        ],
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// How far a deal has come.
pub mod deal_stages {
    use super::*;

    handlers! {
        resource(app): Picklist::STAGES,
        paths: ("/api/v1/deal-stages", "/api/v1/deal-stages/{id}"), tag: "Deal stages",
        one: "a deal stage", several: "deal stages", named: ("DealStage", "DealStages"),
        entry: PicklistEntry,
        operations: [
            list, read, create(PicklistEntrySettings), change(PicklistEntryChange), delete
        ],
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// What kinds of deal there are.
pub mod deal_categories {
    use super::*;

    handlers! {
        resource(app): Picklist::CATEGORIES,
        paths: ("/api/v1/deal-categories", "/api/v1/deal-categories/{id}"), tag: "Deal categories",
        one: "a deal category", several: "deal categories", named: ("DealCategory", "DealCategories"),
        entry: PicklistEntry,
        operations: [
            list, read, create(PicklistEntrySettings), change(PicklistEntryChange), delete
        ],
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// What deals may be about.
pub mod deal_packages {
    use super::*;

    handlers! {
        resource(app): Picklist::PACKAGES,
        paths: ("/api/v1/deal-packages", "/api/v1/deal-packages/{id}"), tag: "Deal packages",
        one: "a deal package", several: "deal packages", named: ("DealPackage", "DealPackages"),
        entry: PicklistEntry,
        operations: [
            list, read, create(PicklistEntrySettings), change(PicklistEntryChange), delete
        ],
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}
