//! Templates of requests to an org's own SMS provider (`api.md` 4): text with the placeholders
//! `{{ to }}`, `{{ content }}`, `{{ from }}`, `{{ id }}` and `{{ secret }}`. `{{ to | digits }}`
//! is the number without its plus sign, as many providers want it.

use super::suggest::nearest;
use super::template::TemplateError;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a URL and a form (RFC 3986, unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const NAMES: [&str; 5] = ["to", "content", "from", "id", "secret"];

/// A template that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value { field: Field, digits: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    To,
    Content,
    From,
    Id,
    Secret,
}

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

/// Where a value goes, so that it stays a value there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
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
    #[must_use]
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
    #[must_use]
    pub fn apply(self, value: &str) -> String {
        match self {
            Self::Percent => utf8_percent_encode(value, RESERVED).to_string(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
                inner.unwrap_or_default().to_owned()
            }
            Self::Xml => value
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&apos;"),
            Self::Header => value.replace(|c: char| c.is_control(), " "),
            Self::None => value.to_owned(),
        }
    }
}

impl RequestTemplate {
    /// Checks a template.
    ///
    /// # Errors
    /// Where a placeholder is not closed, or is none of those that there are.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((text, after)) = rest.split_once("{{") {
            let fault = |message: String| error_at(source, source.len() - after.len() - 2, message);
            let Some((inside, next)) = after.split_once("}}") else {
                return Err(fault("this placeholder is not closed with }}".to_owned()));
            };
            parts.push(Part::Text(text.to_owned()));
            parts.push(placeholder(inside).map_err(fault)?);
            rest = next;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The text with these values.
    #[must_use]
    pub fn render(&self, values: &RequestValues<'_>, escape: Escape) -> String {
        let RequestValues { to, content, from, id, secret } = *values;
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Value { field, digits } => {
                    let value = match field {
                        Field::To => to,
                        Field::Content => content,
                        Field::From => from,
                        Field::Id => id,
                        Field::Secret => secret,
                    };
                    let value = if *digits { value.trim_start_matches('+') } else { value };
                    text.push_str(&escape.apply(value));
                }
            }
        }
        text
    }

    /// The text before the first placeholder; none where there is no placeholder.
    #[must_use]
    pub fn before_placeholders(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text), Part::Value { .. }, ..] => Some(text),
            _ => None,
        }
    }
}

fn placeholder(inside: &str) -> Result<Part, String> {
    let (name, filter) = match inside.split_once('|') {
        Some((name, filter)) => (name.trim(), Some(filter.trim())),
        None => (inside.trim(), None),
    };
    let field = match name {
        "to" => Field::To,
        "content" => Field::Content,
        "from" => Field::From,
        "id" => Field::Id,
        "secret" => Field::Secret,
        other => {
            let shown: String = other.chars().take(40).collect();
            let help = match nearest(other, NAMES) {
                Some(meant) => format!("{{{{ {meant} }}}} was meant?"),
                None => format!("there are {}", NAMES.join(", ")),
            };
            return Err(format!("there is no \"{shown}\" here; {help}"));
        }
    };
    match filter {
        None => Ok(Part::Value { field, digits: false }),
        Some("digits") => Ok(Part::Value { field, digits: true }),
        Some(_) => Err("the only filter here is \"digits\"".to_owned()),
    }
}

fn error_at(source: &str, at: usize, message: String) -> TemplateError {
    let before = source.get(..at).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    TemplateError { line, column, message }
}

#[cfg(test)]
mod tests {
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
}
