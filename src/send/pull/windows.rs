//! Windows of time that are asked for: cut, halved, and written as a system writes times.

use beeiq_core::records::connection::Window;
use chrono::{DateTime, DurationRound, FixedOffset, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The longest window that is asked for: iAdvize refuses more than three months.
const LONGEST: TimeDelta = TimeDelta::days(31);
/// A window that is not longer is not halved any more.
const SHORTEST: TimeDelta = TimeDelta::minutes(1);
/// No two changes of a zone's offset are nearer to each other.
const STEP: TimeDelta = TimeDelta::days(1);

/// A window in pieces that are not longer than 31 days, from its begin on.
pub(crate) fn pieces(Window { mut from, to }: Window) -> Vec<Window> {
    let mut pieces = Vec::new();
    while from < to {
        let end = to.min(from + LONGEST);
        pieces.push(Window { from, to: end });
        from = end;
    }
    pieces
}

/// Both halves of a window; none of one that is a minute long.
pub(crate) fn halves(Window { from, to }: Window) -> Option<[Window; 2]> {
    let whole = to - from;
    let half = (whole / 2).max(SHORTEST);
    let middle = (from + half).duration_trunc(TimeDelta::seconds(1)).ok()?;
    let is_within = whole > SHORTEST && from < middle && middle < to;
    is_within.then_some([Window { from, to: middle }, Window { from: middle, to }])
}

/// Begin and end of a window in that zone and form, to the second. Where clocks are set back within
/// it, it is written longer, so that all of its times are between the two.
pub(crate) fn written(window: Window, zone: Tz, form: &str) -> [String; 2] {
    let Window { from, to } = window;
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let mut least = offset(to);
    let mut most = least;
    let mut at = from;
    while at < to {
        let here = offset(at);
        if here.local_minus_utc() < least.local_minus_utc() {
            least = here;
        }
        if here.local_minus_utc() > most.local_minus_utc() {
            most = here;
        }
        at += STEP;
    }
    let write =
        |at: DateTime<Utc>, offset: FixedOffset| at.with_timezone(&offset).format(form).to_string();
    let whole = to.duration_trunc(TimeDelta::seconds(1)).unwrap_or(to);
    let end = if whole < to { whole + TimeDelta::seconds(1) } else { to };
    [write(from, least), write(end, most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn window(from: &str, to: &str) -> Window {
        Window { from: at(from), to: at(to) }
    }

    #[test]
    fn a_window_is_cut_into_pieces_of_31_days_that_touch() {
        let hundred = window("2026-01-01T00:00:00Z", "2026-04-11T00:00:00Z");
        let pieces_of = pieces(hundred);
        assert_eq!(pieces_of.len(), 4);
        assert_eq!(pieces_of[0].from, hundred.from);
        assert_eq!(pieces_of[3].to, hundred.to);
        for pair in pieces_of.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
            assert!(pair[0].to - pair[0].from <= LONGEST);
        }
        assert_eq!(pieces(window("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z")), []);
    }

    #[test]
    fn a_window_is_halved_down_to_a_minute() {
        let mut current = window("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
        let mut count = 0;
        while let Some([first, second]) = halves(current) {
            assert_eq!((first.from, first.to, second.to), (current.from, second.from, current.to));
            (current, count) = (first, count + 1);
        }
        let length = current.to - current.from;
        assert!(length <= SHORTEST && length > TimeDelta::seconds(29), "{length}");
        assert!(count <= 20, "{count}");
    }

    #[test]
    fn times_are_written_in_the_zone_and_rounded_outwards() {
        const FORM: &str = "%Y-%m-%d %H:%M:%S";
        let bogota = "America/Bogota".parse().unwrap();
        let told =
            written(window("2026-03-01T05:00:00.9Z", "2026-03-02T05:00:00.1Z"), bogota, FORM);
        assert_eq!(told, ["2026-03-01 00:00:00", "2026-03-02 00:00:01"]);
        let told =
            written(window("2026-03-01T05:00:00Z", "2026-03-01T05:00:01Z"), bogota, "%Y%m%d%H%M%S");
        assert_eq!(told, ["20260301000000", "20260301000001"]);
    }

    /// What happens in the hour that comes twice has earlier readings than what came before it.
    #[test]
    fn no_time_of_a_window_is_left_out_where_clocks_are_set() {
        const FORM: &str = "%Y-%m-%d %H:%M:%S";
        let paris: Tz = "Europe/Paris".parse().unwrap();
        for (from, to) in [
            ("2026-10-25T00:50:00Z", "2026-10-25T01:20:00Z"),
            ("2026-10-25T01:05:00Z", "2026-10-25T01:20:00Z"),
            ("2026-10-20T00:00:00Z", "2026-10-28T00:00:00Z"),
            ("2026-03-29T00:50:00Z", "2026-03-29T01:20:00Z"),
        ] {
            let window = window(from, to);
            let [first, last] = written(window, paris, FORM);
            let mut time = window.from;
            while time <= window.to {
                let reading = time.with_timezone(&paris).format(FORM).to_string();
                assert!(first <= reading && reading <= last, "{reading}: {first} {last}");
                time += TimeDelta::minutes(1);
            }
        }
    }
}
