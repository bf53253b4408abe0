//! Reads templates: text, `{{ field | filter | filter }}`, and no more.

use super::{Filter, Part, Template};
use crate::values::suggest::{listed, nearest};

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

/// What placeholders of a kind of template may say.
pub(super) trait Vocabulary {
    type Field;
    const FILTERS: &'static [&'static str];
    const MOST_FILTERS: usize;
    /// Whether `{%` and `{#` are text like any other.
    const TAGS_ARE_TEXT: bool;
    /// Whether a fault is told where its placeholder begins, instead of where it is.
    const FAULTS_AT_OPENING: bool;

    fn is_space(c: char) -> bool;

    /// Reads what is before the filters.
    fn field(&mut self, parser: &mut Parser<'_>) -> Result<Self::Field, TemplateError>;
}

impl<F> Template<F> {
    pub(super) fn parse<V: Vocabulary<Field = F>>(
        source: &str,
        vocabulary: &mut V,
    ) -> Result<Self, TemplateError> {
        let mut parser = Parser { source, rest: source, opening: None };
        let mut parts = Vec::new();
        loop {
            parts.push(Part::Text(parser.literal::<V>()?.to_owned()));
            if parser.rest.is_empty() {
                return Ok(Self(parts));
            }
            parts.push(parser.placeholder(vocabulary)?);
        }
    }
}

/// Reads a template from its start to its end.
pub(super) struct Parser<'s> {
    source: &'s str,
    rest: &'s str,
    /// Where the placeholder begins, if its faults are told there.
    opening: Option<&'s str>,
}

impl<'s> Parser<'s> {
    /// The text before the next placeholder.
    fn literal<V: Vocabulary>(&mut self) -> Result<&'s str, TemplateError> {
        let mut braces = self.rest.match_indices('{').map(|(at, _)| at);
        let (end, other_tag) = braces
            .find_map(|at| match self.rest.as_bytes().get(at + 1) {
                Some(b'{') => Some((at, false)),
                Some(b'%' | b'#') if !V::TAGS_ARE_TEXT => Some((at, true)),
                _ => None,
            })
            .unwrap_or((self.rest.len(), false));
        let (literal, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        self.opening = V::FAULTS_AT_OPENING.then_some(rest);
        if other_tag {
            return Err(self.error("{% and {# are not available: only {{ merge fields }} are"));
        }
        Ok(literal)
    }

    /// `{{ field | filter | filter }}`
    fn placeholder<V: Vocabulary>(
        &mut self,
        vocabulary: &mut V,
    ) -> Result<Part<V::Field>, TemplateError> {
        let opening = self.rest;
        self.eat("{{");
        self.skip(V::is_space);
        let field = vocabulary.field(self)?;
        let mut filters = Vec::new();
        loop {
            self.skip(V::is_space);
            if self.eat("}}") {
                return Ok(Part::Value { field, filters });
            }
            if self.rest.is_empty() {
                return Err(self.error_at(opening, "this {{ has no }}: it is not closed"));
            }
            if filters.len() == V::MOST_FILTERS {
                return Err(self.error(format!("at most {} filters, then }}}}", V::MOST_FILTERS)));
            }
            if !self.eat("|") {
                let example = V::FILTERS.first().copied().unwrap_or_default();
                return Err(self.error(format!(
                    "after a merge field only }}}} or a filter (| {example}) can come"
                )));
            }
            filters.push(self.filter::<V>()?);
        }
    }

    fn filter<V: Vocabulary>(&mut self) -> Result<Filter, TemplateError> {
        self.skip(V::is_space);
        let start = self.rest;
        let word = self.word();
        let known = V::FILTERS.contains(&word).then_some(word);
        Ok(match known {
            Some("upper") => Filter::Upper,
            Some("lower") => Filter::Lower,
            Some("title") => Filter::Title,
            Some("digits") => Filter::Digits,
            Some("default") => Filter::Default(self.argument::<V>()?.to_owned()),
            _ => return Err(self.unknown(start, "filter", word, V::FILTERS.iter().copied())),
        })
    }

    /// `("text")`
    fn argument<V: Vocabulary>(&mut self) -> Result<&'s str, TemplateError> {
        const USAGE: &str = "default is written default(\"text\")";
        self.skip(V::is_space);
        let start = self.rest;
        if !self.eat("(") {
            return Err(self.error(USAGE));
        }
        self.skip(V::is_space);
        let text = self.string()?;
        self.skip(V::is_space);
        if self.eat(")") { Ok(text) } else { Err(self.error_at(start, USAGE)) }
    }

    /// A quoted text without escapes.
    pub(super) fn string(&mut self) -> Result<&'s str, TemplateError> {
        let mut after_quote = self.rest.chars();
        let quote = after_quote.next().filter(|c| matches!(c, '"' | '\''));
        let (text, rest) = quote
            .and_then(|quote| after_quote.as_str().split_once(quote))
            .filter(|(text, _)| !text.contains(|c: char| c == '\\' || c.is_control()))
            .ok_or_else(|| {
                self.error("a text in quotes is expected, on one line and without \\")
            })?;
        self.rest = rest;
        Ok(text)
    }

    pub(super) fn word(&mut self) -> &'s str {
        let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'));
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn skip(&mut self, space: fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(space);
    }

    /// Where the parser now stands: what is left of the source.
    pub(super) fn place(&self) -> &'s str {
        self.rest
    }

    /// An unknown name at a place, with what was probably meant or all that there are.
    pub(super) fn unknown<'n>(
        &self,
        place: &str,
        what: &str,
        word: &str,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> TemplateError {
        let hint = match nearest(word, names.clone()) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("there are: {}", listed(names, NAMES_SHOWN)),
        };
        let word: String = word.chars().take(64).collect();
        self.error_at(place, format!("\"{word}\" is no {what}; {hint}"))
    }

    /// An error where the parser now stands.
    pub(super) fn error(&self, message: impl Into<String>) -> TemplateError {
        self.error_at(self.rest, message)
    }

    fn error_at(&self, place: &str, message: impl Into<String>) -> TemplateError {
        let offset = self.source.len() - self.opening.unwrap_or(place).len();
        let before = self.source.get(..offset).unwrap_or(self.source);
        let last_line = before.rsplit('\n').next().unwrap_or(before);
        TemplateError {
            line: before.matches('\n').count() + 1,
            column: last_line.chars().count() + 1,
            message: message.into(),
        }
    }
}
