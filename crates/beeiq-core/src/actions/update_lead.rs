//! update-lead: changes the lead that the payload identifies (`listener.md` 3).
//!
//! As update-contact, among leads, whose company is `companyLead`.

use super::act::Act;
use super::customer::customer_type::{ContactKind, read_contact_type};
use super::customer::customer_update::CustomerUpdate;
use super::customer::person::PERSON_FIELDS;
use crate::batch::{Context, Decision, Ids, Keys, Overlay, Rejection};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given, Mode};
use crate::records::customer::CustomerKind;
use serde_json::Value;

/// A payload of update-lead, read.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateLead {
    update: CustomerUpdate,
}

impl Act for UpdateLead {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at, Mode::Update, PERSON_FIELDS, diagnostics)?;
        check_kind(&mut fields);
        Some(Self { update: CustomerUpdate::read(&mut fields, &[CustomerKind::Lead], context) })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        self.update.collect_keys(keys);
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        self.update.decide(overlay, ids, diagnostics)
    }
}

/// A lead is a person: `type` 0; a `contactType` of `customer` belongs to another action.
fn check_kind(fields: &mut Fields<'_, '_>) {
    if read_contact_type(fields).set() == Some(ContactKind::Customer) {
        let message =
            "update-lead changes leads; to change a customer use the actionType `update-contact`.";
        fields.fault("contactType", Code::WrongKind, message);
    }
    if fields.number_choice("type", &[(0, "person"), (1, "company")]) == Given::Set(1) {
        let message = "A lead is a person, `type` 0; to change an account use `update-contact` with `type` 1.";
        fields.fault("type", Code::WrongKind, message);
    }
}

#[cfg(test)]
mod tests {
    use crate::actions::testing::{TestOrg, record};
    use crate::batch::{Change, Status};
    use crate::records::customer::{Customer, CustomerKind, EmailEntry};
    use crate::records::history::HistoryKind;
    use serde_json::{Value, json};

    fn with_email(code: &str, email: &str) -> Customer {
        let entry = EmailEntry { r#type: Default::default(), value: email.to_owned() };
        Customer { emails: vec![entry], ..record(code, "Huy") }
    }

    #[test]
    fn it_searches_among_leads_only() {
        let org = TestOrg::new()
            .keeping(with_email("PID-1", "a@x.com"))
            .keeping(with_email("LID-1", "a@x.com"));
        for data in [
            json!({"emails": [{"value": "a@x.com"}], "title": "Dr"}),
            json!({"customerId": "LID-1", "title": "Dr", "type": 0}),
            json!({"name": "Huy", "passport": "new", "contactType": "lead"}),
        ] {
            let decision = org.decide("update-lead", data).unwrap();
            assert_eq!(decision.outcome.status, Status::Updated);
            assert_eq!(
                decision.outcome.record.as_ref().unwrap().name.code().as_deref(),
                Some("LID-1")
            );
        }
    }

    #[test]
    fn its_company_is_found_or_made_by_name_and_unlinked_by_null() {
        let lead = record("LID-1", "Huy");
        let org = TestOrg::new().keeping(lead);
        let results = org.decide_all(&[
            ("update-lead", json!({"customerId": "LID-1", "companyLead": "GOOGLE"})),
            ("update-lead", json!({"customerId": "LID-1", "companyLead": "google"})),
            ("update-lead", json!({"customerId": "LID-1", "companyLead": null})),
        ]);
        let [linked, again, unlinked] = results.try_into().unwrap();
        let linked = linked.unwrap();
        let made = linked.changes.iter().find_map(|change| match change {
            Change::CustomerCreated(customer) => Some(customer.code),
            _ => None,
        });
        assert_eq!(made.unwrap().kind, CustomerKind::Account);
        assert_eq!(again.unwrap().outcome.status, Status::Unchanged);
        let unlinked = unlinked.unwrap();
        let told: Vec<(HistoryKind, Value)> = unlinked
            .changes
            .into_iter()
            .filter_map(|change| match change {
                Change::HistoryAdded(line) => Some((line.event.kind(), line.event.details())),
                _ => None,
            })
            .collect();
        let change = json!({"old": made.unwrap().to_string(), "new": null});
        assert_eq!(told, [(HistoryKind::Updated, json!({"changes": {"companyLead": change}}))]);
    }

    #[test]
    fn what_is_no_lead_is_told_where_it_belongs() {
        let org = TestOrg::new().keeping(record("PID-1", "Huy"));
        for (data, place) in [
            (json!({"customerId": "PID-1"}), "customerId"),
            (json!({"passport": "x", "contactType": "customer"}), "contactType"),
            (json!({"passport": "x", "type": 1}), "type"),
        ] {
            let rejection = org.decide("update-lead", data).expect_err("it is no lead");
            assert_eq!(rejection.faults[0].code.as_str(), "wrong_kind");
            assert_eq!(rejection.faults[0].pointer, format!("/data/0/data/{place}"));
            assert!(rejection.faults[0].message.contains("update-contact"));
        }
    }
}
