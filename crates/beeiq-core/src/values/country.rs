//! Countries as senders write them.

use std::{collections::HashMap, sync::LazyLock};

use rust_iso3166::CountryCode;
use unicode_normalization::UnicodeNormalization;

use super::text::clean;

/// Longer than the name of any country.
const LONGEST_NAME: usize = 128;

/// How a country is called where ISO 3166-1's name is not what people say.
const COMMON_NAMES: [(&str, &str); 26] = [
    ("BO", "Bolivia"),
    ("BN", "Brunei"),
    ("CD", "DR Congo"),
    ("FK", "Falkland Islands"),
    ("FM", "Micronesia"),
    ("GB", "United Kingdom"),
    ("IR", "Iran"),
    ("KP", "North Korea"),
    ("KR", "South Korea"),
    ("LA", "Laos"),
    ("MD", "Moldova"),
    ("MF", "Saint Martin"),
    ("NL", "Netherlands"),
    ("PN", "Pitcairn Islands"),
    ("PS", "Palestine"),
    ("RU", "Russia"),
    ("SX", "Sint Maarten"),
    ("SY", "Syria"),
    ("TW", "Taiwan"),
    ("TZ", "Tanzania"),
    ("US", "United States"),
    ("VA", "Vatican City"),
    ("VE", "Venezuela"),
    ("VG", "British Virgin Islands"),
    ("VI", "U.S. Virgin Islands"),
    ("VN", "Vietnam"),
];

/// Other names that are understood.
const ALIASES: [(&str, &str); 39] = [
    ("AE", "UAE"),
    ("BS", "The Bahamas"),
    ("CD", "Democratic Republic of the Congo"),
    ("CG", "Republic of the Congo"),
    ("CI", "Ivory Coast"),
    ("CN", "People's Republic of China"),
    ("CN", "PRC"),
    ("CV", "Cape Verde"),
    ("CZ", "Czech Republic"),
    ("DE", "Deutschland"),
    ("ES", "España"),
    ("FM", "Federated States of Micronesia"),
    ("GB", "Britain"),
    ("GB", "England"),
    ("GB", "Great Britain"),
    ("GB", "Northern Ireland"),
    ("GB", "Scotland"),
    ("GB", "UK"),
    ("GB", "Wales"),
    ("GM", "The Gambia"),
    ("HK", "Hong Kong SAR"),
    ("KP", "DPRK"),
    ("KR", "Korea"),
    ("KR", "Republic of Korea"),
    ("LA", "Lao PDR"),
    ("MK", "Macedonia"),
    ("MM", "Burma"),
    ("MO", "Macau"),
    ("NL", "Holland"),
    ("NL", "The Netherlands"),
    ("PH", "The Philippines"),
    ("SH", "Saint Helena"),
    ("SZ", "Swaziland"),
    ("TL", "East Timor"),
    ("TR", "Turkey"),
    ("US", "America"),
    ("US", "U.S."),
    ("VA", "Vatican"),
    ("VN", "Socialist Republic of Vietnam"),
];

/// Every code, name and alias, in the form in which they are compared.
static COUNTRIES: LazyLock<HashMap<String, &'static CountryCode>> = LazyLock::new(|| {
    let mut countries = HashMap::new();
    for country in rust_iso3166::ALL {
        for word in [country.name, country.alpha2, country.alpha3] {
            countries.insert(comparable(word), country);
        }
        for (code, name) in COMMON_NAMES.iter().chain(&ALIASES) {
            if *code == country.alpha2 {
                countries.insert(comparable(name), country);
            }
        }
    }
    countries
});

/// The country of an address (`listener.md` 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// The ISO 3166-1 alpha-2 code; none where the name is no country's.
    pub code: Option<String>,
    /// The common English short name (`Vietnam`), or what was sent where that is no country.
    pub name: String,
}

impl Country {
    /// Reads `{"code": …, "name": …}`. The code counts where it is one, then the name; what is no
    /// country is kept as a name. `None` where both are empty.
    pub fn from_code_and_name(code: Option<&str>, name: Option<&str>) -> Option<Self> {
        let (code, name) = (code.and_then(Self::from_text), name.and_then(Self::from_text));
        match (code, name) {
            (Some(code), _) if code.code.is_some() => Some(code),
            (code, name) => name.or(code),
        }
    }

    /// Reads a code (alpha-2 or alpha-3) or a name, in any case; what is no country is kept as a
    /// name. `None` where the text is empty.
    pub fn from_text(text: &str) -> Option<Self> {
        let name = clean(text);
        if name.is_empty() {
            return None;
        }
        let known =
            if name.len() > LONGEST_NAME { None } else { COUNTRIES.get(&comparable(&name)) };
        Some(known.map_or(Self { code: None, name }, |country| Self::known(country)))
    }

    fn known(country: &CountryCode) -> Self {
        let name = COMMON_NAMES
            .iter()
            .find(|(code, _)| *code == country.alpha2)
            .map_or(country.name, |(_, name)| name);
        Self { code: Some(country.alpha2.to_owned()), name: name.to_owned() }
    }
}

/// Letters and digits alone, in lower case and without accents: `Viet Nam`, `Việt Nam` and
/// `VIETNAM` are one, as are `U.S.A.` and `usa`.
fn comparable(name: &str) -> String {
    name.replace('&', "and")
        .nfd()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, COMMON_NAMES, Country, comparable};

    fn country(code: Option<&str>, name: &str) -> Option<Country> {
        Some(Country { code: code.map(String::from), name: name.to_owned() })
    }

    #[test]
    fn a_code_or_name_in_any_case_is_its_country() {
        for (text, code, name) in [
            ("VN", "VN", "Vietnam"),
            ("vn", "VN", "Vietnam"),
            ("VNM", "VN", "Vietnam"),
            (" vietnam ", "VN", "Vietnam"),
            ("Viet Nam", "VN", "Vietnam"),
            ("VIỆT NAM", "VN", "Vietnam"),
            ("Vie\u{323}\u{302}t Nam", "VN", "Vietnam"),
            ("\u{200f}Vietnam\u{200f}", "VN", "Vietnam"),
            ("V\u{130}ETNAM", "VN", "Vietnam"),
            ("USA", "US", "United States"),
            ("U.S.A.", "US", "United States"),
            ("u.s.", "US", "United States"),
            ("United States", "US", "United States"),
            ("United States of America", "US", "United States"),
            ("UK", "GB", "United Kingdom"),
            ("england", "GB", "United Kingdom"),
            ("South Korea", "KR", "South Korea"),
            ("Korea (Republic of)", "KR", "South Korea"),
            ("Russia", "RU", "Russia"),
            ("Russian Federation", "RU", "Russia"),
            ("Laos", "LA", "Laos"),
            ("Taiwan", "TW", "Taiwan"),
            ("Türkiye", "TR", "Türkiye"),
            ("Turkey", "TR", "Türkiye"),
            ("Cote d'Ivoire", "CI", "Côte d'Ivoire"),
            ("Trinidad & Tobago", "TT", "Trinidad and Tobago"),
            ("Japan", "JP", "Japan"),
            ("Holland", "NL", "Netherlands"),
        ] {
            assert_eq!(Country::from_text(text), country(Some(code), name), "{text}");
        }
    }

    #[test]
    fn what_is_no_country_is_kept_as_a_name() {
        let five_megabytes = "Vietnam".repeat(1 << 20);
        for text in ["country", "Atlantis", "XX", "ZZZ", "---", "🇻🇳", &five_megabytes] {
            assert_eq!(Country::from_text(text), country(None, text), "{text:.20}");
        }
    }

    #[test]
    fn a_code_counts_before_a_name_where_it_is_one() {
        for (code, name, read) in [
            (Some("VN"), Some("Viet Nam"), country(Some("VN"), "Vietnam")),
            (Some("VN"), Some("Japan"), country(Some("VN"), "Vietnam")),
            (Some("VN"), None, country(Some("VN"), "Vietnam")),
            (Some(""), Some("Japan"), country(Some("JP"), "Japan")),
            (None, Some("Japan"), country(Some("JP"), "Japan")),
            (Some("XX"), Some("Japan"), country(Some("JP"), "Japan")),
            (Some("XX"), Some("Atlantis"), country(None, "Atlantis")),
            (Some("XX"), Some(" "), country(None, "XX")),
            (Some("Japan"), None, country(Some("JP"), "Japan")),
            (Some(" "), Some("\n"), None),
            (None, None, None),
        ] {
            assert_eq!(Country::from_code_and_name(code, name), read, "{code:?} {name:?}");
        }
    }

    #[test]
    fn every_iso_code_and_name_is_its_own_country() {
        for iso in rust_iso3166::ALL {
            for word in [iso.alpha2, iso.alpha3, iso.name] {
                let read = Country::from_text(word).unwrap();
                assert_eq!(read.code.as_deref(), Some(iso.alpha2), "{word}");
            }
        }
    }

    #[test]
    fn every_name_of_the_tables_is_read_and_none_is_there_for_nothing() {
        let iso: Vec<_> =
            rust_iso3166::ALL.iter().map(|country| comparable(country.name)).collect();
        for (code, name) in COMMON_NAMES.iter().chain(&ALIASES) {
            let read = Country::from_text(name).unwrap();
            assert_eq!(read.code.as_deref(), Some(*code), "{name}");
        }
        for (_, name) in &ALIASES {
            assert!(!iso.contains(&comparable(name)), "{name}");
        }
    }
}
