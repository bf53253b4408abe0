//! Transactions of iAdvize (`connections.md` 3).

use super::reader::{Reader, SOURCE, conversation_of};
use super::times::{self, Needed};
use super::visitor::{Customer, Reach, customer};
use crate::diagnostics::Code;
use crate::formats::draft::{Draft, Part};
use crate::formats::pulled::{Object, PulledItem, put_line};
use serde_json::Value;

/// The customer, where the item tells of them, and the deal.
pub(super) fn drafts(reader: &Reader<'_>, item: &PulledItem<'_>) -> Vec<Draft> {
    let told = &item.told;
    let named = ["external_id", "id"].into_iter().find_map(|from| Some((told.id(from)?, from)));
    let Some((id, from)) = named else {
        return vec![item.failed(Part::Deal, Code::Required, "id", "A transaction has an `id`.")];
    };
    let conversation = conversation_of(told);
    let customer = customer(reader, item, conversation.clone(), Reach::Email("visitor_email"));
    let Customer { whose, contact } = match customer {
        Ok(customer) => customer,
        Err((code, at, message)) => {
            return vec![item.draft(Part::Deal).failed(code, &at, message)];
        }
    };
    let mut deal = item.draft(Part::Deal);
    deal.heard.whose = whose;
    deal.heard.activities = conversation.into_iter().collect();
    deal.heard.new_deal_stage.clone_from(&reader.settings.stage);
    deal.data.put("dealId", format!("{SOURCE}:{id}"), &told.place(from));
    put_line(&mut deal, "name", &format!("Transaction {id}"), &told.place(from));
    put_amount(&mut deal, reader, told);
    let zone = times::zone(reader, told);
    times::put(&mut deal, "closeDate", (told, "created_at"), zone, Needed::No);
    contact.into_iter().chain([deal]).collect()
}

/// The amount as it is written, in the currency of the website.
fn put_amount(deal: &mut Draft, reader: &Reader<'_>, told: &Object<'_>) {
    let at = told.place("amount");
    match told.value("amount") {
        None | Some(Value::Null) => return,
        Some(amount) => deal.data.put("value", amount.clone(), &at),
    }
    let website = reader.looked_up(told, "website_id", "website");
    match website.and_then(|website| website.text("currency")) {
        Some(currency) => deal.data.put("currency", currency, &told.place("website_id")),
        None => {
            // It would become one of the org's default currency.
            let message = "The currency of the amount is not known: iAdvize tells none of its \
                           website.";
            deal.diagnostics.fault(Code::UnknownCurrency, told.place("website_id"), message);
        }
    }
}
