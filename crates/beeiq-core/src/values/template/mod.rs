//! Templates: text with placeholders such as `{{ name }}`, `{{ fields["Referred By"] | upper }}` and
//! `{{ title | default("friend") }}`.
//!
//! Tenants write them, so there is no more to the language: no loops and no expressions, which would
//! let them take any amount of time and memory. One engine serves the messages to customers and the
//! requests to SMS providers; each has a vocabulary of its own, and escapes what goes in.

mod message;
mod parser;
mod request;

pub use message::{Markup, MergeFields, MessageTemplate, RenderError};
pub use parser::TemplateError;
pub use request::{RequestTemplate, RequestValues};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

/// What stays as it is in a URL and a form (RFC 3986, unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A template that has been checked, whose placeholders stand for fields.
#[derive(Clone, Debug)]
struct Template<F>(Vec<Part<F>>);

#[derive(Clone, Debug)]
enum Part<F> {
    Text(String),
    Value { field: F, filters: Vec<Filter> },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Filter {
    Upper,
    Lower,
    Title,
    /// The text in place of a value that is absent, which comes as an empty one.
    Default(String),
    /// A number without its plus sign, as many providers want it.
    Digits,
}

impl<F: Eq + Hash> Template<F> {
    /// What it takes to tell how long a text is without making it.
    fn measure(&self) -> Measure {
        let (mut literals, mut values) = (0, HashMap::new());
        for (place, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(literal) => literals += literal.len(),
                Part::Value { field, filters } => {
                    values.entry((field, filters)).or_insert((place, 0)).1 += 1;
                }
            }
        }
        Measure { literals, values: values.into_values().collect() }
    }
}

/// How long the literals of a template are, and how often each of its values stands in it: where it
/// stands first, and the count.
#[derive(Debug)]
struct Measure {
    literals: usize,
    values: Vec<(usize, usize)>,
}

impl<F> Template<F> {
    /// How much memory it takes, about, its literals included.
    fn bytes(&self) -> usize {
        let filters = |filters: &Vec<Filter>| filters.len() * size_of::<Filter>();
        let beside = |part: &Part<F>| match part {
            Part::Text(literal) => literal.len(),
            Part::Value { field: _, filters: of } => filters(of),
        };
        self.0.iter().map(|part| size_of::<Part<F>>() + beside(part)).sum()
    }

    /// How long the text with these values is.
    fn length<'v>(
        &self,
        measure: &Measure,
        value: impl Fn(&F) -> &'v str,
        escape: Escape,
    ) -> usize {
        let length = |part: &Part<F>| match part {
            Part::Text(literal) => literal.len(),
            Part::Value { field, filters } => escape.apply(&filtered(value(field), filters)).len(),
        };
        measure.values.iter().fold(measure.literals, |all, (place, count)| {
            let of_one = self.0.get(*place).map_or(0, length);
            all.saturating_add(of_one.saturating_mul(*count))
        })
    }

    fn fields(&self) -> impl Iterator<Item = &F> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value { field, filters: _ } => Some(field),
        })
    }

    /// The text with values in it; none where it is longer than `most` bytes.
    fn render<'v>(
        &self,
        value: impl Fn(&F) -> &'v str,
        escape: Escape,
        most: usize,
    ) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Value { field, filters } => {
                    let value = filtered(value(field), filters);
                    if text.len() + value.len() > most {
                        return None;
                    }
                    text.push_str(&escape.apply(&value));
                }
            }
            if text.len() > most {
                return None;
            }
        }
        Some(text)
    }
}

fn filtered<'v>(value: &'v str, filters: &'v [Filter]) -> Cow<'v, str> {
    filters.iter().fold(Cow::Borrowed(value), Filter::apply)
}

impl Filter {
    fn apply<'v>(value: Cow<'v, str>, filter: &'v Self) -> Cow<'v, str> {
        match filter {
            Self::Upper => value.to_uppercase().into(),
            Self::Lower => value.to_lowercase().into(),
            Self::Title => title(&value).into(),
            Self::Default(text) if value.trim().is_empty() => text.as_str().into(),
            Self::Default(_) => value,
            Self::Digits => value.trim_start_matches('+').to_owned().into(),
        }
    }
}

/// Each word with a capital letter, and small ones after it.
fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if matches!(c, '-' | '(' | '{' | '[' | '<') || c.is_whitespace() {
            titled.push(c);
            begins = true;
        } else if begins {
            titled.extend(c.to_uppercase());
            begins = false;
        } else {
            titled.extend(c.to_lowercase());
        }
    }
    titled
}

/// Where a value goes, so that it stays a value there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// HTML, text or attribute.
    Html,
    /// A URL, or a form: percent-encoded.
    Percent,
    /// A string of JSON.
    Json,
    /// XML, text or attribute.
    Xml,
    /// A header: no line ends or other control characters.
    Header,
    /// Plain text.
    None,
}

impl Escape {
    /// How values go into a body of that media type.
    pub fn of_media_type(media_type: &str) -> Self {
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        if media_type == "application/json" || media_type.ends_with("+json") {
            Self::Json
        } else if media_type == "application/x-www-form-urlencoded" {
            Self::Percent
        } else if media_type.ends_with("/xml") || media_type.ends_with("+xml") {
            Self::Xml
        } else {
            Self::None
        }
    }

    /// A value as it goes there.
    pub fn apply(self, value: &str) -> Cow<'_, str> {
        match self {
            Self::Percent => utf8_percent_encode(value, RESERVED).into(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                inner.unwrap_or_default().to_owned().into()
            }
            Self::Html => markup(value, "&#x27;").replace('/', "&#x2f;").into(),
            Self::Xml => markup(value, "&apos;").into(),
            Self::Header => value.replace(|c: char| c.is_control(), " ").into(),
            Self::None => value.into(),
        }
    }
}

fn markup(value: &str, apostrophe: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str(apostrophe),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_says_how_a_body_is_escaped() {
        for (media_type, escape) in [
            ("application/json", Escape::Json),
            ("Application/JSON; charset=utf-8", Escape::Json),
            ("application/vnd.api+json", Escape::Json),
            ("application/x-www-form-urlencoded", Escape::Percent),
            ("text/xml", Escape::Xml),
            ("application/soap+xml", Escape::Xml),
            ("text/plain", Escape::None),
        ] {
            assert_eq!(Escape::of_media_type(media_type), escape, "{media_type}");
        }
    }

    #[test]
    fn html_is_escaped_in_text_and_in_attributes() {
        assert_eq!(
            Escape::Html.apply("<a b='/'>&\"ạ"),
            "&lt;a b=&#x27;&#x2f;&#x27;&gt;&amp;&quot;ạ"
        );
    }
}
