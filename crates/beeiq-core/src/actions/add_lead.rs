//! add-lead: a new lead, unless a lead has its identifiers already (`listener.md` 3).
//!
//! Leads are a world of identity of their own: a customer with the same e-mail does not make a lead
//! a duplicate. Otherwise as add-contact, with the listener's `leadSource` and `companyLead`.

use super::act::Act;
use super::customer::customer_data::CustomerData;
use super::customer::customer_type::{ContactKind, read_contact_type};
use super::customer::new_or_duplicate::decide_new_or_duplicate;
use super::customer::person::PERSON_FIELDS;
use crate::batch::{Context, Decision, Ids, Keys, Overlay, Rejection};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given, Mode};
use crate::records::customer::CustomerKind;
use serde_json::Value;

/// A payload of add-lead, read.
#[derive(Clone, Debug, PartialEq)]
pub struct AddLead {
    customer: CustomerData,
}

impl Act for AddLead {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at, Mode::Add, PERSON_FIELDS, diagnostics)?;
        check_kind(&mut fields);
        fields.ignore(
            "customerId",
            "codes are given by the CRM; to change a record use `update-lead`.",
        );
        let named = fields.has("name");
        fields.require("name", named);
        let customer = CustomerData::read(&mut fields, CustomerKind::Lead, context);
        Some(Self { customer })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        self.customer.collect_keys(keys);
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        decide_new_or_duplicate(&self.customer, overlay, ids, diagnostics)
    }
}

/// A lead is a person: `type` 0; a `contactType` of `customer` belongs to another action.
fn check_kind(fields: &mut Fields<'_, '_>) {
    if read_contact_type(fields).set() == Some(ContactKind::Customer) {
        let message = "add-lead makes leads; to add a customer use the actionType `add-contact`.";
        fields.fault("contactType", Code::WrongKind, message);
    }
    if fields.number_choice("type", &[(0, "person"), (1, "company")]) == Given::Set(1) {
        let message =
            "A lead is a person, `type` 0; to add an account use `add-contact` with `type` 1.";
        fields.fault("type", Code::WrongKind, message);
    }
}

#[cfg(test)]
mod tests {
    use crate::actions::testing::TestOrg;
    use crate::batch::{Change, Decision, Role, Status};
    use crate::diagnostics::Code;
    use crate::records::identity::{Identity, IdentityKind, World};
    use serde_json::json;

    fn add(org: &TestOrg, data: serde_json::Value) -> Decision {
        org.decide("add-lead", data).expect("the action has no fault")
    }

    #[test]
    fn a_lead_is_made_with_the_lead_source_and_its_company() {
        let mut org = TestOrg::new();
        org.listener.lead_source = Some(crate::actions::testing::id(32));
        let decision = add(&org, json!({"name": "Huy", "companyLead": "GOOGLE"}));
        assert_eq!(decision.outcome.related[0].role, Role::CompanyCreated);
        let lead = decision.changes.iter().find_map(|change| match change {
            Change::CustomerCreated(customer) if customer.code.kind.prefix() == "LID" => {
                Some(customer)
            }
            _ => None,
        });
        let lead = lead.unwrap();
        assert_eq!(lead.source, org.listener.lead_source);
        assert_eq!(lead.company, Some(decision.outcome.related[0].record.id));
    }

    #[test]
    fn only_another_lead_makes_it_a_duplicate() {
        let held_in = |world| Identity::new(world, IdentityKind::Email, "a@x.com");
        let data = json!({"name": "x", "emails": [{"value": "a@x.com"}]});
        let among_customers = TestOrg::new().holding("PID-1", "A", &[held_in(World::Customer)]);
        assert_eq!(add(&among_customers, data.clone()).outcome.status, Status::Created);
        let among_leads = TestOrg::new().holding("LID-1", "A", &[held_in(World::Lead)]);
        assert_eq!(add(&among_leads, data).outcome.status, Status::Duplicate);
    }

    #[test]
    fn what_is_no_lead_is_told_where_it_belongs() {
        let org = TestOrg::new();
        for (data, place, says) in [
            (json!({"name": "x", "contactType": "customer"}), "contactType", "add-contact"),
            (json!({"name": "x", "type": 1}), "type", "add-contact"),
        ] {
            let rejection = org.decide("add-lead", data).expect_err("it is no lead");
            assert_eq!(rejection.faults[0].code, Code::WrongKind);
            assert_eq!(rejection.faults[0].pointer, format!("/data/0/data/{place}"));
            assert!(rejection.faults[0].message.contains(says));
        }
    }
}
