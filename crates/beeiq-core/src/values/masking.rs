//! Settings with secrets in them: shown with a mask for each, kept apart from them (`api.md` 4).

use serde_json::Value;
use std::collections::BTreeMap;

/// What stands for a secret that is set.
pub const MASK: &str = "********";

/// Secrets by their place, a JSON Pointer into the settings.
pub type Secrets = BTreeMap<String, String>;

/// Takes the texts at these places out, a mask in the place of each.
pub fn split(mut settings: Value, places: &[String]) -> (Value, Secrets) {
    let mut secrets = Secrets::new();
    for place in places {
        if let Some(Value::String(text)) = settings.pointer_mut(place) {
            secrets.insert(place.clone(), std::mem::replace(text, MASK.to_owned()));
        }
    }
    (settings, secrets)
}

/// Puts secrets back where a mask stands for them. Gives also the places of masks for which there
/// is none.
pub fn joined(mut settings: Value, places: &[String], secrets: &Secrets) -> (Value, Vec<String>) {
    let mut missing = Vec::new();
    for place in places {
        match (settings.pointer_mut(place), secrets.get(place)) {
            (Some(Value::String(text)), Some(secret)) if text == MASK => text.clone_from(secret),
            (Some(Value::String(text)), None) if text == MASK => missing.push(place.clone()),
            _ => {}
        }
    }
    (settings, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(places: &[&str]) -> Vec<String> {
        places.iter().map(|&place| place.to_owned()).collect()
    }

    #[test]
    fn what_is_split_is_joined_again() {
        let places = places(&["/password", "/headers/X~1Key", "/none"]);
        let settings =
            json!({"host": "h", "password": "p", "headers": {"X/Key": "k"}, "none": null});
        let (shown, secrets) = split(settings.clone(), &places);
        assert_eq!(
            shown,
            json!({"host": "h", "password": MASK, "headers": {"X/Key": MASK}, "none": null})
        );
        assert_eq!(secrets.len(), 2);
        assert_eq!(joined(shown, &places, &secrets), (settings, Vec::new()));
    }

    #[test]
    fn a_new_secret_stays_and_a_mask_without_one_is_told() {
        let secrets = Secrets::from([("/a".to_owned(), "old".to_owned())]);
        let places = places(&["/a", "/b"]);
        let (full, missing) = joined(json!({"a": "new", "b": MASK}), &places, &secrets);
        assert_eq!(full["a"], "new");
        assert_eq!(missing, ["/b"]);
    }
}
