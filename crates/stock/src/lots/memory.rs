//! Which variants have lots at all, and when the next one expires: asked with every movement, so kept in memory.
use base::Timestamp;
use db::{DbError, Engine, Memory};
use hashbrown::HashSet;

/// What the writer knows of lots without asking the database.
pub(super) struct LotMemory {
    variants: HashSet<i64>,
    /// Those that the open group added.
    added: Vec<i64>,
    due: Option<Timestamp>,
    changed: Option<Option<Timestamp>>,
    /// Whether this store has a catalogue, which says how a variant is kept.
    pub catalog: bool,
}

impl LotMemory {
    pub fn has(&self, variant_no: i64) -> bool {
        self.variants.contains(&variant_no)
    }
    pub fn add(&mut self, variant_no: i64) {
        if self.variants.insert(variant_no) {
            self.added.push(variant_no);
        }
    }
    pub fn due(&self) -> Option<Timestamp> {
        self.changed.unwrap_or(self.due)
    }
    pub fn set_due(&mut self, due: Option<Timestamp>) {
        self.changed = Some(due);
    }
}

/// When the next good lot expires.
pub(super) const NEXT: &str = "SELECT MIN(expires_at) FROM stock_lots WHERE expires_at > 0 AND state = 'good'";

impl Memory for LotMemory {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let rows = db.rows("SELECT DISTINCT variant_no FROM stock_lots", &[])?;
        let next = db.first(NEXT, &[])?.map(|row| row.opt_int(0)).transpose()?.flatten();
        let catalog = db.first("SELECT step FROM migrations WHERE owner = 'catalog' LIMIT 1", &[])?.is_some();
        Ok(LotMemory {
            variants: rows.iter().map(|row| row.int(0)).collect::<Result<_, _>>()?,
            added: vec![],
            due: next.map(Timestamp::from_micros),
            changed: None,
            catalog,
        })
    }
    fn commit(&mut self) {
        self.added.clear();
        if let Some(changed) = self.changed.take() {
            self.due = changed;
        }
    }
    fn rollback(&mut self) {
        for variant_no in self.added.drain(..) {
            self.variants.remove(&variant_no);
        }
        self.changed = None;
    }
}
