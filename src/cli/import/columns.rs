//! From the header row of a CSV file to the fields of an action (`listener.md` 3); pure.
//!
//! A column is named by the path of its field: `name`, `emails.value`, `phones[1].type`,
//! `companyContact.name`, `cusFields.Referred By`. Columns that differ in an index make entries of
//! one list; an empty cell is no field.

use beeiq_core::actions::fields_of;
use beeiq_core::values::suggest::nearest;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What columns of ours in a file of failed rows begin with; they are no fields.
pub(crate) const RESERVED: &str = "beeiq_";

/// No list of a record is longer.
const HIGHEST_INDEX: usize = 999;

/// Lists whose entries are objects with a `value`.
const VALUE_LISTS: &[&str] = &["emails", "phones", "websites"];
const TEXT_LISTS: &[&str] = &["users", "groups"];
/// Lists whose entries are objects, with a field of theirs as an example.
const OBJECT_LISTS: &[(&str, &str)] =
    &[("addresses", "addresses.city"), ("im", "im.value"), ("contacts", "contacts.customerId")];

/// Other names for columns: the header as it is in the file, and the path, or `None` to leave the
/// column out.
pub(crate) type ColumnMap = BTreeMap<String, Option<String>>;

/// What the columns of a file mean.
#[derive(Debug)]
pub(crate) struct Columns {
    headers: Vec<String>,
    root: Node,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Index(usize),
    /// The value of the custom field of that name.
    CustomField(String),
}

/// A part of an action's `data`, with the numbers of the columns that fill it.
#[derive(Debug, Default)]
enum Node {
    #[default]
    Empty,
    Column(usize),
    Object(Vec<(String, Node)>),
    List(BTreeMap<usize, Node>),
    CustomFields(Vec<(String, usize)>),
}

impl Columns {
    /// What the headers mean for an action of that type.
    pub(crate) fn plan(headers: &[String], map: &ColumnMap, action: &str) -> Result<Self, String> {
        let mut faults: Vec<String> = map
            .keys()
            .filter(|name| !headers.contains(name))
            .map(|name| format!("the map names a column \"{name}\" that the file does not have"))
            .collect();
        let mut root = Node::Empty;
        for (column, header) in headers.iter().enumerate() {
            let path = match map.get(header) {
                Some(None) => continue,
                Some(Some(path)) => path.trim(),
                None if header.trim().starts_with(RESERVED) => continue,
                None => header.trim(),
            };
            let placed = read_path(path, action).and_then(|steps| {
                root.insert(&steps, column).map_err(|other| {
                    let other = headers.get(other).map_or("", String::as_str);
                    format!("means the same place as \"{other}\"; number them: `[0]`, `[1]`")
                })
            });
            if let Err(fault) = placed {
                faults.push(format!("column {} (\"{header}\") {fault}", column + 1));
            }
        }
        if matches!(root, Node::Empty) && faults.is_empty() {
            faults.push("no column is a field".to_owned());
        }
        if faults.is_empty() {
            return Ok(Self { headers: headers.to_vec(), root });
        }
        Err(faults.join("; "))
    }

    pub(crate) fn headers(&self) -> &[String] {
        &self.headers
    }

    /// The `data` of a row; `None` where all its cells are empty.
    pub(crate) fn data(&self, cells: &[&str]) -> Option<Value> {
        self.root.data(cells)
    }

    /// The header of the column that a place in the row's `data` (a JSON Pointer) came from, or
    /// where nothing is there, of the nearest column.
    pub(crate) fn column_at(&self, pointer: &str, cells: &[&str]) -> Option<&str> {
        let segments: Vec<String> = pointer
            .split('/')
            .skip(1)
            .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
            .collect();
        if segments.is_empty() {
            return None;
        }
        let column = self.root.locate(&segments, cells)?;
        self.headers.get(column).map(String::as_str)
    }
}

impl Node {
    /// Puts a column at a place.
    fn insert(&mut self, steps: &[Step], column: usize) -> Result<(), usize> {
        let fresh = matches!(self, Self::Empty);
        match steps.split_first() {
            None if fresh => *self = Self::Column(column),
            Some((Step::Member(name), rest)) => {
                if fresh {
                    *self = Self::Object(Vec::new());
                }
                let Self::Object(members) = self else { return Err(self.first()) };
                if let Some((_, node)) = members.iter_mut().find(|(known, _)| known == name) {
                    return node.insert(rest, column);
                }
                let mut node = Self::Empty;
                node.insert(rest, column)?;
                members.push((name.clone(), node));
            }
            Some((Step::Index(index), rest)) => {
                if fresh {
                    *self = Self::List(BTreeMap::new());
                }
                let Self::List(entries) = self else { return Err(self.first()) };
                return entries.entry(*index).or_default().insert(rest, column);
            }
            Some((Step::CustomField(name), _)) => {
                if fresh {
                    *self = Self::CustomFields(Vec::new());
                }
                let Self::CustomFields(fields) = self else { return Err(self.first()) };
                let same = |known: &str| known.to_lowercase() == name.to_lowercase();
                if let Some((_, other)) = fields.iter().find(|(known, _)| same(known)) {
                    return Err(*other);
                }
                fields.push((name.clone(), column));
            }
            None => return Err(self.first()),
        }
        Ok(())
    }

    /// Some column of it.
    fn first(&self) -> usize {
        match self {
            Self::Empty => None,
            Self::Column(column) => Some(*column),
            Self::Object(members) => members.first().map(|(_, node)| node.first()),
            Self::List(entries) => entries.values().next().map(Self::first),
            Self::CustomFields(fields) => fields.first().map(|(_, column)| *column),
        }
        .unwrap_or_default()
    }

    fn data(&self, cells: &[&str]) -> Option<Value> {
        match self {
            Self::Empty => None,
            Self::Column(column) => filled(cells, *column).map(Value::from),
            Self::Object(members) => {
                let filled: Map<String, Value> = members
                    .iter()
                    .filter_map(|(name, node)| Some((name.clone(), node.data(cells)?)))
                    .collect();
                (!filled.is_empty()).then_some(Value::Object(filled))
            }
            Self::List(entries) => {
                let filled: Vec<Value> =
                    entries.values().filter_map(|entry| entry.data(cells)).collect();
                (!filled.is_empty()).then_some(Value::Array(filled))
            }
            Self::CustomFields(fields) => {
                let filled: Vec<Value> = fields
                    .iter()
                    .filter_map(|(name, column)| {
                        Some(json!({"name": name, "value": filled(cells, *column)?}))
                    })
                    .collect();
                (!filled.is_empty()).then_some(Value::Array(filled))
            }
        }
    }

    /// The column at a place. Entries of lists are counted as the row's `data` has them: without
    /// the empty ones.
    fn locate(&self, segments: &[String], cells: &[&str]) -> Option<usize> {
        let Some((segment, rest)) = segments.split_first() else { return Some(self.first()) };
        match self {
            Self::Empty => None,
            Self::Column(column) => Some(*column),
            Self::Object(members) => {
                let (_, node) = members.iter().find(|(name, _)| name == segment)?;
                Some(node.locate(rest, cells).unwrap_or_else(|| node.first()))
            }
            Self::List(entries) => {
                let mut filled = entries.values().filter(|entry| entry.data(cells).is_some());
                let entry = filled.nth(segment.parse().ok()?)?;
                Some(entry.locate(rest, cells).unwrap_or_else(|| entry.first()))
            }
            Self::CustomFields(fields) => {
                let mut filled = fields.iter().filter(|(_, it)| filled(cells, *it).is_some());
                filled.nth(segment.parse().ok()?).map(|(_, column)| *column)
            }
        }
    }
}

/// What is in a cell, unless it is blank.
fn filled<'c>(cells: &[&'c str], column: usize) -> Option<&'c str> {
    cells.get(column).copied().filter(|cell| !cell.trim().is_empty())
}

/// A header as a path into the `data` of an action of that type.
fn read_path(path: &str, action: &str) -> Result<Vec<Step>, String> {
    let mut steps = split_path(path).ok_or_else(|| no_path(path, action))?;
    if let (Some(Step::Member(name)), Some(known)) = (steps.first(), fields_of(action))
        && !known.contains(&name.as_str())
    {
        return Err(match nearest(name, known.iter().copied()) {
            Some(meant) => format!("is no field of {action}; did you mean \"{meant}\"?"),
            None => format!("is no field of {action}; leave it out with a --map file"),
        });
    }
    imply_entries(&mut steps, action)?;
    Ok(steps)
}

fn no_path(path: &str, action: &str) -> String {
    let known = fields_of(action).unwrap_or_default();
    let word: String = path.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let meant = nearest(&word, known.iter().copied());
    let help = meant.map(|meant| format!("; did you mean \"{meant}\"?")).unwrap_or_default();
    format!(
        "is no path such as name, emails.value, phones[1].type or cusFields.Referred By{help} \
         (a --map file gives it one, or leaves it out)"
    )
}

/// The steps as they are written.
fn split_path(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let end = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        steps.push(Step::Member(name.to_owned()));
        rest = after;
        while let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']')?;
            let index = index.parse().ok().filter(|index| *index <= HIGHEST_INDEX)?;
            steps.push(Step::Index(index));
            rest = after;
        }
        if rest.is_empty() {
            return Some(steps);
        }
        rest = rest.strip_prefix('.')?;
        if name == "cusFields" && matches!(steps.last(), Some(Step::Member(_))) {
            let field = rest.trim();
            steps.push(Step::CustomField(field.to_owned()));
            return (!field.is_empty()).then_some(steps);
        }
    }
}

/// Adds what goes without saying: the first entry of a list, and the value of an entry.
fn imply_entries(steps: &mut Vec<Step>, action: &str) -> Result<(), String> {
    let mut full: Vec<Step> = Vec::with_capacity(steps.len() + 2);
    let mut after = steps.iter().peekable();
    while let Some(step) = after.next() {
        full.push(step.clone());
        let Step::Member(name) = step else { continue };
        let name = name.as_str();
        let example = OBJECT_LISTS.iter().find(|(list, _)| *list == name).map(|(_, it)| *it);
        let holds_values = VALUE_LISTS.contains(&name) && action != "send-sms";
        let is_list =
            VALUE_LISTS.contains(&name) || TEXT_LISTS.contains(&name) || example.is_some();
        if !is_list && name != "cusFields" {
            continue;
        }
        match after.peek() {
            Some(Step::Index(_)) => full.extend(after.next().cloned()),
            Some(Step::CustomField(_)) => continue,
            _ if is_list => full.push(Step::Index(0)),
            _ => {}
        }
        if after.peek().is_none() && holds_values {
            full.push(Step::Member("value".to_owned()));
        } else if after.peek().is_none() && !TEXT_LISTS.contains(&name) && action != "send-sms" {
            let example = example.unwrap_or("cusFields.Referred By");
            return Err(format!("is a list of objects; name a field, such as {example}"));
        }
    }
    *steps = full;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(headers: &[&str], action: &str) -> Result<Columns, String> {
        let headers: Vec<String> = headers.iter().map(|&it| it.to_owned()).collect();
        Columns::plan(&headers, &ColumnMap::new(), action)
    }

    #[test]
    fn a_row_becomes_the_data_that_its_headers_say() {
        for (headers, cells, data) in [
            (vec!["name", "tag"], vec!["Huy", "a, b"], json!({"name": "Huy", "tag": "a, b"})),
            (vec!["name", "tag"], vec!["Huy", " "], json!({"name": "Huy"})),
            (vec![" name "], vec![" Huy "], json!({"name": " Huy "})),
            (vec!["emails.value"], vec!["a@b.c"], json!({"emails": [{"value": "a@b.c"}]})),
            (vec!["emails"], vec!["a@b.c"], json!({"emails": [{"value": "a@b.c"}]})),
            (vec!["phones[1]"], vec!["0905"], json!({"phones": [{"value": "0905"}]})),
            (
                vec!["emails[1].value", "emails.type", "emails[0].value", "emails[1].type"],
                vec!["b@b.c", "Work", "a@b.c", ""],
                json!({"emails": [{"type": "Work", "value": "a@b.c"}, {"value": "b@b.c"}]}),
            ),
            (
                vec!["cusFields.Referred By", "cusFields.v1.2 [x]", "cusFields.Pet"],
                vec!["Ann", "7", ""],
                json!({"cusFields": [
                    {"name": "Referred By", "value": "Ann"}, {"name": "v1.2 [x]", "value": "7"},
                ]}),
            ),
            (
                vec!["cusFields[0].name", "cusFields[0].value"],
                vec!["Pet", "Dog"],
                json!({"cusFields": [{"name": "Pet", "value": "Dog"}]}),
            ),
            (
                vec!["companyContact.name", "companyContact.phones.value", "permit.users[1]"],
                vec!["HTK", "028", "ann@acme.test"],
                json!({
                    "companyContact": {"name": "HTK", "phones": [{"value": "028"}]},
                    "permit": {"users": ["ann@acme.test"]},
                }),
            ),
            (
                vec!["permit.users", "addresses.country.code"],
                vec!["ann@acme.test", "VN"],
                json!({
                    "permit": {"users": ["ann@acme.test"]},
                    "addresses": [{"country": {"code": "VN"}}],
                }),
            ),
        ] {
            let columns = plan(&headers, "add-contact").unwrap();
            assert_eq!(columns.data(&cells), Some(data), "{headers:?}");
        }
        let blank = plan(&["name", "emails"], "add-contact").unwrap();
        assert_eq!(blank.data(&["", "  "]), None);
        let sms = plan(&["content", "phones", "phones[1]"], "send-sms").unwrap();
        let data = json!({"content": "Hi", "phones": ["0905", "0906"]});
        assert_eq!(sms.data(&["Hi", "0905", "0906"]), Some(data));
        let deal = plan(&["dealWith.emails", "contacts[1].customerId"], "add-deal").unwrap();
        let data = json!({
            "dealWith": {"emails": [{"value": "a@b.c"}]}, "contacts": [{"customerId": "PID-1"}],
        });
        assert_eq!(deal.data(&["a@b.c", "PID-1"]), Some(data));
    }

    #[test]
    fn a_header_that_cannot_be_used_is_told_with_a_remedy() {
        for (headers, words) in [
            (vec!["First Name"], "column 1 (\"First Name\") is no path"),
            (vec!["last name"], "did you mean \"lastname\"?"),
            (vec!["name", ""], "column 2 (\"\") is no path"),
            (vec!["emial"], "did you mean \"emails\"?"),
            (vec!["xyzzy"], "leave it out with a --map file"),
            (vec!["emails..value"], "is no path"),
            (vec!["emails[x].value"], "is no path"),
            (vec!["emails[0"], "is no path"),
            (vec!["emails[1000].value"], "is no path"),
            (vec!["cusFields."], "is no path"),
            (vec!["cusFields"], "name a field, such as cusFields.Referred By"),
            (vec!["addresses"], "name a field, such as addresses.city"),
            (vec!["im[1]"], "name a field, such as im.value"),
            (vec!["name", "name"], "means the same place as \"name\""),
            (vec!["emails", "emails[0].value"], "means the same place as \"emails\""),
            (vec!["emails.value", "emails.value.x"], "means the same place"),
            (vec!["name", "name.first"], "means the same place as \"name\""),
            (vec!["cusFields.Pet", "cusFields.PET"], "means the same place as \"cusFields.Pet\""),
            (vec!["cusFields.Pet", "cusFields[0].name"], "means the same place"),
            (vec!["beeiq_row"], "no column is a field"),
        ] {
            let told = plan(&headers, "add-contact").unwrap_err();
            assert!(told.contains(words), "{headers:?}: {told}");
        }
        // All of them, so that one look mends the file.
        let told = plan(&["emial", "name", "last name"], "add-contact").unwrap_err();
        assert!(told.contains("column 1") && told.contains("column 3"), "{told}");
    }

    #[test]
    fn a_map_renames_columns_and_leaves_them_out() {
        let headers = ["First Name", "E-mail", "Notes"].map(str::to_owned);
        let map = |entries: &[(&str, Option<&str>)]| -> ColumnMap {
            entries.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect()
        };
        let full =
            map(&[("First Name", Some("name")), ("E-mail", Some("emails.value")), ("Notes", None)]);
        let columns = Columns::plan(&headers, &full, "add-contact").unwrap();
        let data = json!({"name": "Huy", "emails": [{"value": "a@b.c"}]});
        assert_eq!(columns.data(&["Huy", "a@b.c", "x"]), Some(data));
        let typo = map(&[("first name", Some("name"))]);
        let told = Columns::plan(&headers, &typo, "add-contact").unwrap_err();
        assert!(told.contains("\"first name\" that the file does not have"), "{told}");
    }

    /// Without it a fault would be shown at another column where a cell before it is empty.
    #[test]
    fn a_pointer_is_shown_as_the_column_that_it_came_from() {
        let columns = plan(
            &["name", "emails.type", "emails.value", "emails[1]", "cusFields.Pet", "cusFields.Age"],
            "add-contact",
        )
        .unwrap();
        let full = ["n", "Work", "a", "b", "Dog", "7"];
        let gaps = ["n", "", "", "b", "", "7"];
        for (pointer, cells, column) in [
            ("/name", full, Some("name")),
            ("/emails/0/value", full, Some("emails.value")),
            ("/emails/1/value", full, Some("emails[1]")),
            ("/emails/0/value", gaps, Some("emails[1]")),
            ("/cusFields/0/value", gaps, Some("cusFields.Age")),
            ("/cusFields/0", full, Some("cusFields.Pet")),
            ("/emails/0", full, Some("emails.type")),
            ("/emails", full, Some("emails.type")),
            ("/emails/7/value", full, Some("emails.type")),
            ("/passport", full, None),
            ("", full, None),
        ] {
            assert_eq!(columns.column_at(pointer, &cells), column, "{pointer} {cells:?}");
        }
    }
}
