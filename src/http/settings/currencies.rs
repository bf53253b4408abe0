//! `/api/v1/currencies` (`api.md` 4).

use super::operations::handlers;
use super::resource::Change;
use crate::app::App;
use crate::problem::Problem;
use crate::service::settings::Entry;
use crate::service::settings::currencies::{Currencies, CurrencySettings};
use actix_web::{HttpRequest, HttpResponse, web};

pub type Currency = Entry<CurrencySettings>;
pub type CurrencyChange = Change<CurrencySettings>;

handlers! {
    resource(app): Currencies, paths: ("/api/v1/currencies", "/api/v1/currencies/{id}"),
    tag: "Currencies", one: "a currency", several: "currencies", named: ("Currency", "Currencies"),
    entry: Currency,
    operations: [list, read, create(CurrencySettings), change(CurrencyChange), delete],
    filters: [("code" = Option<String>, Query, description = "With this code")]
}
