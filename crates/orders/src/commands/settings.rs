//! The settings of orders: one versioned row, in the writer's memory.
use crate::error::OrderError;
use crate::settings::Settings;
use db::{DbError, Engine, Memory, Notice, Tx};
use std::sync::Arc;

#[derive(Clone)]
struct Held {
    committed: (i64, Arc<Settings>),
    changed: Option<(i64, Arc<Settings>)>,
}

impl Memory for Held {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        Ok(Held { committed: read(db)?, changed: None })
    }
    fn commit(&mut self) {
        if let Some(changed) = self.changed.take() {
            self.committed = changed;
        }
    }
    fn rollback(&mut self) {
        self.changed = None;
    }
}

/// The settings with their version; what a shop begins with has version 0.
pub fn read(db: &mut Engine) -> Result<(i64, Arc<Settings>), DbError> {
    let Some(row) = db.first("SELECT version, body FROM order_settings WHERE id = 1", &[])? else {
        return Ok((0, Arc::default()));
    };
    let body = serde_json::from_str(row.text(1)?).map_err(|e| DbError::damaged("order_settings", e))?;
    Ok((row.int(0)?, Arc::new(body)))
}

/// The settings as they are now.
pub fn settings(tx: &mut Tx) -> Result<(i64, Arc<Settings>), DbError> {
    let held = tx.memory::<Held>()?;
    Ok(held.changed.as_ref().unwrap_or(&held.committed).clone())
}

/// Replaces the settings; from now on every cart, order and place goes by them.
pub fn put_settings(tx: &mut Tx, fresh: &Settings) -> Result<i64, OrderError> {
    fresh.check().map_err(|e| OrderError::field(e.pointer, e.detail))?;
    let body = serde_json::to_string(fresh).map_err(|e| DbError::damaged("order_settings", e))?;
    let version = settings(tx)?.0 + 1;
    tx.execute(
        "INSERT INTO order_settings (id, version, body) VALUES (1, $1, $2) \
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body",
        &[version.into(), (&body).into()],
    )?;
    tx.memory::<Held>()?.changed = Some((version, Arc::new(fresh.clone())));
    tx.notify(Notice::Changed { what: "order_settings" });
    Ok(version)
}
