//! Signatures of what other systems push (`connections.md` 2).

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Whether a signature is the HMAC-SHA256 of that body under the secret: in base64 of either alphabet,
/// padded or not, or in hexadecimal digits of either case. It is compared in constant time.
pub(crate) fn is_of(signature: &str, body: &[u8], secret: &SecretString) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    mac.update(body);
    decoded(signature.trim()).is_some_and(|signature| mac.verify_slice(&signature).is_ok())
}

fn decoded(signature: &str) -> Option<Vec<u8>> {
    // As many digits are no base64 of 32 bytes.
    if signature.len() == 64 {
        return hexadecimal(signature);
    }
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [STANDARD, URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, lenient).decode(signature).ok())
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2, in every form in which it may come.
    #[test]
    fn a_signature_is_recognised_in_every_form_and_no_other_is() {
        let secret = SecretString::from("Jefe");
        let body = b"what do ya want for nothing?";
        for (signature, right) in [
            ("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", true),
            ("5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843", true),
            ("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", true),
            ("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM", true),
            ("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEN=", false),
            ("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844", false),
            ("5bdcc146", false),
            ("", false),
            ("é", false),
        ] {
            assert_eq!(is_of(signature, body, &secret), right, "{signature}");
        }
        assert!(!is_of("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", b"", &secret));
    }

    #[test]
    fn the_alphabet_of_urls_is_the_same_signature() {
        let secret = SecretString::from("secret");
        for signature in [
            "G0bBon7tcv7PLnbyKfn/1H0yfj75oTrTD0a9JH4H++4=",
            "G0bBon7tcv7PLnbyKfn_1H0yfj75oTrTD0a9JH4H--4=",
            "G0bBon7tcv7PLnbyKfn_1H0yfj75oTrTD0a9JH4H--4",
        ] {
            assert!(is_of(signature, b"2", &secret), "{signature}");
        }
    }
}
