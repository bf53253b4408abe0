//! What a body will take to be worked on, measured while it arrives: before anything is parsed.
//!
//! A few bytes of JSON can become a hundred times as many in memory (`{"":0}` is a node of a tree).
//! So the memory that bodies are given is measured by their structure, not by their size.

use super::scan::Scanner;

/// Of a value, with what is read from it: its place in an array, its text, its typed form.
const VALUE: u64 = 128;
/// Of a member's name.
const NAME: u64 = 48;
/// Of an object: a node of the tree has room for eleven members.
const OBJECT: u64 = 640;
/// Of a byte: in the body's texts, and once more on its way to the database.
const BYTE: u64 = 2;

/// Where actions begin: `{"data": [{` is the third level.
const ACTIONS_LEVEL: usize = 3;

/// Measures a body that is fed to it piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    deepest: usize,
    scanner: Scanner,
    bytes: u64,
    structure: u64,
    actions: u32,
}

impl Meter {
    /// A meter of bodies that are refused beyond `deepest` levels of nesting.
    pub fn new(deepest: usize) -> Self {
        Self { deepest, scanner: Scanner::default(), bytes: 0, structure: 0, actions: 0 }
    }

    /// Measures the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        // One that is nested too deeply is refused before it is parsed.
        if self.is_too_deep() {
            return;
        }
        for &byte in piece {
            if !self.scanner.is_structure(byte) {
                continue;
            }
            self.structure += match byte {
                b',' | b'[' => VALUE,
                b':' => NAME,
                b'{' => {
                    self.actions += u32::from(self.scanner.depth() == ACTIONS_LEVEL);
                    OBJECT + VALUE
                }
                _ => 0,
            };
        }
    }

    const fn is_too_deep(&self) -> bool {
        self.scanner.depth() > self.deepest
    }

    /// How much memory working on it takes at most, in bytes, the body itself apart: an estimate.
    pub fn working_bytes(&self) -> usize {
        let structure = if self.is_too_deep() { 0 } else { self.structure };
        usize::try_from(self.bytes * BYTE + structure).unwrap_or(usize::MAX)
    }

    /// How many actions it seems to have.
    pub const fn actions(&self) -> u32 {
        self.actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(pieces: &[&str]) -> Meter {
        let mut meter = Meter::new(32);
        for piece in pieces {
            meter.feed(piece.as_bytes());
        }
        meter
    }

    #[test]
    fn what_is_in_a_text_is_no_structure_wherever_the_pieces_end() {
        let quoted = r#"{"a": "[[{{,,::\" [[{{"}"#;
        let plain = measured(&[r#"{"a": "xxxxxxxxxxxxxxxxx"}"#]);
        for end in 0..quoted.len() {
            let (one, other) = quoted.split_at(end);
            let meter = measured(&[one, other]);
            assert_eq!(meter.structure, plain.structure, "cut at {end}");
        }
    }

    #[test]
    fn actions_are_counted_and_what_is_in_them_is_not() {
        for (body, actions) in [
            ("{}", 0),
            (r#"{"senderUser": "a@b.c", "data": []}"#, 0),
            (r#"{"data": [{"actionType": "x", "data": {"emails": [{}, {}]}}, {}]}"#, 2),
        ] {
            assert_eq!(measured(&[body]).actions(), actions, "{body}");
        }
    }

    /// Without it a few bytes of a hostile body would take a hundred times the memory it is given.
    #[test]
    fn small_objects_weigh_more_than_their_bytes() {
        let objects = format!("[{}]", vec![r#"{"":0}"#; 1000].join(","));
        assert!(measured(&[&objects]).working_bytes() > 80 * objects.len());
        let text = format!("\"{}\"", "x".repeat(7000));
        assert!(measured(&[&text]).working_bytes() < 3 * text.len());
    }

    #[test]
    fn what_is_refused_for_its_depth_weighs_its_bytes_alone() {
        let deep = "[".repeat(10_000);
        assert_eq!(measured(&[&deep, &deep]).working_bytes(), 2 * 20_000);
    }
}
