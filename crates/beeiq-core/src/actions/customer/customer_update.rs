//! What update-contact and update-lead have in common: finding the record, and changing it
//! (`listener.md` 3).

use super::company::Company;
use super::company_creation::{company_linked, create_company};
use super::customer_data::{CustomerData, read_company};
use super::customer_revision::Revision;
use super::customer_search::{Search, kind_alone, read_search};
use super::field_changes::{Names, field_changes};
use super::field_kinds::{email_key, phone_key};
use super::new_customer::{claim_of_name, tags_named};
use super::person::Person;
use crate::actions::cus_fields::{CusFields, NamedValue, read_cus_fields, resolve_cus_fields};
use crate::actions::permit::read_permit;
use crate::batch::{
    Change, Claim, Context, Decision, Ids, Keys, KnownCustomer, NameKey, Outcome, Overlay,
    RecordRef, Rejection, Related, Role, Status, Subject, company_name_identity,
};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given};
use crate::records::customer::{Customer, CustomerKind};
use crate::records::history::{Event, Updated};
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::permit::Permit;
use crate::values::text::fold;
use std::collections::HashSet;
use uuid::Uuid;

/// What a payload wants changed, and of whom.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerUpdate {
    at: Pointer,
    /// Who can be meant: kinds of one world.
    kinds: &'static [CustomerKind],
    search: Search,
    person: Person,
    permit: Given<Permit>,
    /// Their names are looked up when the record, and with it its kind, is known.
    cus_fields: Given<Vec<NamedValue>>,
    company: Given<Company>,
    default_tag: Option<Uuid>,
    /// Whether only what is empty is filled in.
    only_gaps: bool,
}

/// The company of an update, resolved.
#[derive(Clone, Copy)]
enum NewCompany<'a> {
    Unchanged,
    Unlinked,
    Found(&'a KnownCustomer),
    ToBeMade(&'a Company),
}

/// What the names of a payload stand for.
struct Resolved<'a> {
    cus_fields: Given<CusFields>,
    company: NewCompany<'a>,
}

impl CustomerUpdate {
    /// Reads it from `fields`; `kinds` are those that can be meant, all of one world.
    pub fn read(
        fields: &mut Fields<'_, '_>,
        kinds: &'static [CustomerKind],
        context: Context<'_>,
    ) -> Self {
        let search = read_search(fields, kinds);
        let kinds = match search {
            Search::ByCode(code) => kind_alone(code.kind),
            Search::ByFields | Search::Impossible => kinds,
        };
        let person = Person::read(fields, context);
        if person.name == Given::Clear {
            let message = "A record needs a `name`; it cannot be cleared.";
            fields.fault("name", Code::Required, message);
        }
        // Whether a contact or an account is meant may show only when it is found.
        let kind = kinds.first().copied().unwrap_or(CustomerKind::Contact);
        let update = Self {
            at: fields.at().clone(),
            kinds,
            search,
            person,
            permit: read_permit(fields, context),
            cus_fields: read_cus_fields(fields),
            company: read_company(fields, kind, context),
            default_tag: context.listener.default_tag,
            only_gaps: false,
        };
        update.require_identifier(fields);
        update
    }

    /// What a source tells of somebody of that kind who has been found already.
    pub fn told(data: &CustomerData, kind: CustomerKind, only_gaps: bool) -> Self {
        Self {
            at: data.at.clone(),
            kinds: kind_alone(kind),
            search: Search::Impossible,
            person: data.person.clone(),
            permit: Given::Absent,
            cus_fields: Given::Absent,
            company: Given::Absent,
            default_tag: None,
            only_gaps,
        }
    }

    /// What becomes of the record by it. An identifier that another customer holds stays on the
    /// record without identifying it.
    pub fn change_told(
        &self,
        data: &CustomerData,
        record: &Customer,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Decision {
        for (identity, at, holder) in self.taken(record, overlay) {
            let message = format!(
                "{} holds the {} {} already; it stays on this record without identifying it.",
                holder.code,
                identity.kind.as_str(),
                identity.value
            );
            diagnostics.warn(Code::IdentifierShared, at, message);
        }
        let cus_fields = Given::Set(data.cus_fields.clone());
        let resolved = Resolved { cus_fields, company: NewCompany::Unchanged };
        self.change(record, resolved, overlay, ids, diagnostics)
    }

    /// Faults of the identifiers themselves say enough.
    fn require_identifier(&self, fields: &mut Fields<'_, '_>) {
        let sent = ["customerId", "contactId", "passport", "emails", "phones"]
            .into_iter()
            .any(|name| fields.has(name));
        let usable = self.search != Search::ByFields || !self.identities().is_empty();
        if !usable && (!sent || fields.diagnostics.faults.is_empty()) {
            let message = "Say which record is meant by one of `customerId`, `contactId`, `passport`, `emails`, `phones`; a name alone is not enough.";
            fields.diagnostics.fault(Code::MissingIdentifier, &self.at, message);
        }
    }

    /// What has to be known before it can be decided.
    pub fn collect_keys(&self, keys: &mut Keys) {
        let identities = self.identities();
        match self.search {
            Search::ByCode(code) => {
                keys.codes.insert(code);
                keys.for_update.codes.insert(code);
            }
            Search::ByFields => {
                keys.for_update.identities.extend(identities.iter().cloned());
                keys.names.extend(self.name_key());
            }
            Search::Impossible => {}
        }
        keys.identities.extend(identities);
        if let Some(name) = self.person.name.as_set()
            && self.kinds.contains(&CustomerKind::Account)
        {
            keys.identities.insert(company_name_identity(&fold(name)));
        }
        keys.tags.extend(self.person.tags.as_set().into_iter().flatten().map(|tag| fold(tag)));
        keys.tag_ids.extend(self.default_tag);
        if let Some(company) = self.company.as_set() {
            company.collect_keys(keys);
        }
    }

    /// Decides it. `diagnostics` are those of reading it.
    pub fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        let record = self.find(overlay);
        if record.is_none() {
            self.report_not_found(&mut diagnostics);
        }
        let kind = match (record, self.kinds) {
            (Some(record), _) => Some(record.code.kind),
            (None, [only]) => Some(*only),
            (None, _) => None,
        };
        let cus_fields = self.resolve_cus_fields(kind, overlay, &mut diagnostics);
        let company = self.resolve_company(kind, overlay, &mut diagnostics);
        if let Some(record) = record {
            self.report_taken(record, overlay, &mut diagnostics);
        }
        let Some(record) = record.filter(|_| diagnostics.faults.is_empty()) else {
            return Err(diagnostics.into());
        };
        Ok(self.change(record, Resolved { cus_fields, company }, overlay, ids, diagnostics))
    }

    fn world(&self) -> World {
        self.kinds.first().map_or(World::Customer, |kind| kind.world())
    }

    fn identities(&self) -> Vec<Identity> {
        self.person.identities(self.world())
    }

    fn name_key(&self) -> Option<NameKey> {
        let Person { name, lastname, .. } = &self.person;
        let lastname = lastname.as_set().map(|lastname| fold(lastname));
        Some(NameKey { kinds: self.kinds, name: fold(name.as_set()?), lastname })
    }

    /// The record that the payload means: the first that finds exactly one wins.
    fn find<'w>(&self, overlay: &'w Overlay<'_>) -> Option<&'w Customer> {
        let customers = &overlay.customers;
        let known = match self.search {
            Search::ByCode(code) => customers.with_code(code),
            Search::Impossible => None,
            Search::ByFields => {
                let identities = self.identities();
                let before_name = |identity: &&Identity| identity.kind <= IdentityKind::Passport;
                let holder = |identity: &Identity| {
                    customers.holder(identity).filter(|found| self.kinds.contains(&found.code.kind))
                };
                identities
                    .iter()
                    .filter(before_name)
                    .find_map(holder)
                    .or_else(|| customers.only_one_named(&self.name_key()?))
                    .or_else(|| identities.iter().filter(|i| !before_name(i)).find_map(holder))
            }
        };
        customers.record(known?.id)
    }

    /// Where what identifies it is at fault itself, that is all there is to say.
    fn report_not_found(&self, diagnostics: &mut Diagnostics) {
        match self.search {
            Search::ByCode(code) => {
                let at = self.at.member("customerId");
                diagnostics.fault(Code::NotFound, at, format!("There is no {code}."));
            }
            Search::ByFields if diagnostics.faults.is_empty() => {
                let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
                let message = format!(
                    "No {} has any of these identifiers; nothing was created.",
                    kinds.join(" or ")
                );
                diagnostics.fault(Code::NotFound, &self.at, message);
            }
            Search::ByFields | Search::Impossible => {}
        }
    }

    fn resolve_cus_fields(
        &self,
        kind: Option<CustomerKind>,
        overlay: &Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Given<CusFields> {
        match (&self.cus_fields, kind) {
            (Given::Absent, _) | (_, None) => Given::Absent,
            (Given::Clear, _) => Given::Clear,
            (Given::Set(values), Some(kind)) => {
                let context = overlay.request.context;
                Given::Set(resolve_cus_fields(values, kind.model(), context, diagnostics))
            }
        }
    }

    fn resolve_company<'w>(
        &'w self,
        kind: Option<CustomerKind>,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> NewCompany<'w> {
        let company = match &self.company {
            Given::Absent => return NewCompany::Unchanged,
            Given::Clear => return NewCompany::Unlinked,
            Given::Set(company) => company,
        };
        if kind == Some(CustomerKind::Account) {
            let message = "`companyContact` was not used: an account is a company itself.";
            diagnostics.warn(Code::IgnoredField, &company.at, message);
            return NewCompany::Unchanged;
        }
        match company.search(overlay, diagnostics) {
            Some(found) => NewCompany::Found(found),
            None => NewCompany::ToBeMade(company),
        }
    }

    /// Every identifier that would be new to the record, and that another of its world holds.
    fn report_taken(
        &self,
        record: &Customer,
        overlay: &Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) {
        for (identity, at, holder) in self.taken(record, overlay) {
            let message = format!(
                "{} holds the {} {} already.",
                holder.code,
                identity.kind.as_str(),
                identity.value
            );
            diagnostics.fault(Code::IdentifierTaken, at, message);
        }
    }

    fn taken<'w>(
        &self,
        record: &Customer,
        overlay: &'w Overlay<'_>,
    ) -> Vec<(Identity, Pointer, &'w KnownCustomer)> {
        let new = self.new_identities(record, overlay).into_iter();
        new.filter_map(|(identity, at)| {
            let holder = overlay.customers.holder(&identity).filter(|it| it.id != record.id)?;
            Some((identity, at, holder))
        })
        .collect()
    }

    /// The payload's identifiers with their places, without the e-mails and phones that the record
    /// has: one that it has without being identified by it stays so.
    fn new_identities(&self, record: &Customer, overlay: &Overlay<'_>) -> Vec<(Identity, Pointer)> {
        let region = overlay.request.context.directory.org.region;
        let emails: HashSet<String> = record.emails.iter().map(email_key).collect();
        let phones: HashSet<String> =
            record.phones.iter().map(|phone| phone_key(phone, region)).collect();
        self.person
            .placed_identities(self.world(), &self.at)
            .into_iter()
            .filter(|(identity, _)| match identity.kind {
                IdentityKind::Email => !emails.contains(&identity.value),
                IdentityKind::Phone => !phones.contains(&identity.value),
                IdentityKind::ContactId => !self.only_gaps || record.contact_id.is_none(),
                IdentityKind::Passport => !self.only_gaps || record.passport.is_none(),
                IdentityKind::External | IdentityKind::CompanyName => true,
            })
            .collect()
    }

    /// What becomes of the record. There is no fault any more.
    fn change(
        &self,
        record: &Customer,
        Resolved { cus_fields, company }: Resolved<'_>,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Decision {
        let mut changes = Vec::new();
        let company = self.company_of(company, overlay, ids, &mut changes, &mut diagnostics);
        let tags = match &self.person.tags {
            Given::Absent => Given::Absent,
            Given::Clear => Given::Clear,
            Given::Set(names) => Given::Set(tags_named(names, overlay, ids, &mut changes)),
        };
        let linked = company.as_set();
        let revision = Revision {
            person: &self.person,
            permit: &self.permit,
            cus_fields,
            tags,
            company: company.as_ref().and_then(|(company, _)| Some(company.id)),
            region: overlay.request.context.directory.org.region,
            only_gaps: self.only_gaps,
        };
        let mut revised = revision.of(record);
        let status = if revised == *record { Status::Unchanged } else { Status::Updated };
        let newly_linked = linked.filter(|_| revised.company != record.company);
        if status == Status::Updated {
            revised.updated_at = overlay.request.now;
            let names = Names { overlay, new: &changes };
            let changed = field_changes(record, &revised, &names);
            changes.extend(self.identity_changes(record, &revised, overlay));
            changes.push(Change::CustomerChanged(Box::new(revised)));
            let event = Event::Updated(Updated { changes: changed });
            changes.push(Change::history(ids.id(), Subject::Customer(record.id), event));
        }
        if let Some((company, role)) = newly_linked {
            changes.push(company_linked(ids, record.id, company, *role));
        }
        let related =
            linked.map(|(company, role)| Related { role: *role, record: company.record() });
        let outcome = Outcome {
            status,
            record: Some(RecordRef::of_customer(record.id, record.code)),
            matched_by: None,
            related: related.into_iter().collect(),
            warnings: diagnostics.warnings,
        };
        Decision { outcome, changes }
    }

    /// The company that the record belongs to from now on, made where there is none yet.
    fn company_of(
        &self,
        company: NewCompany<'_>,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        changes: &mut Vec<Change>,
        diagnostics: &mut Diagnostics,
    ) -> Given<(KnownCustomer, Role)> {
        match company {
            NewCompany::Unchanged => Given::Absent,
            NewCompany::Unlinked => Given::Clear,
            NewCompany::Found(found) => Given::Set((found.clone(), Role::CompanyLinked)),
            NewCompany::ToBeMade(company) => {
                let own = self.identities();
                let made = create_company(company, &own, overlay, ids, changes, diagnostics);
                Given::Set((made, Role::CompanyCreated))
            }
        }
    }

    /// What the record lets go of, and then what it comes to hold.
    fn identity_changes(
        &self,
        record: &Customer,
        revised: &Customer,
        overlay: &Overlay<'_>,
    ) -> Vec<Change> {
        let customers = &overlay.customers;
        let Person { contact_id, passport, emails, phones, .. } = &self.person;
        let renamed = fold(&revised.name) != fold(&record.name);
        let goes = |identity: &&Identity| match identity.kind {
            IdentityKind::ContactId | IdentityKind::Passport if self.only_gaps => false,
            IdentityKind::ContactId => replaces(contact_id, |id| *id == identity.value),
            IdentityKind::Passport => replaces(passport, |new| new.key() == identity.value),
            IdentityKind::Email => *emails == Given::Clear,
            IdentityKind::Phone => *phones == Given::Clear,
            IdentityKind::CompanyName => renamed,
            IdentityKind::External => false,
        };
        let released = customers.identities_of(record.id).filter(goes).cloned();
        let claimed = self
            .new_identities(record, overlay)
            .into_iter()
            .map(|(identity, _)| identity)
            .filter(|identity| customers.holder(identity).is_none())
            .map(|identity| Claim { identity, customer: record.id, exclusive: true });
        released
            .map(Change::IdentityReleased)
            .chain(claimed.map(Change::IdentityClaimed))
            .chain(claim_of_name(revised, overlay, false).filter(|_| renamed))
            .collect()
    }
}

/// Whether what is there gives way to what is given.
fn replaces<T>(given: &Given<T>, is_the_same: impl Fn(&T) -> bool) -> bool {
    match given {
        Given::Absent => false,
        Given::Clear => true,
        Given::Set(new) => !is_the_same(new),
    }
}
