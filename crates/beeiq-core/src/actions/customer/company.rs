//! The company that a contact belongs to: found among accounts, or made (`listener.md` 4).

use super::lists::{
    TypedAddress, TypedEmail, TypedPhone, read_addresses, read_emails, read_im, read_phones,
    read_websites,
};
use crate::actions::permit::read_permit;
use crate::batch::context::Context;
use crate::batch::customers::{KnownCustomer, company_name_identity};
use crate::batch::keys::Keys;
use crate::batch::snapshot::Overlay;
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given, Longest};
use crate::records::customer::{CustomerCode, CustomerKind, Im, Website};
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::permit::Permit;
use crate::values::text::fold;

/// The fields of a `companyContact`.
pub const COMPANY_FIELDS: &[&str] =
    &["customerId", "name", "emails", "phones", "websites", "addresses", "im", "permit"];

/// A `companyContact` (or, by name alone, a `companyLead`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Company {
    pub at: Pointer,
    /// An account's code; anything else that was sent as `customerId` is kept as text.
    pub code: Option<Result<CustomerCode, String>>,
    pub name: Option<String>,
    pub emails: Vec<TypedEmail>,
    pub phones: Vec<TypedPhone>,
    pub websites: Vec<Website>,
    pub addresses: Vec<TypedAddress>,
    pub im: Vec<Im>,
    pub permit: Permit,
}

impl Company {
    /// Reads the field `companyContact` of `fields`; absent or full of blanks: no company.
    pub fn read(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<Self> {
        let mut company = match fields.object("companyContact", COMPANY_FIELDS) {
            Given::Absent => return Given::Absent,
            Given::Clear => return Given::Clear,
            Given::Set(company) => company,
        };
        Given::Set(Self {
            at: company.at().clone(),
            code: read_account_code(&mut company),
            name: company.text("name", Longest::LINE).set(),
            emails: read_emails(&mut company).set().unwrap_or_default(),
            phones: read_phones(&mut company, context).set().unwrap_or_default(),
            websites: read_websites(&mut company).set().unwrap_or_default(),
            addresses: read_addresses(&mut company).set().unwrap_or_default(),
            im: read_im(&mut company).set().unwrap_or_default(),
            permit: read_permit(&mut company, context).set().unwrap_or_default(),
        })
    }

    /// Reads the field `companyLead` of `fields`: the account's name alone.
    pub fn read_name(fields: &mut Fields<'_, '_>) -> Given<Self> {
        let at = fields.place("companyLead");
        fields
            .text("companyLead", Longest::LINE)
            .and_then(|name| Some(Self { at, name: Some(name), ..Self::default() }))
    }

    /// Its name as accounts' names are compared.
    #[must_use]
    pub fn name_key(&self) -> Option<String> {
        self.name.as_deref().map(fold)
    }

    /// Its e-mails, then its phones, as identities of the customers' world.
    #[must_use]
    pub fn identities(&self) -> Vec<Identity> {
        let emails = self.emails.iter().map(|typed| (IdentityKind::Email, typed.email.key()));
        let phones = self.phones.iter().map(|typed| (IdentityKind::Phone, typed.phone.key()));
        emails.chain(phones).map(|(kind, key)| Identity::new(World::Customer, kind, key)).collect()
    }

    /// What has to be known before it can be searched.
    pub fn collect_keys(&self, keys: &mut Keys) {
        keys.codes.extend(self.code.as_ref().and_then(|code| code.as_ref().ok()));
        keys.identities.extend(self.identities());
        if let Some(name_key) = self.name_key() {
            keys.identities.insert(company_name_identity(&name_key));
            keys.account_names.insert(name_key);
        }
        keys.may_create(CustomerKind::Account);
    }

    /// The account meant, `None` where there is none yet. A fault where one would have to be made
    /// and has no name.
    #[must_use]
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
        if found.is_none() && self.name.is_none() {
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
            .filter_map(|identity| overlay.customers.holder(&identity))
            .filter(|holder| holder.code.kind == CustomerKind::Account)
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
