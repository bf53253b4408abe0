//! Deliveries, as they are kept (`listener.md` 9).

use crate::values::words::UnknownWord;
use crate::words;

words! {
    /// What has become of a delivery.
    pub enum DeliveryStatus {
        /// It was deferred, and has not been applied yet.
        Pending => "pending",
        /// No action failed.
        Succeeded => "succeeded",
        /// Some actions failed, some did not.
        Partial => "partial",
        /// All failed, or it is atomic and one did.
        Failed => "failed",
        /// Its actions were not looked at.
        Rejected => "rejected",
    }
}

impl TryFrom<String> for DeliveryStatus {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        word.parse()
    }
}
