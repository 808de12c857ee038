//! Laws to start from. What a shop changes is kept in its own store.
use super::Law;

const ALL: [(&str, &str); 2] = [("UA", include_str!("ua.json")), ("EU", include_str!("eu.json"))];

/// Countries with a preset.
pub fn countries() -> Vec<&'static str> {
    ALL.iter().map(|(country, _)| *country).collect()
}

/// The preset of a country; `None` where there is none.
pub fn find(country: &str) -> Option<Law> {
    let (_, text) = ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(country.trim()))?;
    // A test reads and checks every preset.
    serde_json::from_str(text).ok()
}
