//! The templates of welcome messages: text with merge fields (`api.md` 4).
//!
//! Tenants write them, and a template engine's whole language would let them take any amount of
//! time and memory (fuel bounds neither). So a gate lets only placeholders through, such as
//! `{{ name }}`, `{{ fields["Referred By"] | upper }}` and `{{ title | default("friend") }}`;
//! minijinja then does what it does well: render and escape.

use std::collections::{BTreeMap, HashMap};

use minijinja::{
    AutoEscape, Environment, ErrorKind, UndefinedBehavior, context, filters, syntax::SyntaxConfig,
};

mod gate;

pub use self::gate::TemplateError;
use super::text::fold;

const LARGEST_TEXT: usize = 16 * 1024;
const LARGEST_HTML: usize = 64 * 1024;
const LARGEST_MESSAGE: usize = 256 * 1024;

/// Instructions; the largest template that passes the gate needs less.
const FUEL: u64 = 1_000_000;

/// The name under which an environment holds its only template.
const MESSAGE: &str = "message";

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
    /// The engine failed.
    #[error("the template could not be rendered")]
    Engine(#[from] minijinja::Error),
}

/// The values of a message's merge fields. What is absent renders as the empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeFields {
    /// `{{ name }}`
    pub name: String,
    /// `{{ lastname }}`
    pub lastname: Option<String>,
    /// `{{ title }}`
    pub title: Option<String>,
    /// `{{ email }}`
    pub email: Option<String>,
    /// `{{ phone }}`
    pub phone: Option<String>,
    /// `{{ code }}`, as `PID-1`
    pub code: Option<String>,
    /// `{{ org.name }}`
    pub org_name: String,
    /// `{{ sender.name }}`
    pub sender_name: Option<String>,
    /// `{{ sender.email }}`
    pub sender_email: Option<String>,
    /// `{{ company.name }}`
    pub company_name: Option<String>,
    /// `{{ fields["…"] }}`: the custom fields' values by name, in any case.
    pub fields: BTreeMap<String, String>,
}

/// A template that has been checked and can be rendered any number of times, by any thread.
#[derive(Debug)]
pub struct MessageTemplate {
    environment: Environment<'static>,
    markup: Markup,
    /// The folded names of the custom fields that it mentions, in the order of `custom[…]`.
    custom: Vec<String>,
}

impl MessageTemplate {
    /// Checks and compiles a template; `custom_fields` are the names that `fields["…"]` may have.
    ///
    /// # Errors
    /// Where it is too large, is no plain text with placeholders, or mentions a merge field,
    /// custom field or filter that does not exist.
    pub fn compile(
        source: &str,
        markup: Markup,
        custom_fields: &[String],
    ) -> Result<Self, TemplateError> {
        let limit = if markup == Markup::Html { LARGEST_HTML } else { LARGEST_TEXT };
        let fault = |message| TemplateError { line: 1, column: 1, message };
        if source.len() > limit {
            return Err(fault(format!("a template has at most {limit} bytes here")));
        }
        let gate::Checked { source, custom } = gate::check(source, custom_fields)?;
        let environment = environment(markup, source).map_err(|error| fault(error.to_string()))?;
        Ok(Self { environment, markup, custom })
    }

    /// The message with these values.
    ///
    /// # Errors
    /// Where it would be larger than 256 KiB.
    pub fn render(&self, fields: &MergeFields) -> Result<String, RenderError> {
        let mut message = vec![0; LARGEST_MESSAGE];
        let mut unwritten = message.as_mut_slice();
        self.environment
            .get_template(MESSAGE)?
            .render_captured_to(self.context(fields), &mut unwritten)
            .map_err(|error| match error.kind() {
                ErrorKind::WriteFailure => RenderError::TooLarge,
                _ => RenderError::Engine(error),
            })?;
        let length = LARGEST_MESSAGE - unwritten.len();
        message.truncate(length);
        let message = String::from_utf8_lossy(&message);
        Ok(match self.markup {
            Markup::Html | Markup::Text => message.into_owned(),
            Markup::Line => one_line(&message),
        })
    }

    fn context(&self, fields: &MergeFields) -> minijinja::Value {
        fn text(value: &Option<String>) -> &str {
            value.as_deref().unwrap_or_default()
        }
        // Without `..`, so that a field added there has to be thought of here.
        let MergeFields {
            name,
            lastname,
            title,
            email,
            phone,
            code,
            org_name,
            sender_name,
            sender_email,
            company_name,
            fields,
        } = fields;
        let values: HashMap<String, &String> =
            fields.iter().map(|(name, value)| (fold(name), value)).collect();
        let custom: Vec<String> = self
            .custom
            .iter()
            .map(|name| values.get(name).copied().cloned().unwrap_or_default())
            .collect();
        context! {
            name,
            lastname => text(lastname),
            title => text(title),
            email => text(email),
            phone => text(phone),
            code => text(code),
            org => context! { name => org_name },
            sender => context! { name => text(sender_name), email => text(sender_email) },
            company => context! { name => text(company_name) },
            custom,
        }
    }
}

/// An environment with this one template, and nothing of the engine but what the gate lets through.
fn environment(markup: Markup, source: String) -> Result<Environment<'static>, minijinja::Error> {
    let escape = if markup == Markup::Html { AutoEscape::Html } else { AutoEscape::None };
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build()?);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("default", default);
    environment.add_template_owned(MESSAGE, source)?;
    Ok(environment)
}

/// The `default` filter: absent values come as empty ones.
fn default(value: String, default: String) -> String {
    if value.trim().is_empty() { default } else { value }
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

    proptest! {
        #[test]
        fn what_passes_the_gate_renders(source in "([{}%#|.'\"\\[\\]() ]|name|fields|upper|\\PC)*") {
            if let Ok(template) = compile(&source, Html) {
                prop_assert!(template.render(&huy()).is_ok());
            }
        }
    }
}
