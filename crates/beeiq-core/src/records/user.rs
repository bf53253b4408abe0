//! Users and what they may do (`api.md` 3).

use crate::words;

words! {
    /// What a user or an API key may do.
    pub enum Role {
        /// Everything.
        Owner => "owner",
        /// Everything but owners and the org itself.
        Admin => "admin",
        /// Reads the records that permits let them see, and their own profile.
        Member => "member",
    }
}
