//! A customer as a payload describes one that may have to be made: by add-contact and add-lead, or
//! by the way in add-deal and add-ticket (`listener.md` 3, 4, 7).

use super::company::Company;
use super::company_creation::{company_linked, create_company};
use super::new_customer::{NewCustomer, create};
use super::person::Person;
use crate::actions::cus_fields::{CusFields, read_cus_fields, resolve_cus_fields};
use crate::actions::permit::read_permit;
use crate::actions::welcome::welcome;
use crate::batch::{
    Change, Context, Ids, Keys, KnownCustomer, Overlay, Related, Role, company_name_identity,
};
use crate::diagnostics::{Diagnostics, Pointer};
use crate::json::{Fields, Given};
use crate::records::customer::{Customer, CustomerKind};
use crate::records::identity::Identity;
use crate::records::permit::Permit;
use crate::values::text::fold;

/// All that a payload says of a customer, its references resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerData {
    /// Where it stands.
    pub at: Pointer,
    /// What it would be made as.
    pub kind: CustomerKind,
    pub person: Person,
    pub cus_fields: CusFields,
    permit: Permit,
    company: Option<Company>,
}

/// A customer that has been made.
#[derive(Debug)]
pub struct CreatedCustomer {
    pub customer: Customer,
    pub company_name: Option<String>,
    /// What else comes with it, in order.
    changes: Vec<Change>,
    /// Its company.
    related: Vec<Related>,
}

impl CreatedCustomer {
    /// What brings it about, and its company.
    pub fn into_changes(self) -> (Vec<Change>, Vec<Related>) {
        let Self { customer, company_name: _, mut changes, related } = self;
        changes.push(Change::CustomerCreated(Box::new(customer)));
        (changes, related)
    }
}

impl CustomerData {
    /// Reads it from `fields`, for a record of that kind. Whether a name is required, and what a
    /// `customerId` means, is the action's to say.
    pub fn read(fields: &mut Fields<'_, '_>, kind: CustomerKind, context: Context<'_>) -> Self {
        let person = Person::read(fields, context);
        let permit = read_permit(fields, context).set().unwrap_or_default();
        let values = read_cus_fields(fields).set().unwrap_or_default();
        let company = read_company(fields, kind, context).set();
        let cus_fields = resolve_cus_fields(&values, kind.model(), context, fields.diagnostics);
        Self { at: fields.at().clone(), kind, person, cus_fields, permit, company }
    }

    /// One of whom a payload says no more than this.
    pub fn of_person(at: Pointer, kind: CustomerKind, person: Person) -> Self {
        let (cus_fields, permit) = (CusFields::default(), Permit::default());
        Self { at, kind, person, cus_fields, permit, company: None }
    }

    /// The identifiers that it brings, in the order in which a match counts.
    pub fn identities(&self) -> Vec<Identity> {
        self.person.identities(self.kind.world())
    }

    /// What has to be known before it can be matched or made.
    pub fn collect_keys(&self, keys: &mut Keys) {
        keys.identities.extend(self.identities());
        keys.tags.extend(self.person.tags.as_set().into_iter().flatten().map(|tag| fold(tag)));
        keys.may_create(self.kind);
        if let Some(company) = &self.company {
            company.collect_keys(keys);
        }
        if self.kind == CustomerKind::Account
            && let Some(name) = self.person.name.as_set()
        {
            keys.identities.insert(company_name_identity(&fold(name)));
        }
    }

    /// Its identifiers that somebody holds, with who does.
    pub fn matches<'w>(&self, overlay: &'w Overlay<'_>) -> Vec<(Identity, &'w KnownCustomer)> {
        self.identities()
            .into_iter()
            .filter_map(|identity| Some((overlay.customers.holder(&identity)?, identity)))
            .map(|(holder, identity)| (identity, holder))
            .collect()
    }

    /// Searches its company; what is wrong with it is a fault of the action whether or not the
    /// customer has to be made.
    pub fn search_company<'w>(
        &self,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'w KnownCustomer> {
        self.company.as_ref()?.search(overlay, diagnostics)
    }

    /// Makes it: the company where [`CustomerData::search_company`] found none, the record with the
    /// listener's defaults, its history, its welcome messages.
    pub fn create(
        &self,
        found_company: Option<&KnownCustomer>,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: &mut Diagnostics,
    ) -> CreatedCustomer {
        let mut changes = Vec::new();
        let company = self.company.as_ref().map(|company| match found_company {
            Some(found) => (found.clone(), Role::CompanyLinked),
            None => {
                let own = self.identities();
                let made = create_company(company, &own, overlay, ids, &mut changes, diagnostics);
                (made, Role::CompanyCreated)
            }
        });
        let new = NewCustomer {
            kind: self.kind,
            person: &self.person,
            cus_fields: &self.cus_fields,
            permit: &self.permit,
            company: company.as_ref().map(|(company, _)| company.id),
        };
        let customer = create(&new, overlay, ids, &mut changes);
        if let Some((company, role)) = &company {
            changes.push(company_linked(ids, customer.id, company, *role));
        }
        let company_name = company.as_ref().map(|(company, _)| company.name.clone());
        let welcomed =
            welcome(&customer, company_name.as_deref(), &self.at, overlay, ids, diagnostics);
        changes.extend(welcomed);
        let related = company.map(|(company, role)| Related { role, record: company.record() });
        CreatedCustomer { customer, company_name, changes, related: related.into_iter().collect() }
    }
}

/// A contact's company is `companyContact`, a lead's `companyLead`; an account has none.
pub fn read_company(
    fields: &mut Fields<'_, '_>,
    kind: CustomerKind,
    context: Context<'_>,
) -> Given<Company> {
    match kind {
        CustomerKind::Contact => {
            fields
                .ignore("companyLead", "it is for leads; a contact's company is `companyContact`.");
            Company::read(fields, context)
        }
        CustomerKind::Account => {
            fields.ignore("companyLead", "it is for leads, and an account is a company itself.");
            fields.ignore("companyContact", "an account is a company itself.");
            Given::Absent
        }
        CustomerKind::Lead => {
            fields
                .ignore("companyContact", "it is for contacts; a lead's company is `companyLead`.");
            Company::read_name(fields)
        }
    }
}
