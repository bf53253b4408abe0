//! A customer as clients read it (`api.md` 5).

use crate::problem::Problem;
use crate::store::customer_references::CustomerReference;
use crate::store::customers::Customer;
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::{Directory, Named};
use beeiq_core::records::customer::{CustomerCode, CustomerKind};
use beeiq_core::values::custom_field::Model;
use chrono::{DateTime, NaiveDate, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A contact, account or lead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Customer)]
pub struct CustomerBody {
    /// Its id.
    pub id: Uuid,
    /// Its code: `PID-n`, `CID-n` or `LID-n`.
    #[schema(example = "PID-1")]
    pub customer_id: String,
    /// The sender's own identifier.
    pub contact_id: Option<String>,
    /// `customer` (contacts and accounts) or `lead`.
    #[schema(example = "customer")]
    pub contact_type: &'static str,
    /// 0 a person, 1 a company.
    #[schema(minimum = 0, maximum = 1)]
    pub r#type: u8,
    /// The name.
    pub name: String,
    /// The last name.
    pub lastname: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The passport number as it was typed.
    pub passport: Option<String>,
    /// 0 male, 1 female, 2 other.
    #[schema(minimum = 0, maximum = 2)]
    pub gender: i16,
    /// Background information.
    pub bg_info: Option<String>,
    /// The date of birth.
    pub date_of_birth: Option<NaiveDate>,
    /// E-mail addresses.
    pub emails: Vec<EmailEntry>,
    /// Phone numbers.
    pub phones: Vec<PhoneEntry>,
    /// Postal addresses.
    pub addresses: Vec<AddressEntry>,
    /// Websites.
    pub websites: Vec<WebsiteEntry>,
    /// Instant messaging names.
    pub im: Vec<ImEntry>,
    /// Tags, in alphabetical order.
    pub tags: Vec<String>,
    /// Custom fields that have a value, in the org's order.
    pub cus_fields: Vec<CustomFieldEntry>,
    /// Who may read it.
    pub permit: PermitBody,
    /// The account it is linked to.
    pub company: Option<CompanyBody>,
    /// Where it came from.
    pub source: Option<String>,
    /// Who owns it.
    pub owner: OwnerBody,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// An e-mail address.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EmailEntry {
    /// `Work`, `Home`, `Mobile` or `Other`.
    pub r#type: String,
    /// The address as it was typed.
    pub value: String,
}

/// A phone number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PhoneEntry {
    /// `Work`, `Home`, `Mobile` or `Other`.
    pub r#type: String,
    /// The number as it was typed.
    pub value: String,
    /// The number in E.164, where it is one.
    #[serde(default)]
    pub e164: Option<String>,
}

/// A postal address.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressEntry {
    /// `Work`, `Home` or `Other`.
    pub r#type: String,
    /// Street and number.
    #[serde(default)]
    pub street: Option<String>,
    /// The city.
    #[serde(default)]
    pub city: Option<String>,
    /// The state or province.
    #[serde(default)]
    pub state: Option<String>,
    /// The postal code.
    #[serde(default)]
    pub zip: Option<String>,
    /// The country.
    #[serde(default)]
    pub country: Option<CountryBody>,
}

/// A country.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CountryBody {
    /// ISO 3166-1 alpha-2; null where the name is of no country known.
    #[serde(default)]
    pub code: Option<String>,
    /// Its name.
    pub name: String,
}

/// A website.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WebsiteEntry {
    /// Its address.
    pub value: String,
}

/// An instant messaging name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ImEntry {
    /// `Skype`, `Facebook`, `Yahoo`, `Viber`, `Hangouts` or `Other`.
    pub protocol: String,
    /// The name there.
    pub value: String,
}

/// A custom field's value.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CustomFieldEntry {
    /// The field's name.
    pub name: String,
    /// Its value, as text.
    pub value: String,
}

/// Who may read a record (`listener.md` 5).
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PermitBody {
    /// 1 everybody, 2 the owner, 3 the owner and a group, 4 the owner and users.
    #[schema(minimum = 1, maximum = 4)]
    pub status: i16,
    /// The group's name.
    pub group: Option<String>,
    /// The users' e-mails.
    pub users: Vec<String>,
}

/// The account that a record is linked to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompanyBody {
    /// Its id.
    pub id: Uuid,
    /// Its code.
    #[schema(example = "CID-1")]
    pub customer_id: String,
    /// Its name; null where you may not see it.
    pub name: Option<String>,
}

/// A customer or lead that another record names.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerReferenceBody {
    /// His id.
    pub id: Uuid,
    /// `customer` (contacts and accounts) or `lead`.
    #[schema(example = "customer")]
    pub contact_type: &'static str,
    /// His code.
    #[schema(example = "PID-1")]
    pub customer_id: String,
    /// His name; null where you may not see him.
    pub name: Option<String>,
}

/// Who owns a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnerBody {
    /// His e-mail.
    pub email: String,
    /// His name.
    pub name: String,
}

/// A customer in the words of the org's directory.
///
/// # Errors
/// 500 where a stored list is not of its shape.
pub(super) fn customer(
    found: Customer,
    kind: CustomerKind,
    directory: &Directory,
) -> Result<CustomerBody, Problem> {
    let Customer { record, owner, company, tags } = found;
    Ok(CustomerBody {
        cus_fields: custom_fields(stored(record.cus_fields.clone())?, kind.model(), directory),
        permit: permit(
            record.permit_status,
            record.permit_group_id,
            &record.permit_user_ids,
            directory,
        ),
        id: record.id,
        customer_id: CustomerCode { kind, number: record.number }.to_string(),
        contact_id: record.contact_id,
        contact_type: contact_type(kind),
        r#type: type_number(kind),
        name: record.name,
        lastname: record.lastname,
        title: record.title,
        passport: record.passport,
        gender: record.gender,
        bg_info: record.bg_info,
        date_of_birth: record.date_of_birth,
        emails: stored(record.emails)?,
        phones: stored(record.phones)?,
        addresses: stored(record.addresses)?,
        websites: stored(record.websites)?,
        im: stored(record.im)?,
        tags,
        company: company.map(|company| CompanyBody {
            id: company.id,
            customer_id: CustomerCode { kind: CustomerKind::Account, number: company.number }
                .to_string(),
            name: company.name,
        }),
        source: record
            .source_id
            .and_then(|id| directory.sources.with_id(id))
            .map(|source| source.name.clone()),
        owner: OwnerBody { email: owner.email, name: owner.name },
        created_at: record.created_at,
        updated_at: record.updated_at,
    })
}

/// A customer or lead that another record names.
pub(in crate::http) fn customer_reference(customer: CustomerReference) -> CustomerReferenceBody {
    let CustomerReference { id, code, name } = customer;
    CustomerReferenceBody {
        id,
        contact_type: contact_type(code.kind),
        customer_id: code.to_string(),
        name,
    }
}

/// Who owns a record; users are not deleted while they do.
///
/// # Errors
/// 500 where the directory does not have him.
pub(super) fn owner(id: Uuid, directory: &Directory) -> Result<OwnerBody, Problem> {
    let user = directory.users.with_id(id).ok_or_else(|| {
        tracing::error!(%id, "a record's owner is no user of the org");
        Problem::new(Code::Internal, "Something went wrong on our side; it has been logged.")
    })?;
    Ok(OwnerBody { email: user.email.clone(), name: user.name.clone() })
}

/// The listener's `contactType`: contacts and accounts together are customers.
pub(super) const fn contact_type(kind: CustomerKind) -> &'static str {
    match kind {
        CustomerKind::Contact | CustomerKind::Account => "customer",
        CustomerKind::Lead => "lead",
    }
}

/// The listener's `type`: 1 a company, 0 anybody else.
const fn type_number(kind: CustomerKind) -> u8 {
    match kind {
        CustomerKind::Account => 1,
        CustomerKind::Contact | CustomerKind::Lead => 0,
    }
}

pub(super) fn stored<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "a stored list is not of its shape");
        Problem::new(Code::Internal, "Something went wrong on our side; it has been logged.")
    })
}

/// A permit as it is stored, in names.
pub(super) fn permit(
    status: i16,
    group: Option<Uuid>,
    users: &[Option<Uuid>],
    directory: &Directory,
) -> PermitBody {
    let group = group.and_then(|id| directory.groups.with_id(id));
    PermitBody {
        status,
        group: group.map(|group| group.name.clone()),
        users: users
            .iter()
            .flatten()
            .filter_map(|id| directory.users.with_id(*id))
            .map(|user| user.email.clone())
            .collect(),
    }
}

/// The fields that have a value, in the directory's order; a field that is gone is left out.
pub(super) fn custom_fields(
    mut values: HashMap<Uuid, Value>,
    model: Model,
    directory: &Directory,
) -> Vec<CustomFieldEntry> {
    let fields = directory.custom_fields.of(model).into_iter().flat_map(|fields| fields.iter());
    fields
        .filter_map(|field| {
            let value = match values.remove(&field.id())? {
                Value::String(text) => text,
                Value::Null => return None,
                other => other.to_string(),
            };
            Some(CustomFieldEntry { name: field.name().to_owned(), value })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::customers::{Company, CustomerRow, Owner};
    use beeiq_core::directory::{CustomField, CustomFields, Entry, Group, Names, Org, User, Users};
    use beeiq_core::values::custom_field::{Kind, Model};
    use beeiq_core::values::phone::Region;
    use serde_json::json;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn directory() -> Directory {
        let field = |n, model, name: &str| CustomField {
            id: id(n),
            model,
            name: name.to_owned(),
            kind: Kind::Text,
            options: Vec::new(),
        };
        Directory {
            version: 1,
            org: Org {
                id: id(1),
                public_id: "p".to_owned(),
                slug: "acme".to_owned(),
                name: "Acme".to_owned(),
                time_zone: chrono_tz::Asia::Ho_Chi_Minh,
                region: Region::parse("VN").unwrap(),
                default_currency: "VND".to_owned(),
            },
            users: Users::new(vec![User {
                id: id(2),
                email: "An@acme.vn".to_owned(),
                email_key: "an@acme.vn".to_owned(),
                name: "An".to_owned(),
                active: false,
            }]),
            groups: Names::new(vec![Group { id: id(3), name: "Sales".to_owned() }]),
            sources: Names::new(vec![Entry { id: id(4), name: "Web".to_owned() }]),
            channels: Names::default(),
            slas: Names::default(),
            deal_stages: Names::default(),
            deal_categories: Names::default(),
            deal_packages: Names::default(),
            currencies: Vec::new(),
            custom_fields: CustomFields::new(vec![
                field(6, Model::Contact, "Referred By"),
                field(5, Model::Contact, "Age"),
                field(7, Model::Contact, "Empty"),
                field(8, Model::Lead, "Of leads"),
            ]),
            listeners: Vec::new(),
            has_sms_account: false,
        }
    }

    fn found() -> Customer {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        Customer {
            record: CustomerRow {
                id: id(9),
                number: 1,
                contact_id: None,
                name: "Huy".to_owned(),
                lastname: Some("Nguyễn".to_owned()),
                title: None,
                passport: Some("B 12".to_owned()),
                gender: 1,
                bg_info: None,
                date_of_birth: NaiveDate::from_ymd_opt(1993, 1, 1),
                emails: json!([{"type": "Other", "value": "Huy@htk.vn"}]),
                phones: json!([
                    {"type": "Work", "value": "0905 000 001", "e164": "+84905000001"},
                    {"type": "Other", "value": "12", "e164": null}
                ]),
                addresses: json!([{"type": "Home", "city": "Da Nang", "country": {"name": "Utopia"}}]),
                websites: json!([{"value": "htk.vn"}]),
                im: json!([{"protocol": "Viber", "value": "huy"}]),
                cus_fields: json!({
                    id(5).to_string(): "30", id(6).to_string(): "Công", id(99).to_string(): "gone"
                }),
                permit_status: 4,
                permit_group_id: Some(id(3)),
                permit_user_ids: vec![Some(id(2)), Some(id(98)), None],
                company_id: Some(id(10)),
                source_id: Some(id(4)),
                owner_id: id(2),
                created_at: at("2026-11-21T01:02:03.000004Z"),
                updated_at: at("2026-11-22T00:00:00Z"),
            },
            owner: Owner { email: "An@acme.vn".to_owned(), name: "An".to_owned() },
            company: Some(Company { id: id(10), number: 7, name: None }),
            tags: vec!["a".to_owned(), "VIP".to_owned()],
        }
    }

    #[test]
    fn a_contact_reads_as_the_specification_shows() {
        let body = customer(found(), CustomerKind::Contact, &directory()).unwrap();
        let expected = json!({
            "id": id(9), "customerId": "PID-1", "contactId": null, "contactType": "customer",
            "type": 0, "name": "Huy", "lastname": "Nguyễn", "title": null, "passport": "B 12",
            "gender": 1, "bgInfo": null, "dateOfBirth": "1993-01-01",
            "emails": [{"type": "Other", "value": "Huy@htk.vn"}],
            "phones": [
                {"type": "Work", "value": "0905 000 001", "e164": "+84905000001"},
                {"type": "Other", "value": "12", "e164": null}
            ],
            "addresses": [{
                "type": "Home", "street": null, "city": "Da Nang", "state": null, "zip": null,
                "country": {"code": null, "name": "Utopia"}
            }],
            "websites": [{"value": "htk.vn"}],
            "im": [{"protocol": "Viber", "value": "huy"}],
            "tags": ["a", "VIP"],
            "cusFields": [
                {"name": "Referred By", "value": "Công"}, {"name": "Age", "value": "30"}
            ],
            "permit": {"status": 4, "group": "Sales", "users": ["An@acme.vn"]},
            "company": {"id": id(10), "customerId": "CID-7", "name": null},
            "source": "Web", "owner": {"email": "An@acme.vn", "name": "An"},
            "createdAt": "2026-11-21T01:02:03.000004Z", "updatedAt": "2026-11-22T00:00:00Z"
        });
        assert_eq!(serde_json::to_value(body).unwrap(), expected);
    }

    #[test]
    fn a_kind_shows_in_code_type_and_contact_type() {
        for (kind, code, contact_type, number) in [
            (CustomerKind::Contact, "PID-1", "customer", 0),
            (CustomerKind::Account, "CID-1", "customer", 1),
            (CustomerKind::Lead, "LID-1", "lead", 0),
        ] {
            let body = customer(found(), kind, &directory()).unwrap();
            assert_eq!(body.customer_id, code);
            assert_eq!(body.contact_type, contact_type, "{code}");
            assert_eq!(body.r#type, number, "{code}");
        }
    }

    #[test]
    fn a_stored_list_of_another_shape_is_our_fault_and_not_the_callers() {
        let mut found = found();
        found.record.emails = json!({"value": "x"});
        let problem = customer(found, CustomerKind::Contact, &directory()).unwrap_err();
        assert_eq!(problem.code, Code::Internal);
    }
}
