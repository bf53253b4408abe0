//! The structure of a body, byte by byte, before a parser has to recurse into it.

/// Tells structure from texts, and how deep it is nested. A body may come piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scanner {
    /// Takes the next byte. Whether it stands outside of texts; brackets there count.
    pub(super) const fn is_structure(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        true
    }

    /// How many brackets are open.
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }
}
