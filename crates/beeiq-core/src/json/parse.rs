//! The body as JSON, or where and why it is not.

use super::scan::Scanner;
use serde_json::Value;

/// Why a body is not usable JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Nothing was sent.
    #[error("The body is empty; send one JSON object: {{\"senderUser\": \"…\", \"data\": […]}}.")]
    Empty,
    /// Not UTF-8.
    #[error(
        "The body is not UTF-8: byte {offset} (counted from 1) starts no character. Send UTF-8."
    )]
    NotUtf8 {
        /// Where, counted from 1.
        offset: usize,
    },
    /// A form instead of JSON.
    #[error(
        "The body is form-encoded. Send the JSON itself as the body, e.g. `curl --json @payload.json URL` \
         or the header `Content-Type: application/json` with `--data-binary`."
    )]
    FormEncoded,
    /// Not JSON.
    #[error("The body is not JSON: {message} at line {line}, column {column}, near `{excerpt}`.")]
    Syntax {
        /// What is wrong there.
        message: String,
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
        /// A few characters around the place.
        excerpt: String,
    },
    /// More levels of nesting than allowed.
    #[error("The body is nested more than {limit} levels deep (the outer object is the first).")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
}

/// Reads a body as UTF-8 JSON, nested at most `max_depth` levels. Numbers keep their digits.
pub fn parse(body: &[u8], max_depth: usize) -> Result<Value, Malformed> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Malformed::NotUtf8 { offset: error.valid_up_to() + 1 })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Malformed::Empty);
    }
    if depth_exceeds(text, max_depth) {
        return Err(Malformed::TooDeep { limit: max_depth });
    }
    serde_json::from_str(text).map_err(|error| {
        if looks_form_encoded(text) { Malformed::FormEncoded } else { syntax(text, &error) }
    })
}

fn depth_exceeds(text: &str, max_depth: usize) -> bool {
    let mut scanner = Scanner::default();
    text.bytes().any(|byte| scanner.is_structure(byte) && scanner.depth() > max_depth)
}

/// `a=b&c=d`, or JSON that a client percent-encoded.
fn looks_form_encoded(text: &str) -> bool {
    let text = text.trim();
    if text.starts_with(['{', '[', '"']) {
        return false;
    }
    let head: String = text.chars().take(200).collect();
    let Some((name, _)) = head.split_once('=') else {
        return head.starts_with("%7B") || head.starts_with("%7b");
    };
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"%_.+-[]".contains(&b))
}

fn syntax(text: &str, error: &serde_json::Error) -> Malformed {
    let (mut line, mut column) = (error.line().max(1), error.column().max(1));
    let mut message = error.to_string();
    message.truncate(message.find(" at line ").unwrap_or(message.len()));
    let offset = offset_of(text, line, column);
    if let Some((fault, told)) = usual_fault(text, offset, error) {
        (message, (line, column)) = (told, place_of(text, fault));
    }
    Malformed::Syntax { message, line, column, excerpt: excerpt(text, line, column) }
}

/// What people often write that JSON does not have: where it begins, and what it is with the remedy.
/// The parser stopped at `offset`.
fn usual_fault(text: &str, offset: usize, error: &serde_json::Error) -> Option<(usize, String)> {
    let (before, rest) = text.split_at_checked(offset)?;
    let quoted = |at: usize, quote: char| {
        (at, format!("a curly quote ({quote}) where a straight one (\") has to be"))
    };
    if let Some(quote) = rest.chars().next().filter(|char| is_curly(*char)) {
        return Some(quoted(offset, quote));
    }
    if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        return Some((offset, "a comment, which JSON has none of (remove it)".to_owned()));
    }
    let comma = before.trim_end().strip_suffix(',').map(str::len);
    if let Some(comma) = comma.filter(|_| rest.starts_with([']', '}'])) {
        return Some((comma, "a trailing comma (remove it)".to_owned()));
    }
    // A string that began straight and was to end with a curly quote went on to the next straight
    // one. Quotes within a text come in pairs.
    let string = if error.is_eof() { text } else { before.trim_end().strip_suffix('"')? };
    let start = string.rfind('"')? + 1;
    let (opening, closing) = ('\u{201c}', '\u{201d}');
    let string = string.get(start..)?;
    let unpaired = string.matches(closing).count() > string.matches(opening).count();
    let at = string.find(closing).filter(|_| unpaired)?;
    Some(quoted(start + at, closing))
}

const fn is_curly(char: char) -> bool {
    matches!(char, '\u{2018}'..='\u{201f}')
}

/// Where a place is, counted from 0.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let lines: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    (lines + column - 1).min(text.len())
}

/// The line and column, counted from 1, of what is so far into the text.
fn place_of(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, offset - line_start + 1)
}

/// Some 20 characters on either side of the place, on its line.
fn excerpt(text: &str, line: usize, column: usize) -> String {
    let line = text.split('\n').nth(line - 1).unwrap_or_default();
    let mut middle = column.saturating_sub(1).min(line.len());
    while !line.is_char_boundary(middle) {
        middle -= 1;
    }
    let (before, after) = line.split_at(middle);
    let skipped = before.chars().count().saturating_sub(20);
    before.chars().skip(skipped).chain(after.chars().take(20)).filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> String {
        parse(body.as_bytes(), 32).unwrap_err().to_string()
    }

    #[test]
    fn numbers_keep_every_digit() {
        let value = parse(br#"{"a": 9007199254740993, "b": 0.1000, "c": 1e400}"#, 32).unwrap();
        assert_eq!(value["a"].to_string(), "9007199254740993");
        assert_eq!(value["b"].to_string(), "0.1000");
        assert_eq!(value["c"].to_string(), "1e+400");
    }

    #[test]
    fn a_syntax_error_tells_line_column_and_what_stands_there() {
        let text = error("{\n  \"senderUser\": \"a@b.c\",\n  \"data\": [oops]\n}");
        assert!(text.contains("line 3, column 12"), "{text}");
        assert!(text.contains("near `  \"data\": [oops]`"), "{text}");
    }

    #[test]
    fn what_is_not_json_is_told_what_it_is() {
        for (body, says) in [
            ("", "empty"),
            (" \n", "empty"),
            ("senderUser=a%40b.c&data=x", "form-encoded"),
            ("%7B%22senderUser%22%3A1%7D=", "form-encoded"),
            ("{\"a\": \"\\ud800\"}", "line 1"),
            ("{\"a\": 1", "line 1"),
            ("{'a': 1}", "line 1"),
        ] {
            assert!(error(body).contains(says), "{body}: {}", error(body));
        }
        assert!(matches!(parse(b"{\"a\": \"\xff\"}", 32), Err(Malformed::NotUtf8 { offset: 8 })));
    }

    /// The documents' own samples have all three, and whoever copies one is not to search for it.
    #[test]
    fn a_curly_quote_a_comment_and_a_trailing_comma_are_named_where_they_stand() {
        for (body, says, place) in [
            ("{“a”: 1}", "curly quote (“)", "line 1, column 2,"),
            ("{\"a\": ‘x’}", "curly quote (‘)", "line 1, column 7,"),
            ("{\n  \"a\": [\"x\",”y”]\n}", "curly quote (”)", "line 2, column 13,"),
            // The string goes on to the next straight quote, or to the end.
            ("{\"a”: \"x\"}", "curly quote (”)", "line 1, column 4,"),
            ("{\"a\": \"x”}", "curly quote (”)", "line 1, column 9,"),
            ("{\"a\": 1, // one\n \"b\": 2}", "comment", "line 1, column 10,"),
            ("// one\n{}", "comment", "line 1, column 1,"),
            ("{\"a\": /* one */ 1}", "comment", "line 1, column 7,"),
            ("{} # done", "comment", "line 1, column 4,"),
            ("{\"a\": 1,}", "trailing comma", "line 1, column 8,"),
            ("{\"a\": [1, 2 ,\n  ]}", "trailing comma", "line 1, column 13,"),
            ("{\"é\": 1\n,\n}", "trailing comma", "line 2, column 1,"),
        ] {
            let text = error(body);
            assert!(text.contains(says) && text.contains(place), "{body}: {text}");
        }
    }

    #[test]
    fn what_is_no_such_fault_is_not_called_one() {
        for body in [
            "{\"a\": \"“x”\" \"b\": 1}",
            "{\"a\": \"http://x\", \"b\": oops}",
            "{\"a\": \"It’s\" oops}",
            "{\"a\": 1,, \"b\": 2}",
            "{\"a\": 1 / 2}",
        ] {
            let text = error(body);
            for what in ["curly", "comment", "trailing"] {
                assert!(!text.contains(what), "{body}: {text}");
            }
        }
        assert!(parse("{\"a\": \"“x” // y,\"}".as_bytes(), 32).is_ok());
    }

    #[test]
    fn a_byte_order_mark_is_no_fault() {
        assert!(parse("\u{feff}{}".as_bytes(), 32).is_ok());
    }

    #[test]
    fn nesting_is_counted_from_the_outer_object_and_not_inside_strings() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(32).as_bytes(), 32).is_ok());
        assert_eq!(parse(nested(33).as_bytes(), 32), Err(Malformed::TooDeep { limit: 32 }));
        assert_eq!(parse(nested(1_000_000).as_bytes(), 32), Err(Malformed::TooDeep { limit: 32 }));
        let quoted = format!("[\"\\\"{}\"]", nested(40));
        assert!(parse(quoted.as_bytes(), 32).is_ok());
    }
}
