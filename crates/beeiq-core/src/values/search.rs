//! Finding customers by what somebody types (`api.md` 5, `q`): the lexemes under which a record is
//! kept, and what a typed word asks of them.
//!
//! Words are compared without case and accents, by how they begin; phone numbers by how they end,
//! too. A lexeme begins with its scope, the org and the kind of record, so that one index over all
//! orgs answers for one org's records as if it were theirs alone.

use super::passport::Passport;
use super::phone::national_digits;
use super::text::fold;
use crate::records::customer::{Customer, CustomerCode, CustomerKind, PhoneEntry};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// The most lexemes that are kept of a record: Postgres holds 1 MiB of them.
const MOST_LEXEMES: usize = 2_000;
/// What is kept of a lexeme, in characters.
const LONGEST_LEXEME: usize = 64;
/// Fewer digits than this are no part of a phone number worth looking for.
const FEWEST_DIGITS: usize = 3;

/// Whose lexemes: an org's records of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// The scope of that org's records of that kind.
    pub fn new(org: Uuid, kind: CustomerKind) -> Self {
        let mut digits = Uuid::encode_buffer();
        let org = org.simple().encode_lower(&mut digits);
        // The front of an id is its time, which orgs made together share; its end is random.
        let end = org.get(20..).unwrap_or_default();
        let kind = match kind {
            CustomerKind::Contact => 'p',
            CustomerKind::Account => 'c',
            CustomerKind::Lead => 'l',
        };
        Self(format!("{end}{kind}"))
    }

    fn lexeme(&self, marker: &str, text: &str) -> String {
        format!("{}{marker}{}", self.0, kept(text))
    }
}

/// Marks words, which are found by their beginning.
const WORD: &str = ":";
/// Marks the digits of phone numbers.
const DIGITS: &str = "#";
/// Marks the same from behind.
const REVERSED: &str = "<";
/// Marks the number of a code, which is found as a whole.
const NUMBER: &str = "=";

/// The lexemes of a record, sorted, each once, a line each.
pub fn lexemes(org: Uuid, customer: &Customer) -> String {
    let number = customer.code.number.to_string();
    let names = [Some(&customer.name), customer.lastname.as_ref(), customer.contact_id.as_ref()];
    let names: Vec<String> = names.into_iter().flatten().map(|name| plain(name)).collect();
    let emails: Vec<String> = customer.emails.iter().map(|email| plain(&email.value)).collect();
    let phones: Vec<Dialled<'_>> = customer.phones.iter().map(Dialled::new).collect();
    let passport = customer.passport.as_deref().and_then(passport_key).map(|key| plain(&key));

    let mut found = vec![(NUMBER, number.as_str())];
    found.extend(names.iter().flat_map(|name| words_of(name)).map(|word| (WORD, word)));
    found.extend(emails.iter().flat_map(|email| parts_of_email(email)).map(|part| (WORD, part)));
    for Dialled { reversed, typed, national, international } in &phones {
        found.push((REVERSED, reversed));
        let forms = [Some(typed.as_str()), *national, *international];
        // Only one of the national and the international form has zeros in front.
        let significant = forms.into_iter().flatten().map(|form| form.trim_start_matches('0'));
        found.extend(significant.map(|digits| (DIGITS, digits)));
    }
    found.extend(passport.iter().map(|passport| (WORD, passport.as_str())));
    listed(&Scope::new(org, customer.code.kind), found)
}

/// Sorted as they will stand, since all have the same scope, and a marker is one character.
fn listed(scope: &Scope, mut lexemes: Vec<(&'static str, &str)>) -> String {
    for (_, text) in &mut lexemes {
        *text = kept(text);
    }
    lexemes.sort_unstable();
    lexemes.dedup();
    lexemes.truncate(MOST_LEXEMES);
    let length = |(marker, text): &(&str, &str)| scope.0.len() + marker.len() + text.len() + 1;
    let mut list = String::with_capacity(lexemes.iter().map(length).sum());
    for (marker, text) in lexemes {
        if !list.is_empty() {
            list.push('\n');
        }
        list.extend([&scope.0, marker, text]);
    }
    list
}

/// What is kept of a lexeme's text.
fn kept(text: &str) -> &str {
    let end =
        if text.len() > LONGEST_LEXEME { text.char_indices().nth(LONGEST_LEXEME) } else { None };
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The digits of a phone number, in the forms in which it is looked for.
struct Dialled<'a> {
    /// Those of the international form, where there is one, from behind.
    reversed: String,
    typed: String,
    national: Option<&'a str>,
    international: Option<&'a str>,
}

impl<'a> Dialled<'a> {
    fn new(phone: &'a PhoneEntry) -> Self {
        let typed = digits(&phone.value);
        let e164 = phone.e164.as_deref();
        let international = e164.map(|e164| e164.trim_start_matches('+'));
        Self {
            reversed: international.unwrap_or(&typed).chars().rev().collect(),
            national: e164.and_then(national_digits),
            typed,
            international,
        }
    }
}

/// A word to look for, in each of the forms in which it may be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Without case and accents, for names and e-mails.
    text: String,
    /// The n, where the word is a code of the kind that is listed.
    number: Option<i64>,
    /// Its digits, where it may be the beginning or the end of a phone number.
    digits: Option<String>,
    /// Its normal form, where it may be the beginning of a passport number.
    passport: Option<String>,
}

impl Word {
    /// A word as it was typed, looked for among records of `kind`.
    pub fn new(text: &str, kind: CustomerKind) -> Self {
        let code = CustomerCode::parse(text).filter(|code| code.kind == kind);
        Self {
            text: plain(text),
            number: code.map(|code| code.number),
            digits: phone_digits(text),
            passport: passport_key(text).map(|key| plain(&key)),
        }
    }
}

/// The most different words that a search takes.
pub const MOST_WORDS: usize = 8;

/// Whether what was typed has no more words than a search takes.
#[must_use]
pub fn has_few_words(text: &str) -> bool {
    let words: HashSet<String> = text.split_whitespace().map(plain).collect();
    words.len() <= MOST_WORDS || phone_digits(text).is_some()
}

/// The words of what was typed, each once; a phone number written with spaces is one word.
#[must_use]
pub fn words(text: &str, kind: CustomerKind) -> Vec<Word> {
    if phone_digits(text).is_some() {
        return vec![Word::new(text, kind)];
    }
    let mut seen = HashSet::new();
    let words = text.split_whitespace().map(|word| Word::new(word, kind));
    words.filter(|word| seen.insert(word.text.clone())).collect()
}

/// A `tsquery` that a record of the scope answers when it holds each of the words; none where there
/// are no words.
pub fn holding_all(scope: &Scope, words: &[Word]) -> Option<String> {
    joined(scope, words, " & ")
}

/// A `tsquery` that a record of the scope answers when it holds one of the words.
pub fn holding_any(scope: &Scope, words: &[Word]) -> Option<String> {
    joined(scope, words, " | ")
}

fn joined(scope: &Scope, words: &[Word], operator: &str) -> Option<String> {
    let each: Vec<String> = words.iter().map(|word| query(scope, word)).collect();
    (!each.is_empty()).then(|| each.join(operator))
}

fn query(scope: &Scope, word: &Word) -> String {
    let Word { text, number, digits, passport } = word;
    let beginning = |marker, text: &str| format!("{}:*", quoted(&scope.lexeme(marker, text)));
    let mut forms = vec![beginning(WORD, text)];
    if let Some(number) = number {
        forms.push(quoted(&scope.lexeme(NUMBER, &number.to_string())));
    }
    if let Some(digits) = digits {
        let significant = digits.trim_start_matches('0');
        if significant.len() >= FEWEST_DIGITS {
            forms.push(beginning(DIGITS, significant));
        }
        forms.push(beginning(REVERSED, &digits.chars().rev().collect::<String>()));
    }
    if let Some(passport) = passport.as_ref().filter(|passport| *passport != text) {
        forms.push(beginning(WORD, passport));
    }
    format!("({})", forms.join(" | "))
}

/// As a `tsquery` has it between quotes.
fn quoted(lexeme: &str) -> String {
    format!("'{}'", lexeme.replace('\\', "\\\\").replace('\'', "''"))
}

/// Without case and accents: "Nguyễn" and "nguyen" are one, and so are "Đà" and "da".
fn plain(text: &str) -> String {
    let folded = fold(text);
    if folded.is_ascii() {
        return folded;
    }
    let bare = |character: &char| !matches!(character, '\u{300}'..='\u{36f}');
    folded
        .nfd()
        .filter(bare)
        .map(|character| if character == 'đ' { 'd' } else { character })
        .nfc()
        .collect()
}

/// Words as they are, and what follows punctuation within them: "Jean-Luc" is found as "luc", too.
fn words_of(plain: &str) -> impl Iterator<Item = &str> {
    plain.split_whitespace().flat_map(|word| std::iter::once(word).chain(parts(word)))
}

/// An e-mail as it is, its domain with the `@` and without, and the words before that.
fn parts_of_email(plain: &str) -> impl Iterator<Item = &str> {
    let halves = plain.rfind('@').map(|at| plain.split_at(at));
    let of_halves = halves.into_iter().flat_map(|(local, at_domain)| {
        at_domain.strip_prefix('@').into_iter().chain([at_domain]).chain(parts(local))
    });
    std::iter::once(plain).chain(of_halves)
}

fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty())
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The digits of what may be (part of) a phone number.
fn phone_digits(text: &str) -> Option<String> {
    if text.chars().any(char::is_alphabetic) {
        return None;
    }
    Some(digits(text)).filter(|digits| digits.len() >= FEWEST_DIGITS)
}

fn passport_key(text: &str) -> Option<String> {
    Some(Passport::parse(text).ok()?.key().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORG: Uuid = Uuid::from_u128(0x0123_4567_89ab_cdef);

    fn scope() -> Scope {
        Scope::new(ORG, CustomerKind::Contact)
    }

    fn word(text: &str) -> Word {
        Word::new(text, CustomerKind::Contact)
    }

    #[test]
    fn a_scope_tells_orgs_and_kinds_apart() {
        let other = Scope::new(Uuid::from_u128(0x0123_4567_89ab_cdee), CustomerKind::Contact);
        let leads = Scope::new(ORG, CustomerKind::Lead);
        assert!(scope() != other && scope() != leads);
    }

    #[test]
    fn text_is_compared_without_case_and_accents() {
        for (text, compared) in
            [("NGUYỄN", "nguyen"), ("Đà Nẵng", "da nang"), ("Ürün", "urun"), ("שָׁלוֹם", "שָׁלוֹם")]
        {
            assert_eq!(plain(text), compared, "{text}");
        }
    }

    #[test]
    fn words_and_emails_are_found_by_what_is_between_punctuation_too() {
        let words: Vec<&str> = words_of(" jean-luc  picard").collect();
        assert_eq!(words, ["jean-luc", "jean", "luc", "picard", "picard"]);
        let parts = |email| parts_of_email(email).collect::<Vec<_>>();
        assert_eq!(parts("a.b@x.y"), ["a.b@x.y", "x.y", "@x.y", "a", "b"]);
        assert_eq!(parts("none"), ["none"]);
    }

    /// Postgres takes them for sorted, and for distinct.
    #[test]
    fn lexemes_are_listed_in_order_each_once_and_none_is_endless() {
        let Scope(scope) = &scope();
        let (long, cut) = ("é".repeat(70), "é".repeat(64));
        let found = vec![(WORD, "b"), (NUMBER, "12"), (WORD, &long), (WORD, "a"), (WORD, "b")];
        let expected =
            [":a", ":b", &format!(":{cut}"), "=12"].map(|lexeme| format!("{scope}{lexeme}"));
        assert_eq!(listed(&self::scope(), found), expected.join("\n"));
        let many: Vec<String> = (0..3_000).map(|n| n.to_string()).collect();
        let many = many.iter().map(|text| (WORD, text.as_str())).collect();
        assert_eq!(listed(&self::scope(), many).lines().count(), MOST_LEXEMES);
    }

    #[test]
    fn each_word_is_searched_in_the_forms_it_may_have() {
        let cases = [
            ("Huy", "huy", None, None, Some("huy")),
            ("pid-12", "pid-12", Some(12), None, Some("pid12")),
            ("CID-12", "cid-12", None, None, Some("cid12")),
            ("0905", "0905", None, Some("0905"), Some("0905")),
            ("+84905000001", "+84905000001", None, Some("84905000001"), None),
            ("00", "00", None, None, Some("00")),
            ("-", "-", None, None, None),
        ];
        for (text, plain, number, digits, passport) in cases {
            let found = word(text);
            assert_eq!(found.text, plain);
            assert_eq!(found.number, number, "{text}");
            assert_eq!(found.digits.as_deref(), digits, "{text}");
            if passport.is_some() || text == "-" {
                assert_eq!(found.passport.as_deref(), passport, "{text}");
            }
        }
    }

    #[test]
    fn a_phone_number_with_spaces_is_one_word_and_names_are_several() {
        let search = |text| words(text, CustomerKind::Contact);
        assert_eq!(search("0905 000 001").len(), 1);
        assert_eq!(search("0905 000 001")[0].digits.as_deref(), Some("0905000001"));
        assert_eq!(search(" Huy  Nguyen ").len(), 2);
        assert_eq!(search("   ").len(), 0);
        assert_eq!(search("Huy huy Nguyễn nguyen").len(), 2);
        assert!(has_few_words("1 2 3 4 5 6 7 8 8 1") && has_few_words("0 9 0 5 0 0 0 0 0 1"));
        assert!(!has_few_words("a b c d e f g h i"));
    }

    #[test]
    fn quotes_and_backslashes_stay_within_the_lexeme() {
        for (text, lexeme) in
            [("o'brien", "o''brien"), (r"a\b", r"a\\b"), ("x':* | 'y", "x'':* | ''y")]
        {
            let asked = query(&scope(), &word(text));
            assert!(asked.contains(&format!(":{lexeme}':*")), "{asked}");
        }
    }

    #[test]
    fn several_words_are_asked_for_together_or_each() {
        let two = words("huy nguyen", CustomerKind::Contact);
        assert_eq!(holding_all(&scope(), &two).unwrap().matches(" & ").count(), 1);
        assert_eq!(holding_any(&scope(), &two).unwrap().matches(") | (").count(), 1);
        assert_eq!(holding_all(&scope(), &[]), None);
    }
}
