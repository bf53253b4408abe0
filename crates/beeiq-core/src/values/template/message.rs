//! Welcome messages, with merge fields (`api.md` 4).

use super::parser::{Parser, TemplateError, Vocabulary};
use super::{Escape, Measure, Template};
use crate::values::text::fold;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

const LARGEST_TEXT: usize = 16 * 1024;
const LARGEST_HTML: usize = 64 * 1024;
const LARGEST_MESSAGE: usize = 256 * 1024;

type ReadField = fn(&MergeFields) -> &str;

/// The merge fields there are, beside `fields["…"]`.
static FIELDS: [(&str, ReadField); 10] = [
    ("name", |fields| &fields.name),
    ("lastname", |fields| text(&fields.lastname)),
    ("title", |fields| text(&fields.title)),
    ("email", |fields| text(&fields.email)),
    ("phone", |fields| text(&fields.phone)),
    ("code", |fields| text(&fields.code)),
    ("org.name", |fields| &fields.org_name),
    ("sender.name", |fields| text(&fields.sender_name)),
    ("sender.email", |fields| text(&fields.sender_email)),
    ("company.name", |fields| text(&fields.company_name)),
];

fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

/// What a template makes, which decides its size and how values go into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// An HTML body: values are escaped. At most 64 KiB.
    Html,
    /// Plain text. At most 16 KiB.
    Text,
    /// A subject: control characters and line ends become spaces. At most 16 KiB.
    Line,
}

/// Why a message could not be made of a template that is right.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// With the values in it, the message is over 256 KiB.
    #[error("the message is larger than {LARGEST_MESSAGE} bytes")]
    TooLarge,
}

/// The values of a message's merge fields. What is absent renders as the empty string.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct MergeFields {
    /// `{{ name }}`
    pub name: String,
    /// `{{ lastname }}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// `{{ title }}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `{{ email }}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `{{ phone }}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// `{{ code }}`, as `PID-1`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `{{ org.name }}`
    pub org_name: String,
    /// `{{ sender.name }}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// `{{ sender.email }}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_email: Option<String>,
    /// `{{ company.name }}`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// `{{ fields["…"] }}`: the custom fields' values by name, in any case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// A template that has been checked and can be rendered any number of times, by any thread.
#[derive(Debug)]
pub struct MessageTemplate {
    template: Template<Field>,
    measure: Measure,
    markup: Markup,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Field {
    /// One of [`FIELDS`], by its place there.
    Of(usize),
    /// A custom field, by its folded name.
    Custom(String),
}

struct Words<'n> {
    /// The names that `fields["…"]` may have; none: any.
    custom_fields: Option<&'n [String]>,
    folded: HashSet<String>,
}

impl MessageTemplate {
    /// Checks a template; `custom_fields` are the names that `fields["…"]` may have.
    pub fn compile(
        source: &str,
        markup: Markup,
        custom_fields: &[String],
    ) -> Result<Self, TemplateError> {
        Self::read(source, markup, Some(custom_fields))
    }

    /// Reads a template that has been checked already: the custom fields that it names may be called
    /// something else by now.
    ///
    /// # Errors
    /// Where it never was one.
    pub fn checked(source: &str, markup: Markup) -> Result<Self, TemplateError> {
        Self::read(source, markup, None)
    }

    fn read(
        source: &str,
        markup: Markup,
        custom_fields: Option<&[String]>,
    ) -> Result<Self, TemplateError> {
        let limit = if markup == Markup::Html { LARGEST_HTML } else { LARGEST_TEXT };
        if source.len() > limit {
            let message = format!("a template has at most {limit} bytes here");
            return Err(TemplateError { line: 1, column: 1, message });
        }
        let folded = custom_fields.unwrap_or_default().iter().map(|name| fold(name)).collect();
        let template = Template::parse(source, &mut Words { custom_fields, folded })?;
        Ok(Self { measure: template.measure(), template, markup })
    }

    /// Whether it has that custom field.
    #[must_use]
    pub fn has(&self, custom_field: &str) -> bool {
        let name = fold(custom_field);
        self.template.fields().any(|field| matches!(field, Field::Custom(it) if *it == name))
    }

    /// How much memory it takes, about, with its source, which its wording keeps.
    #[must_use]
    pub fn bytes(&self) -> usize {
        2 * self.template.bytes() + size_of_val(self.measure.values.as_slice())
    }

    const fn escape(&self) -> Escape {
        match self.markup {
            Markup::Html => Escape::Html,
            Markup::Text | Markup::Line => Escape::None,
        }
    }

    /// Looks whether the message with these values can be rendered, without making it.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub fn fits(&self, fields: &MergeFields) -> Result<(), RenderError> {
        let length = self.template.length(&self.measure, values(fields), self.escape());
        if length > LARGEST_MESSAGE { Err(RenderError::TooLarge) } else { Ok(()) }
    }

    /// The message with these values.
    pub fn render(&self, fields: &MergeFields) -> Result<String, RenderError> {
        let message = self
            .template
            .render(values(fields), self.escape(), LARGEST_MESSAGE)
            .ok_or(RenderError::TooLarge)?;
        Ok(match self.markup {
            Markup::Html | Markup::Text => message,
            Markup::Line => one_line(&message),
        })
    }
}

/// What each field stands for.
fn values<'v>(fields: &'v MergeFields) -> impl Fn(&Field) -> &'v str {
    let custom: HashMap<String, &str> =
        fields.fields.iter().map(|(name, value)| (fold(name), value.as_str())).collect();
    move |field| match field {
        Field::Of(place) => FIELDS.get(*place).map_or("", |(_, read)| read(fields)),
        Field::Custom(name) => custom.get(name).copied().unwrap_or_default(),
    }
}

impl Vocabulary for Words<'_> {
    type Field = Field;
    const FILTERS: &'static [&'static str] = &["upper", "lower", "title", "default"];
    const MOST_FILTERS: usize = 4;
    const TAGS_ARE_TEXT: bool = false;
    const FAULTS_AT_OPENING: bool = false;

    /// Not all of Unicode's.
    fn is_space(c: char) -> bool {
        matches!(c, ' ' | '\t' | '\r' | '\n')
    }

    /// `org.name`, or `fields["Referred By"]`.
    fn field(&mut self, parser: &mut Parser<'_>) -> Result<Field, TemplateError> {
        let start = parser.place();
        let word = parser.word();
        if word == "fields" {
            return self.custom_field(parser);
        }
        match FIELDS.iter().position(|(name, _)| *name == word) {
            Some(place) => Ok(Field::Of(place)),
            None => {
                let names = FIELDS.iter().map(|(name, _)| *name).chain(["fields[\"…\"]"]);
                Err(parser.unknown(start, "merge field", word, names))
            }
        }
    }
}

impl Words<'_> {
    fn custom_field(&self, parser: &mut Parser<'_>) -> Result<Field, TemplateError> {
        parser.skip(Self::is_space);
        if !parser.eat("[") {
            return Err(parser.error("a custom field is written fields[\"Its name\"]"));
        }
        parser.skip(Self::is_space);
        let start = parser.place();
        let name = parser.string()?;
        let key = fold(name);
        if let Some(known) = self.custom_fields.filter(|_| !self.folded.contains(&key)) {
            let names = known.iter().map(String::as_str);
            return Err(parser.unknown(start, "custom field", name, names));
        }
        parser.skip(Self::is_space);
        if !parser.eat("]") {
            return Err(parser.error("the ] of fields[\"…\"] is missing"));
        }
        Ok(Field::Custom(key))
    }
}

fn one_line(message: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    message.replace(breaks, " ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{
        LARGEST_HTML, LARGEST_TEXT,
        Markup::{self, Html, Line, Text},
        MergeFields, MessageTemplate, RenderError, TemplateError,
    };

    fn compile(source: &str, markup: Markup) -> Result<MessageTemplate, TemplateError> {
        MessageTemplate::compile(source, markup, &["Referred By", "Ngày \"đẹp\""].map(String::from))
    }

    fn huy() -> MergeFields {
        MergeFields {
            name: "Huy <b>".to_owned(),
            email: Some("huy@example.com".to_owned()),
            org_name: "A & B".to_owned(),
            title: Some(" ".to_owned()),
            fields: BTreeMap::from([("referred BY".to_owned(), "cong\r\nnguyen".to_owned())]),
            ..MergeFields::default()
        }
    }

    fn render(source: &str, markup: Markup) -> String {
        let template = compile(source, markup).unwrap_or_else(|error| panic!("{source}: {error}"));
        template.render(&huy()).unwrap()
    }

    #[test]
    fn placeholders_are_filled_and_all_else_stays() {
        for (source, message) in [
            ("", ""),
            ("Chào {{ name }}!\n", "Chào Huy <b>!\n"),
            ("{{name}}{{\tname\n}}", "Huy <b>Huy <b>"),
            ("{{ name | upper }} {{ name|lower }}", "HUY <B> huy <b>"),
            ("{{ email | title }}", "Huy@example.com"),
            ("[{{ lastname }}{{ phone }}{{ code }}{{ company.name }}]", "[]"),
            ("{{ lastname | default(\"bạn\") | upper }}", "BẠN"),
            ("{{ title | default( '}} \"x\" {% ' ) }}", "}} \"x\" {% "),
            ("{{ name | default('x') }}", "Huy <b>"),
            ("{{ org.name }}", "A & B"),
            ("{{ sender.name }}{{ sender.email }}", ""),
            ("{{ fields[\"Referred By\"] | title }}", "Cong\r\nNguyen"),
            ("{{ fields[ 'REFERRED by' ] | upper }}", "CONG\r\nNGUYEN"),
            ("{{ fields['ngày \"ĐẸP\"'] }}", ""),
            (
                "a { b } }} {x %} \u{202e}🙂\u{130} \u{1}",
                "a { b } }} {x %} \u{202e}🙂\u{130} \u{1}",
            ),
            ("{", "{"),
            ("# for x in y", "# for x in y"),
        ] {
            assert_eq!(render(source, Text), message, "{source}");
        }
    }

    #[test]
    fn whether_a_message_fits_is_told_without_making_it() {
        let name = |length| MergeFields { name: "&".repeat(length), ..huy() };
        for (markup, fits) in [(Html, 32_768 / 5), (Text, 32_768), (Line, 32_768)] {
            let template = compile(&"{{ name | upper }}{{name}}".repeat(4), markup).unwrap();
            for length in [fits, fits + 1] {
                let name = name(length);
                assert_eq!(template.fits(&name).is_ok(), length == fits, "{markup:?} {length}");
                assert_eq!(template.render(&name).is_ok(), length == fits, "{markup:?} {length}");
            }
        }
    }

    #[test]
    fn only_values_in_html_are_escaped() {
        let source = "<p>{{ name }} &amp; {{ org.name | upper }} {{ code | default('<i>') }}</p>";
        assert_eq!(render(source, Html), "<p>Huy &lt;b&gt; &amp; A &amp; B &lt;i&gt;</p>");
        assert_eq!(render(source, Text), "<p>Huy <b> &amp; A & B <i></p>");
    }

    #[test]
    fn a_subject_becomes_one_line() {
        let source = "\n Hi\u{0}\u{2028}{{ fields[\"Referred By\"] }} {{ name }}\r\n";
        assert_eq!(render(source, Line), "Hi  cong  nguyen Huy <b>");
    }

    #[test]
    fn sources_have_their_limits() {
        for (markup, limit) in [(Html, LARGEST_HTML), (Text, LARGEST_TEXT), (Line, LARGEST_TEXT)] {
            assert!(compile(&"a".repeat(limit), markup).is_ok());
            assert!(compile(&"a".repeat(limit + 1), markup).is_err());
        }
        assert!(compile(&"{{ name }}".repeat(5 << 20), Html).is_err());
    }

    #[test]
    fn the_longest_templates_render_within_fuel_and_size() {
        let absent = compile(&"{{code|upper|upper|upper|lower}}".repeat(LARGEST_HTML / 32), Html);
        assert_eq!(absent.unwrap().render(&huy()).unwrap(), "");
        let dense = "{{code}}".repeat(LARGEST_HTML / 8);
        let code = |length| MergeFields { code: Some("x".repeat(length)), ..huy() };
        let dense = compile(&dense, Html).unwrap();
        assert_eq!(dense.render(&code(32)).unwrap().len(), 256 << 10);
        assert!(dense.fits(&code(32)).is_ok());
        assert!(matches!(dense.fits(&code(33)), Err(RenderError::TooLarge)));
        assert!(matches!(dense.render(&code(33)), Err(RenderError::TooLarge)));
        assert!(matches!(dense.render(&code(5 << 20)), Err(RenderError::TooLarge)));
    }

    #[test]
    fn a_compiled_template_can_be_shared_by_threads() {
        fn shareable<T: Send + Sync + 'static>(value: T) -> T {
            value
        }
        let template = shareable(compile("{{ name }}", Text).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert_eq!(template.render(&huy()).unwrap(), "Huy <b>"));
            }
        });
    }

    fn refused(source: &str) -> (usize, usize, String) {
        let fields = ["Referred By".to_owned()];
        let error = MessageTemplate::compile(source, Text, &fields).map(drop).unwrap_err();
        (error.line, error.column, error.message)
    }

    #[test]
    fn an_unknown_name_is_refused_with_its_place_and_the_nearest_or_all() {
        for (source, line, column, words) in [
            ("{{ nane }}", 1, 4, "\"nane\" is no merge field; did you mean \"name\"?"),
            ("é\n ü {{ orgname }}", 2, 7, "did you mean \"org.name\"?"),
            ("{{ x }}", 1, 4, "there are: \"name\", \"lastname\""),
            ("{{ fields['Refered by'] }}", 1, 11, "did you mean \"Referred By\"?"),
            ("{{ fields['x'] }}", 1, 11, "is no custom field; there are: \"Referred By\""),
            ("{{ fields.x }}", 1, 4, "is no merge field"),
            ("{{ name | uper }}", 1, 11, "\"uper\" is no filter; did you mean \"upper\"?"),
            ("{{ name | safe }}", 1, 11, "is no filter"),
            ("{{ name.__class__ }}", 1, 4, "is no merge field"),
            ("{{- name }}", 1, 3, "is no merge field"),
            ("{{{ name }}}", 1, 3, "is no merge field"),
            ("{{ [0]*100000000 }}", 1, 4, "is no merge field"),
            ("{{ custom[0] }}", 1, 4, "is no merge field"),
            ("{{ \u{202e}name }}", 1, 4, "is no merge field"),
            ("{{\u{a0}name }}", 1, 3, "is no merge field"),
        ] {
            let (at_line, at_column, message) = refused(source);
            assert_eq!((at_line, at_column), (line, column), "{source}: {message}");
            assert!(message.contains(words), "{source}: {message}");
        }
    }

    #[test]
    fn what_is_no_placeholder_is_refused_with_its_place() {
        for (source, line, column, words) in [
            ("{{ fields }}", 1, 11, "fields[\"Its name\"]"),
            ("{{ fields[0] }}", 1, 11, "in quotes"),
            ("{{ fields['Referred By' }}", 1, 25, "]"),
            ("{{ name | default }}", 1, 19, "default(\"text\")"),
            ("{{ name | default(name) }}", 1, 19, "in quotes"),
            ("{{ name | default('a\\x41') }}", 1, 19, "without \\"),
            ("{{ name | default('a', true) }}", 1, 18, "default(\"text\")"),
            ("{{ name | upper() }}", 1, 16, "only }}"),
            ("{{ name | upper | upper | upper | upper | upper }}", 1, 41, "at most 4"),
            ("{{ name ~ name }}", 1, 9, "only }}"),
            ("{{ name * 9 }}", 1, 9, "only }}"),
            ("{{ name() }}", 1, 8, "only }}"),
            ("{{ name -}}", 1, 9, "only }}"),
            ("a\n{{ name", 2, 1, "no }}"),
            ("{{ name }} {{ name }", 1, 20, "only }}"),
            ("{% for x in y %}", 1, 1, "not available"),
            ("{{ name }}{# x #}", 1, 11, "not available"),
        ] {
            let (at_line, at_column, message) = refused(source);
            assert_eq!((at_line, at_column), (line, column), "{source}: {message}");
            assert!(message.contains(words), "{source}: {message}");
        }
    }
    proptest! {
        #[test]
        fn what_passes_the_gate_renders(source in "([{}%#|.'\"\\[\\]() ]|name|fields|upper|\\PC)*") {
            if let Ok(template) = compile(&source, Html) {
                prop_assert!(template.render(&huy()).is_ok());
            }
        }
    }
}
