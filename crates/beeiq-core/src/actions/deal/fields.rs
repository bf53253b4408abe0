//! The fields of a deal as a payload gives them (`listener.md` 7, "add-deal").

use crate::actions::cus_fields::{CusFields, read_cus_fields, resolve_cus_fields};
use crate::actions::customer::linked_customer::LinkedCustomer;
use crate::actions::permit::{read_permit, resolve_group, resolve_user};
use crate::batch::Context;
use crate::diagnostics::{Code, References, UnknownName};
use crate::directory::{Entry, Names};
use crate::json::{Fields, Given, Longest};
use crate::records::deal::DealOwners;
use crate::records::permit::Permit;
use crate::values::amount;
use crate::values::custom_field::Model;
use crate::values::date::instant;
use crate::values::suggest::listed;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

/// The fields that add-deal knows.
pub const DEAL_FIELDS: &[&str] = &[
    "dealId",
    "name",
    "value",
    "currency",
    "description",
    "stage",
    "category",
    "package",
    "closeDate",
    "owner_opportunity",
    "permit",
    "cusFields",
    "dealWith",
    "contacts",
];

/// What a payload says of a deal, its references resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct DealFields {
    pub deal_id: Option<String>,
    pub name: Option<String>,
    pub value: Given<Decimal>,
    pub currency: Given<String>,
    pub description: Given<String>,
    pub stage: Stage,
    pub category: Given<Uuid>,
    pub package: Given<Uuid>,
    pub close_date: Given<DateTime<Utc>>,
    pub owners: Given<DealOwners>,
    pub permit: Given<Permit>,
    pub cus_fields: Given<CusFields>,
    pub deal_with: Option<LinkedCustomer>,
    pub contacts: Given<Vec<LinkedCustomer>>,
}

/// How far a deal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Not said.
    Absent,
    /// A name that the org does not have and the listener skips.
    Skipped,
    /// This stage.
    Named(Uuid),
}

impl DealFields {
    /// Reads them all, noting every fault.
    pub fn read(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Self {
        let directory = context.directory;
        let (categories, packages) = (&directory.deal_categories, &directory.deal_packages);
        let name = fields.text("name", Longest::LINE);
        let named = name.as_set().is_some();
        fields.require("name", named);
        let stage = read_stage(fields, context);
        Self {
            deal_id: fields.text("dealId", Longest::LINE).set(),
            name: name.set(),
            value: read_value(fields),
            currency: read_currency(fields, context),
            description: fields.text("description", Longest::TEXT),
            stage,
            category: read_entry(fields, "category", Code::UnknownCategory, categories, context),
            package: read_entry(fields, "package", Code::UnknownPackage, packages, context),
            close_date: fields.date("closeDate", |input| instant(input, directory.org.time_zone)),
            owners: read_owners(fields, context),
            permit: read_permit(fields, context),
            cus_fields: read_deal_cus_fields(fields, context),
            deal_with: read_deal_with(fields, context),
            contacts: read_contacts(fields, context),
        }
    }
}

/// `value`, from the number's own text.
fn read_value(fields: &mut Fields<'_, '_>) -> Given<Decimal> {
    let at = fields.place("value");
    fields.text("value", Longest::LINE).and_then(|text| {
        amount::parse(&text)
            .map_err(|error| {
                let code = match error {
                    amount::InvalidAmount::Malformed => Code::InvalidValue,
                    amount::InvalidAmount::Negative | amount::InvalidAmount::OutOfRange => {
                        Code::OutOfRange
                    }
                };
                fields.diagnostics.fault(code, &at, format!("`value` is {error}."));
            })
            .ok()
    })
}

/// `currency`: one of the org's, in any case. Another one is never skipped, for the amount would
/// become one of the org's default currency.
fn read_currency(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<String> {
    let at = fields.place("currency");
    fields.text("currency", Longest::LINE).and_then(|text| {
        let currencies = &context.directory.currencies;
        let known = currencies.iter().find(|code| code.eq_ignore_ascii_case(&text));
        if known.is_none() {
            let (code, names) = (Code::UnknownCurrency, currencies.iter().map(String::as_str));
            let never_skipped = References { skip: false };
            never_skipped.unknown(
                fields.diagnostics,
                &at,
                UnknownName { code, what: "currency", name: &text },
                names,
            );
        }
        known.cloned()
    })
}

/// A name out of one of the org's lists.
fn read_entry(
    fields: &mut Fields<'_, '_>,
    field: &str,
    code: Code,
    entries: &Names<Entry>,
    context: Context<'_>,
) -> Given<Uuid> {
    let at = fields.place(field);
    fields.text(field, Longest::LINE).and_then(|name| {
        let entry = entries.named(&name);
        if entry.is_none() {
            let (what, names) = (format!("deal {field}"), entries.all_names());
            context.references().unknown(
                fields.diagnostics,
                &at,
                UnknownName { code, what: &what, name: &name },
                names,
            );
        }
        entry.map(|entry| entry.id)
    })
}

/// `stage`, which no deal is without.
fn read_stage(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Stage {
    refuse_null(fields, "stage");
    let stages = &context.directory.deal_stages;
    match read_entry(fields, "stage", Code::UnknownStage, stages, context) {
        Given::Set(stage) => Stage::Named(stage),
        Given::Absent | Given::Clear if context.references().skip && fields.has("stage") => {
            Stage::Skipped
        }
        Given::Absent | Given::Clear => Stage::Absent,
    }
}

/// `dealWith`, which no deal is without until its customer is erased.
fn read_deal_with(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<LinkedCustomer> {
    refuse_null(fields, "dealWith");
    let at = fields.place("dealWith");
    let value = fields.value("dealWith").set()?;
    LinkedCustomer::read(value, at, context, fields.diagnostics)
}

/// `null` would leave the deal without it.
fn refuse_null(fields: &mut Fields<'_, '_>, field: &str) {
    if fields.value(field) == Given::Clear {
        let message = format!("`{field}` cannot be cleared; leave it out to keep what is there.");
        fields.fault(field, Code::Required, message);
    }
}

fn read_contacts(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<Vec<LinkedCustomer>> {
    let form = "[{\"name\": \"…\", \"emails\": [{\"value\": \"ann@example.com\"}]}]";
    fields.entries("contacts", form, |fields, at, value| {
        LinkedCustomer::read(value, at, context, fields.diagnostics)
    })
}

/// The custom fields of deals; `null` for the whole clears them all.
fn read_deal_cus_fields(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<CusFields> {
    read_cus_fields(fields).and_then(|values| {
        let resolved = resolve_cus_fields(&values, Model::Deal, context, fields.diagnostics);
        (!resolved.is_empty()).then_some(resolved)
    })
}

const OWNERS: &[&str] = &["users", "groups"];

/// `owner_opportunity`: `{users, groups}`, or an array of such. Where all that it names is skipped
/// nothing is said.
fn read_owners(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<DealOwners> {
    let mut owners = DealOwners::default();
    if let Given::Set(Value::Array(_)) = fields.value("owner_opportunity") {
        let entries = fields.list("owner_opportunity", "").set().unwrap_or_default();
        for (at, value) in entries {
            if let Some(mut named) = fields.entry(at, value, OWNERS) {
                add_owners(&mut owners, &mut named, context);
            }
        }
    } else {
        match fields.object("owner_opportunity", OWNERS) {
            Given::Absent => return Given::Absent,
            Given::Clear => return Given::Clear,
            Given::Set(mut named) => add_owners(&mut owners, &mut named, context),
        }
    }
    if owners.is_empty() { Given::Absent } else { Given::Set(owners) }
}

/// The owners that one object names, each once.
fn add_owners(owners: &mut DealOwners, named: &mut Fields<'_, '_>, context: Context<'_>) {
    for (at, value) in named.list("users", "[\"ann@example.com\"]").set().unwrap_or_default() {
        let email = named.scalar(&at, value, Longest::LINE);
        let user = email.and_then(|email| resolve_user(&email, &at, context, named.diagnostics));
        owners.users.extend(user.filter(|user| !owners.users.contains(user)));
    }
    for (at, value) in named.list("groups", "[\"Sales\"]").set().unwrap_or_default() {
        let name = named.scalar(&at, value, Longest::LINE);
        let group = name.and_then(|name| resolve_group(&name, &at, context, named.diagnostics));
        owners.groups.extend(group.filter(|group| !owners.groups.contains(group)));
    }
}

/// The stages to choose from, for messages.
pub fn stage_names(context: Context<'_>) -> String {
    listed(context.directory.deal_stages.all_names(), 20)
}
