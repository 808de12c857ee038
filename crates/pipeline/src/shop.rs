//! The shop's settings as the writer knows them.
use crate::Settings;
use db::tx::Memory;
use db::{DbError, Engine, settings};

/// What the writer needs of [`Settings`]; stored, so that a command on the same store without a server agrees.
#[derive(Debug, Clone)]
pub struct Shop {
    pub currency: std::sync::Arc<str>,
    pub dedup_days: i64,
}

impl Memory for Shop {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let currency = settings::get(db, "shop.currency")?.map_or_else(|| "UAH".into(), Into::into);
        let days = settings::get(db, "collect.dedup_days")?.and_then(|d| d.parse().ok()).unwrap_or(30);
        Ok(Self { currency, dedup_days: days })
    }
    fn commit(&mut self) {}
    fn rollback(&mut self) {}
}

/// Notes the settings in the store, before it is opened for work.
pub fn note(db: &mut Engine, shop: &Settings) -> Result<(), DbError> {
    let zone = shop.zone.iana_name().unwrap_or("UTC");
    settings::set(db, "shop.currency", &shop.currency)?;
    settings::set(db, "shop.time_zone", zone)?;
    settings::set(db, "shop.country", shop.country.code)?;
    settings::set(db, "collect.dedup_days", &shop.dedup_days.to_string())
}
