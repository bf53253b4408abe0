//! Call-backs that visitors of iAdvize asked for (`connections.md` 3).

use super::reader::{Reader, SOURCE, activity_key};
use super::times::{self, Needed};
use super::visitor::{Customer, Reach, customer};
use crate::diagnostics::Code;
use crate::formats::draft::{Draft, Part};
use crate::formats::pulled::{Object, PulledItem, put_line};
use crate::records::activity::ActivityKind;

/// The status of one that nobody has dealt with.
const PENDING: &str = "pending";

/// The customer, the call-back, and where the connection asks for it a ticket while it is pending.
pub(super) fn drafts(reader: &Reader<'_>, item: &PulledItem<'_>) -> Vec<Draft> {
    let told = &item.told;
    let Some(id) = told.text("id") else {
        return vec![item.failed(
            Part::Activity,
            Code::Required,
            "id",
            "A call meeting has an `id`.",
        )];
    };
    let customer = customer(reader, item, None, Reach::Phone("phone_number"));
    let Customer { whose, contact } = match customer {
        Ok(customer) => customer,
        Err((code, at, message)) => {
            return vec![item.draft(Part::Activity).failed(code, &at, message)];
        }
    };
    let mut activity = item.draft(Part::Activity);
    activity.heard.whose = whose;
    activity.heard.activities = vec![activity_key("callmeeting", &id)];
    let data = &mut activity.data;
    data.put("kind", ActivityKind::Callback.as_str(), &told.at);
    data.put("source", SOURCE.as_str(), &told.at);
    data.put("externalId", activity_key("callmeeting", &id).external_id, &told.place("id"));
    let zone = times::zone(reader, told);
    times::put(&mut activity, "startedAt", (told, "start_at"), zone, Needed::Yes);
    let status = told.text("status");
    if let Some(status) = &status {
        put_line(&mut activity, "outcome", status, &told.place("status"));
    }
    let is_pending = status.is_some_and(|status| status.eq_ignore_ascii_case(PENDING));
    let asks = reader.settings.ticket_for_pending_callbacks && is_pending;
    let ticket = asks.then(|| ticket(item, told, &activity));
    contact.into_iter().chain([activity]).chain(ticket).collect()
}

fn ticket(item: &PulledItem<'_>, told: &Object<'_>, activity: &Draft) -> Draft {
    let mut ticket = item.draft(Part::Ticket);
    ticket.heard = activity.heard.clone();
    let phone = told.text("phone_number");
    let title = match &phone {
        Some(phone) => format!("Call back {phone}"),
        None => "Call back".to_owned(),
    };
    put_line(&mut ticket, "title", &title, &told.place("phone_number"));
    let on = phone.map(|phone| format!(" on {phone}")).unwrap_or_default();
    let at = told.text("start_at").map(|start| format!(" at {start}")).unwrap_or_default();
    let body = format!("The customer asked in iAdvize to be called back{on}{at}.");
    ticket.data.put("body", body, &told.at);
    ticket
}
