//! The gate in front of the template engine: which templates it gets to see.

use std::collections::HashSet;

use crate::values::suggest::{listed, nearest};
use crate::values::text::fold;

/// The merge fields there are, beside `fields["…"]`.
const PATHS: [&str; 10] = [
    "name",
    "lastname",
    "title",
    "email",
    "phone",
    "code",
    "org.name",
    "sender.name",
    "sender.email",
    "company.name",
];
const FILTERS: [&str; 4] = ["upper", "lower", "title", "default"];
const MOST_FILTERS: usize = 4;
const NAMES_SHOWN: usize = 20;

/// What is wrong with a template, and where; line and column (in characters) count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TemplateError {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// A template that passed the gate.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The template for the engine.
    pub(crate) source: String,
    /// The folded names of the custom fields that it mentions, in the order of `custom[…]`.
    pub(crate) custom: Vec<String>,
}

/// Lets a template through that is text with placeholders and no more.
pub(crate) fn check(source: &str, custom_fields: &[String]) -> Result<Checked, TemplateError> {
    let mut gate = Gate::new(source, custom_fields);
    let mut checked = String::with_capacity(source.len());
    loop {
        checked.push_str(gate.literal()?);
        if gate.rest.is_empty() {
            return Ok(Checked { source: checked, custom: gate.custom });
        }
        checked.push_str(&gate.placeholder()?);
    }
}

/// Reads a template from its start to its end, and writes the one for the engine: the same, but
/// with custom fields by number.
struct Gate<'s> {
    source: &'s str,
    rest: &'s str,
    custom_fields: &'s [String],
    known: HashSet<String>,
    custom: Vec<String>,
}

impl<'s> Gate<'s> {
    fn new(source: &'s str, custom_fields: &'s [String]) -> Self {
        let known = custom_fields.iter().map(|name| fold(name)).collect();
        Self { source, rest: source, custom_fields, known, custom: Vec::new() }
    }

    /// The text before the next placeholder.
    fn literal(&mut self) -> Result<&'s str, TemplateError> {
        let mut braces = self.rest.match_indices('{').map(|(at, _)| at);
        let (end, other_tag) = braces
            .find_map(|at| match self.rest.as_bytes().get(at + 1) {
                Some(b'{') => Some((at, false)),
                Some(b'%' | b'#') => Some((at, true)),
                _ => None,
            })
            .unwrap_or((self.rest.len(), false));
        let (literal, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        if other_tag {
            return Err(self.error("{% and {# are not available: only {{ merge fields }} are"));
        }
        Ok(literal)
    }

    /// `{{ path | filter | filter }}`
    fn placeholder(&mut self) -> Result<String, TemplateError> {
        let opening = self.rest;
        self.eat("{{");
        let mut placeholder = format!("{{{{ {}", self.path()?);
        for filters in 0.. {
            self.skip_space();
            if self.eat("}}") {
                placeholder.push_str(" }}");
                break;
            }
            if self.rest.is_empty() {
                return Err(self.error_at(opening, "this {{ has no }}"));
            }
            if filters == MOST_FILTERS {
                return Err(self.error(format!("at most {MOST_FILTERS} filters, then }}}}")));
            }
            if !self.eat("|") {
                return Err(
                    self.error("after a merge field only }} or a filter (| upper) can come")
                );
            }
            placeholder.push_str(" | ");
            placeholder.push_str(&self.filter()?);
        }
        Ok(placeholder)
    }

    /// `org.name`, or `fields["Referred By"]`, which becomes `custom[0]`.
    fn path(&mut self) -> Result<String, TemplateError> {
        self.skip_space();
        let start = self.rest;
        let word = self.word();
        if word == "fields" {
            return self.custom_field();
        }
        if PATHS.contains(&word) {
            return Ok(word.to_owned());
        }
        self.rest = start;
        Err(self.unknown("merge field", word, PATHS.into_iter().chain(["fields[\"…\"]"])))
    }

    fn custom_field(&mut self) -> Result<String, TemplateError> {
        self.skip_space();
        if !self.eat("[") {
            return Err(self.error("a custom field is written fields[\"Its name\"]"));
        }
        self.skip_space();
        let start = self.rest;
        let (name, _) = self.string()?;
        let key = fold(name);
        if !self.known.contains(&key) {
            self.rest = start;
            let names = self.custom_fields.iter().map(String::as_str);
            return Err(self.unknown("custom field", name, names));
        }
        self.skip_space();
        if !self.eat("]") {
            return Err(self.error("the ] of fields[\"…\"] is missing"));
        }
        let number = self.custom.iter().position(|known| *known == key).unwrap_or_else(|| {
            self.custom.push(key);
            self.custom.len() - 1
        });
        Ok(format!("custom[{number}]"))
    }

    fn filter(&mut self) -> Result<String, TemplateError> {
        const USAGE: &str = "default is written default(\"text\")";
        self.skip_space();
        let start = self.rest;
        let word = self.word();
        if !FILTERS.contains(&word) {
            self.rest = start;
            return Err(self.unknown("filter", word, FILTERS));
        }
        if word != "default" {
            return Ok(word.to_owned());
        }
        self.skip_space();
        let arguments = self.rest;
        if !self.eat("(") {
            return Err(self.error(USAGE));
        }
        self.skip_space();
        let (text, quote) = self.string()?;
        self.skip_space();
        if self.eat(")") {
            Ok(format!("default({quote}{text}{quote})"))
        } else {
            Err(self.error_at(arguments, USAGE))
        }
    }

    /// A quoted text without escapes, and its quote.
    fn string(&mut self) -> Result<(&'s str, char), TemplateError> {
        let mut after_quote = self.rest.chars();
        let quote = after_quote.next().filter(|c| matches!(c, '"' | '\''));
        let (text, rest, quote) = quote
            .and_then(|quote| {
                let (text, rest) = after_quote.as_str().split_once(quote)?;
                let plain = !text.contains(|c: char| c == '\\' || c.is_control());
                plain.then_some((text, rest, quote))
            })
            .ok_or_else(|| {
                self.error("a text in quotes is expected, on one line and without \\")
            })?;
        self.rest = rest;
        Ok((text, quote))
    }

    fn word(&mut self) -> &'s str {
        let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'));
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_space(&mut self) {
        // The white space that the engine knows, not Unicode's.
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn unknown<'n>(
        &self,
        what: &str,
        word: &str,
        names: impl IntoIterator<Item = &'n str, IntoIter: Clone>,
    ) -> TemplateError {
        let names = names.into_iter();
        let hint = match nearest(word, names.clone()) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("there are: {}", listed(names, NAMES_SHOWN)),
        };
        let word: String = word.chars().take(64).collect();
        self.error(format!("\"{word}\" is no {what}; {hint}"))
    }

    /// An error where the gate now stands.
    fn error(&self, message: impl Into<String>) -> TemplateError {
        self.error_at(self.rest, message)
    }

    /// An error where `rest` starts, which is what was left of the source.
    fn error_at(&self, rest: &str, message: impl Into<String>) -> TemplateError {
        let offset = self.source.len() - rest.len();
        let before = self.source.get(..offset).unwrap_or(self.source);
        let last_line = before.rsplit('\n').next().unwrap_or(before);
        TemplateError {
            line: before.matches('\n').count() + 1,
            column: last_line.chars().count() + 1,
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn custom_fields_become_numbers_and_all_else_stays() {
        let fields = ["Ngày \"đẹp\"", "Referred By"].map(String::from);
        let source = "a {{name|upper}} {{ fields['referred BY'] }} {{ fields['ngày \"ĐẸP\"'] }} \
                      {{ fields[\"Referred By\"] | default('}}') }} } {";
        let checked = check(source, &fields).unwrap();
        assert_eq!(
            checked.source,
            "a {{ name | upper }} {{ custom[0] }} {{ custom[1] }} \
             {{ custom[0] | default('}}') }} } {"
        );
        assert_eq!(checked.custom, ["referred by", "ngày \"đẹp\""]);
    }

    fn refused(source: &str) -> (usize, usize, String) {
        let fields = ["Referred By".to_owned()];
        let error = check(source, &fields).map(drop).unwrap_err();
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
}
