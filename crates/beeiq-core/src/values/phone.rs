//! Phone numbers: how they are stored, compared and sent to.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType};

use super::text::clean;
use std::collections::HashSet;
use std::sync::LazyLock;

/// No number that anybody writes is longer; reading takes time with the length.
const LONGEST: usize = 64;

const VIETNAM: i32 = 84;

/// Where the Vietnamese mobile numbers of the 11-digit plan went in 2018: `0123…` became `083…`.
/// The prefixes are without the trunk `0`.
const MOVED_PREFIXES: [(&str, &str); 21] = [
    ("120", "70"),
    ("121", "79"),
    ("122", "77"),
    ("126", "76"),
    ("128", "78"),
    ("123", "83"),
    ("124", "84"),
    ("125", "85"),
    ("127", "81"),
    ("129", "82"),
    ("162", "32"),
    ("163", "33"),
    ("164", "34"),
    ("165", "35"),
    ("166", "36"),
    ("167", "37"),
    ("168", "38"),
    ("169", "39"),
    ("186", "56"),
    ("188", "58"),
    ("199", "59"),
];

/// A country or territory that has a numbering plan: it reads numbers that lack a country code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region(rlibphonenumber::Region);

/// A text that is not the code of a region with a numbering plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the two-letter code of a country with phone numbers, such as VN")]
pub struct InvalidRegion;

impl Region {
    /// Reads an ISO 3166-1 alpha-2 code, in any case (`api.md` 4, `defaultRegion`).
    pub fn parse(code: &str) -> Result<Self, InvalidRegion> {
        rlibphonenumber::Region::from_code(code)
            .ok()
            .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
            .map(Self)
            .ok_or(InvalidRegion)
    }

    /// The code in upper case.
    pub fn code(self) -> String {
        self.0.to_string()
    }
}

/// A phone number (`listener.md` 3).
///
/// A number with an extension is another number than the one without, and has no E.164 form,
/// which could not carry the extension: its key is `+842438123456;ext=12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    value: String,
    e164: Option<String>,
    key: String,
}

/// Why a text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPhone {
    /// It has no digit.
    #[error("a phone number needs at least one digit")]
    NoDigit,
    /// It is longer than any number.
    #[error("a phone number has at most {LONGEST} characters")]
    TooLong,
}

impl Phone {
    /// Reads a number as it is dialled in `region`, or with its country code. Any text with a
    /// digit is taken: one that is no valid number has no E.164 form, and is compared by its
    /// digits.
    pub fn parse(text: &str, region: Region) -> Result<Self, InvalidPhone> {
        let value = clean(text);
        if value.chars().nth(LONGEST).is_some() {
            return Err(InvalidPhone::TooLong);
        }
        let digits = PHONE_NUMBER_UTIL.normalize_digits_only(&value);
        if digits.is_empty() {
            return Err(InvalidPhone::NoDigit);
        }
        let number = PHONE_NUMBER_UTIL.parse(&value, Some(region.0)).ok();
        let extension = number.as_ref().and_then(extension);
        let main = extension.and_then(|last| digits.strip_suffix(last)).unwrap_or(&digits);
        let e164 = number.as_ref().and_then(|number| e164(number, &value, main));
        let key = e164.as_deref().unwrap_or(main);
        Ok(match extension {
            Some(extension) => Self { key: format!("{key};ext={extension}"), e164: None, value },
            None => Self { key: key.to_owned(), e164, value },
        })
    }

    /// As it was typed.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The number in E.164 (`+84905000001`), where it is valid; of an old Vietnamese 11-digit
    /// mobile number the one that it became.
    pub fn e164(&self) -> Option<&str> {
        self.e164.as_deref()
    }

    /// The form in which numbers are compared: E.164, else the digits alone; an extension is part
    /// of it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether an SMS can reach it: a valid number that is, or may be, a mobile's (`listener.md`
    /// 7, send-sms).
    pub fn can_receive_sms(&self) -> bool {
        self.e164.as_deref().is_some_and(can_receive_sms)
    }
}

/// The same of a number in E.164, as it is kept.
pub fn can_receive_sms(e164: &str) -> bool {
    PHONE_NUMBER_UTIL
        .parse(e164, None)
        .map(|number| PHONE_NUMBER_UTIL.get_number_type(&number))
        .is_ok_and(|kind| {
            matches!(kind, PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile)
        })
}

/// Loads the numbering plans, which takes some 100 ms: at the start, not in the first request.
pub fn warm_up() {
    let known = PHONE_NUMBER_UTIL
        .parse("+84905000001", None)
        .is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number));
    debug_assert!(known, "the numbering plans lack Vietnam");
    LazyLock::force(&COUNTRY_CODES);
}

/// The country codes; none is the beginning of another.
static COUNTRY_CODES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    PHONE_NUMBER_UTIL.get_supported_calling_codes().map(|code| code.to_string()).collect()
});

/// The digits of a number in E.164 without its country code, and without zeros in front.
pub fn national_digits(e164: &str) -> Option<&str> {
    let digits = e164.strip_prefix('+')?;
    let mut splits = (1..=3).filter_map(|length| digits.split_at_checked(length));
    let (_, national) = splits.find(|(code, _)| COUNTRY_CODES.contains(*code))?;
    Some(national.trim_start_matches('0'))
}

fn extension(number: &PhoneNumber) -> Option<&str> {
    number.extension.as_deref().filter(|extension| !extension.is_empty())
}

/// The valid number's E.164 form, without an extension. `digits` are those that were typed of it.
fn e164(number: &PhoneNumber, value: &str, digits: &str) -> Option<String> {
    if !spelling_is_usual(number, value, digits) {
        return None;
    }
    let number = moved(number, digits).unwrap_or_else(|| number.clone());
    PHONE_NUMBER_UTIL
        .is_valid_number(&number)
        .then(|| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
}

/// Whether letters that were read as the digits on their keys are meant so: in `1800 FLOWERS`
/// they are, but the name after `0987654 Hai` must not complete a stranger's number.
fn spelling_is_usual(number: &PhoneNumber, value: &str, digits: &str) -> bool {
    !value.contains(char::is_alphabetic)
        || digits.ends_with(&number.national_number.to_string())
        || matches!(
            PHONE_NUMBER_UTIL.get_number_type(number),
            PhoneNumberType::TollFree
                | PhoneNumberType::PremiumRate
                | PhoneNumberType::SharedCost
                | PhoneNumberType::UAN
        )
}

/// The number that an 11-digit Vietnamese mobile number became.
fn moved(number: &PhoneNumber, digits: &str) -> Option<PhoneNumber> {
    // Ten digits from 1 on, without the trunk 0 or the country code, are nobody's spelling of it.
    if number.country_code != VIETNAM || digits.starts_with('1') {
        return None;
    }
    let national = number.national_number.to_string();
    if national.len() != 10 {
        return None;
    }
    let (rest, new) = MOVED_PREFIXES
        .iter()
        .find_map(|(old, new)| national.strip_prefix(old).map(|rest| (rest, new)))?;
    PHONE_NUMBER_UTIL.parse(format!("+{VIETNAM}{new}{rest}"), None).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        InvalidPhone, InvalidRegion, MOVED_PREFIXES, Phone, Region, national_digits, warm_up,
    };

    fn phone(typed: &str) -> Phone {
        Phone::parse(typed, Region::parse("VN").unwrap()).unwrap()
    }

    /// What numbers are one person is kept in databases: a new version of the library must not change
    /// it. A line that changes here needs a migration that reads kept numbers anew.
    #[test]
    fn the_identity_of_a_number_never_changes() {
        for line in include_str!("phone/identities.txt").lines() {
            let mut parts = line.split('\t');
            let [region, typed, key] = [(); 3].map(|()| parts.next().unwrap());
            let phone = Phone::parse(typed, Region::parse(region).unwrap()).unwrap();
            assert_eq!(phone.key(), key, "{typed} in {region}");
        }
    }

    #[test]
    fn a_valid_number_has_one_e164_form_in_any_spelling() {
        for (typed, e164) in [
            ("0905000001", "+84905000001"),
            ("+84905000001", "+84905000001"),
            ("0084 905 000 001", "+84905000001"),
            ("84905000001", "+84905000001"),
            ("(+84) 0905-000-001", "+84905000001"),
            ("０９０５０００００１", "+84905000001"),
            ("٠٩٠٥٠٠٠٠٠١", "+84905000001"),
            ("\u{202a}0905000001\u{202c}", "+84905000001"),
            ("Tel: 0905.000.001", "+84905000001"),
            ("024 3812 3456", "+842438123456"),
            ("1900 1234", "+8419001234"),
            ("+1 587-530-2271", "+15875302271"),
            ("0333456789", "+84333456789"),
        ] {
            let phone = phone(typed);
            assert_eq!(phone.e164(), Some(e164), "{typed}");
            assert_eq!(phone.key(), e164, "{typed}");
            assert_eq!(phone.value(), typed);
        }
    }

    #[test]
    fn an_old_11_digit_number_is_the_one_that_it_became_in_any_spelling() {
        for typed in [
            "01234567890",
            "0123 456 7890",
            "+84 1234567890",
            "+84 (0)123 456 7890",
            "(+84)1234567890",
            "00841234567890",
            "841234567890",
            "０１２３４５６７８９０",
            "+84 83 456 7890",
            "083 456 7890",
        ] {
            assert_eq!(phone(typed).e164(), Some("+84834567890"), "{typed}");
            assert_eq!(phone(typed).key(), "+84834567890", "{typed}");
        }
    }

    #[test]
    fn every_old_prefix_leads_to_a_mobile_number() {
        for (old, new) in MOVED_PREFIXES {
            let phone = phone(&format!("0{old}4567890"));
            assert_eq!(phone.e164(), Some(format!("+84{new}4567890").as_str()));
            assert!(phone.can_receive_sms(), "{old}");
        }
    }

    #[test]
    fn an_old_number_is_known_from_abroad_but_only_with_its_country_code() {
        let france = Region::parse("FR").unwrap();
        assert_eq!(Phone::parse("+841234567890", france).unwrap().key(), "+84834567890");
        assert_eq!(Phone::parse("01234567890", france).unwrap().e164(), None);
    }

    #[test]
    fn letters_are_keys_in_a_toll_free_number_only() {
        let america = Region::parse("US").unwrap();
        for (typed, key) in [
            ("1-800-FLOWERS", "+18003569377"),
            ("587-530-CATS", "587530"),
            ("call 587-530-2271", "+15875302271"),
            ("587-530-2271 ext 4", "+15875302271;ext=4"),
        ] {
            assert_eq!(Phone::parse(typed, america).unwrap().key(), key, "{typed}");
        }
    }

    #[test]
    fn what_is_no_valid_number_is_compared_by_its_digits() {
        for (typed, digits) in [
            ("098765431", "098765431"),
            ("1234567890", "1234567890"),
            ("0123456789", "0123456789"),
            ("01304567890", "01304567890"),
            ("0123456789012", "0123456789012"),
            ("113", "113"),
            ("0", "0"),
            ("+999 12-34", "9991234"),
            ("0905000001 / 0905000002", "09050000010905000002"),
            ("*101#", "101"),
            ("x7", "7"),
            ("🙂٣", "3"),
            ("0987654 Hai", "0987654"),
            ("0905000001 Hai", "0905000001"),
        ] {
            let phone = phone(typed);
            assert_eq!((phone.e164(), phone.key()), (None, digits), "{typed}");
        }
    }

    #[test]
    fn an_extension_makes_another_number_and_leaves_it_without_e164() {
        for (typed, key) in [
            ("0905000001 ext 5", "+84905000001;ext=5"),
            ("+84 905 000 001 x5", "+84905000001;ext=5"),
            ("tel:+84905000001;ext=5", "+84905000001;ext=5"),
            ("0905000001 ext 6", "+84905000001;ext=6"),
            ("01234567890 ext. 12", "+84834567890;ext=12"),
            ("098765431 ext 12", "098765431;ext=12"),
        ] {
            let phone = phone(typed);
            assert_eq!((phone.e164(), phone.key()), (None, key), "{typed}");
            assert!(!phone.can_receive_sms());
        }
    }

    #[test]
    fn a_text_without_digits_or_of_endless_length_is_no_number() {
        let vietnam = Region::parse("VN").unwrap();
        let five_megabytes = "9".repeat(5 << 20);
        let just_too_long = "1".repeat(65);
        for (typed, fault) in [
            ("", InvalidPhone::NoDigit),
            ("none", InvalidPhone::NoDigit),
            ("\u{200f}+\u{0}", InvalidPhone::NoDigit),
            (just_too_long.as_str(), InvalidPhone::TooLong),
            (five_megabytes.as_str(), InvalidPhone::TooLong),
        ] {
            assert_eq!(Phone::parse(typed, vietnam), Err(fault), "{typed:.20?}");
        }
        assert_eq!(Phone::parse(&"1".repeat(64), vietnam).unwrap().key(), "1".repeat(64));
    }

    #[test]
    fn only_a_number_that_may_be_a_mobile_receives_sms() {
        for (typed, receives) in [
            ("0905000001", true),
            ("01234567890", true),
            ("+1 587-530-2271", true),
            ("024 3812 3456", false),
            ("1900 1234", false),
            ("1800 1234", false),
            ("098765431", false),
        ] {
            assert_eq!(phone(typed).can_receive_sms(), receives, "{typed}");
        }
    }

    #[test]
    fn the_national_digits_follow_the_country_code() {
        for (e164, national) in [
            ("+84905000001", Some("905000001")),
            ("+15875302271", Some("5875302271")),
            ("+390612345678", Some("612345678")),
            ("+35312345678", Some("12345678")),
            ("+80012345678", Some("12345678")),
            ("+9991234", None),
            ("84905000001", None),
            ("+", None),
        ] {
            assert_eq!(national_digits(e164), national, "{e164}");
        }
    }

    #[test]
    fn a_region_is_the_code_of_a_numbering_plan() {
        warm_up();
        assert_eq!(Region::parse("vn").unwrap().code(), "VN");
        for code in ["", "V", "VNM", "ZZ", "001", "V\u{0}", "ẞ", "🇻🇳"] {
            assert_eq!(Region::parse(code), Err(InvalidRegion), "{code:?}");
        }
    }

    proptest! {
        #[test]
        fn the_key_of_a_valid_number_is_its_own_key(digits in "0[0-9]{8,10}") {
            let first = phone(&digits);
            let again = phone(first.key());
            prop_assert_eq!(again.key(), first.key());
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in any::<String>()) {
            let read = Phone::parse(&text, Region::parse("VN").unwrap());
            prop_assert!(read.is_err() || !read.unwrap().key().is_empty());
        }
    }
}
