//! Names for messages: the one that was probably meant, and the ones there are.

use strsim::damerau_levenshtein;

use super::text::fold;

/// No name that anybody meant is longer; comparing takes quadratic time.
const LONGEST_WORD: usize = 128;

/// The name of `among` that `word` was probably meant to be (`listener.md` 1), `None` where none
/// is really near: a third of the letters may be wrong, and at most three. Case does not count.
/// Of equally near names the first wins.
pub fn nearest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().nth(LONGEST_WORD).is_some() {
        return None;
    }
    let word = fold(word);
    let length = word.chars().count();
    among
        .into_iter()
        .filter_map(|name| {
            let folded = fold(name);
            let other = folded.chars().count();
            let tolerated = (length.max(other) / 3).min(3);
            if length.abs_diff(other) > tolerated {
                return None;
            }
            let distance = damerau_levenshtein(&word, &folded);
            (distance <= tolerated).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Names as a message lists them, the first `limit` of them: `"A", "B", "C" and 12 more`. `none`
/// where there are none.
pub fn listed<N: AsRef<str>>(names: impl IntoIterator<Item = N>, limit: usize) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> =
        names.by_ref().take(limit).map(|name| format!("\"{}\"", name.as_ref())).collect();
    let mut list = shown.join(", ");
    match (shown.len(), names.count()) {
        (0, 0) => list.push_str("none"),
        (_, 0) => {}
        (0, more) => list.push_str(&format!("{more} names")),
        (_, more) => list.push_str(&format!(" and {more} more")),
    }
    list
}

#[cfg(test)]
mod tests {
    use super::{listed, nearest};

    const FIELDS: [&str; 8] =
        ["name", "lastname", "title", "emails", "phones", "im", "tag", "bgInfo"];

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        for (word, meant) in [
            ("emial", "emails"),
            ("phone", "phones"),
            ("lastName", "lastname"),
            ("last_name", "lastname"),
            ("tga", "tag"),
            ("BGINFO", "bgInfo"),
            ("tilte", "title"),
        ] {
            assert_eq!(nearest(word, FIELDS), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_word_that_is_not_near_finds_nothing() {
        let huge = "emails".repeat(1 << 20);
        for word in ["", "x", "in", "passport", "nickname", "\u{202e}", "🙂🙂🙂", &huge] {
            assert_eq!(nearest(word, FIELDS), None, "{word:.20}");
        }
    }

    #[test]
    fn the_nearest_of_several_wins_and_then_the_first() {
        assert_eq!(nearest("stage", ["stages", "stage"]), Some("stage"));
        assert_eq!(nearest("Opem", ["Oped", "Open"]), Some("Oped"));
        assert_eq!(nearest("word", []), None);
    }

    #[test]
    fn names_are_listed_up_to_the_limit() {
        let names: Vec<String> = ["A", "B", "C", "D"].map(String::from).to_vec();
        for (count, limit, text) in [
            (0, 3, "none"),
            (1, 3, r#""A""#),
            (3, 3, r#""A", "B", "C""#),
            (4, 3, r#""A", "B", "C" and 1 more"#),
            (4, 0, "4 names"),
        ] {
            assert_eq!(listed(&names[..count], limit), text);
        }
    }
}
