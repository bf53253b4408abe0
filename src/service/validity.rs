//! How the fields of settings are checked: rules that stand on the fields (`validator`), told as
//! faults with codes and pointers.

use crate::problem::{Problem, Result};
use beeiq_core::diagnostics::{Code, Fault, Pointer};
use beeiq_core::values::text::clean;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use validator::{Validate, ValidationError, ValidationErrors, ValidationErrorsKind};

const LONGEST_NAME: usize = 255;

/// 422 with all faults that can be seen without the org's data.
pub(crate) fn check(settings: &impl Validate) -> Result<()> {
    let faults = faults(settings);
    if faults.is_empty() { Ok(()) } else { Err(Problem::fields(faults)) }
}

/// In the order of their pointers.
pub(crate) fn faults(settings: &impl Validate) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(errors) = settings.validate() {
        collect(&errors, &Pointer::root(), &mut faults);
    }
    faults.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    faults
}

fn collect(errors: &ValidationErrors, at: &Pointer, faults: &mut Vec<Fault>) {
    for (field, kind) in errors.errors() {
        let field = || at.member(&camel_case(field));
        match kind {
            ValidationErrorsKind::Struct(errors) => collect(errors, &field(), faults),
            ValidationErrorsKind::List(entries) => {
                for (index, errors) in entries {
                    collect(errors, &field().index(*index), faults);
                }
            }
            ValidationErrorsKind::Field(errors) => {
                for error in errors {
                    add(error, &field(), faults);
                }
            }
        }
    }
}

fn add(error: &ValidationError, at: &Pointer, faults: &mut Vec<Fault>) {
    // The rules of `validator` itself are ranges.
    let code = Code::ALL.iter().find(|code| code.as_str() == error.code);
    let code = code.copied().unwrap_or(Code::OutOfRange);
    let message = error.message.as_deref().unwrap_or("This value does not fit.");
    match (error.params.get(ENTRIES), error.params.get(POINTER)) {
        (Some(entries), _) => {
            let entries = entries.as_array().into_iter().flatten();
            for index in entries.filter_map(|it| usize::try_from(it.as_u64()?).ok()) {
                faults.push(Fault::new(code, at.index(index), message));
            }
        }
        (None, Some(pointer)) => {
            faults.push(Fault::new(code, pointer.as_str().unwrap_or_default(), message));
        }
        (None, None) => faults.push(Fault::new(code, at, message)),
    }
}

/// Parameters of a broken rule: which entries of a list break it, or where it is broken if not in
/// the field.
const ENTRIES: &str = "entries";
const POINTER: &str = "pointer";

/// A rule that is broken: its code is one of [`Code`]'s.
pub(crate) fn broken(code: Code, message: impl Into<Cow<'static, str>>) -> ValidationError {
    ValidationError::new(code.as_str()).with_message(message.into())
}

/// A rule on several fields that is broken, told at one of them.
pub(crate) fn broken_at(
    pointer: &'static str,
    code: Code,
    message: impl Into<Cow<'static, str>>,
) -> ValidationError {
    let mut error = broken(code, message);
    error.add_param(POINTER.into(), &pointer);
    error
}

/// A rule that is broken in entries of a list.
pub(crate) fn broken_entries(
    code: Code,
    entries: &[usize],
    message: impl Into<Cow<'static, str>>,
) -> ValidationError {
    let mut error = broken(code, message);
    error.add_param(ENTRIES.into(), &entries);
    error
}

/// A field's name as JSON has it.
fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// Reads a text in the form in which it is kept.
pub(crate) fn cleaned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(clean(&String::deserialize(deserializer)?))
}

/// Reads texts in the form in which they are kept.
pub(crate) fn all_cleaned<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    Ok(texts.iter().map(|text| clean(text)).collect())
}

/// As [`cleaned`]; an empty text counts as absent.
pub(crate) fn given<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(|text| clean(&text)).filter(|text| !text.is_empty()))
}

/// A name: there, and not too long.
pub(crate) fn name(name: &str) -> Result<(), ValidationError> {
    if name.is_empty() {
        return Err(broken(Code::Required, "The name is empty."));
    }
    if name.chars().nth(LONGEST_NAME).is_some() {
        let message = format!("A name has at most {LONGEST_NAME} characters.");
        return Err(broken(Code::TooLong, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Validate)]
    struct Thing {
        #[validate(custom(function = "name"))]
        name: String,
        #[validate(range(min = 1, message = "At least one."))]
        how_many_there_are: i32,
    }

    #[test]
    fn broken_rules_are_faults_with_codes_and_pointers_in_order() {
        for (thing, told) in [
            (Thing { name: "a".to_owned(), how_many_there_are: 1 }, vec![]),
            (
                Thing { name: String::new(), how_many_there_are: 0 },
                vec![(Code::OutOfRange, "/howManyThereAre"), (Code::Required, "/name")],
            ),
            (
                Thing { name: "ế".repeat(256), how_many_there_are: 1 },
                vec![(Code::TooLong, "/name")],
            ),
            (Thing { name: "ế".repeat(255), how_many_there_are: 1 }, vec![]),
        ] {
            let faults = faults(&thing);
            let found: Vec<_> = faults.iter().map(|it| (it.code, it.pointer.as_str())).collect();
            assert_eq!(found, told);
        }
    }
}
