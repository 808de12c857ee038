//! Rules as the writer knows them: compiled, replaced as a whole when one changes.
use super::{Kind, POLICY, PROMOTIONS_MAX, Policy, RuleError, own_pointer, parse, parse_law, together};
use crate::Compiled;
use crate::law::{Law, presets};
use crate::model::{Promotion, Promotions};
use db::tx::Memory;
use db::{DbError, Engine, Tx};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All rules that hold.
#[derive(Debug, Default)]
pub struct Rules {
    /// As people wrote them.
    pub promotions: Promotions,
    pub compiled: Compiled,
    /// The shop's own laws, by country.
    pub laws: BTreeMap<String, Law>,
    /// The number of the last change: every change has the next one.
    pub version: i64,
}

impl Rules {
    /// The law of a country: the shop's own, else the preset.
    pub fn law(&self, country: &str) -> Option<Law> {
        self.laws.get(&country.trim().to_ascii_uppercase()).cloned().or_else(|| presets::find(country))
    }
}

#[derive(Debug, Default)]
struct Known {
    rules: Arc<Rules>,
    before: Option<Arc<Rules>>,
    /// Rules of an earlier version that were asked for last.
    earlier: Option<Arc<Rules>>,
}

impl Memory for Known {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let (mut policy, mut promotions, mut laws) = (Policy::default(), Vec::new(), BTreeMap::new());
        let sql = "SELECT kind, code, document FROM price_rules WHERE archived = 0 ORDER BY kind, code";
        let damaged = |e: RuleError| DbError::damaged("price_rules", e);
        for row in db.rows(sql, &[])? {
            let (code, document) = (row.text(1)?, row.text(2)?);
            match Kind::parse(row.text(0)?) {
                Some(Kind::Promotion) => promotions.push(parse::<Promotion>(document).map_err(damaged)?),
                Some(Kind::Policy) => policy = parse(document).map_err(damaged)?,
                Some(Kind::Law) => drop(laws.insert(code.to_string(), parse_law(code, document).map_err(damaged)?)),
                None => return Err(DbError::damaged("price_rules", "an unknown kind")),
            }
        }
        let promotions = together(policy, promotions);
        let compiled = Compiled::new(promotions.clone()).map_err(|e| DbError::damaged("price_rules", e))?;
        let sql = "SELECT CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM price_rule_versions";
        let version = db.first(sql, &[])?.map_or(Ok(0), |row| row.int(0))?;
        Ok(Self { rules: Arc::new(Rules { promotions, compiled, laws, version }), before: None, earlier: None })
    }
    fn commit(&mut self) {
        self.before = None;
    }
    fn rollback(&mut self) {
        if let Some(before) = self.before.take() {
            self.rules = before;
            // Numbers that were given are given again.
            self.earlier = None;
        }
    }
}

/// The rules as this transaction sees them.
pub fn rules(tx: &mut Tx) -> Result<Arc<Rules>, DbError> {
    Ok(tx.memory::<Known>()?.rules.clone())
}

/// Promotions and policy as they were with a version: those by which an order was priced. Laws are today's.
pub fn rules_of(tx: &mut Tx, version: i64) -> Result<Arc<Rules>, DbError> {
    let now = rules(tx)?;
    if version >= now.version {
        return Ok(now);
    }
    if let Some(known) = tx.memory::<Known>()?.earlier.as_ref().filter(|known| known.version == version) {
        return Ok(known.clone());
    }
    let sql =
        "SELECT kind, code, document, archived FROM price_rule_versions WHERE seq <= $1 ORDER BY kind, code, version";
    let mut newest: BTreeMap<(String, String), (String, bool)> = BTreeMap::new();
    for row in tx.rows(sql, &[version.into()])? {
        let key = (row.text(0)?.to_string(), row.text(1)?.to_string());
        newest.insert(key, (row.text(2)?.to_string(), row.int(3)? != 0));
    }
    let damaged = |e: RuleError| DbError::damaged("price_rule_versions", e);
    let (mut policy, mut promotions) = (Policy::default(), Vec::new());
    for ((kind, _), (document, _)) in newest.iter().filter(|(_, (_, archived))| !archived) {
        match Kind::parse(kind) {
            Some(Kind::Promotion) => promotions.push(parse::<Promotion>(document).map_err(damaged)?),
            Some(Kind::Policy) => policy = parse(document).map_err(damaged)?,
            Some(Kind::Law) => {}
            None => return Err(DbError::damaged("price_rule_versions", "an unknown kind")),
        }
    }
    let promotions = together(policy, promotions);
    let compiled = Compiled::new(promotions.clone()).map_err(|e| DbError::damaged("price_rule_versions", e))?;
    let found = Arc::new(Rules { promotions, compiled, laws: now.laws.clone(), version });
    tx.memory::<Known>()?.earlier = Some(found.clone());
    Ok(found)
}

pub(super) fn replace(tx: &mut Tx, rules: Rules) -> Result<(), DbError> {
    let memory = tx.memory::<Known>()?;
    let before = std::mem::replace(&mut memory.rules, Arc::new(rules));
    memory.before.get_or_insert(before);
    Ok(())
}

/// The rules as they would be with this document, if all of them make sense together.
pub(super) fn checked(tx: &mut Tx, kind: Kind, code: &str, document: &str, archived: bool) -> Result<Rules, RuleError> {
    let now = rules(tx)?;
    let (mut promotions, mut laws) = (now.promotions.clone(), now.laws.clone());
    let mut own = None;
    match kind {
        Kind::Promotion => {
            promotions.promotions.retain(|p| p.id != code);
            if !archived {
                let new: Promotion = parse(document)?;
                if new.id != code {
                    return Err(RuleError::invalid("/id", format!("it is {code:?} that is kept here")));
                }
                if promotions.promotions.len() >= PROMOTIONS_MAX {
                    return Err(RuleError::invalid("", format!("there are {PROMOTIONS_MAX} promotions already")));
                }
                // By code, as they are loaded.
                let at = promotions.promotions.partition_point(|p| *p.id < *code);
                promotions.promotions.insert(at, new);
                own = Some(at);
            }
        }
        Kind::Policy if code != POLICY => {
            return Err(RuleError::invalid("", format!("the policy's code is {POLICY:?}")));
        }
        Kind::Policy => {
            let policy: Policy = if archived { Policy::default() } else { parse(document)? };
            (promotions.lanes, promotions.points) = (policy.lanes, policy.points);
        }
        Kind::Law => {
            laws.remove(code);
            if !archived {
                laws.insert(code.to_string(), parse_law(code, document)?);
            }
        }
    }
    let compiled = Compiled::new(promotions.clone()).map_err(|e| own_pointer(e, own))?;
    Ok(Rules { promotions, compiled, laws, version: now.version + 1 })
}
