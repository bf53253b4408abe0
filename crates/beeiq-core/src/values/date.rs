//! Dates as senders write them.

use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc,
    format::{Parsed, StrftimeItems},
};
use chrono_tz::Tz;

/// No accepted form is longer; JavaScript's names of time zones are the longest part.
const LONGEST: usize = 128;

/// A date as it stands in a payload: text, or a number of milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateInput<'a> {
    /// A JSON string.
    Text(&'a str),
    /// A JSON number.
    Millis(i64),
}

/// A value that is none of the accepted forms, or names a day or time that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a date: give an ISO date (1993-01-31), an ISO date-time (1993-01-31T08:00:00+07:00), \
     epoch milliseconds (728442000000) or JavaScript's text (Sun Jan 31 1993 08:00:00 GMT+0700 \
     (ICT)), in the years 0001 to 9999"
)]
pub struct InvalidDate;

/// What a text names: a day, perhaps a time of it, perhaps that time's distance from UTC.
struct Named {
    date: NaiveDate,
    time: Option<NaiveTime>,
    offset: Option<FixedOffset>,
}

/// The calendar date that the input itself names, whatever the offset it is written with: the
/// rule for `dateOfBirth` (`listener.md` 3). Epoch milliseconds, also as digits in a text, are
/// read in `zone`.
pub fn calendar_date(input: DateInput<'_>, zone: Tz) -> Result<NaiveDate, InvalidDate> {
    match epoch_millis(input) {
        Some(millis) => {
            let date = at_millis(millis)?.with_timezone(&zone).date_naive();
            in_range(date.year()).then_some(date).ok_or(InvalidDate)
        }
        None => named(input).map(|named| named.date),
    }
}

/// The instant that the input names: the rule for `closeDate` (`listener.md` 7). A plain date is
/// its start in `zone`, a date-time without an offset is in `zone`. A local time that the clocks
/// skipped is the first after it that existed, one that came twice the first of the two.
pub fn instant(input: DateInput<'_>, zone: Tz) -> Result<DateTime<Utc>, InvalidDate> {
    let instant = match epoch_millis(input) {
        Some(millis) => at_millis(millis)?,
        None => {
            let Named { date, time, offset } = named(input)?;
            let local = date.and_time(time.unwrap_or_default());
            match offset {
                Some(offset) => offset.from_local_datetime(&local).earliest(),
                // To the minute; no clock ever skipped more than a day (Samoa, 2011-12-30).
                None => (0..=24 * 60).find_map(|minutes| {
                    zone.from_local_datetime(&(local + TimeDelta::minutes(minutes)))
                        .earliest()
                        .map(|existing| existing.fixed_offset())
                }),
            }
            .ok_or(InvalidDate)?
            .to_utc()
        }
    };
    in_range(instant.year()).then_some(instant).ok_or(InvalidDate)
}

/// The milliseconds, where the input is a number of them. Eight digits that make a date are one
/// (ISO 8601's basic form), not some minutes of 1970, and up to four are a year alone, which is no
/// date.
fn epoch_millis(input: DateInput<'_>) -> Option<i64> {
    match input {
        DateInput::Millis(millis) => Some(millis),
        DateInput::Text(text) if basic_date(text.trim()).is_some() => None,
        DateInput::Text(text) => {
            let text = text.trim();
            let digits = text.strip_prefix('-').unwrap_or(text);
            (digits.len() > 4 && are_digits(digits, digits.len())).then(|| text.parse().ok())?
        }
    }
}

fn at_millis(millis: i64) -> Result<DateTime<Utc>, InvalidDate> {
    // The time zone may still move it by a day into range, but not out of chrono's.
    DateTime::from_timestamp_millis(millis)
        .filter(|instant| (0..=10_000).contains(&instant.year()))
        .ok_or(InvalidDate)
}

fn named(input: DateInput<'_>) -> Result<Named, InvalidDate> {
    let DateInput::Text(text) = input else {
        return Err(InvalidDate);
    };
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(InvalidDate);
    }
    basic_date(text)
        .map(|date| Named { date, time: None, offset: None })
        .or_else(|| iso(text))
        .or_else(|| javascript(text))
        .filter(|named| in_range(named.date.year()))
        .ok_or(InvalidDate)
}

/// `19930131`
fn basic_date(text: &str) -> Option<NaiveDate> {
    are_digits(text, 8).then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())?
}

/// `1993-01-31`, `1993-01-31T08:00`, `1993-01-31 08:00:00.000`, `1993-01-31T08:00:00+07:00` …
fn iso(text: &str) -> Option<Named> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = date.split('-').collect::<Vec<_>>().try_into().ok()?;
    let date = date_of(year, month, day, "%m")?;
    if rest.is_empty() {
        return Some(Named { date, time: None, offset: None });
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = NaiveTime::parse_and_remainder(rest, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_and_remainder(rest, "%H:%M"))
        .ok()?;
    let offset = if rest.is_empty() { None } else { Some(offset(rest)?) };
    Some(Named { date, time: Some(time), offset })
}

/// `Sun Jan 31 1993 08:00:00 GMT+0700 (ICT)`, which is what `Date.prototype.toString` gives. The
/// weekday is not looked at.
fn javascript(text: &str) -> Option<Named> {
    let (text, _zone_name) = text.split_once(" (").unwrap_or((text, ""));
    let [_weekday, month, day, year, time, gmt] =
        text.split_ascii_whitespace().collect::<Vec<_>>().try_into().ok()?;
    Some(Named {
        date: date_of(year, month, day, "%b")?,
        time: Some(NaiveTime::parse_from_str(time, "%H:%M:%S").ok()?),
        offset: Some(offset(gmt.strip_prefix("GMT")?)?),
    })
}

/// The date, its month written as `month_format` says.
fn date_of(year: &str, month: &str, day: &str, month_format: &str) -> Option<NaiveDate> {
    let shaped = are_digits(year, 4) && are_digits(day, 2);
    let text = format!("{year} {month} {day}");
    shaped.then(|| NaiveDate::parse_from_str(&text, &format!("%Y {month_format} %d")).ok())?
}

/// `Z`, `+07:00`, `+0700` or `+07`.
fn offset(text: &str) -> Option<FixedOffset> {
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text, StrftimeItems::new("%#z")).ok()?;
    parsed.to_fixed_offset().ok()
}

fn are_digits(text: &str, count: usize) -> bool {
    count > 0 && text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn in_range(year: i32) -> bool {
    (1..=9999).contains(&year)
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, SecondsFormat, Utc};
    use chrono_tz::{America, Asia, Pacific, Tz};
    use proptest::prelude::*;

    use super::{
        DateInput::{self, Millis, Text},
        InvalidDate, calendar_date, instant,
    };

    const VIETNAM: Tz = Asia::Ho_Chi_Minh;

    fn date(input: DateInput<'_>, zone: Tz) -> String {
        calendar_date(input, zone).map_or_else(|_| "invalid".to_owned(), |date| date.to_string())
    }

    fn moment(input: DateInput<'_>, zone: Tz) -> String {
        instant(input, zone).map_or_else(
            |_| "invalid".to_owned(),
            |instant| instant.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        )
    }

    #[test]
    fn a_calendar_date_is_the_one_that_the_text_names_in_every_zone() {
        for (text, named) in [
            ("Fri Jan 01 1993 00:00:00 GMT+0700 (ICT)", "1993-01-01"),
            ("Fri Jan 02 1993 00:00:00 GMT+0700 (Indochina Time)", "1993-01-02"),
            ("Thu Jan 31 1993 23:59:59 GMT-1100", "1993-01-31"),
            ("1993-01-01", "1993-01-01"),
            (" 1993-01-01\n", "1993-01-01"),
            ("19930101", "1993-01-01"),
            ("1993-01-01T00:00:00+07:00", "1993-01-01"),
            ("1993-01-01T23:30:00-0800", "1993-01-01"),
            ("1993-01-01T00:00:00.000Z", "1993-01-01"),
            ("1993-01-01 00:30", "1993-01-01"),
            ("1993-01-01t00:30z", "1993-01-01"),
            ("1993-01-01T00:30:00 +07", "1993-01-01"),
            ("2000-02-29", "2000-02-29"),
            ("0001-01-01T00:00:00+14:00", "0001-01-01"),
            ("9999-12-31T23:59:59-12:00", "9999-12-31"),
        ] {
            for zone in [VIETNAM, Pacific::Honolulu, Pacific::Kiritimati] {
                assert_eq!(date(Text(text), zone), named, "{text} {zone}");
            }
        }
    }

    #[test]
    fn epoch_milliseconds_are_read_in_the_zone() {
        for (millis, in_vietnam, in_honolulu) in [
            (725_821_200_000, "1993-01-01", "1992-12-31"),
            (10_000, "1970-01-01", "1969-12-31"),
            (-10_000, "1970-01-01", "1969-12-31"),
            (-62_135_596_800_000, "0001-01-01", "invalid"),
            (253_402_300_799_999, "invalid", "9999-12-31"),
            (i64::MAX, "invalid", "invalid"),
            (i64::MIN, "invalid", "invalid"),
        ] {
            for (zone, named) in [(VIETNAM, in_vietnam), (Pacific::Honolulu, in_honolulu)] {
                assert_eq!(date(Millis(millis), zone), named, "{millis} {zone}");
                let text = millis.to_string();
                assert_eq!(date(Text(&text), zone), named, "{text} {zone}");
            }
        }
    }

    #[test]
    fn an_instant_has_the_offset_of_its_text_or_of_the_zone() {
        for (input, utc) in [
            (Millis(1_482_470_382_793), "2016-12-23T05:19:42.793Z"),
            (Text("1482470382793"), "2016-12-23T05:19:42.793Z"),
            (Text("2019-07-08T00:00:00+07:00"), "2019-07-07T17:00:00Z"),
            (Text("2019-07-08T00:00:00.25Z"), "2019-07-08T00:00:00.250Z"),
            (Text("2019-07-08T08:30"), "2019-07-08T01:30:00Z"),
            (Text("2019-07-08"), "2019-07-07T17:00:00Z"),
            (Text("Mon Jul 08 2019 00:00:00 GMT+0900 (JST)"), "2019-07-07T15:00:00Z"),
            (Text("0001-01-01"), "invalid"),
            (Text("9999-12-31T23:00:00-07:00"), "invalid"),
        ] {
            assert_eq!(moment(input, VIETNAM), utc, "{input:?}");
        }
    }

    #[test]
    fn a_local_time_that_clocks_skipped_is_the_next_that_existed() {
        for (text, zone, utc) in [
            // Midnight itself was skipped.
            ("2018-11-04", America::Sao_Paulo, "2018-11-04T03:00:00Z"),
            ("2019-09-08", America::Santiago, "2019-09-08T04:00:00Z"),
            // Clocks went from 23:30 to 00:30.
            ("1919-03-31", America::Toronto, "1919-03-31T04:30:00Z"),
            // The whole day was skipped.
            ("2011-12-30", Pacific::Apia, "2011-12-30T10:00:00Z"),
            ("2026-03-08T02:30:00", America::New_York, "2026-03-08T07:00:00Z"),
            // And these came twice.
            ("2019-02-16T23:30:00", America::Sao_Paulo, "2019-02-17T01:30:00Z"),
            ("2026-11-01T01:30:00", America::New_York, "2026-11-01T05:30:00Z"),
        ] {
            assert_eq!(moment(Text(text), zone), utc, "{text} {zone}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let five_megabytes = "1".repeat(5 << 20);
        let padded = format!("1993-01-01T00:00:00{}", " ".repeat(5 << 20) + "Z");
        for text in [
            "",
            "-",
            "tomorrow",
            "1993",
            "1993-02-29",
            "1993-13-01",
            "1993-00-00",
            "0000-01-01",
            "10000-01-01",
            "-001-01-01",
            "93-01-01",
            "1993-1-1",
            "01/02/1993",
            "1993-01-01T",
            "1993-01-01T25:00:00Z",
            "1993-01-01T00:00:00+07:00x",
            "1993-01-01T00:00:00+25:00",
            "1993-01-01x00:00",
            "1993-01-01\u{0}",
            "１９９３-01-01",
            "\u{202e}1993-01-01",
            "1993-01-0🙂",
            "Fri Jan 32 1993 00:00:00 GMT+0700 (ICT)",
            "Fri Foo 01 1993 00:00:00 GMT+0700 (ICT)",
            "Fri Jan 01 93 00:00:00 GMT+0700 (ICT)",
            "Fri Jan 01 1993 00:00:00 (ICT)",
            "Invalid Date",
            "99999999999999999999",
            &five_megabytes,
            &padded,
        ] {
            assert_eq!(calendar_date(Text(text), VIETNAM), Err(InvalidDate), "{text:.40?}");
            assert_eq!(instant(Text(text), VIETNAM), Err(InvalidDate), "{text:.40?}");
        }
    }

    #[test]
    fn eight_digits_that_make_no_date_are_milliseconds() {
        assert_eq!(date(Text("86400000"), Tz::UTC), "1970-01-02");
    }

    #[test]
    fn every_example_of_the_message_is_accepted() {
        let example = "1993-01-31T01:00:00Z".parse::<chrono::DateTime<Utc>>().unwrap();
        let message = InvalidDate.to_string();
        for text in
            ["1993-01-31T08:00:00+07:00", "728442000000", "Sun Jan 31 1993 08:00:00 GMT+0700 (ICT)"]
        {
            assert!(message.contains(text));
            assert_eq!(instant(Text(text), VIETNAM), Ok(example), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_input_is_read_or_refused_without_a_panic(text in any::<String>(), millis: i64) {
            for zone in [VIETNAM, Pacific::Apia] {
                for input in [Text(&text), Millis(millis)] {
                    if let Ok(date) = calendar_date(input, zone) {
                        prop_assert!((1..=9999).contains(&date.year()), "{date}");
                    }
                    if let Ok(instant) = instant(input, zone) {
                        prop_assert!((1..=9999).contains(&instant.year()), "{instant}");
                    }
                }
            }
        }
    }
}
