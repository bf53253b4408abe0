//! To be written.

use super::Told;
use super::draft::Draft;
use crate::diagnostics::Refusal;
use crate::records::connection::IadvizeSettings;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) fn drafts(_told: Told<'_>, _settings: &IadvizeSettings) -> Result<Vec<Draft>, Refusal> {
    Ok(Vec::new())
}

pub(super) fn items_that(_body: &[u8], _is_so: impl Fn(&Value) -> bool) -> Option<BTreeSet<usize>> {
    None
}

pub(super) fn redacted(_body: &[u8], _items: &BTreeSet<usize>) -> Option<Vec<u8>> {
    None
}
