//! Requests to an org's own SMS provider (`api.md` 4), with the placeholders `{{ to }}`,
//! `{{ content }}`, `{{ from }}`, `{{ id }}` and `{{ secret }}`.

use super::parser::{Parser, TemplateError, Vocabulary};
use super::{Escape, Part, Template};
use crate::values::suggest::nearest;

/// A template that has been checked.
#[derive(Clone, Debug)]
pub struct RequestTemplate(Template<Field>);

/// What the placeholders stand for.
#[derive(Clone, Copy)]
pub struct RequestValues<'a> {
    /// The number in E.164.
    pub to: &'a str,
    /// The text.
    pub content: &'a str,
    /// Whom it is from.
    pub from: &'a str,
    /// The message's id, the same on every attempt.
    pub id: &'a str,
    /// The account's secret.
    pub secret: &'a str,
}

type Field = for<'v> fn(&RequestValues<'v>) -> &'v str;

const FIELDS: [(&str, Field); 5] = [
    ("to", |values| values.to),
    ("content", |values| values.content),
    ("from", |values| values.from),
    ("id", |values| values.id),
    ("secret", |values| values.secret),
];

struct Words;

impl Vocabulary for Words {
    type Field = Field;
    const FILTERS: &'static [&'static str] = &["digits"];
    const MOST_FILTERS: usize = 1;
    const TAGS_ARE_TEXT: bool = true;
    const FAULTS_AT_OPENING: bool = true;

    fn is_space(c: char) -> bool {
        c.is_whitespace()
    }

    fn field(&mut self, parser: &mut Parser<'_>) -> Result<Field, TemplateError> {
        let word = parser.word();
        if let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == word) {
            return Ok(*field);
        }
        let names = FIELDS.map(|(name, _)| name);
        let help = match nearest(word, names) {
            Some(meant) => format!("{{{{ {meant} }}}} was meant?"),
            None => format!("there are {}", names.join(", ")),
        };
        let shown: String = word.chars().take(40).collect();
        Err(parser.error(format!("there is no \"{shown}\" here; {help}")))
    }
}

impl RequestTemplate {
    /// Checks a template.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        Template::parse(source, &mut Words).map(Self)
    }

    /// The text with these values.
    pub fn render(&self, values: &RequestValues<'_>, escape: Escape) -> String {
        self.0.render(|field| field(values), escape, usize::MAX).unwrap_or_default()
    }

    /// The text before the first placeholder; none where there is no placeholder.
    pub fn before_placeholders(&self) -> Option<&str> {
        match self.0.0.as_slice() {
            [Part::Text(text), Part::Value { .. }, ..] => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Escape;
    use super::*;

    const VALUES: RequestValues<'_> = RequestValues {
        to: "+84905000001",
        content: "Chào \"A&B\" <1>\r\n{{ to }}\\",
        from: "Acme",
        id: "7",
        secret: "s3cret",
    };

    fn render(source: &str, escape: Escape) -> String {
        RequestTemplate::parse(source).unwrap().render(&VALUES, escape)
    }

    #[test]
    fn values_are_escaped_for_where_they_go() {
        for (source, escape, rendered) in [
            ("?to={{ to }}&k={{secret}}", Escape::Percent, "?to=%2B84905000001&k=s3cret"),
            ("{{ to | digits }}/{{id}}", Escape::Percent, "84905000001/7"),
            (
                "{{ content }}",
                Escape::Percent,
                "Ch%C3%A0o%20%22A%26B%22%20%3C1%3E%0D%0A%7B%7B%20to%20%7D%7D%5C",
            ),
            (
                r#"{"c": "{{ content }}"}"#,
                Escape::Json,
                r#"{"c": "Chào \"A&B\" <1>\r\n{{ to }}\\"}"#,
            ),
            (
                "<c>{{ content }}</c>",
                Escape::Xml,
                "<c>Chào &quot;A&amp;B&quot; &lt;1&gt;\r\n{{ to }}\\</c>",
            ),
            ("{{ content }}", Escape::Header, "Chào \"A&B\" <1>  {{ to }}\\"),
            ("{ {{ from }} } }}", Escape::None, "{ Acme } }}"),
            ("", Escape::None, ""),
        ] {
            assert_eq!(render(source, escape), rendered, "{source} {escape:?}");
        }
    }

    #[test]
    fn what_is_no_placeholder_is_told_with_its_place() {
        for (source, place, words) in [
            ("a {{ phone }}", (1, 3), "there are to, content"),
            ("a\nĐ{{ contnt }}", (2, 2), "{{ content }} was meant?"),
            ("{{ to", (1, 1), "not closed"),
            ("{{ to | upper }}", (1, 1), "digits"),
            ("{{ }}", (1, 1), "there is no \"\""),
        ] {
            let error = RequestTemplate::parse(source).unwrap_err();
            assert_eq!((error.line, error.column), place, "{source}");
            assert!(error.message.contains(words), "{}", error.message);
        }
    }
}
