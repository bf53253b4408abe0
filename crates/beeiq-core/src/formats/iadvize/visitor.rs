//! Who is meant by an item of iAdvize: a visitor, or who has an address or number
//! (`connections.md` 3, "visitor").

use super::reader::{Reader, SOURCE};
use crate::diagnostics::{Code, Pointer};
use crate::formats::draft::{Draft, Heard, Part, Whose};
use crate::formats::pulled::{Object, PulledItem, put_line};
use crate::records::activity::ActivityKey;
use crate::values::email::Email;
use crate::values::phone::Phone;
use serde_json::{Value, json};

/// The longest id that is kept.
const LONGEST_ID: usize = 255;

/// Whose an item is.
#[derive(Debug)]
pub(super) struct Customer {
    /// In the order in which they are looked for.
    pub(super) whose: Vec<Whose>,
    /// The contact, where the item tells of one.
    pub(super) contact: Option<Draft>,
}

/// What an item says of its customer beside the visitor's id.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// In that field.
    Email(&'static str),
    /// In that field.
    Phone(&'static str),
}

/// Whose an item is: of the conversation that it came of, else of the visitor whom it names, else of
/// who has the address or number. Without any of them, or with none that can be used, it is why.
pub(super) fn customer(
    reader: &Reader<'_>,
    item: &PulledItem<'_>,
    conversation: Option<ActivityKey>,
    reach: Reach,
) -> Result<Customer, (Code, Pointer, String)> {
    let mut whose: Vec<Whose> = conversation.map(Whose::OfActivity).into_iter().collect();
    let told = Told::read(reader, &item.told, reach);
    if let Some(uid) = item.told.id("visitor_uid") {
        let mut contact = of_visitor(reader, item, &uid);
        if let Some(Ok(told)) = told {
            told.put_beside(&mut contact);
        }
        whose.push(Whose::External(uid));
        return Ok(Customer { whose, contact: Some(contact) });
    }
    match told {
        Some(Ok(told)) => {
            whose.push(told.whose());
            let mut contact = item.draft(Part::Contact);
            let placeholder = Some(SOURCE.placeholder(&told.text));
            contact.heard = Heard { whose: whose.clone(), placeholder, ..Heard::default() };
            told.put_beside(&mut contact);
            Ok(Customer { whose, contact: Some(contact) })
        }
        Some(Err(_)) | None if !whose.is_empty() => Ok(Customer { whose, contact: None }),
        Some(Err(problem)) => Err(problem),
        None => {
            let message = "Nothing in it says whose it is.".to_owned();
            Err((Code::NoCustomer, item.told.at.clone(), message))
        }
    }
}

/// The contact who a visitor is, as far as they were looked up.
pub(super) fn of_visitor(reader: &Reader<'_>, item: &PulledItem<'_>, uid: &str) -> Draft {
    let mut contact = item.draft(Part::Contact);
    contact.heard.whose = vec![Whose::External(uid.to_owned())];
    contact.heard.placeholder = Some(SOURCE.placeholder(uid));
    if uid.chars().count() > LONGEST_ID {
        let message = format!("An id of a visitor has {LONGEST_ID} characters at most.");
        return contact.failed(Code::TooLong, &item.told.place("visitor_uid"), message);
    }
    let Some(visitor) = reader.document.looked_up("visitor", uid) else { return contact };
    let names = ["firstname", "lastname"].map(|from| (visitor.text(from), from));
    let named = match names {
        [first @ (Some(_), _), last] => [("name", first), ("lastname", last)],
        [none @ (None, _), last] => [("name", last), ("lastname", none)],
    };
    for (field, (name, from)) in named {
        if let Some(name) = name {
            put_line(&mut contact, field, &name, &visitor.place(from));
        }
    }
    if let Some(id) = visitor.text("external_id") {
        contact.data.put("contactId", id, &visitor.place("external_id"));
    }
    for (list, from) in [("emails", "email"), ("phones", "phone")] {
        if let Some(value) = visitor.text(from) {
            contact.data.push(list, json!({ "value": value }), &visitor.place(from));
        }
    }
    put_address(&mut contact, &visitor);
    contact
}

/// What a visitor tells of where they live is one address.
fn put_address(contact: &mut Draft, visitor: &Object<'_>) {
    let parts = [("street", "address"), ("city", "city"), ("zip", "zip"), ("country", "country")];
    let told = parts.iter().filter_map(|(part, from)| Some((*part, visitor.text(from)?)));
    let address: serde_json::Map<String, Value> =
        told.map(|(part, text)| (part.to_owned(), text.into())).collect();
    if !address.is_empty() {
        contact.data.push("addresses", address, &visitor.at);
    }
}

/// An address or number that an item tells.
struct Told {
    reach: Reach,
    text: String,
    at: Pointer,
}

impl Told {
    fn read(
        reader: &Reader<'_>,
        item: &Object<'_>,
        reach: Reach,
    ) -> Option<Result<Self, (Code, Pointer, String)>> {
        let (Reach::Email(field) | Reach::Phone(field)) = reach;
        let (text, at) = (item.text(field)?, item.place(field));
        let problem = match reach {
            Reach::Email(_) => {
                Email::parse(&text).err().map(|error| (Code::InvalidEmail, error.to_string()))
            }
            Reach::Phone(_) => Phone::parse(&text, reader.region)
                .err()
                .map(|error| (Code::InvalidPhone, error.to_string())),
        };
        Some(match problem {
            None => Ok(Self { reach, text, at }),
            Some((code, error)) => Err((code, at, format!("`{field}`: {error}"))),
        })
    }

    fn whose(&self) -> Whose {
        match self.reach {
            Reach::Email(_) => Whose::Email(self.text.clone()),
            Reach::Phone(_) => Whose::Phone(self.text.clone()),
        }
    }

    /// Puts it into a contact, unless it is there.
    fn put_beside(self, contact: &mut Draft) {
        let list = match self.reach {
            Reach::Email(_) => "emails",
            Reach::Phone(_) => "phones",
        };
        let entry = json!({ "value": self.text });
        let known = contact.data.fields.get(list).and_then(Value::as_array);
        if !known.is_some_and(|entries| entries.contains(&entry)) {
            contact.data.push(list, entry, &self.at);
        }
    }
}
