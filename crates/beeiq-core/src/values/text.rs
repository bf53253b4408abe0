//! How text is stored, and how names are compared.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The form in which every string of a payload is kept: NFC-normalised, without white space
/// around it (`listener.md` 1). Most texts are in it already, and are only borrowed.
pub fn cleaned(text: &str) -> Cow<'_, str> {
    nfc(text.trim())
}

/// The same as a text of its own.
pub fn clean(text: &str) -> String {
    cleaned(text).into_owned()
}

/// Most texts are normalised already, which is quicker to see than to do.
fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The key under which names are compared, whatever their case (`listener.md` 6): two names are
/// one when their keys are equal. Folding a key again changes nothing.
pub fn fold(text: &str) -> String {
    let folded = cleaned(text).to_lowercase();
    // Lower case can take letters apart ("İ") or let them compose ("J̌"), hence NFC once more.
    match nfc(&folded) {
        Cow::Borrowed(_) => folded,
        Cow::Owned(composed) => composed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{clean, fold};

    #[test]
    fn cleaning_composes_letters_and_trims_any_white_space() {
        for (typed, cleaned) in [
            ("", ""),
            (" \t\u{a0}\u{3000}\n", ""),
            ("  Huy  Nguyen ", "Huy  Nguyen"),
            ("Vie\u{302}\u{323}t", "Việt"),
            ("\u{feff}x", "\u{feff}x"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            ("\u{200f}שלום\u{200f}", "\u{200f}שלום\u{200f}"),
        ] {
            assert_eq!(clean(typed), cleaned, "{typed:?}");
        }
    }

    #[test]
    fn names_are_equal_in_any_case_and_normal_form() {
        for (one, other) in [
            ("Nhóm Test", " nhóm TEST "),
            ("VIE\u{302}\u{323}T", "việt"),
            ("ĐÀ NẴNG", "đà nẵng"),
            ("J\u{30c}", "ǰ"),
            ("\u{130}", "i\u{307}"),
            ("ΟΔΟΣ", "οδος"),
        ] {
            assert_eq!(fold(one), fold(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [("\u{130}", "i"), ("Da Nang", "Đà Nẵng"), ("a b", "ab")] {
            assert_ne!(fold(one), fold(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn five_megabytes_are_folded_whole() {
        assert_eq!(fold(&"Ệ".repeat(5 << 20 >> 2)).chars().count(), 5 << 20 >> 2);
    }

    proptest! {
        #[test]
        fn cleaning_and_folding_twice_changes_nothing(text in any::<String>()) {
            let (cleaned, folded) = (clean(&text), fold(&text));
            prop_assert_eq!(clean(&cleaned), cleaned);
            prop_assert_eq!(fold(&folded), folded);
        }
    }
}
