//! The rules as the writer holds them: by segment, so that an entry costs one look-up when no rule listens.
use crate::model::Rule;
use base::Timestamp;
use db::{DbError, Engine, Memory, Row, Tx};
use std::collections::HashMap;
use std::sync::Arc;

/// All rules, archived ones too, in memory that follows commits.
pub struct Rules {
    committed: Arc<HashMap<i64, Arc<Rule>>>,
    current: Arc<HashMap<i64, Arc<Rule>>>,
    by_segment: HashMap<i64, Vec<i64>>,
}

pub(crate) const RULE_COLUMNS: &str = "SELECT id, name, segment_id, template_id, channel, purpose, once, enabled, version, created_at, updated_at, archived_at, topic FROM message_rules ";

impl Memory for Rules {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let rows = db.rows(&format!("{RULE_COLUMNS} ORDER BY id"), &[])?;
        let mut all = HashMap::new();
        for row in &rows {
            let rule = rule_of(row)?;
            all.insert(rule.id, Arc::new(rule));
        }
        let all = Arc::new(all);
        let mut rules = Self { committed: all.clone(), current: all, by_segment: HashMap::new() };
        rules.index();
        Ok(rules)
    }
    fn commit(&mut self) {
        self.committed = self.current.clone();
    }
    fn rollback(&mut self) {
        if !Arc::ptr_eq(&self.committed, &self.current) {
            self.current = self.committed.clone();
            self.index();
        }
    }
}

impl Rules {
    fn index(&mut self) {
        self.by_segment.clear();
        for rule in self.current.values().filter(|r| r.enabled && !r.archived) {
            self.by_segment.entry(rule.segment_id).or_default().push(rule.id);
        }
        // The order of rules decides which of two gets the last place under a cap: it must not depend on a hash.
        self.by_segment.values_mut().for_each(|ids| ids.sort_unstable());
    }

    /// Puts a rule as it was written in this transaction.
    pub(crate) fn put(&mut self, rule: Rule) {
        let mut next = (*self.current).clone();
        next.insert(rule.id, Arc::new(rule));
        self.current = Arc::new(next);
        self.index();
    }
}

/// A rule by id, archived or not.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Arc<Rule>>, DbError> {
    Ok(tx.memory::<Rules>()?.current.get(&id).cloned())
}

/// The rules that listen to entries of a segment, by id.
pub fn listening(tx: &mut Tx, segment_id: i64) -> Result<Vec<Arc<Rule>>, DbError> {
    let rules = tx.memory::<Rules>()?;
    let ids = rules.by_segment.get(&segment_id).map(Vec::as_slice).unwrap_or_default();
    Ok(ids.iter().filter_map(|id| rules.current.get(id).cloned()).collect())
}

/// Whether any rule listens to a segment: the cheap question before anything is prepared.
pub fn listens(tx: &mut Tx, segment_id: i64) -> Result<bool, DbError> {
    Ok(tx.memory::<Rules>()?.by_segment.contains_key(&segment_id))
}

pub(crate) fn rule_of(row: &Row) -> Result<Rule, DbError> {
    Ok(Rule {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        segment_id: row.int(2)?,
        template_id: row.int(3)?,
        channel: row.text(4)?.into(),
        purpose: row.text(5)?.into(),
        once: row.int(6)? == 1,
        enabled: row.int(7)? == 1,
        version: row.int(8)?,
        created_at: Timestamp::from_micros(row.int(9)?),
        updated_at: Timestamp::from_micros(row.int(10)?),
        archived: row.int(11)? > 0,
        topic: row.text(12)?.into(),
    })
}
