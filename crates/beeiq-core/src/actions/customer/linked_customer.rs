//! The customer that a deal or ticket belongs to: found by what identifies them and linked as they are,
//! or made (`listener.md` 7, "add-deal", `dealWith`).

use super::customer_data::CustomerData;
use super::customer_type::{ContactKind, read_contact_type};
use super::person::PERSON_FIELDS;
use crate::batch::{Change, Context, Ids, Keys, KnownCustomer, Link, Overlay, Related};
use crate::diagnostics::{Code, Diagnostics, Fault, Pointer};
use crate::json::{Fields, Given, Longest, Mode};
use crate::records::customer::{CustomerCode, CustomerKind};
use crate::records::identity::World;
use crate::values::suggest::listed;
use serde_json::Value;

/// What finds a customer of a deal; without one they are not made either.
pub const PARTY_IDENTIFIERS: &[&str] = &["customerId", "contactId", "passport", "emails", "phones"];

/// A code that a payload names a customer by; what is no code at all is kept as text.
pub type NamedCode = Result<CustomerCode, String>;

/// A customer who is to be linked.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkedCustomer {
    pub code: Option<NamedCode>,
    /// Their identifiers, and what they are made from where nobody holds them.
    pub data: CustomerData,
}

/// Whom a search led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'w> {
    /// This customer.
    Known(&'w KnownCustomer),
    /// Nobody: they are to be made, within this company where it is known already.
    ToCreate(Option<&'w KnownCustomer>),
}

/// A customer who has been found or made.
#[derive(Clone, Debug, PartialEq)]
pub struct Linked {
    pub customer: KnownCustomer,
    pub link: Link,
    /// Their company, where they were made.
    pub related: Vec<Related>,
}

impl LinkedCustomer {
    /// Reads the object `value`, which stands at `at`. What it says is for making a customer, so
    /// `null` is "absent" in it also where the deal around it is updated.
    pub fn read(
        value: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(value, at, Mode::Add, PERSON_FIELDS, diagnostics)?;
        if !PARTY_IDENTIFIERS.iter().any(|name| fields.has(name)) {
            let at = fields.at().clone();
            let message = format!(
                "Which customer is meant? Name one of {}; a name alone is not enough.",
                listed(PARTY_IDENTIFIERS, PARTY_IDENTIFIERS.len())
            );
            fields.diagnostics.fault(Code::MissingIdentifier, &at, message);
        }
        let contact_kind = read_contact_type(&mut fields).set().unwrap_or(ContactKind::Customer);
        let code = read_code(&mut fields, contact_kind);
        let kind = read_kind(&mut fields, contact_kind, code.as_ref());
        Some(Self { code, data: CustomerData::read(&mut fields, kind, context) })
    }

    /// What has to be known before they can be searched or made.
    pub fn collect_keys(&self, keys: &mut Keys) {
        keys.codes.extend(self.code.as_ref().and_then(|code| code.as_ref().ok()));
        self.data.collect_keys(keys);
    }

    /// Searches them by `customerId`, `contactId`, `passport`, e-mails and phones, in that order. A
    /// code that nobody has is a warning, and the search goes on.
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
            let shown: String = sent.chars().take(64).collect();
            let message = format!(
                "Nobody has the code {shown}; the customer was searched by the other fields."
            );
            diagnostics.warn(Code::UnknownCustomer, self.data.at.member("customerId"), message);
        }
        self.data.matches(overlay).first().map(|(_, holder)| *holder)
    }

    /// Searches them, and where there is nobody looks whether they can be made; `None` where not,
    /// with every fault noted.
    pub fn find<'w>(
        &self,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Found<'w>> {
        if let Some(known) = self.search(overlay, diagnostics) {
            return Some(Found::Known(known));
        }
        // Who was named by nothing, or by something wrong, may well be there.
        let at = self.data.at.as_str();
        let within = format!("{at}/");
        let named_badly = |fault: &Fault| fault.pointer == at || fault.pointer.starts_with(&within);
        if diagnostics.faults.iter().any(named_badly) {
            return None;
        }
        let faults_before = diagnostics.faults.len();
        // The same payload sent again would not find whom it made without one.
        if self.data.identities().is_empty() {
            let message = "Nobody has this code, and to make the customer a `contactId`, `passport`, e-mail or phone is needed beside the `name`.";
            diagnostics.fault(Code::MissingIdentifier, &self.data.at, message);
        }
        if self.data.person.name.as_set().is_none() {
            let message = "Nobody has this code, contactId, passport, e-mail or phone, and to make the customer a `name` is needed.";
            diagnostics.fault(Code::Required, self.data.at.member("name"), message);
        }
        let company = self.data.search_company(overlay, diagnostics);
        (diagnostics.faults.len() == faults_before).then_some(Found::ToCreate(company))
    }

    /// Finds them or makes them. Who is made is there in `fork` from then on, so that the next one
    /// who is the same is linked to them; `changes` bring them about. While the action has faults
    /// nobody is made.
    pub fn link(
        &self,
        fork: &mut Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: &mut Diagnostics,
        changes: &mut Vec<Change>,
    ) -> Option<Linked> {
        let company = match self.find(fork, diagnostics)? {
            Found::Known(known) => {
                let (customer, related) = (known.clone(), Vec::new());
                return Some(Linked { customer, link: Link::Linked, related });
            }
            Found::ToCreate(company) => company,
        };
        if !diagnostics.faults.is_empty() {
            return None;
        }
        let made = self.data.create(company, fork, ids, diagnostics);
        let customer = KnownCustomer::of(&made.customer);
        let (made, related) = made.into_changes();
        changes.extend(made.iter().cloned());
        fork.apply(made);
        Some(Linked { customer, link: Link::Created, related })
    }
}

/// `customerId`: a code of the kind that `contactType` says. One of the other kind is told so.
pub fn read_code(fields: &mut Fields<'_, '_>, contact_kind: ContactKind) -> Option<NamedCode> {
    let at = fields.place("customerId");
    let text = fields.text("customerId", Longest::LINE).set()?;
    let Some(code) = CustomerCode::parse(&text) else {
        return Some(Err(text));
    };
    let fix = match (contact_kind, code.kind.world()) {
        (ContactKind::Customer, World::Customer) | (ContactKind::Lead, World::Lead) => {
            return Some(Ok(code));
        }
        (ContactKind::Customer, World::Lead) => {
            "add `\"contactType\": \"lead\"`, or name a customer (PID-n or CID-n)."
        }
        (ContactKind::Lead, World::Customer) => {
            "leave out `\"contactType\": \"lead\"`, or name a lead (LID-n)."
        }
    };
    let message = format!("{code} is the code of a {}: {fix}", code.kind.as_str());
    fields.diagnostics.fault(Code::WrongKind, &at, message);
    None
}

/// Contact, account or lead: what `contactType` and `type` say, and without a `type` the code.
fn read_kind(
    fields: &mut Fields<'_, '_>,
    contact_kind: ContactKind,
    code: Option<&NamedCode>,
) -> CustomerKind {
    let at = fields.place("type");
    let given = fields.number_choice("type", &[(0, "person"), (1, "company")]);
    if contact_kind == ContactKind::Lead {
        if given == Given::Set(1) {
            let message = "A lead is a person, `type` 0.";
            fields.diagnostics.fault(Code::WrongKind, &at, message);
        }
        return CustomerKind::Lead;
    }
    let named = code.and_then(|code| code.as_ref().ok());
    let kind = match given {
        Given::Set(1) => CustomerKind::Account,
        Given::Set(_) => CustomerKind::Contact,
        Given::Absent | Given::Clear => named.map_or(CustomerKind::Contact, |code| code.kind),
    };
    if let Some(code) = named.filter(|code| code.kind != kind) {
        let message = format!(
            "{code} is the code of a {}: leave `type` out, or name a{} {}.",
            code.kind.as_str(),
            if kind == CustomerKind::Account { "n" } else { "" },
            kind.as_str(),
        );
        fields.diagnostics.fault(Code::WrongKind, &at, message);
    }
    kind
}
