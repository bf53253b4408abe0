//! How the fields of settings are checked: rules that stand on the fields (`validator`), told as
//! faults with codes and pointers.

use crate::problem::Problem;
use beeiq_core::diagnostics::{Code, Fault, Pointer};
use beeiq_core::values::text::clean;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use validator::{Validate, ValidationError};

/// The longest name, in characters.
const LONGEST_NAME: usize = 255;

/// Checks what can be checked without the org's data.
///
/// # Errors
/// 422 with all faults there are.
pub(crate) fn check(settings: &impl Validate) -> Result<(), Problem> {
    let Err(errors) = settings.validate() else {
        return Ok(());
    };
    let mut faults: Vec<Fault> = errors
        .field_errors()
        .into_iter()
        .flat_map(|(field, errors)| errors.iter().map(move |error| fault(&field, error)))
        .collect();
    faults.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    Err(Problem::fields(faults))
}

/// A rule that is broken: its code is one of [`Code`]'s.
pub(crate) fn broken(code: Code, message: impl Into<Cow<'static, str>>) -> ValidationError {
    ValidationError::new(code.as_str()).with_message(message.into())
}

/// A rule that is broken in an entry of a list.
pub(crate) fn broken_entry(
    code: Code,
    index: usize,
    message: impl Into<Cow<'static, str>>,
) -> ValidationError {
    let mut error = broken(code, message);
    error.add_param("index".into(), &index);
    error
}

fn fault(field: &str, error: &ValidationError) -> Fault {
    let known = [Code::Required, Code::TooLong, Code::InvalidValue, Code::InvalidEmail];
    let code = known.into_iter().find(|code| code.as_str() == error.code);
    let mut pointer = Pointer::root().member(&camel_case(field));
    if let Some(index) = error.params.get("index").and_then(serde_json::Value::as_u64) {
        pointer = pointer.index(usize::try_from(index).unwrap_or(usize::MAX));
    }
    let message = error.message.clone().unwrap_or(Cow::Borrowed("This value does not fit."));
    // What is left are the ranges of `validator` itself.
    Fault::new(code.unwrap_or(Code::OutOfRange), pointer, message)
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
            let faults = check(&thing).err().map(|problem| problem.errors).unwrap_or_default();
            let found: Vec<_> = faults.iter().map(|it| (it.code, it.pointer.as_str())).collect();
            assert_eq!(found, told);
        }
    }
}
