//! Small state that is one value: what the shop is, secrets of the store.
use crate::{DbError, Engine};

/// The value of a setting.
pub fn get(db: &mut Engine, name: &str) -> Result<Option<String>, DbError> {
    let row = db.first("SELECT value FROM settings WHERE name = $1", &[name.into()])?;
    row.map(|r| r.text(0).map(str::to_string)).transpose()
}

/// Sets a value; inside a transaction when there is one.
pub fn set(db: &mut Engine, name: &str, value: &str) -> Result<(), DbError> {
    let sql =
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.execute(sql, &[name.into(), value.into()]).map(drop)
}
