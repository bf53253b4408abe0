//! Custom fields: the models that have them, their kinds, and which values fit.

use crate::words;
use chrono::{DateTime, Datelike, SecondsFormat};

use super::{
    suggest::listed,
    text::{clean, fold},
};

const LONGEST_TEXT: usize = 4096;
const LARGEST_TEXTAREA: usize = 64 * 1024;
const LONGEST_NUMBER: usize = 64;

/// How many options a message lists.
const OPTIONS_SHOWN: usize = 20;

words! {
    /// What has custom fields of its own (`listener.md` 6).
    pub enum Model {
        Contact => "contact",
        Account => "account",
        Lead => "lead",
        Deal => "deal",
        Ticket => "ticket",
    }
}

words! {
    /// The kind of a custom field, which decides what values fit (`listener.md` 6).
    #[schema(as = CustomFieldKind)]
    pub enum Kind {
        /// A text of up to 4,096 characters.
        Text => "text",
        /// A text of up to 64 KiB.
        Textarea => "textarea",
        /// A decimal number, kept as typed.
        Number => "number",
        /// A date with time and offset.
        Date => "date",
        /// One option of a list.
        Select => "select",
        /// One option of a list.
        Radio => "radio",
        /// Any options of a list.
        Checkbox => "checkbox",
        /// Any options of a list.
        InlineCheckbox => "inline_checkbox",
    }
}

impl Kind {
    /// Whether its values are options of a list.
    pub fn has_options(self) -> bool {
        match self {
            Self::Select | Self::Radio | Self::Checkbox | Self::InlineCheckbox => true,
            Self::Text | Self::Textarea | Self::Number | Self::Date => false,
        }
    }

    /// The value as it is stored: options in their own spelling, several joined with `|` in the
    /// order given, a date as `2019-07-08T00:00:00+07:00`, a number as typed. `options` are those
    /// of the field, whose kind decides whether they count.
    pub fn check(&self, value: &str, options: &[String]) -> Result<String, InvalidCustomValue> {
        let value = clean(value);
        match self {
            Self::Text if value.chars().nth(LONGEST_TEXT).is_some() => {
                Err(InvalidCustomValue::LongText)
            }
            Self::Textarea if value.len() > LARGEST_TEXTAREA => {
                Err(InvalidCustomValue::LargeTextarea)
            }
            Self::Text | Self::Textarea => Ok(value),
            Self::Number => number(value),
            Self::Date => date(&value),
            Self::Select | Self::Radio => option(&value, options).map(String::from),
            Self::Checkbox | Self::InlineCheckbox => chosen(&value, options),
        }
    }
}

/// Why a value does not fit its field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCustomValue {
    /// Over the limit of a text.
    #[error("a text has at most {LONGEST_TEXT} characters")]
    LongText,
    /// Over the limit of a textarea.
    #[error("a textarea holds at most 64 KiB")]
    LargeTextarea,
    /// Not a decimal number.
    #[error(
        "a number is digits, with a point at most, as in -1234.50, of up to {LONGEST_NUMBER} characters"
    )]
    NotANumber,
    /// Not a date of the form that the field takes, or none that exists.
    #[error("a date is written YYYY-MM-DDTHH:mm:ssZ, as in 2019-07-08T00:00:00+07:00")]
    NotADate,
    /// Not one of the options.
    #[error("\"{given}\" is not one of the options: {options}")]
    NotAnOption {
        /// The start of what was sent.
        given: String,
        /// The options there are, as a message lists them.
        options: String,
    },
}

/// An exact decimal, as typed: what is read through a float, or needs an exponent, is not.
fn number(text: String) -> Result<String, InvalidCustomValue> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(&text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() <= LONGEST_NUMBER && digits(whole) && digits(fraction) {
        Ok(text)
    } else {
        Err(InvalidCustomValue::NotANumber)
    }
}

fn date(text: &str) -> Result<String, InvalidCustomValue> {
    const SHAPE: &str = "0000-00-00T00:00:00";
    // chrono alone would take one digit for two, and spaces between them.
    let shaped = text.len() <= SHAPE.len() + "+00:00".len()
        && text.get(..SHAPE.len()).is_some_and(|local| {
            local.bytes().zip(SHAPE.bytes()).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                mark => byte == mark,
            })
        });
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%#z")
        .ok()
        .filter(|date| shaped && date.year() > 0)
        .map(|date| date.to_rfc3339_opts(SecondsFormat::Secs, true))
        .ok_or(InvalidCustomValue::NotADate)
}

/// The option that is meant, in any case.
fn option<'o>(value: &str, options: &'o [String]) -> Result<&'o str, InvalidCustomValue> {
    let wanted = fold(value);
    options.iter().find(|option| fold(option) == wanted).map(String::as_str).ok_or_else(|| {
        InvalidCustomValue::NotAnOption {
            given: clean(value).chars().take(64).collect(),
            options: listed(options, OPTIONS_SHOWN),
        }
    })
}

/// The options that are meant, joined with `|`, each once.
fn chosen(value: &str, options: &[String]) -> Result<String, InvalidCustomValue> {
    let mut chosen: Vec<&str> = Vec::new();
    for part in value.split('|').filter(|part| !part.trim().is_empty()) {
        let option = option(part, options)?;
        if !chosen.contains(&option) {
            chosen.push(option);
        }
    }
    if chosen.is_empty() { option(value, options).map(String::from) } else { Ok(chosen.join("|")) }
}

#[cfg(test)]
mod tests {
    use super::{
        InvalidCustomValue::{self, LargeTextarea, LongText, NotADate, NotANumber},
        Kind::{self, Checkbox, Date, InlineCheckbox, Number, Radio, Select, Text, Textarea},
        Model,
    };

    fn check(kind: Kind, value: &str) -> Result<String, InvalidCustomValue> {
        kind.check(value, &["Dog", "Cat", "Chó Đốm"].map(String::from))
    }

    #[test]
    fn a_value_that_fits_is_stored_in_one_form() {
        for (kind, value, stored) in [
            (Text, " Cong Nguyen ", "Cong Nguyen"),
            (Text, "Vie\u{323}\u{302}t 🙂\u{200f}", "Việt 🙂\u{200f}"),
            (Textarea, "one\ntwo", "one\ntwo"),
            (Number, "0", "0"),
            (Number, " -1234.5000 ", "-1234.5000"),
            (Number, "+7", "+7"),
            (Number, "9007199254740993.00000000000000001", "9007199254740993.00000000000000001"),
            (Date, "2019-07-08T00:00:00+07:00", "2019-07-08T00:00:00+07:00"),
            (Date, "2019-07-08T00:00:00+0700", "2019-07-08T00:00:00+07:00"),
            (Date, "2019-07-08T00:00:00Z", "2019-07-08T00:00:00Z"),
            (Date, "2020-02-29T23:59:59-11:30", "2020-02-29T23:59:59-11:30"),
            (Select, "dog", "Dog"),
            (Radio, " CHÓ ĐỐM", "Chó Đốm"),
            (Checkbox, "Dog|Cat", "Dog|Cat"),
            (Checkbox, "cat | DOG||Cat|", "Cat|Dog"),
            (InlineCheckbox, "Cat", "Cat"),
        ] {
            assert_eq!(check(kind, value).as_deref(), Ok(stored), "{kind} {value}");
        }
    }

    #[test]
    fn a_number_is_an_exact_decimal() {
        let five_megabytes = "9".repeat(5 << 20);
        for value in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1,5",
            "1 000",
            "1e5",
            "0x10",
            "NaN",
            "1.2.3",
            "--1",
            "１",
            "1\u{0}",
            &"1".repeat(65),
            &five_megabytes,
        ] {
            assert_eq!(check(Number, value), Err(NotANumber), "{value:.40}");
        }
        assert!(check(Number, &"1".repeat(64)).is_ok());
    }

    #[test]
    fn a_date_has_the_documented_form_and_exists() {
        let five_megabytes = "2019-07-08T00:00:00+07:00".repeat(200_000);
        for value in [
            "",
            "2019-07-08",
            "2019-07-08T00:00:00",
            "2019-07-08T00:00:00.000Z",
            "2019-07-08 00:00:00Z",
            "2019-7-08T00:00:00+07:00",
            "2019-02-29T00:00:00Z",
            "2019-07-08T24:00:00Z",
            "2019-07-08T00:00:00+25:00",
            "2019-07-08T00:00:00+7",
            "0000-01-01T00:00:00Z",
            "1562518800000",
            "🙂019-07-08T00:00:00Z",
            "2019-07-08T00:00:0🙂",
            &five_megabytes,
        ] {
            assert_eq!(check(Date, value), Err(NotADate), "{value:.40}");
        }
    }

    #[test]
    fn texts_have_their_limits() {
        assert!(check(Text, &format!(" {} ", "Ệ".repeat(4096))).is_ok());
        assert_eq!(check(Text, &"a".repeat(4097)), Err(LongText));
        assert!(check(Textarea, &"a".repeat(64 << 10)).is_ok());
        assert_eq!(check(Textarea, &"a".repeat((64 << 10) + 1)), Err(LargeTextarea));
        assert_eq!(check(Textarea, &"Ệ".repeat(5 << 20)), Err(LargeTextarea));
    }

    #[test]
    fn an_option_that_is_not_there_is_told_with_those_that_are() {
        for (kind, value, given) in [
            (Select, "Bird", "Bird"),
            (Radio, "Dog|Cat", "Dog|Cat"),
            (Checkbox, "Dog| Bird ", "Bird"),
            (InlineCheckbox, "Cho Dom", "Cho Dom"),
            (Select, "D\u{200b}og", "D\u{200b}og"),
            (Checkbox, "|", "|"),
            (Select, "", ""),
        ] {
            let fault = check(kind, value).unwrap_err();
            let message =
                format!(r#""{given}" is not one of the options: "Dog", "Cat", "Chó Đốm""#);
            assert_eq!(fault.to_string(), message, "{kind}");
        }
    }

    #[test]
    fn an_endless_value_is_not_repeated_in_the_message() {
        let message = check(Select, &"🙂".repeat(5 << 18)).unwrap_err().to_string();
        assert!(message.len() < 400, "{}", message.len());
        assert!(Select.check("x", &[]).unwrap_err().to_string().ends_with("options: none"));
    }

    #[test]
    fn models_and_kinds_are_read_in_the_words_that_they_are_written_in() {
        for model in Model::ALL {
            assert_eq!(model.to_string().parse(), Ok(model));
        }
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!(InlineCheckbox.as_str(), "inline_checkbox");
        assert!("Contact".parse::<Model>().is_err());
        let message = "multi".parse::<Kind>().unwrap_err().to_string();
        assert!(message.contains(r#""text", "textarea""#), "{message}");
    }
}
