//! An object of a payload, read field by field.

use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::values::date::{DateInput, InvalidDate};
use crate::values::suggest::{listed, nearest};
use crate::values::text::cleaned;
use crate::values::words::Word;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// How an absent, an empty and a null field are meant (`listener.md` 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `null`, `""` and `[]` are "absent".
    Add,
    /// `""` and `[]` leave the field as it is; `null` clears it.
    Update,
}

/// What a payload says of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// Nothing: leave it as it is.
    #[default]
    Absent,
    /// Clear it. Only on an update.
    Clear,
    /// This.
    Set(T),
}

impl<T> Given<T> {
    /// The value, where there is one.
    pub fn set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Clear => None,
        }
    }

    /// The value, where there is one.
    pub const fn as_set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Clear => None,
        }
    }

    /// The same with a reference to the value.
    pub const fn as_ref(&self) -> Given<&T> {
        match self {
            Self::Absent => Given::Absent,
            Self::Clear => Given::Clear,
            Self::Set(value) => Given::Set(value),
        }
    }

    /// This, or where nothing is said the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Absent => other,
            Self::Clear | Self::Set(_) => self,
        }
    }

    /// Goes on with the value; what it cannot be becomes [`Given::Absent`].
    pub fn and_then<U>(self, convert: impl FnOnce(T) -> Option<U>) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Clear => Given::Clear,
            Self::Set(value) => convert(value).map_or(Given::Absent, Given::Set),
        }
    }
}

/// How long a text may be.
#[derive(Clone, Copy, Debug)]
pub enum Longest {
    /// In characters.
    Chars(usize),
    /// In bytes of UTF-8.
    Bytes(usize),
}

impl Longest {
    /// 255 characters: what a name or an identifier holds.
    pub const LINE: Self = Self::Chars(255);
    /// 64 KiB: what a text of several paragraphs holds.
    pub const TEXT: Self = Self::Bytes(64 * 1024);

    fn excess(self, text: &str) -> Option<String> {
        match self {
            // No text has more characters than bytes.
            Self::Chars(most) => (text.len() > most && text.chars().count() > most)
                .then(|| format!("longer than the {most} characters that it holds")),
            Self::Bytes(most) => (text.len() > most)
                .then(|| format!("longer than the {} KiB that it holds", most / 1024)),
        }
    }
}

/// An object being read. Fields it does not know are warned of when it is opened.
#[derive(Debug)]
pub struct Fields<'v, 'f> {
    object: &'v Map<String, Value>,
    at: Pointer,
    mode: Mode,
    /// Where faults and warnings go.
    pub diagnostics: &'f mut Diagnostics,
}

impl<'v, 'f> Fields<'v, 'f> {
    /// Opens the object `value` at `at`, whose fields are `known`; a value that is no object is a
    /// fault and gives `None`.
    pub fn open(
        value: &'v Value,
        at: Pointer,
        mode: Mode,
        known: &[&str],
        diagnostics: &'f mut Diagnostics,
    ) -> Option<Self> {
        let Value::Object(object) = value else {
            let message = format!("{} has to be an object, not {}.", place(&at), kind_of(value));
            diagnostics.fault(Code::WrongType, &at, message);
            return None;
        };
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            let shown: String = name.chars().take(64).collect();
            let message = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("There is no field `{shown}` here; did you mean `{meant}`?"),
                None => format!("There is no field `{shown}` here; it was not used."),
            };
            diagnostics.warn(Code::UnknownField, at.member(&shown), message);
        }
        Some(Self { object, at, mode, diagnostics })
    }

    /// Where this object is.
    pub const fn at(&self) -> &Pointer {
        &self.at
    }

    /// Where its field `name` is.
    pub fn place(&self, name: &str) -> Pointer {
        self.at.member(name)
    }

    /// Whether it holds `name` with anything in it.
    pub fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !is_blank(value))
    }

    /// The field's value as it was sent, blank or not.
    pub fn raw(&self, name: &str) -> Option<&'v Value> {
        self.object.get(name)
    }

    /// The field as it stands: absent, cleared, or a value that is not blank.
    pub fn value(&self, name: &str) -> Given<&'v Value> {
        match self.object.get(name) {
            None => Given::Absent,
            Some(Value::Null) if self.mode == Mode::Update => Given::Clear,
            Some(value) if is_blank(value) => Given::Absent,
            Some(value) => Given::Set(value),
        }
    }

    /// Notes a fault of the field `name`.
    pub fn fault(&mut self, name: &str, code: Code, message: impl Into<String>) {
        self.diagnostics.fault(code, self.at.member(name), message);
    }

    /// A text: cleaned, without NUL, not longer than `longest`. Numbers are taken as their digits.
    pub fn text(&mut self, name: &str, longest: Longest) -> Given<String> {
        self.borrowed_text(name, longest).and_then(|text| Some(text.into_owned()))
    }

    /// The same, borrowed from the payload where it is clean there: for what is made of it at once.
    pub fn borrowed_text(&mut self, name: &str, longest: Longest) -> Given<Cow<'v, str>> {
        self.value(name)
            .and_then(|value| text_of(value, || self.at.member(name), longest, self.diagnostics))
            .and_then(|text| (!text.is_empty()).then_some(text))
    }

    /// One of the numbers `choices`, each with what it means; also as a string of digits.
    pub fn number_choice(&mut self, name: &str, choices: &[(i16, &str)]) -> Given<i16> {
        self.value(name).and_then(|value| {
            let at = || self.at.member(name);
            let text = text_of(value, at, Longest::LINE, self.diagnostics)?;
            let found = text
                .parse()
                .ok()
                .and_then(|number: i16| choices.iter().find(|(choice, _)| *choice == number));
            if found.is_none() {
                let meanings: Vec<String> =
                    choices.iter().map(|(number, what)| format!("{number} ({what})")).collect();
                let message = format!("`{name}` has to be {}.", meanings.join(" or "));
                self.fault(name, Code::InvalidChoice, message);
            }
            found.map(|(number, _)| *number)
        })
    }

    /// One of the words of `W`, in any case.
    pub fn choice<W: Word>(&mut self, name: &str) -> Given<W> {
        self.borrowed_text(name, Longest::LINE).and_then(|text| {
            let found = W::ALL.iter().find(|one| one.as_str().eq_ignore_ascii_case(&text));
            if found.is_none() {
                let words = listed(W::ALL.iter().map(|one| one.as_str()), W::ALL.len());
                let message = format!("`{name}` has to be one of {words}.");
                self.fault(name, Code::InvalidChoice, message);
            }
            found.copied()
        })
    }

    /// A date, read by `read`.
    pub fn date<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(DateInput<'_>) -> Result<T, InvalidDate>,
    ) -> Given<T> {
        let value = match self.value(name) {
            Given::Set(Value::Number(number)) => match number.as_i64() {
                Some(millis) => return self.dated(name, read(DateInput::Millis(millis))),
                None => Given::Set(number.to_string().into()),
            },
            Given::Set(_) => self.borrowed_text(name, Longest::LINE),
            Given::Clear => Given::Clear,
            Given::Absent => Given::Absent,
        };
        match value {
            Given::Set(text) => self.dated(name, read(DateInput::Text(&text))),
            Given::Clear => Given::Clear,
            Given::Absent => Given::Absent,
        }
    }

    fn dated<T>(&mut self, name: &str, read: Result<T, InvalidDate>) -> Given<T> {
        read.map_or_else(
            |error| {
                self.fault(name, Code::InvalidDate, error.to_string());
                Given::Absent
            },
            Given::Set,
        )
    }

    /// The entries of an array, with their places; blank entries are absent. `form` shows what an
    /// entry looks like.
    pub fn list(&mut self, name: &str, form: &str) -> Given<Vec<(Pointer, &'v Value)>> {
        self.value(name).and_then(|value| {
            let Value::Array(entries) = value else {
                let message = format!("`{name}` has to be an array: {form}.");
                self.fault(name, Code::WrongType, message);
                return None;
            };
            let at = self.place(name);
            let entries: Vec<_> = entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| !is_blank(entry))
                .map(|(index, entry)| (at.index(index), entry))
                .collect();
            (!entries.is_empty()).then_some(entries)
        })
    }

    /// What `read` makes of the entries of an array, without those of which it makes nothing.
    pub fn entries<T>(
        &mut self,
        name: &str,
        form: &str,
        mut read: impl FnMut(&mut Self, Pointer, &'v Value) -> Option<T>,
    ) -> Given<Vec<T>> {
        self.list(name, form).and_then(|entries| {
            let entries = entries.into_iter().filter_map(|(at, value)| read(self, at, value));
            let read: Vec<T> = entries.collect();
            (!read.is_empty()).then_some(read)
        })
    }

    /// Opens an object that is a field of this one, unless it is blank.
    pub fn object(&mut self, name: &str, known: &[&str]) -> Given<Fields<'v, '_>> {
        match self.value(name) {
            Given::Absent => Given::Absent,
            Given::Clear => Given::Clear,
            Given::Set(value) => {
                let at = self.place(name);
                Fields::open(value, at, self.mode, known, self.diagnostics)
                    .map_or(Given::Absent, Given::Set)
            }
        }
    }

    /// Opens an object that is a field of this one, blank or not, and whose members the sender names:
    /// none is unknown.
    pub fn map(&mut self, name: &str) -> Option<Fields<'v, '_>> {
        let Some(Value::Object(object)) = self.object.get(name) else { return None };
        let (at, mode) = (self.place(name), self.mode);
        Some(Fields { object, at, mode, diagnostics: self.diagnostics })
    }

    /// The names of its members.
    pub fn names(&self) -> impl Iterator<Item = &'v str> + use<'v> {
        self.object.keys().map(String::as_str)
    }

    /// Opens an object that is an entry of a list of this one.
    pub fn entry(
        &mut self,
        at: Pointer,
        value: &'v Value,
        known: &[&str],
    ) -> Option<Fields<'v, '_>> {
        Fields::open(value, at, self.mode, known, self.diagnostics)
    }

    /// A text that is an entry of a list of this object.
    pub fn scalar(&mut self, at: &Pointer, value: &Value, longest: Longest) -> Option<String> {
        text_of(value, || at.clone(), longest, self.diagnostics)
            .filter(|text| !text.is_empty())
            .map(Cow::into_owned)
    }

    /// Notes that a required field is absent.
    pub fn require(&mut self, name: &str, present: bool) {
        if !present
            && !self.diagnostics.faults.iter().any(|f| f.pointer == self.place(name).as_str())
        {
            self.fault(name, Code::Required, format!("`{name}` is required."));
        }
    }

    /// Warns of a field that is understood but not used here.
    pub fn ignore(&mut self, name: &str, why: &str) {
        if self.has(name) {
            let at = self.place(name);
            self.diagnostics.warn(Code::IgnoredField, at, format!("`{name}` was not used: {why}"));
        }
    }
}

/// A scalar as text: cleaned, checked for NUL and length. Where it is, `at`, is of interest only
/// where something is wrong with it.
fn text_of<'v>(
    value: &'v Value,
    at: impl FnOnce() -> Pointer,
    longest: Longest,
    diagnostics: &mut Diagnostics,
) -> Option<Cow<'v, str>> {
    let text = match value {
        Value::String(text) => cleaned(text),
        Value::Number(number) => number.to_string().into(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            let at = at();
            let message = format!("{} has to be a text, not {}.", place(&at), kind_of(value));
            diagnostics.fault(Code::WrongType, at, message);
            return None;
        }
    };
    if text.contains('\0') {
        let at = at();
        let message = format!("{} holds the character U+0000; remove it.", place(&at));
        diagnostics.fault(Code::NulCharacter, at, message);
        return None;
    }
    if let Some(excess) = longest.excess(&text) {
        let at = at();
        let message = format!("{} is {excess}.", place(&at));
        diagnostics.fault(Code::TooLong, at, message);
        return None;
    }
    Some(text)
}

/// The last step of a pointer, as messages name it.
fn place(at: &Pointer) -> String {
    let plain = |name: &str| format!("`{}`", name.replace("~1", "/").replace("~0", "~"));
    match at.as_str().rsplit_once('/') {
        None => "The body".to_owned(),
        Some((list, index)) if index.bytes().all(|b| b.is_ascii_digit()) => {
            let list = list.rsplit('/').next().unwrap_or_default();
            format!("Entry {index} of {}", plain(list))
        }
        Some((_, name)) => plain(name),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// `null`, `""`, `[]`, `{}`, and texts of white space: what templates full of placeholders send.
/// Objects and arrays of such are blank too: `[{"value": ""}]`.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.chars().all(char::is_whitespace),
        Value::Array(entries) => entries.iter().all(is_blank),
        Value::Object(members) => members.iter().all(|(name, value)| {
            matches!(name.as_str(), "type" | "contactType" | "protocol") || is_blank(value)
        }),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
