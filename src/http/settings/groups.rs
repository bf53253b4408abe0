//! `/api/v1/groups` (`api.md` 4).

use super::operations::handlers;
use super::resource::Change;
use crate::app::App;
use crate::problem::Problem;
use crate::service::settings::Entry;
use crate::service::settings::groups::{GroupSettings, Groups};
use actix_web::{HttpRequest, HttpResponse, web};

pub type Group = Entry<GroupSettings>;
pub type GroupChange = Change<GroupSettings>;

handlers! {
    resource(app): Groups, paths: ("/api/v1/groups", "/api/v1/groups/{id}"), tag: "Groups",
    one: "a group", several: "groups", named: ("Group", "Groups"), entry: Group,
    operations: [list, read, create(GroupSettings), change(GroupChange), delete],
    filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
}
