//! The filters of a list of deliveries.

use crate::http::page::{Query, invalid};
use crate::problem::Problem;
use crate::store::delivery_log::{DeliveryFilters, Sought};
use beeiq_core::records::customer::CustomerCode;
use beeiq_core::records::delivery::DeliveryStatus;
use beeiq_core::records::ticket::TicketCode;
use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use uuid::Uuid;

/// Beside `limit` and `cursor`.
pub(super) const FILTERS: [&str; 6] = ["listener", "connection", "status", "from", "to", "q"];

/// The query parameters of a list of deliveries, for the API's description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by name; here for their description")]
pub(super) struct ListParameters {
    /// Entries on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// The listener's id.
    listener: Option<Uuid>,
    /// The connection's id.
    connection: Option<Uuid>,
    /// `pending`, `succeeded`, `partial`, `failed` or `rejected`.
    status: Option<String>,
    /// Received then or later.
    from: Option<DateTime<Utc>>,
    /// Received then or earlier.
    to: Option<DateTime<Utc>>,
    /// The request id, part of the sender's e-mail, or the code of a record that it touched:
    /// `PID-1`, `CID-1`, `LID-1`, `TID-1`, or a `dealId`.
    #[param(max_length = 255)]
    q: Option<String>,
}

/// Reads the filters; 422 `invalid_query` names the parameter whose value can be no such thing.
pub(super) fn read(query: &Query) -> Result<DeliveryFilters, Problem> {
    let id = |name: &str| {
        let parse = |text: &str| {
            text.parse().map_err(|_| invalid(name, &format!("is not the id of a {name}.")))
        };
        query.get(name).map(parse).transpose()
    };
    let status = query.get("status").map(|text| {
        let words = DeliveryStatus::ALL.map(DeliveryStatus::as_str).join(", ");
        text.parse().map_err(|_| invalid("status", &format!("is one of {words}.")))
    });
    Ok(DeliveryFilters {
        listener: id("listener")?,
        connection: id("connection")?,
        status: status.transpose()?,
        from: query.time("from")?,
        to: query.time("to")?,
        q: query.get("q").map(sought).transpose()?,
    })
}

fn sought(text: &str) -> Result<Sought, Problem> {
    let text = text.trim();
    if text.chars().count() > 255 {
        return Err(invalid("q", "has more than 255 characters."));
    }
    Ok(if let Ok(id) = Uuid::parse_str(text) {
        Sought::Request(id)
    } else if let Some(code) = CustomerCode::parse(text) {
        Sought::Customer(code)
    } else if let Some(code) = TicketCode::parse(text) {
        Sought::Ticket(code)
    } else {
        Sought::Text(text.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use beeiq_core::records::customer::CustomerKind;

    #[test]
    fn what_is_looked_for_is_told_by_its_form() {
        let id = Uuid::from_u128(7);
        let lead = CustomerCode { kind: CustomerKind::Lead, number: 3 };
        for (text, expected) in [
            (id.to_string().as_str(), Sought::Request(id)),
            (" lid-3 ", Sought::Customer(lead)),
            ("TID-3", Sought::Ticket(TicketCode(3))),
            ("ann@acme.test", Sought::Text("ann@acme.test".to_owned())),
            ("T-3", Sought::Text("T-3".to_owned())),
        ] {
            assert_eq!(sought(text).unwrap(), expected, "{text}");
        }
        assert!(sought(&"x".repeat(256)).is_err());
    }
}
