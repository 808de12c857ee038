//! What the shop says of itself and may change while it runs: its name and its stores. Zone, currency, language and country
//! stand in braid.toml, for facts were counted by them.
use db::{DbError, Engine, settings};
use serde::{Deserialize, Serialize};

const NAME: &str = "shop.profile";
/// Stores of a shop, at most.
pub const STORES_MAX: usize = 5000;

/// A place where customers are served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// As events name it in `properties.store_id`.
    pub id: String,
    /// As people name it.
    pub name: String,
}

/// The shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its stores, by id.
    pub stores: Vec<Store>,
    /// Whether somebody set it.
    pub set: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self { name: "Braid".into(), stores: Vec::new(), set: false }
    }
}

impl Profile {
    /// What is wrong with it, with the place.
    pub fn check(&self) -> Result<(), (String, String)> {
        let sound = |text: &str, most: usize| {
            (1..=most).contains(&text.chars().count()) && text.trim() == text && !text.contains(char::is_control)
        };
        if !sound(&self.name, 200) {
            return Err(("/name".into(), "a name has 1 to 200 characters".into()));
        }
        if self.stores.len() > STORES_MAX {
            return Err(("/stores".into(), format!("at most {STORES_MAX} stores")));
        }
        let mut seen = std::collections::HashSet::new();
        for (at, store) in self.stores.iter().enumerate() {
            if !sound(&store.id, 100) {
                return Err((format!("/stores/{at}/id"), "an id has 1 to 100 characters".into()));
            }
            if !sound(&store.name, 200) {
                return Err((format!("/stores/{at}/name"), "a name has 1 to 200 characters".into()));
            }
            if !seen.insert(&store.id) {
                return Err((format!("/stores/{at}/id"), format!("there are two stores {}", store.id)));
            }
        }
        Ok(())
    }
    /// Reads it; what was never set is as at first.
    pub fn load(db: &mut Engine) -> Result<Self, DbError> {
        let Some(text) = settings::get(db, NAME)? else { return Ok(Self::default()) };
        serde_json::from_str(&text).map_err(|e| DbError::damaged("settings", e))
    }
    /// Writes it.
    pub fn store(&self, db: &mut Engine) -> Result<(), DbError> {
        let text = serde_json::to_string(self).map_err(|e| DbError::damaged("settings", e))?;
        settings::set(db, NAME, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_have_ids_of_their_own() {
        let store = |id: &str, name: &str| Store { id: id.into(), name: name.into() };
        let shop = |stores: Vec<Store>| Profile { stores, ..Profile::default() };
        assert_eq!(shop(vec![store("1", "Львів"), store("2", "Київ")]).check(), Ok(()));
        let place = |p: Profile| p.check().expect_err("refused").0;
        assert_eq!(place(shop(vec![store("1", "a"), store("1", "b")])), "/stores/1/id");
        assert_eq!(place(shop(vec![store("", "a")])), "/stores/0/id");
        assert_eq!(place(shop(vec![store("1", "\u{7}")])), "/stores/0/name");
        assert_eq!(place(Profile { name: " ".into(), ..Profile::default() }), "/name");
    }
}
