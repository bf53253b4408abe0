//! What the schemas of fields are made of.

use crate::json::Longest;
use crate::records::customer::AddressType;
use crate::values::custom_field::Kind;
use crate::values::words::Word;
use serde_json::{Map, Value, json};

/// What is as good as absent.
const BLANK: &str = "#/$defs/blank";

/// The definitions that the parts refer to.
pub fn definitions() -> Map<String, Value> {
    let blank = json!({
        "description": "As good as absent; in an update null clears.",
        "anyOf": [{"enum": [null, [], {}]}, {"type": "string", "pattern": "^\\s*$"}],
    });
    [("blank".to_owned(), blank)].into_iter().collect()
}

/// An object of these fields. Others are allowed: they are a warning.
pub fn object(
    known: &[&str],
    description: &str,
    field: impl Fn(&str) -> Option<Value>,
    extra: Value,
) -> Value {
    let properties: Map<String, Value> = known
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), optional(field(name)?))))
        .collect();
    let mut object = json!({
        "type": "object", "description": description, "properties": properties,
    });
    if let (Value::Object(object), Value::Object(extra)) = (&mut object, extra) {
        object.extend(extra);
    }
    object
}

fn keyword(name: &str, schemas: Vec<Value>) -> Value {
    Value::Object([(name.to_owned(), Value::Array(schemas))].into_iter().collect())
}

/// The value, or nothing.
pub fn optional(schema: Value) -> Value {
    keyword("anyOf", vec![json!({"$ref": BLANK}), schema])
}

/// The value, and something in it.
pub fn required(schema: Value) -> Value {
    keyword("allOf", vec![json!({"not": {"$ref": BLANK}}), schema])
}

/// That an object has the field, with something in it.
pub fn present(field: &str) -> Value {
    json!({"required": [field], "allOf": [
        {"properties": {field: {"not": {"$ref": BLANK}}}},
    ]})
}

/// That an object has one of the fields, with something in it.
pub fn any_of_present(fields: &[&str]) -> Value {
    json!({"anyOf": fields.iter().map(|field| present(field)).collect::<Vec<_>>()})
}

/// The same schema with a description, unless that is empty.
pub fn described(schema: Value, description: &str) -> Value {
    match schema {
        Value::Object(mut schema) if !description.is_empty() => {
            schema.insert("description".to_owned(), json!(description));
            Value::Object(schema)
        }
        other => other,
    }
}

/// A text of one line; numbers are taken as their digits.
pub fn line() -> Value {
    long_line(Longest::LINE)
}

/// A text of several paragraphs.
pub fn text() -> Value {
    long_line(Longest::TEXT)
}

/// A text of that length at most.
pub fn long_line(longest: Longest) -> Value {
    let (Longest::Chars(most) | Longest::Bytes(most)) = longest;
    json!({"type": ["string", "number"], "maxLength": most})
}

/// One of these numbers, also as a text.
pub fn number_choice(numbers: &[i64]) -> Value {
    let texts = numbers.iter().map(|number| json!(number.to_string()));
    json!({"enum": numbers.iter().map(|number| json!(number)).chain(texts).collect::<Vec<_>>()})
}

/// One of the words of `W`, in any case.
pub fn choice<W: Word>() -> Value {
    let words: Vec<&str> = W::ALL.iter().map(|one| one.as_str()).collect();
    let in_any_case: Vec<String> = words.iter().map(|word| any_case(word)).collect();
    let pattern = format!("^\\s*({})\\s*$", in_any_case.join("|"));
    json!({"anyOf": [{"enum": words}, {"type": "string", "pattern": pattern}]})
}

/// A pattern of an ASCII word in any case: the pattern language of JSON Schema has no switch for it.
fn any_case(word: &str) -> String {
    word.chars()
        .map(|letter| format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase()))
        .collect()
}

/// One of the org's names; any, where others are dropped with a warning.
pub fn name_of(names: &[&str], or_any: bool) -> Value {
    if or_any {
        return described(line(), &format!("Of use are: {}.", names.join(", ")));
    }
    if names.is_empty() {
        return json!({"not": {}, "description": "The org has none."});
    }
    json!({"enum": names})
}

/// An array of such, or of nothing.
pub fn array_of(entry: Value) -> Value {
    json!({"type": "array", "items": optional(entry)})
}

/// It, or an array of such.
pub fn one_or_several(schema: Value) -> Value {
    keyword("anyOf", vec![schema.clone(), array_of(schema)])
}

/// It, or a text in its place.
pub fn single_or(schema: Value) -> Value {
    keyword("anyOf", vec![line(), schema])
}

/// `cusFields`: entries, or an object of values by name; `fields` are the name, kind and options of those that the org has.
pub fn cus_fields(fields: Option<&[(&str, Kind, &[String])]>, or_any: bool) -> Value {
    let any_value = optional(json!({"type": ["string", "number", "boolean", "array"]}));
    let any = json!({"type": "object", "anyOf": [
        {"properties": {"name": {"$ref": BLANK}, "value": {"$ref": BLANK}}},
        present("name"),
    ], "properties": {"name": optional(line()), "value": any_value}});
    let by_name = |properties: Map<String, Value>, others: Value| json!({"type": "object", "properties": properties, "additionalProperties": others});
    let Some(fields) = fields.filter(|_| !or_any) else {
        return keyword("anyOf", vec![array_of(any), by_name(Map::new(), any_value)]);
    };
    if fields.is_empty() {
        return described(
            json!({"maxItems": 0, "maxProperties": 0}),
            "The org has no custom fields here.",
        );
    }
    let mut known = Vec::new();
    let mut values: Map<String, Value> = Map::new();
    for (name, kind, options) in fields {
        let value = optional(value_of(*kind, options));
        known.push(json!({"type": "object", "required": ["name"], "properties": {
            "name": {"const": name}, "value": value,
        }}));
        // Fields of several models may share a name.
        let one_of_them = match values.remove(*name) {
            Some(other) => keyword("anyOf", vec![other, value]),
            None => value,
        };
        values.insert((*name).to_owned(), one_of_them);
    }
    keyword("anyOf", vec![array_of(json!({"anyOf": known})), by_name(values, json!(false))])
}

/// A value of a custom field of that kind.
fn value_of(kind: Kind, options: &[String]) -> Value {
    match kind {
        Kind::Text | Kind::Textarea => json!({"type": ["string", "number", "boolean"]}),
        Kind::Number => json!({"anyOf": [
            {"type": "number"}, {"type": "string", "pattern": "^\\s*[+-]?\\d+(\\.\\d+)?\\s*$"},
        ]}),
        Kind::Date => described(
            json!({"type": "string"}),
            "YYYY-MM-DDTHH:mm:ssZ, as in 2019-07-08T00:00:00+07:00.",
        ),
        Kind::Select | Kind::Radio => json!({"enum": options}),
        Kind::Checkbox | Kind::InlineCheckbox => described(
            json!({"anyOf": [
                {"type": "string"}, {"type": "array", "items": {"enum": options}},
            ]}),
            &format!("Any of these, joined by `|`: {}", options.join("|")),
        ),
    }
}

/// An object of these fields.
pub fn object_of(fields: &[(&str, Value)]) -> Value {
    let fields = fields.iter().map(|(name, schema)| ((*name).to_owned(), optional(schema.clone())));
    json!({"type": "object", "properties": fields.collect::<Map<_, _>>()})
}

/// A list of values, each with what it is for.
pub fn typed_values<C: Word>(about: &str) -> Value {
    array_of(object_of(&[("type", choice::<C>()), ("value", described(line(), about))]))
}

/// A list of postal addresses.
pub fn addresses() -> Value {
    let country = object_of(&[("code", described(line(), "ISO 3166-1.")), ("name", line())]);
    array_of(object_of(&[
        ("type", choice::<AddressType>()),
        ("street", line()),
        ("city", line()),
        ("state", line()),
        ("zip", line()),
        ("country", single_or(country)),
    ]))
}
