//! Whether the database is one that a server may work on: asked before it serves.

use super::failure::Failure;
use crate::store::error::StoreError;
use crate::store::pool::{Db, language_of_messages, row_security_binds};
use anyhow::anyhow;

/// Stops the start where the database would show the server the rows of all orgs, or would tell of
/// errors in words that it does not know. Where the database is away, `/readyz` tells later.
pub(crate) fn check(db: &Db, without_row_security: bool) -> Result<(), Failure> {
    match db.run_here(|conn| Ok((language_of_messages(conn)?, row_security_binds(conn)?))) {
        Ok((language, _)) if !is_english(&language) => Err(anyhow!(
            "the database tells of errors in {language}, and they are told apart by their English \
             words: run `ALTER ROLE … SET lc_messages = 'C'` as a superuser, for the role of \
             DATABASE_URL (--database-url)"
        )
        .into()),
        Ok((_, false)) if !without_row_security => Err(anyhow!(
            "row security does not bind the role of DATABASE_URL (--database-url), which would keep \
             orgs apart by queries alone: connect as one that is neither superuser nor BYPASSRLS, or \
             run `beeiq migrate` as one that may make the role beeiq_server; or set \
             BEEIQ_WITHOUT_ROW_SECURITY (--without-row-security)"
        )
        .into()),
        Ok((_, binds)) => {
            if !binds {
                tracing::error!("row security does not bind this server, as was asked for");
            }
            Ok(())
        }
        Err(error) => {
            let error: StoreError = error;
            tracing::warn!(%error, "it is not known yet whether the database is fit");
            Ok(())
        }
    }
}

/// An empty name stands for the environment of the database's own process.
fn is_english(locale: &str) -> bool {
    let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
    matches!(language, "" | "C" | "POSIX" | "en") || language.eq_ignore_ascii_case("english")
}

#[cfg(test)]
mod tests {
    use super::is_english;

    #[test]
    fn english_is_told_from_other_languages_by_the_name_of_the_locale() {
        for (locale, expected) in [
            ("C", true),
            ("C.UTF-8", true),
            ("POSIX", true),
            ("en_US.UTF-8", true),
            ("en_GB", true),
            ("English_United States.1252", true),
            ("", true),
            ("es_ES.UTF-8", false),
            ("vi_VN.UTF-8", false),
            ("eng", false),
        ] {
            assert_eq!(is_english(locale), expected, "{locale}");
        }
    }
}
