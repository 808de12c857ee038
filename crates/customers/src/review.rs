//! Pairs of people that a person must look at: joins that were refused, and joins that somebody proposes.
use crate::commands::{CannotLinks, members_of, person_of};
use crate::identity::Rule;
use crate::joins::{self, JoinError, Joined};
use crate::profiles::Profiles;
use base::{DAY_US, Timestamp};
use db::{DbError, Engine, Tx};

/// What was decided about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Both are one person.
    Join,
    /// They are not, and nothing joins them any more.
    KeepApart,
    /// Asked again in a week.
    Later,
}

impl Decision {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Join => "join",
            Decision::KeepApart => "keep_apart",
            Decision::Later => "later",
        }
    }
}

const LATER_US: i64 = 7 * DAY_US;

/// Files a pair for a look: `rule` says who asks (`resolve` for lists without a shared key), `probability` from 0 to 1 that
/// both are one, `evidence` a sentence for whoever looks. Gives false for a pair that is one person already, was taken apart,
/// or was filed before.
pub fn file(
    tx: &mut Tx,
    a: i64,
    b: i64,
    rule: Rule,
    probability: Option<f64>,
    evidence: &str,
) -> Result<bool, DbError> {
    let (a, b) = (a.min(b), a.max(b));
    if tx.get::<Profiles>(a)?.is_none() || tx.get::<Profiles>(b)?.is_none() {
        return Ok(false);
    }
    let (first, second) = (person_of(tx, a)?, person_of(tx, b)?);
    let (left, right) = (members_of(tx, first)?, members_of(tx, second)?);
    if first == second || !tx.memory::<CannotLinks>()?.between(&left, &right).is_empty() {
        return Ok(false);
    }
    let millionths = probability.map_or(-1, |p| (p.clamp(0.0, 1.0) * 1_000_000.0).round() as i64);
    let text: String = evidence.chars().take(1_000).collect();
    let now = tx.now().micros();
    let added = tx.execute(
        "INSERT INTO review_items (a, b, kind, value, rule, seq, message_id, at, closed_at, probability, evidence) \
         VALUES ($1, $2, '', '', $3, 0, '', $4, 0, $5, $6) ON CONFLICT (a, b) DO NOTHING",
        &[a.into(), b.into(), rule.as_str().into(), now.into(), millionths.into(), text.as_str().into()],
    )?;
    Ok(added > 0)
}

/// A pair to look at, by profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub a: i64,
    pub b: i64,
    pub rule: String,
    /// The identifier of the event that asks, if one does.
    pub kind: String,
    pub value: String,
    pub seq: i64,
    pub message_id: String,
    pub at: Timestamp,
    pub probability: Option<f64>,
    pub evidence: String,
    /// Empty while it is open.
    pub decision: String,
    pub actor: String,
    pub closed_at: Option<Timestamp>,
}

/// Which pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Open,
    Closed,
}

const COLUMNS: &str = "a, b, rule, kind, value, seq, message_id, at, probability, evidence, decision, actor, closed_at";

/// Pairs, the newest first; `after` is time and pair of the last one of the page before.
pub fn list(
    db: &mut Engine,
    which: Which,
    now: Timestamp,
    after: Option<[i64; 3]>,
    limit: i64,
) -> Result<Vec<Item>, DbError> {
    let [at, a, b] = after.unwrap_or([i64::MAX; 3]);
    let wanted = match which {
        Which::Open => "closed_at = 0 AND later_until <= $5",
        Which::Closed => "closed_at > 0 AND CAST($5 AS BIGINT) > 0",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM review_items WHERE {wanted} AND (at < $1 OR (at = $1 AND (a < $2 OR (a = $2 AND b < $3)))) \
         ORDER BY at DESC, a DESC, b DESC LIMIT $4"
    );
    let rows = db.rows(&sql, &[at.into(), a.into(), b.into(), limit.into(), now.micros().into()])?;
    rows.iter().map(item).collect()
}

fn item(r: &db::Row) -> Result<Item, DbError> {
    let probability = r.int(8)?;
    Ok(Item {
        a: r.int(0)?,
        b: r.int(1)?,
        rule: r.text(2)?.into(),
        kind: r.text(3)?.into(),
        value: r.text(4)?.into(),
        seq: r.int(5)?,
        message_id: r.text(6)?.into(),
        at: Timestamp::from_micros(r.int(7)?),
        probability: (probability >= 0).then(|| probability as f64 / 1_000_000.0),
        evidence: r.text(9)?.into(),
        decision: r.text(10)?.into(),
        actor: r.text(11)?.into(),
        closed_at: Some(r.int(12)?).filter(|at| *at > 0).map(Timestamp::from_micros),
    })
}

/// How many pairs wait for a look now.
pub fn open(db: &mut Engine, now: Timestamp) -> Result<i64, DbError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM review_items WHERE closed_at = 0 AND later_until <= $1";
    db.first(sql, &[now.micros().into()])?.map_or(Ok(0), |r| r.int(0))
}

/// One pair.
pub fn find(tx: &mut Tx, a: i64, b: i64) -> Result<Option<Item>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM review_items WHERE a = $1 AND b = $2");
    tx.first(&sql, &[a.min(b).into(), a.max(b).into()])?.as_ref().map(item).transpose()
}

/// Decides about an open pair; gives what a join did. A pair that became one person meanwhile is simply closed.
pub fn decide(tx: &mut Tx, item: &Item, decision: Decision, actor: &str) -> Result<Option<Joined>, JoinError> {
    let (a, b, now) = (item.a, item.b, tx.now().micros());
    let mut joined = None;
    match decision {
        Decision::Join => match joins::join(tx, a, b, Rule::Review, actor) {
            Ok(done) => joined = Some(done),
            Err(JoinError::SamePerson) => {}
            Err(error) => return Err(error),
        },
        Decision::KeepApart => joins::keep_apart(tx, a, b, actor)?,
        Decision::Later => {
            tx.execute(
                "UPDATE review_items SET later_until = $3, actor = $4 WHERE a = $1 AND b = $2",
                &[a.into(), b.into(), (now + LATER_US).into(), actor.into()],
            )?;
            return Ok(None);
        }
    }
    tx.execute(
        "UPDATE review_items SET closed_at = $3, decision = $4, actor = $5 WHERE a = $1 AND b = $2",
        &[a.into(), b.into(), now.into(), decision.as_str().into(), actor.into()],
    )?;
    Ok(joined)
}
