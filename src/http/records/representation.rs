//! A customer as clients read it (`api.md` 5).

use super::record::Body;
use crate::problem::Problem;
use crate::store::customers::references::CustomerReference;
use crate::store::customers::{FoundCustomer, Owner};
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::{Directory, Named, Names};
use beeiq_core::records::connection::ExternalId;
use beeiq_core::records::customer::{
    Address, Customer, CustomerKind, EmailEntry, Im, PhoneEntry, Website,
};
use beeiq_core::records::permit::Permit;
use beeiq_core::values::custom_field::Model;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
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
    pub addresses: Vec<Address>,
    /// Websites.
    pub websites: Vec<Website>,
    /// Instant messaging names.
    pub im: Vec<Im>,
    /// Tags, in alphabetical order.
    pub tags: Vec<String>,
    /// Custom fields that have a value, in the org's order.
    pub cus_fields: Vec<CustomFieldEntry>,
    /// Who may read it.
    pub permit: PermitBody,
    /// The account it is linked to.
    pub company: Option<CompanyBody>,
    /// The ids by which other systems know it.
    pub external_ids: Vec<ExternalId>,
    /// Where it came from.
    pub source: Option<String>,
    /// Who owns it.
    pub owner: OwnerBody,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
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
    /// The id.
    pub id: Uuid,
    /// `customer` (contacts and accounts) or `lead`.
    #[schema(example = "customer")]
    pub contact_type: &'static str,
    /// The code.
    #[schema(example = "PID-1")]
    pub customer_id: String,
    /// The name; null where you may not see them.
    pub name: Option<String>,
}

/// Who owns a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnerBody {
    /// Their e-mail.
    pub email: String,
    /// Their name.
    pub name: String,
}

impl Body for CustomerBody {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// A customer in the words of the org's directory.
pub(super) fn customer(
    found: FoundCustomer,
    directory: &Directory,
) -> Result<CustomerBody, Problem> {
    let FoundCustomer { record, owner, company, tags, external_ids } = found;
    let Owner { email, name: owner_name } = owner;
    let Customer {
        id,
        code,
        contact_id,
        name,
        lastname,
        title,
        passport,
        gender,
        bg_info,
        date_of_birth,
        emails,
        phones,
        addresses,
        websites,
        im,
        cus_fields,
        permit,
        company: _,
        source,
        owner: _,
        tags: _,
        created_at,
        updated_at,
    } = record;
    Ok(CustomerBody {
        id,
        customer_id: code.to_string(),
        contact_id,
        contact_type: contact_type(code.kind),
        r#type: type_number(code.kind),
        name,
        lastname,
        title,
        passport,
        gender,
        bg_info,
        date_of_birth,
        emails,
        phones,
        addresses,
        websites,
        im,
        tags,
        external_ids,
        cus_fields: custom_fields(cus_fields, code.kind.model(), directory),
        permit: permit_body(&permit, directory),
        company: company.map(|CustomerReference { id, code, name }| CompanyBody {
            id,
            customer_id: code.to_string(),
            name,
        }),
        source: name_of(&directory.sources, source),
        owner: OwnerBody { email, name: owner_name },
        created_at,
        updated_at,
    })
}

/// The name of something in the directory, while it is there.
pub(super) fn name_of<T: Named>(names: &Names<T>, id: Option<Uuid>) -> Option<String> {
    names.with_id(id?).map(|named| named.name().to_owned())
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

/// Who owns a record; users are not deleted while they do, so the directory has them.
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

/// A permit in names.
pub(super) fn permit_body(permit: &Permit, directory: &Directory) -> PermitBody {
    let users = permit.users().iter().filter_map(|id| directory.users.with_id(*id));
    PermitBody {
        status: permit.status(),
        group: name_of(&directory.groups, permit.group()),
        users: users.map(|user| user.email.clone()).collect(),
    }
}

/// The fields that have a value, in the directory's order; a field that is gone is left out.
pub(super) fn custom_fields(
    mut values: BTreeMap<Uuid, String>,
    model: Model,
    directory: &Directory,
) -> Vec<CustomFieldEntry> {
    let fields = directory.custom_fields.of(model).into_iter().flat_map(Names::iter);
    fields
        .filter_map(|field| {
            let value = values.remove(&field.id())?;
            Some(CustomFieldEntry { name: field.name().to_owned(), value })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use beeiq_core::directory::{CustomField, CustomFields, Entry, Group, Org, User, Users};
    use beeiq_core::records::customer::CustomerCode;
    use beeiq_core::values::custom_field::Kind;
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
            connections: Vec::new(),
            has_sms_account: false,
        }
    }

    fn found(kind: CustomerKind) -> FoundCustomer {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        FoundCustomer {
            record: Customer {
                id: id(9),
                code: CustomerCode { kind, number: 1 },
                contact_id: None,
                name: "Huy".to_owned(),
                lastname: Some("Nguyễn".to_owned()),
                title: None,
                passport: Some("B 12".to_owned()),
                gender: 1,
                bg_info: None,
                date_of_birth: NaiveDate::from_ymd_opt(1993, 1, 1),
                emails: stored(json!([{"type": "Other", "value": "Huy@htk.vn"}])),
                phones: stored(json!([
                    {"type": "Work", "value": "0905 000 001", "e164": "+84905000001"},
                    {"type": "Other", "value": "12", "e164": null}
                ])),
                addresses: stored(
                    json!([{"type": "Home", "city": "Da Nang", "country": {"name": "Utopia"}}]),
                ),
                websites: stored(json!([{"value": "htk.vn"}])),
                im: stored(json!([{"protocol": "Viber", "value": "huy"}])),
                cus_fields: stored(json!({
                    id(5).to_string(): "30", id(6).to_string(): "Công", id(99).to_string(): "gone"
                })),
                permit: Permit::MeAndUsers(vec![id(2), id(98)]),
                company: Some(id(10)),
                source: Some(id(4)),
                owner: id(2),
                tags: vec![id(11), id(12)],
                created_at: at("2026-11-21T01:02:03.000004Z"),
                updated_at: at("2026-11-22T00:00:00Z"),
            },
            owner: Owner { email: "An@acme.vn".to_owned(), name: "An".to_owned() },
            company: Some(CustomerReference {
                id: id(10),
                code: CustomerCode { kind: CustomerKind::Account, number: 7 },
                name: None,
            }),
            external_ids: Vec::new(),
            tags: vec!["a".to_owned(), "VIP".to_owned()],
        }
    }

    /// As the database gives it.
    fn stored<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_contact_reads_as_the_specification_shows() {
        let body = customer(found(CustomerKind::Contact), &directory()).unwrap();
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
            "externalIds": [],
            "tags": ["a", "VIP"],
            "cusFields": [
                {"name": "Referred By", "value": "Công"}, {"name": "Age", "value": "30"}
            ],
            "permit": {"status": 4, "group": null, "users": ["An@acme.vn"]},
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
            let body = customer(found(kind), &directory()).unwrap();
            assert_eq!(body.customer_id, code);
            assert_eq!(body.contact_type, contact_type, "{code}");
            assert_eq!(body.r#type, number, "{code}");
        }
    }
}
