//! How many segments an SMS takes, which is what it costs (`listener.md` 7, send-sms).

/// The characters of GSM 03.38's basic table.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The characters of its extension table, which take an escape septet before their own.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// How the characters of a message are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// GSM 03.38, seven bits a character: 160 in a segment, 153 in one of several.
    Gsm7,
    /// UTF-16, for a message with any character that GSM 03.38 lacks: 70, and 67 of several.
    Ucs2,
}

/// What a message takes on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// How its characters are encoded.
    pub encoding: Encoding,
    /// The number of segments, at least one.
    pub count: u32,
}

/// The segments that `text` takes. No segment ends within a surrogate pair, or between an escape
/// and its character.
pub fn segments(text: &str) -> Segments {
    let septets: Option<Vec<u32>> = text.chars().map(septets).collect();
    match septets {
        Some(widths) => Segments { encoding: Encoding::Gsm7, count: pack(widths, 160, 153) },
        None => {
            let widths = text.chars().map(|c| if c.len_utf16() == 1 { 1 } else { 2 });
            Segments { encoding: Encoding::Ucs2, count: pack(widths, 70, 67) }
        }
    }
}

/// The septets of a character in GSM 03.38, `None` where it has none there.
fn septets(character: char) -> Option<u32> {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => Some(1),
        _ if BASIC.contains(character) => Some(1),
        _ if EXTENSION.contains(character) => Some(2),
        _ => None,
    }
}

/// The segments that characters of these widths fill: one of `whole` units, or several of `part`.
fn pack(widths: impl IntoIterator<Item = u32>, whole: u32, part: u32) -> u32 {
    let (mut total, mut count, mut filled) = (0_u32, 1, 0);
    for width in widths {
        total = total.saturating_add(width);
        if filled + width > part {
            count += 1;
            filled = 0;
        }
        filled += width;
    }
    if total <= whole { 1 } else { count }
}

#[cfg(test)]
mod tests {
    use super::{
        BASIC, EXTENSION,
        Encoding::{Gsm7, Ucs2},
        Segments, segments,
    };

    #[test]
    fn a_message_is_cut_at_the_limits_of_its_encoding() {
        for (text, encoding, count) in [
            (String::new(), Gsm7, 1),
            ("a".repeat(160), Gsm7, 1),
            ("a".repeat(161), Gsm7, 2),
            ("a".repeat(306), Gsm7, 2),
            ("a".repeat(307), Gsm7, 3),
            ("ạ".repeat(70), Ucs2, 1),
            ("ạ".repeat(71), Ucs2, 2),
            ("ạ".repeat(134), Ucs2, 2),
            ("ạ".repeat(135), Ucs2, 3),
            ("a".repeat(69) + "ạ", Ucs2, 1),
            ("a".repeat(70) + "ạ", Ucs2, 2),
            ("\u{130}".to_owned(), Ucs2, 1),
            ("ç\u{200f}\t".to_owned(), Ucs2, 1),
            ("a".repeat(5 << 20), Gsm7, 34_268),
        ] {
            assert_eq!(segments(&text), Segments { encoding, count }, "{text:.40}");
        }
    }

    #[test]
    fn an_extended_character_takes_two_septets_and_is_not_split() {
        assert_eq!(segments(&"€".repeat(80)).count, 1);
        assert_eq!(segments(&"€".repeat(81)).count, 2);
        // 152 letters and an escape would fill a segment of 153: the pair moves to the next.
        assert_eq!(segments(&("a".repeat(152) + "€" + &"a".repeat(151))).count, 2);
        assert_eq!(segments(&("a".repeat(152) + "€" + &"a".repeat(152))).count, 3);
    }

    #[test]
    fn a_surrogate_pair_takes_two_units_and_is_not_split() {
        assert_eq!(segments(&"🙂".repeat(35)).count, 1);
        assert_eq!(segments(&"🙂".repeat(36)).count, 2);
        assert_eq!(segments(&"🙂".repeat(66)).count, 2);
        assert_eq!(segments(&"🙂".repeat(67)).count, 3);
    }

    #[test]
    fn the_tables_hold_what_gsm_03_38_has() {
        assert_eq!(BASIC.chars().count(), 127, "128 septets, without the escape");
        assert_eq!(EXTENSION.chars().count(), 10);
    }
}
