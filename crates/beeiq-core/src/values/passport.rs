//! Passport (or identity card) numbers as identifiers.

use unicode_normalization::UnicodeNormalization;

use super::text::clean;

/// A passport number, which identifies its holder (`listener.md` 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passport {
    value: String,
    key: String,
}

/// A text that is no passport number: nothing is left of it without spaces and hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a passport number needs at least one letter or digit")]
pub struct InvalidPassport;

impl Passport {
    /// Reads a passport number. Its length is the field's concern, not this one's.
    pub fn parse(text: &str) -> Result<Self, InvalidPassport> {
        let value = clean(text);
        let key: String =
            value.to_uppercase().nfc().filter(|character| !is_filler(*character)).collect();
        if key.is_empty() { Err(InvalidPassport) } else { Ok(Self { value, key }) }
    }

    /// As it was typed.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The form in which passports are compared: upper case, no spaces, no hyphens.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Whether a character only parts others: white space, any dash, or what cannot be seen (joiners
/// and marks of direction come along when a number is copied from a page).
fn is_filler(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '-' | '\u{58a}' | '\u{5be}' | '\u{1806}' | '\u{2010}'
                ..='\u{2015}'
                    | '\u{2043}'
                    | '\u{2212}'
                    | '\u{2e3a}'
                    | '\u{2e3b}'
                    | '\u{301c}'
                    | '\u{fe58}'
                    | '\u{fe63}'
                    | '\u{ff0d}'
        )
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::{InvalidPassport, Passport};

    #[test]
    fn a_passport_is_compared_in_upper_case_without_spaces_and_hyphens() {
        for (typed, key) in [
            ("1945295865", "1945295865"),
            (" b 123-456 ", "B123456"),
            ("B\u{2011}12\u{a0}34\u{2013}56", "B123456"),
            ("\u{200f}b123456\u{200e}", "B123456"),
            ("b123\t456\u{7f}", "B123456"),
            ("đ-1", "Đ1"),
            ("\u{130}1", "\u{130}1"),
            ("A/1.2", "A/1.2"),
            ("🙂", "🙂"),
        ] {
            let passport = Passport::parse(typed).unwrap();
            assert_eq!(passport.key(), key, "{typed:?}");
            assert_eq!(passport.value(), typed.trim());
        }
    }

    #[test]
    fn a_passport_of_which_nothing_is_left_is_invalid() {
        for typed in ["", "  ", "- \u{2014} -", "\u{200b}\u{feff}", "\u{202e}"] {
            assert_eq!(Passport::parse(typed), Err(InvalidPassport), "{typed:?}");
        }
    }

    #[test]
    fn five_megabytes_are_one_passport() {
        assert_eq!(Passport::parse(&"a-".repeat(5 << 19)).unwrap().key().len(), 5 << 19);
    }
}
