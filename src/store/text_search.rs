//! Searching texts for words, where no index helps: notes, tickets and deals.

use beeiq_core::values::text::fold;
use std::collections::BTreeSet;

/// The words of what was typed, each once, in the form in which texts are compared.
pub(super) fn words(typed: Option<&str>) -> Vec<String> {
    let typed = fold(typed.unwrap_or_default());
    let words: BTreeSet<&str> = typed.split_whitespace().collect();
    words.into_iter().map(str::to_owned).collect()
}

/// A `LIKE` pattern for texts that contain `part`, whatever characters it is of.
pub(super) fn containing(part: &str) -> String {
    let mut pattern = String::from("%");
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_every_character_of_the_text_for_itself() {
        for (part, pattern) in
            [("huy", "%huy%"), ("100%", r"%100\%%"), ("a_b", r"%a\_b%"), (r"c:\x", r"%c:\\x%")]
        {
            assert_eq!(containing(part), pattern, "{part}");
        }
    }
}
