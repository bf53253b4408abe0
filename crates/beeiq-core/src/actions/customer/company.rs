//! The company that a contact belongs to: found among accounts, or made (`listener.md` 4).

use super::customer_type::{ContactKind, read_contact_type};
use super::person::{PERSON_FIELDS, Person};
use crate::actions::cus_fields::{CusFields, read_cus_fields, resolve_cus_fields};
use crate::actions::permit::read_permit;
use crate::batch::{Context, Keys, KnownCustomer, Overlay, company_name_identity};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given, Longest};
use crate::records::customer::{CustomerCode, CustomerKind};
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::permit::Permit;
use crate::values::custom_field::Model;
use crate::values::text::fold;

/// A `companyContact`, whose fields are a contact's (or, by name alone, a `companyLead`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Company {
    pub at: Pointer,
    /// An account's code; anything else that was sent as `customerId` is kept as text.
    pub code: Option<Result<CustomerCode, String>>,
    pub person: Person,
    pub cus_fields: CusFields,
    pub permit: Permit,
}

impl Company {
    /// Reads the field `companyContact` of `fields`; absent or full of blanks: no company.
    pub fn read(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<Self> {
        let mut company = match fields.object("companyContact", PERSON_FIELDS) {
            Given::Absent => return Given::Absent,
            Given::Clear => return Given::Clear,
            Given::Set(company) => company,
        };
        ignore_kind(&mut company);
        for field in ["companyContact", "companyLead"] {
            company.ignore(field, "a company has no company of its own.");
        }
        let code = read_account_code(&mut company);
        let person = Person::read(&mut company, context);
        let values = read_cus_fields(&mut company).set().unwrap_or_default();
        let cus_fields = resolve_cus_fields(&values, Model::Account, context, company.diagnostics);
        let permit = read_permit(&mut company, context).set().unwrap_or_default();
        Given::Set(Self { at: company.at().clone(), code, person, cus_fields, permit })
    }

    /// Reads the field `companyLead` of `fields`: the account's name alone.
    pub fn read_name(fields: &mut Fields<'_, '_>) -> Given<Self> {
        let at = fields.place("companyLead");
        fields.text("companyLead", Longest::LINE).and_then(|name| {
            let person = Person { name: Given::Set(name), ..Person::default() };
            Some(Self { at, person, ..Self::default() })
        })
    }

    /// Its name as accounts' names are compared.
    pub fn name_key(&self) -> Option<String> {
        self.person.name.as_set().map(|name| fold(name))
    }

    /// What identifies it once it is made. Only its e-mails and phones find it before.
    pub fn identities(&self) -> Vec<Identity> {
        self.person.identities(World::Customer)
    }

    /// What has to be known before it can be searched.
    pub fn collect_keys(&self, keys: &mut Keys) {
        keys.codes.extend(self.code.as_ref().and_then(|code| code.as_ref().ok()));
        keys.identities.extend(self.identities());
        let tags = self.person.tags.as_set().into_iter().flatten();
        keys.tags.extend(tags.map(|tag| fold(tag)));
        if let Some(name_key) = self.name_key() {
            keys.identities.insert(company_name_identity(&name_key));
            keys.account_names.insert(name_key);
        }
        keys.may_create(CustomerKind::Account);
    }

    /// The account meant, `None` where there is none yet. A fault where one would have to be made
    /// and has no name.
    pub fn search<'w>(
        &self,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'w KnownCustomer> {
        if let Some(code) = &self.code {
            let known = code.as_ref().ok().and_then(|code| overlay.customers.with_code(*code));
            if known.is_some() {
                return known;
            }
            let sent = code.as_ref().map_or_else(Clone::clone, CustomerCode::to_string);
            let message = format!(
                "There is no account {sent}; the company was searched by its other fields."
            );
            diagnostics.warn(Code::UnknownCompany, self.at.member("customerId"), message);
        }
        let found = self.by_name(overlay, diagnostics).or_else(|| self.pointed_to(overlay).next());
        if found.is_none() && self.person.name.as_set().is_none() {
            let message = "No account has this code, e-mail or phone, and to make one the company needs a `name`.";
            diagnostics.fault(Code::CompanyNameRequired, self.at.member("name"), message);
        }
        found
    }

    /// The account of its name; of several the one that its e-mails or phones also point to, else
    /// the oldest.
    fn by_name<'w>(
        &self,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'w KnownCustomer> {
        let name_key = self.name_key()?;
        let mut accounts = overlay.customers.accounts_named(&name_key);
        let oldest = accounts.next()?;
        if accounts.next().is_none() {
            return Some(oldest);
        }
        let also_pointed_to = self.pointed_to(overlay).find(|account| account.name_key == name_key);
        if also_pointed_to.is_none() {
            let message = format!(
                "Several accounts are called \"{}\"; the oldest was taken. Name the one meant by `customerId`.",
                oldest.name
            );
            diagnostics.warn(Code::AmbiguousCompany, self.at.member("name"), message);
        }
        also_pointed_to.or(Some(oldest))
    }

    /// The accounts that hold its e-mails and phones, in their order.
    fn pointed_to<'w>(&self, overlay: &'w Overlay<'_>) -> impl Iterator<Item = &'w KnownCustomer> {
        self.identities()
            .into_iter()
            .filter(|identity| matches!(identity.kind, IdentityKind::Email | IdentityKind::Phone))
            .filter_map(|identity| overlay.customers.holder(&identity))
            .filter(|holder| holder.code.kind == CustomerKind::Account)
    }
}

/// A company is an account, whatever `type` and `contactType` say: who copies a contact's fields
/// has the contact's there.
fn ignore_kind(company: &mut Fields<'_, '_>) {
    if company.number_choice("type", &[(0, "person"), (1, "company")]) == Given::Set(0) {
        company.ignore("type", "a company is an account, `type` 1.");
    }
    if read_contact_type(company).set() == Some(ContactKind::Lead) {
        company.ignore("contactType", "a company is an account, and no lead.");
    }
}

/// `customerId` of a company: an account's code. A code of another kind is told so.
fn read_account_code(company: &mut Fields<'_, '_>) -> Option<Result<CustomerCode, String>> {
    let at = company.place("customerId");
    let text = company.text("customerId", Longest::LINE).set()?;
    match CustomerCode::parse(&text) {
        Some(code) if code.kind == CustomerKind::Account => Some(Ok(code)),
        Some(code) => {
            let message = format!(
                "{code} is the code of a {}; a company is an account, whose codes are CID-n.",
                code.kind.as_str()
            );
            company.diagnostics.fault(Code::WrongKind, &at, message);
            None
        }
        None => Some(Err(text)),
    }
}
