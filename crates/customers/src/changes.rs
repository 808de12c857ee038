//! What was joined and separated, as rows in the order in which it happened: for whoever keeps ids of people elsewhere.
use base::Timestamp;
use db::{Bulk, DbError, Engine, Tx};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Profiles of one person that a row names, at most.
const PROFILES_MAX: usize = 1_000;

/// A person with its profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    pub person_id: String,
    pub profile_ids: Vec<String>,
}

impl Side {
    /// A person with its profiles.
    pub fn new(person_id: i64, profiles: &[i64]) -> Self {
        let profile_ids = profiles.iter().take(PROFILES_MAX).map(i64::to_string).collect();
        Self { person_id: person_id.to_string(), profile_ids }
    }
}

/// What happened to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Several became one.
    Merged,
    /// One became several.
    Split,
    /// A rate of joins left its usual range.
    StitchAlarm,
}

impl Kind {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Merged => "merged",
            Kind::Split => "split",
            Kind::StitchAlarm => "stitch_alarm",
        }
    }
}

/// Why people were joined or separated: a word and what shows it. No personal data stand here.
#[derive(Debug, Clone)]
pub struct Why {
    /// `event`, `merge`, `review`, `unmerge`, `detach`, `rules`.
    pub cause: &'static str,
    pub evidence: Value,
}

impl Why {
    /// Somebody did it.
    pub fn by(cause: &'static str, actor: &str) -> Self {
        Self { cause, evidence: serde_json::json!({"actor": actor}) }
    }
}

static CHANGES: Bulk = Bulk {
    table: "identity_changes",
    columns: &[
        ("id", 'i'),
        ("at", 'i'),
        ("kind", 't'),
        ("before", 't'),
        ("after", 't'),
        ("cause", 't'),
        ("evidence", 't'),
    ],
    key: 1,
    insert_only: false,
};

/// Appends a change in the transaction that makes it.
pub fn append(tx: &mut Tx, kind: Kind, before: &[Side], after: &[Side], why: &Why) {
    let text = |sides: &[Side]| serde_json::to_string(sides).unwrap_or_else(|_| "[]".into());
    let (id, now) = (tx.next_id(), tx.now());
    let row = vec![
        id.into(),
        now.micros().into(),
        kind.as_str().into(),
        text(before).into(),
        text(after).into(),
        why.cause.into(),
        why.evidence.to_string().into(),
    ];
    tx.append(&CHANGES, row);
}

/// Appends what follows from people before and after: a row for each person that fell apart, one for each that several
/// became. `moves` name former and new profile of events that went over.
pub fn append_difference(
    tx: &mut Tx,
    before: &[(i64, Vec<i64>)],
    after: &[(i64, Vec<i64>)],
    moves: &[(i64, i64)],
    why: &Why,
) -> Result<(), DbError> {
    let person = |side: &[(i64, Vec<i64>)], profile: i64| {
        side.iter().position(|(_, profiles)| profiles.binary_search(&profile).is_ok())
    };
    let mut links: Vec<(usize, usize)> = Vec::new();
    for (at, (_, profiles)) in before.iter().enumerate() {
        links.extend(profiles.iter().filter_map(|p| Some((at, person(after, *p)?))));
    }
    links.extend(moves.iter().filter_map(|(from, to)| Some((person(before, *from)?, person(after, *to)?))));
    links.sort_unstable();
    links.dedup();
    let sides = |of: &[(i64, Vec<i64>)], at: &mut dyn Iterator<Item = usize>| -> Vec<Side> {
        at.map(|n| Side::new(of[n].0, &of[n].1)).collect()
    };
    for at in 0..before.len() {
        let to = || links.iter().filter(move |(b, _)| *b == at).map(|(_, a)| *a);
        if to().count() > 1 {
            append(tx, Kind::Split, &sides(before, &mut [at].into_iter()), &sides(after, &mut to()), why);
        }
    }
    for at in 0..after.len() {
        let from = || links.iter().filter(move |(_, a)| *a == at).map(|(b, _)| *b);
        if from().count() > 1 {
            append(tx, Kind::Merged, &sides(before, &mut from()), &sides(after, &mut [at].into_iter()), why);
        }
    }
    Ok(())
}

/// A change as it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    pub id: i64,
    pub at: Timestamp,
    pub kind: String,
    pub before: Vec<Side>,
    pub after: Vec<Side>,
    pub cause: String,
    pub evidence: Value,
}

const AFTER: &str =
    "SELECT id, at, kind, before, after, cause, evidence FROM identity_changes WHERE id > $1 ORDER BY id LIMIT $2";

/// Changes after a position, in the order in which they were committed.
pub fn after(db: &mut Engine, position: i64, limit: i64) -> Result<Vec<ChangeRow>, DbError> {
    let read = |r: &db::Row| -> Result<ChangeRow, DbError> {
        let sides = |text: &str| serde_json::from_str(text).map_err(|e| DbError::damaged("identity_changes", e));
        Ok(ChangeRow {
            id: r.int(0)?,
            at: Timestamp::from_micros(r.int(1)?),
            kind: r.text(2)?.into(),
            before: sides(r.text(3)?)?,
            after: sides(r.text(4)?)?,
            cause: r.text(5)?.into(),
            evidence: serde_json::from_str(r.text(6)?).map_err(|e| DbError::damaged("identity_changes", e))?,
        })
    };
    db.rows(AFTER, &[position.into(), limit.into()])?.iter().map(read).collect()
}
