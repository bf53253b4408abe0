//! E-mail addresses: what can be sent to, and how addresses are compared.

use lettre::Address;
use validator::ValidateEmail;

use super::text::clean;

/// The longest address that SMTP carries (RFC 5321 4.5.3.1.3, without the angle brackets).
const LONGEST: usize = 254;

/// An address that mail can be sent to (`listener.md` 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    value: String,
    key: String,
}

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// It does not have the shape of an address, or its domain cannot exist.
    #[error("not an e-mail address such as ann@example.com")]
    Malformed,
    /// The domain is a bare word or number, which no mail server on the internet has.
    #[error("the domain of an e-mail address needs a dot and a name after it, as in example.com")]
    BareDomain,
    /// It is longer than mail servers take.
    #[error("an e-mail address has at most {LONGEST} characters")]
    TooLong,
}

impl Email {
    /// Reads an address: a plain `local@domain`, whose domain may be internationalised.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let value = clean(text);
        if value.chars().nth(LONGEST).is_some() {
            return Err(InvalidEmail::TooLong);
        }
        let (local, domain) = value.rsplit_once('@').ok_or(InvalidEmail::Malformed)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidEmail::Malformed)?;
        let key = format!("{}@{domain}", local.to_ascii_lowercase());
        if key.len() > LONGEST {
            return Err(InvalidEmail::TooLong);
        }
        if !key.validate_email() || key.parse::<Address>().is_err() {
            return Err(InvalidEmail::Malformed);
        }
        match domain.rsplit_once('.') {
            Some((_, top)) if top.contains(|c: char| !c.is_ascii_digit()) => {
                Ok(Self { value, key })
            }
            _ => Err(InvalidEmail::BareDomain),
        }
    }

    /// The [`Email::key`] of an address that was read before and kept. Most are ASCII, and need no
    /// reading to be put in lower case.
    pub fn key_of_kept(value: &str) -> String {
        if value.is_ascii() {
            return value.to_ascii_lowercase();
        }
        Self::parse(value).map_or_else(|_| value.to_lowercase(), |email| email.key)
    }

    /// As it was typed.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The form in which addresses are compared: lower case, the domain in IDNA ASCII. A
    /// [`lettre::Address`] can be made of it.
    pub fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Email,
        InvalidEmail::{self, BareDomain, Malformed, TooLong},
    };

    #[test]
    fn an_address_is_compared_in_lower_case_with_an_ascii_domain() {
        for (typed, key) in [
            ("huy.nguyen@htklabs.com", "huy.nguyen@htklabs.com"),
            (" Huy.Nguyen+CRM@HTKLabs.COM\n", "huy.nguyen+crm@htklabs.com"),
            ("ann@Bücher.example", "ann@xn--bcher-kva.example"),
            ("ann@bu\u{308}cher.example", "ann@xn--bcher-kva.example"),
            ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
            ("ann@ＥＸＡＭＰＬＥ。com", "ann@example.com"),
            ("ann@\u{130}zmir.example", "ann@xn--izmir-7fd.example"),
            ("o'neil@a-b.co", "o'neil@a-b.co"),
        ] {
            let email = Email::parse(typed).unwrap_or_else(|fault| panic!("{typed:?}: {fault}"));
            assert_eq!(email.key(), key, "{typed:?}");
            assert_eq!(Email::key_of_kept(email.value()), key, "{typed:?}");
            assert!(email.key().parse::<lettre::Address>().is_ok());
        }
    }

    #[test]
    fn the_value_stays_as_typed() {
        let email = Email::parse("  Ann@Bu\u{308}cher.Example ").unwrap();
        assert_eq!(email.value(), "Ann@Bücher.Example");
    }

    #[test]
    fn what_mail_cannot_be_sent_to_is_invalid() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let too_long = format!("a@{}.com", "b.".repeat(125));
        let long_in_ascii = format!("ann.nguyen@{}com", "ü.".repeat(31));
        let five_megabytes = "a@b.c".repeat(1 << 20);
        let cases: [(&str, InvalidEmail); 26] = [
            ("", Malformed),
            ("ann", Malformed),
            ("@example.com", Malformed),
            ("ann@", Malformed),
            ("ann@@example.com", Malformed),
            ("ann@.example.com", Malformed),
            ("ann@example..com", Malformed),
            ("ann@example.com.", Malformed),
            ("ann@-example.com", Malformed),
            ("ann@exam ple.com", Malformed),
            ("ann b@example.com", Malformed),
            ("a..b@example.com", Malformed),
            (".a@example.com", Malformed),
            ("Ann <ann@example.com>", Malformed),
            ("\"ann\"@example.com", Malformed),
            ("ann@[127.0.0.1]", Malformed),
            ("ann\u{0}@example.com", Malformed),
            ("ann@example.com\r\nBcc: x@y.z", Malformed),
            ("\u{202e}ann@example.com", Malformed),
            ("🙂@example.com", Malformed),
            ("ann@localhost", BareDomain),
            ("ann@127.0.0.1", BareDomain),
            (&long_local, Malformed),
            (&too_long, TooLong),
            (&long_in_ascii, TooLong),
            (&five_megabytes, TooLong),
        ];
        for (typed, fault) in cases {
            assert_eq!(Email::parse(typed), Err(fault), "{typed:.60?}");
        }
    }
}
