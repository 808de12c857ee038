//! How long what is kept: rules as data. The job that applies them is the pipeline's and the server's.
use base::{DAY_US, Timestamp};
use db::{DbError, Engine, Row, Tx};
use serde::{Deserialize, Serialize};

/// Rules, at most.
pub const RULES_MAX: usize = 100;
/// A rule takes effect after this many days at least: what came today is not thrown away by a slip.
pub const DAYS_MIN: i64 = 7;
/// And at most a century: later is never.
pub const DAYS_MAX: i64 = 36_500;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Details of events: what they say beyond who did what when.
    Events,
    /// Texts of refused items.
    Rejects,
    /// Subjects and reasons of messages.
    Messages,
    /// Details of audit lines; that something was done, by whom and when, stays.
    Audit,
    /// People of whom nothing was heard: they are erased.
    Inactive,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Events, Kind::Rejects, Kind::Messages, Kind::Audit, Kind::Inactive];
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Events => "events",
            Kind::Rejects => "rejects",
            Kind::Messages => "messages",
            Kind::Audit => "audit",
            Kind::Inactive => "inactive",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub id: i64,
    pub kind: Kind,
    /// 0 = of any source.
    pub source: i64,
    /// A name of events in which `*` stands for anything; empty = all.
    pub pattern: String,
    /// Counted from receipt on; of people, from the last sign of life.
    pub days: i64,
    /// Why so long.
    pub ground: String,
    pub enabled: bool,
}

impl Rule {
    /// What is older than this goes.
    pub fn cutoff(&self, now: Timestamp) -> Timestamp {
        now.plus(-self.days.saturating_mul(DAY_US))
    }
    /// Whether the rule is about an event of a source and name.
    pub fn is_about(&self, source: i64, name: &str) -> bool {
        (self.source == 0 || self.source == source) && (self.pattern.is_empty() || matches(&self.pattern, name))
    }
}

/// Whether a name fits a pattern in which `*` stands for any letters, none included.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

const ALL: &str = "SELECT id, kind, source, pattern, days, ground, enabled FROM retention_rules ORDER BY id LIMIT 1000";

fn read(row: &Row) -> Result<Rule, DbError> {
    let kind = Kind::parse(row.text(1)?).ok_or_else(|| DbError::damaged("retention_rules", "unknown kind"))?;
    Ok(Rule {
        id: row.int(0)?,
        kind,
        source: row.int(2)?,
        pattern: row.text(3)?.into(),
        days: row.int(4)?,
        ground: row.text(5)?.into(),
        enabled: row.int(6)? != 0,
    })
}

/// All rules, by number.
pub fn list(db: &mut Engine) -> Result<Vec<Rule>, DbError> {
    db.rows(ALL, &[])?.iter().map(read).collect()
}

/// Replaces all rules. One that is the same but for its switch keeps its number, and with it how far it was applied; any other
/// gets a new one. Gives the rules as they stand then.
pub fn replace(tx: &mut Tx, rules: &[Rule]) -> Result<Vec<Rule>, DbError> {
    let mut old = list(tx.engine())?;
    tx.execute("DELETE FROM retention_rules", &[])?;
    let now = tx.now().micros();
    let mut out = Vec::with_capacity(rules.len());
    for rule in rules {
        let same =
            |o: &Rule| (o.kind, o.source, &o.pattern, o.days) == (rule.kind, rule.source, &rule.pattern, rule.days);
        let id = match old.iter().position(same) {
            Some(at) => old.swap_remove(at).id,
            None => tx.next_id(),
        };
        tx.execute(
            "INSERT INTO retention_rules (id, kind, source, pattern, days, ground, enabled, version, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)",
            &[
                id.into(),
                rule.kind.as_str().into(),
                rule.source.into(),
                (&rule.pattern).into(),
                rule.days.into(),
                (&rule.ground).into(),
                i64::from(rule.enabled).into(),
                now.into(),
            ],
        )?;
        out.push(Rule { id, ..rule.clone() });
    }
    out.sort_by_key(|r| r.id);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, yes, no) in [
            ("Page Viewed", &["Page Viewed"][..], &["Page", "Page Viewed 2", ""][..]),
            ("Product *", &["Product Viewed", "Product "], &["Product", "A Product Viewed"]),
            ("*", &["", "x"], &[]),
            ("*Viewed", &["Viewed", "Page Viewed"], &["Viewed Page"]),
            ("A*B*C", &["ABC", "A1B2C", "ABBCC"], &["ACB", "AB", "ABCD"]),
            ("A*A", &["AA", "ABA"], &["A"]),
        ] {
            for name in yes {
                assert!(matches(pattern, name), "{pattern} {name}");
            }
            for name in no {
                assert!(!matches(pattern, name), "{pattern} {name}");
            }
        }
    }

    proptest! {
        /// As the plainest way of matching says: every way of cutting the name is tried.
        #[test]
        fn it_matches_as_trying_everything_does(pattern in "[ab*]{0,6}", name in "[ab]{0,7}") {
            fn plain(pattern: &[u8], name: &[u8]) -> bool {
                match pattern.split_first() {
                    None => name.is_empty(),
                    Some((b'*', rest)) => (0..=name.len()).any(|at| plain(rest, &name[at..])),
                    Some((letter, rest)) => name.split_first().is_some_and(|(n, name)| n == letter && plain(rest, name)),
                }
            }
            prop_assert_eq!(matches(&pattern, &name), plain(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
