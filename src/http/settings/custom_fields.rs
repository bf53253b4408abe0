//! `/api/v1/custom-fields` (`api.md` 4).

use super::operations::handlers;
use super::resource::Change;
use crate::app::App;
use crate::problem::Problem;
use crate::service::settings::Entry;
use crate::service::settings::custom_fields::{CustomFieldSettings, CustomFields};
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::values::custom_field::Model;

pub type CustomField = Entry<CustomFieldSettings>;
pub type CustomFieldChange = Change<CustomFieldSettings>;

handlers! {
    resource(app): CustomFields, paths: ("/api/v1/custom-fields", "/api/v1/custom-fields/{id}"),
    tag: "Custom fields", one: "a custom field", several: "custom fields",
    named: ("CustomField", "CustomFields"), entry: CustomField,
    operations: [list, read, create(CustomFieldSettings), change(CustomFieldChange), delete],
    filters: [
        ("name" = Option<String>, Query, description = "Of this name, in any case"),
        ("model" = Option<Model>, Query, description = "Of this model"),
    ]
}
