//! Amounts of money, exact (`listener.md` 7, "add-deal", `value`).

use rust_decimal::Decimal;

/// Digits after the point.
const MOST_DECIMALS: u32 = 4;

/// Ten to the power of the 14 digits before the point: the first amount too large.
const TOO_LARGE: i128 = 100_000_000_000_000;

/// A text that is no amount which can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// Not a number.
    #[error("not a number: give digits, with a point before decimals: 50000 or 99.95")]
    Malformed,
    /// Below zero.
    #[error("less than 0")]
    Negative,
    /// More than 18 digits, or more than 4 after the point.
    #[error(
        "more than it holds: up to 14 digits before the point and 4 after it, which is never rounded"
    )]
    OutOfRange,
}

/// Reads a JSON number's own text, or such a text in a string: a decimal of at least 0 with at most
/// 14 digits before the point and 4 after it. Forms with an exponent (`5e4`) are read exactly.
/// Trailing zeros mean nothing.
pub fn parse(text: &str) -> Result<Decimal, InvalidAmount> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return Err(InvalidAmount::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Ok(Decimal::ZERO);
    }
    if negative {
        return Err(InvalidAmount::Negative);
    }
    // The amount is `digits`, a whole number, moved `shift` places to the left.
    let decimals = i64::try_from(fraction.len()).map_err(|_| InvalidAmount::OutOfRange)?;
    shifted(digits, exponent.saturating_sub(decimals)).ok_or(InvalidAmount::OutOfRange)
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// One that does not fit is so far out that only its sign matters.
fn read_exponent(text: &str) -> Result<i64, InvalidAmount> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !are_digits(digits) {
        return Err(InvalidAmount::Malformed);
    }
    Ok(sign * digits.parse::<i32>().map_or(i64::from(i32::MAX), i64::from))
}

/// `digits` (without leading zeros) times ten to the power of `shift`, where it can be kept.
fn shifted(digits: &str, shift: i64) -> Option<Decimal> {
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let shift = shift.saturating_add(zeros);
    // Not too many digits to be a number at all, nor too many places to be moved by.
    let significant: i128 =
        if significant.len() > 18 { return None } else { significant.parse().ok()? };
    let decimals = u32::try_from(shift.checked_neg()?.max(0)).ok()?;
    let amount = if shift > 0 {
        significant.checked_mul(10_i128.checked_pow(u32::try_from(shift).ok()?)?)?
    } else {
        significant
    };
    let limit = TOO_LARGE * 10_i128.checked_pow(decimals)?;
    (decimals <= MOST_DECIMALS && amount < limit)
        .then(|| Decimal::from_i128_with_scale(amount, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_of_an_amount_is_kept() {
        for (text, amount) in [
            ("50000", "50000"),
            ("0", "0"),
            ("-0", "0"),
            ("0.0001", "0.0001"),
            ("0.1", "0.1"),
            ("1234567890123.4567", "1234567890123.4567"),
            ("99999999999999.9999", "99999999999999.9999"),
            ("5e4", "50000"),
            ("5e+4", "50000"),
            ("1.25E1", "12.5"),
            ("12500e-3", "12.5"),
            ("0e999999999999", "0"),
            ("007", "7"),
            ("1.5000000000000000000000000000000000", "1.5"),
            (" 12 ", "12"),
        ] {
            assert_eq!(
                parse(text).map(|amount| amount.to_string()),
                Ok(amount.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_refused_and_not_rounded() {
        for text in [
            "100000000000000",
            "0.00001",
            "1.23456",
            "99999999999999.99999",
            "1e14",
            "1e-5",
            "1e400",
            "1e-99999999999999999999",
            "123456789012345678901234567890",
        ] {
            assert_eq!(parse(text), Err(InvalidAmount::OutOfRange), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_told_so() {
        for text in
            ["", ".", "-", "e5", "1e", "1,000", "50.000,5", "1_000", "0x10", "NaN", "5 VND", "١"]
        {
            assert_eq!(parse(text), Err(InvalidAmount::Malformed), "{text}");
        }
        for text in ["-1", "-0.0001", "-5e4"] {
            assert_eq!(parse(text), Err(InvalidAmount::Negative), "{text}");
        }
    }
}
