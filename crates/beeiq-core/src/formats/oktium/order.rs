//! An order: a deal, and an activity that is linked to it.

use super::{Event, SOURCE, key};
use crate::diagnostics::Code;
use crate::formats::draft::{Draft, Part};
use crate::formats::pulled::{fit_json, put_line};
use crate::records::activity::ActivityKind;
use chrono::SecondsFormat;
use serde_json::Value;

/// The most bytes of a description.
const LONGEST_DESCRIPTION: usize = 16 * 1024;

/// What of an order its activity keeps.
const DETAILS: [(&str, &str); 16] = [
    ("products", "products"),
    ("shipping", "shipping"),
    ("vatRate", "vatRate"),
    ("taxFree", "taxFree"),
    ("confirmedAt", "confirmedAt"),
    ("paidAt", "paidAt"),
    ("readyAt", "readyAt"),
    ("shippedAt", "shippedAt"),
    ("chargeResponse", "chargeResponse"),
    ("refundResponse", "refundResponse"),
    ("branchId", "branchId"),
    ("branchName", "branchName"),
    ("branchImageUrl", "branchImageUrl"),
    ("sellerId", "sellerId"),
    ("callId", "callId"),
    ("address", "address"),
];

impl Event<'_> {
    pub(super) fn order(&self) -> Vec<Draft> {
        let number = self.fields.text("orderNo");
        let deal_id = number.as_ref().map(|number| format!("{SOURCE}:{number}"));
        let mut activity = self.activity(ActivityKind::Order, &DETAILS);
        self.put_line(&mut activity, "outcome", "status");
        match self.fields.text("createdAt") {
            Some(_) => self.put_time(&mut activity, "startedAt", "createdAt"),
            None => {
                let arrived = self.told.at.to_rfc3339_opts(SecondsFormat::Millis, true);
                activity.data.put("startedAt", arrived, &self.fields.at);
            }
        }
        if let Some(deal_id) = &deal_id {
            activity.data.put("dealId", deal_id.as_str(), &self.fields.place("orderNo"));
        }
        vec![self.deal(number.as_deref(), deal_id), activity]
    }

    fn deal(&self, number: Option<&str>, deal_id: Option<String>) -> Draft {
        let mut deal = self.draft(Part::Deal);
        let place = |field: &str| self.fields.place(field);
        let (Some(number), Some(deal_id)) = (number, deal_id) else {
            let message = "The order has no `orderNo`, by which its deal would be known.";
            return deal.failed(Code::Required, &place("orderNo"), message);
        };
        put_line(&mut deal, "dealId", &deal_id, &place("orderNo"));
        put_line(&mut deal, "name", &format!("Order {number}"), &place("orderNo"));
        for (name, field) in [("value", "totalPrice"), ("currency", "currency")] {
            if let Some(text) = self.fields.text(field) {
                deal.data.put(name, text, &place(field));
            }
        }
        let status = self.fields.text("status");
        if let Some(stage) = status.and_then(|status| self.settings.stages.get(&status)) {
            deal.data.put("stage", stage.as_str(), &place("status"));
        }
        let description = self.description();
        let description =
            fit_json(&description, LONGEST_DESCRIPTION, &place("products"), &mut deal.diagnostics);
        if !description.is_empty() {
            deal.data.put("description", description, &place("products"));
        }
        // Its own activity comes first.
        deal.heard.activities.extend(self.fields.text("callId").map(|call| key("call", &call)));
        deal
    }

    /// A line a product, then what the order says of shipping and tax.
    fn description(&self) -> String {
        let products = self.fields.value("products").and_then(Value::as_array);
        let text = |of: &Value, field: &str| {
            of.get(field).and_then(crate::formats::pulled::text_of).unwrap_or_default()
        };
        let mut lines: Vec<String> = products
            .into_iter()
            .flatten()
            .map(|product| format!("{}: {}", text(product, "name"), text(product, "price")))
            .collect();
        if let Some(shipping) = self.fields.text("shipping") {
            lines.push(format!("Shipping: {shipping}"));
        }
        if let Some(rate) = self.fields.text("vatRate") {
            lines.push(format!("VAT: {rate} %"));
        }
        if let Some(Value::Bool(free)) = self.fields.value("taxFree") {
            lines.push(format!("Tax-free: {}", if *free { "yes" } else { "no" }));
        }
        lines.join("\n")
    }
}
