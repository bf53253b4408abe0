//! update-lead: changes the lead that the payload identifies (`listener.md` 3).
//!
//! As update-contact, among leads, whose company is `companyLead`.

use super::change::{Decision, Rejection};
use super::context::Context;
use super::customer_type::{ContactKind, read_contact_type};
use super::customer_update::CustomerUpdate;
use super::mentions::Mentions;
use super::person::PERSON_FIELDS;
use super::workspace::{Ids, Workspace};
use crate::domain::customer::CustomerKind;
use crate::domain::fault::{Code, Pointer};
use crate::payload::{Fields, Findings, Given, Mode};
use serde_json::Value;

/// A payload of update-lead, read.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateLead {
    update: CustomerUpdate,
}

impl UpdateLead {
    /// Reads the action's `data`, which stands at `at`.
    pub fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at, Mode::Update, PERSON_FIELDS, findings)?;
        check_kind(&mut fields);
        Some(Self { update: CustomerUpdate::read(&mut fields, &[CustomerKind::Lead], context) })
    }

    /// What has to be known before it can be decided.
    pub fn mention(&self, mentions: &mut Mentions) {
        self.update.mention(mentions);
    }

    /// Decides it. `findings` are those of reading it.
    ///
    /// # Errors
    /// Every fault, those that only what is known shows included.
    pub fn decide(
        &self,
        workspace: &Workspace<'_>,
        ids: &mut dyn Ids,
        findings: Findings,
    ) -> Result<Decision, Rejection> {
        self.update.decide(workspace, ids, findings)
    }
}

/// A lead is a person: `type` 0; a `contactType` of `customer` belongs to another action.
fn check_kind(fields: &mut Fields<'_, '_>) {
    if read_contact_type(fields).set() == Some(ContactKind::Customer) {
        let at = fields.place("contactType");
        let message =
            "update-lead changes leads; to change a customer use the actionType `update-contact`.";
        fields.findings.fault(Code::WrongKind, &at, message);
    }
    if fields.number_choice("type", &[(0, "person"), (1, "company")]) == Given::Set(1) {
        let at = fields.place("type");
        let message = "A lead is a person, `type` 0; to change an account use `update-contact` with `type` 1.";
        fields.findings.fault(Code::WrongKind, &at, message);
    }
}
