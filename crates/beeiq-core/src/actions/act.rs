//! What there is to an action of any type.

use crate::batch::{Context, Decision, Ids, Keys, Overlay, Rejection};
use crate::diagnostics::{Diagnostics, Pointer};
use serde_json::Value;

/// An action of one type: it is read, says what has to be known, and is decided.
pub trait Act: Sized {
    /// Reads the action's `data`, which stands at `at`. What is wrong or odd goes to `diagnostics`;
    /// `None` where there is nothing to decide about.
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self>;

    /// What has to be known before it can be decided.
    fn collect_keys(&self, keys: &mut Keys);

    /// How many messages it sends, those that welcome whom it creates apart.
    fn recipients(&self) -> usize {
        0
    }

    /// Decides it against what is known, without I/O. `diagnostics` are those of reading it. An
    /// action with any fault is rejected with every fault, and changes nothing.
    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection>;
}
