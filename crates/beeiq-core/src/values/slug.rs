//! The short name by which people sign in to an org.

use super::text::fold;

/// A slug: 2 to 63 lower-case letters, digits and hyphens, as in a host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

/// Why a text is no slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a slug has 2 to 63 letters a–z, digits and hyphens, and no hyphen at its ends")]
pub struct InvalidSlug;

impl Slug {
    /// Reads a slug, in any case.
    pub fn parse(text: &str) -> Result<Self, InvalidSlug> {
        let slug = fold(text);
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let whole = (2..=63).contains(&slug.len())
            && slug.chars().all(allowed)
            && !slug.starts_with('-')
            && !slug.ends_with('-');
        if whole { Ok(Self(slug)) } else { Err(InvalidSlug) }
    }

    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_lower_case_and_fit_for_a_host_name() {
        for (typed, slug) in [("acme", "acme"), (" ACME-2 ", "acme-2"), ("42", "42")] {
            assert_eq!(Slug::parse(typed).unwrap().as_str(), slug);
        }
        for typed in ["", "a", "-a", "a-", "a b", "a.b", "ümlaut", "a\0b", &"a".repeat(64)] {
            assert_eq!(Slug::parse(typed), Err(InvalidSlug), "{typed:?}");
        }
    }
}
