//! add-contact: a new contact or account, unless the org has it already (`listener.md` 3).
//!
//! A payload is a duplicate when any of its `contactId`, `passport`, `emails`, `phones` is held by
//! any contact or account. Then nothing is added or changed but a line in the history of the one
//! that matched first. Otherwise the record is made, with its company (`listener.md` 4), its tags,
//! its history and its welcome messages.

use super::change::{
    Change, Decision, HistoryKind, Outcome, RecordRef, Rejection, Related, Role, Status,
};
use super::company::Company;
use super::company_creation::create_company;
use super::context::Context;
use super::cus_fields::{CusFields, read_cus_fields, resolve_cus_fields};
use super::mentions::Mentions;
use super::new_customer::{NewCustomer, create, history};
use super::permit::read_permit;
use super::person::{PERSON_FIELDS, Person};
use super::welcome::welcome;
use super::workspace::{Ids, KnownCustomer, Workspace, company_name_identity};
use crate::domain::customer::CustomerKind;
use crate::domain::fault::{Code, Pointer};
use crate::domain::identity::{Identity, IdentityKind, World};
use crate::domain::permit::Permit;
use crate::domain::text::fold;
use crate::payload::{Fields, Findings, Given, Longest, Mode};
use serde_json::{Value, json};

/// A payload of add-contact, read.
#[derive(Clone, Debug, PartialEq)]
pub struct AddContact {
    at: Pointer,
    kind: CustomerKind,
    person: Person,
    cus_fields: CusFields,
    permit: Permit,
    company: Option<Company>,
}

impl AddContact {
    /// Reads the action's `data`, which stands at `at`.
    pub fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at.clone(), Mode::Add, PERSON_FIELDS, findings)?;
        let kind = read_kind(&mut fields);
        fields.ignore("customerId", "codes are given by the CRM; to change a record use update-contact.");
        fields.ignore("companyLead", "it is a field of leads; a contact's company is `companyContact`.");
        let person = Person::read(&mut fields, context);
        fields.require("name", matches!(person.name, Given::Set(_)));
        let permit = read_permit(&mut fields, context).set().unwrap_or_default();
        let values = read_cus_fields(&mut fields);
        let company = if kind == CustomerKind::Account {
            fields.ignore("companyContact", "an account is a company itself.");
            None
        } else {
            Company::read(&mut fields, context).set()
        };
        let cus_fields = resolve_cus_fields(&values, kind.model(), context, fields.findings);
        Some(Self { at, kind, person, cus_fields, permit, company })
    }

    /// What has to be known before it can be decided.
    pub fn mention(&self, mentions: &mut Mentions) {
        mentions.identities.extend(self.person.identities(World::Customer));
        mentions.tags.extend(self.person.tags.as_set().into_iter().flatten().map(|tag| fold(tag)));
        mentions.may_create(self.kind);
        if let Some(company) = &self.company {
            company.mention(mentions);
        }
        if self.kind == CustomerKind::Account
            && let Some(name) = self.person.name.as_set()
        {
            mentions.identities.insert(company_name_identity(&fold(name)));
        }
    }

    /// Decides it. `findings` are those of reading it: a payload with faults is failed, duplicate
    /// or not.
    ///
    /// # Errors
    /// Every fault, those that only what is known shows included.
    pub fn decide(
        &self,
        workspace: &Workspace<'_>,
        ids: &mut dyn Ids,
        mut findings: Findings,
    ) -> Result<Decision, Rejection> {
        let company = self.company.as_ref().map(|company| company.search(workspace, &mut findings));
        if !findings.faults.is_empty() {
            return Err(findings.into());
        }
        let matches = self.matches(workspace);
        Ok(match matches.first() {
            Some((first, existing)) => {
                skip_duplicate(first.kind, existing, &matches, findings, ids)
            }
            None => self.create(company.flatten(), workspace, ids, findings),
        })
    }

    /// Its identifiers that somebody holds, with who does.
    fn matches<'w>(&self, workspace: &'w Workspace<'_>) -> Vec<(Identity, &'w KnownCustomer)> {
        self.person
            .identities(World::Customer)
            .into_iter()
            .filter_map(|identity| Some((workspace.holder(&identity)?, identity)))
            .map(|(holder, identity)| (identity, holder))
            .collect()
    }

    fn create(
        &self,
        found_company: Option<uuid::Uuid>,
        workspace: &Workspace<'_>,
        ids: &mut dyn Ids,
        mut findings: Findings,
    ) -> Decision {
        let mut changes = Vec::new();
        let mut related = Vec::new();
        let company = match (&self.company, found_company) {
            (None, _) => None,
            (Some(_), Some(found)) => workspace.customer(found).cloned().map(|known| (known, Role::CompanyLinked)),
            (Some(company), None) => {
                let own = self.person.identities(World::Customer);
                let made = create_company(company, &own, workspace, ids, &mut changes, &mut findings);
                Some((made, Role::CompanyCreated))
            }
        };
        let new = NewCustomer {
            kind: self.kind,
            person: &self.person,
            cus_fields: &self.cus_fields,
            permit: &self.permit,
            company: company.as_ref().map(|(company, _)| company.id),
        };
        let (customer, own_changes) = create(&new, workspace, ids);
        changes.extend(own_changes);
        if let Some((company, role)) = &company {
            let details = json!({
                "company": {"id": company.id, "code": company.code.to_string()},
                "created": *role == Role::CompanyCreated,
            });
            changes.push(history(ids, customer.id, HistoryKind::CompanyLinked, details));
            related.push(Related { role: *role, record: company.record() });
        }
        let company_name = company.as_ref().map(|(company, _)| company.name.as_str());
        changes.extend(welcome(&customer, company_name, &self.at, workspace, ids, &mut findings));
        let outcome = Outcome {
            status: Status::Created,
            record: RecordRef { id: customer.id, code: customer.code },
            matched_by: None,
            related,
            warnings: findings.warnings,
        };
        Decision { outcome, changes }
    }
}

/// `type` 0 or 1; a `contactType` of `lead` belongs to another action.
fn read_kind(fields: &mut Fields<'_, '_>) -> CustomerKind {
    let at = fields.place("contactType");
    match fields.text("contactType", Longest::LINE).set().as_deref() {
        None => {}
        Some(word) if word.eq_ignore_ascii_case("customer") => {}
        Some(word) if word.eq_ignore_ascii_case("lead") => fields.findings.fault(
            Code::WrongKind,
            &at,
            "add-contact makes contacts and accounts; to add a lead use the actionType `add-lead`.",
        ),
        Some(_) => fields.findings.fault(
            Code::InvalidChoice,
            &at,
            "`contactType` has to be \"customer\" here; leads are added by `add-lead`.",
        ),
    }
    match fields.number_choice("type", &[(0, "contact"), (1, "account")]) {
        Given::Set(1) => CustomerKind::Account,
        _ => CustomerKind::Contact,
    }
}

/// Nothing is added or changed; the existing record gets one line that says what matched.
fn skip_duplicate(
    matched_by: IdentityKind,
    existing: &KnownCustomer,
    matches: &[(Identity, &KnownCustomer)],
    findings: Findings,
    ids: &mut dyn Ids,
) -> Decision {
    let matched: Vec<Value> = matches
        .iter()
        .filter(|(_, holder)| holder.id == existing.id)
        .map(|(identity, _)| json!({"field": identity.kind, "value": identity.value}))
        .collect();
    let mut related: Vec<Related> = Vec::new();
    for (_, holder) in matches.iter().filter(|(_, holder)| holder.id != existing.id) {
        let candidate = Related { role: Role::Candidate, record: holder.record() };
        if !related.contains(&candidate) {
            related.push(candidate);
        }
    }
    let line =
        history(ids, existing.id, HistoryKind::DuplicateSkipped, json!({"matched": matched}));
    let outcome = Outcome {
        status: Status::Duplicate,
        record: existing.record(),
        matched_by: Some(matched_by),
        related,
        warnings: findings.warnings,
    };
    Decision { outcome, changes: vec![line] }
}
