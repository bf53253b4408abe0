//! Enums each of whose variants is one word, the same in payloads, answers, settings and columns.

use super::suggest::listed;
use std::fmt::Display;
use std::str::FromStr;

/// An enum that [`words!`](crate::words) declared, for what reads or lists any of them.
pub trait Word: Copy + Display + FromStr<Err = UnknownWord> + 'static {
    /// Every variant, in the order in which they are declared.
    const ALL: &'static [Self];

    /// The variant's word.
    fn as_str(self) -> &'static str;
}

/// A word that is none of an enum's; the message lists them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{word}\" is none of {known}")]
pub struct UnknownWord {
    word: String,
    known: String,
}

impl UnknownWord {
    /// Says that `word` is none of those of `W`.
    pub fn of<W: Word>(word: &str) -> Self {
        let words = W::ALL.iter().map(|one| one.as_str());
        Self { word: word.chars().take(64).collect(), known: listed(words, W::ALL.len()) }
    }
}

/// Declares an enum of words: `Blue => "blue"`. It has `ALL` and `as_str`, is displayed, parsed and
/// (de)serialised as its words, and is an enum of them in the documentation of the API. (A word is a
/// `tt`: in a `literal` utoipa would not see it.)
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$of_variant:meta])* $variant:ident => $word:tt,)+
    }) => {
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::serde::Serialize, ::serde::Deserialize, ::utoipa::ToSchema,
        )]
        $(#[$meta])*
        #[allow(missing_docs, reason = "the words say it")]
        $vis enum $name {
            $($(#[$of_variant])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every variant, in the order in which they are declared.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The variant's word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::values::words::Word for $name {
            const ALL: &'static [Self] = &Self::ALL;

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::values::words::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::values::words::UnknownWord::of::<Self>(word)),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::Word;

    crate::words! {
        /// Colours.
        enum Colour {
            Blue => "blue",
            /// Not a shade of blue.
            DarkRed => "dark red",
        }
    }

    #[test]
    fn an_enum_is_read_in_the_words_that_it_is_written_in() {
        for colour in Colour::ALL {
            let word = colour.to_string();
            assert_eq!(word.parse(), Ok(colour));
            assert_eq!(serde_json::to_value(colour).unwrap(), word.as_str());
            assert_eq!(serde_json::from_value::<Colour>(word.into()).unwrap(), colour);
        }
        assert_eq!(<Colour as Word>::ALL, [Colour::Blue, Colour::DarkRed]);
        let schema = serde_json::to_value(<Colour as utoipa::PartialSchema>::schema()).unwrap();
        assert_eq!(schema["enum"], serde_json::json!(["blue", "dark red"]));
        let error = "Blue".parse::<Colour>().unwrap_err().to_string();
        assert_eq!(error, r#""Blue" is none of "blue", "dark red""#);
    }
}
