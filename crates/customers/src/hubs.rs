//! Values that many people share, found by themselves: the shop's tablet, a cashier's card, a family's address.
//!
//! Evidence is taken only where matching had to decide anyway: an identifier was left out for a limit, or a person came to
//! three or more values of a kind. The plain event, whose identifiers are all known and in one place, costs nothing. A value
//! seen with `suspect_at` others of one kind within the window is a suspect; from `demote_at` on it is demoted at once.
use crate::commands::members_of;
use crate::identity::Placement;
use crate::profiles::Profiles;
use crate::rules::{self, Mode, Rules};
use base::{Country, DAY_US, Timestamp};
use db::event::{Event, Identifier};
use db::{Bulk, DbError, Engine, Memory, Tx};
use hashbrown::{HashMap, HashSet};

/// Own values of a kind from which on what brings another one is noted.
const VALUES_NOTED: usize = 3;
/// Others that are kept of one value.
const OTHERS_MAX: i64 = 1_000;
/// Pairs that are remembered as noted.
const NOTED_MAX: usize = 100_000;

/// Kinds that change with the device: many of them speak for nothing.
pub fn is_anonymous(kind: &str) -> bool {
    matches!(kind, "anonymous_id" | "ga_client_id" | "cross_domain_id")
        || ["android.", "ios."].iter().any(|system| kind.starts_with(system))
}

/// Pairs that were noted before, so that a kiosk's thousandth event writes nothing.
#[derive(Default)]
struct Noted(HashSet<(u128, u128)>);

impl Memory for Noted {
    fn load(_: &mut Engine) -> Result<Self, DbError> {
        Ok(Self::default())
    }
    fn commit(&mut self) {
        if self.0.len() > NOTED_MAX {
            self.0.clear();
        }
    }
    fn rollback(&mut self) {
        self.0.clear();
    }
}

static SUSPECTS: Bulk = Bulk {
    table: "identity_suspects",
    columns: &[
        ("kind", 't'),
        ("value", 't'),
        ("other_kind", 't'),
        ("other_value", 't'),
        ("profile_id", 'i'),
        ("at", 'i'),
        ("seq", 'i'),
    ],
    key: 4,
    insert_only: true,
};

/// Notes what an event shows of shared values; called for events that attached, joined or left something out.
pub(crate) fn note(
    tx: &mut Tx,
    event: &Event,
    placement: &Placement,
    (profile_id, person_id, seq): (i64, i64, i64),
    rules: &Rules,
) -> Result<(), DbError> {
    let all = &event.identifiers;
    let live = all.len() - placement.demoted;
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for demoted in live..all.len() {
        // Either may be the shared one: the value that was left out, or the one that it was left out for.
        pairs.extend([(demoted, 0), (0, demoted)]);
    }
    if live > 1 && (!placement.attach.is_empty() || !placement.edges.is_empty()) {
        let counts = own_values(tx, person_id)?;
        for other in (0..live).filter(|at| counts.get(&all[*at].kind).is_some_and(|n| *n >= VALUES_NOTED)) {
            pairs.extend((0..live).filter(|subject| *subject != other).map(|subject| (subject, other)));
        }
    }
    for (subject, other) in pairs {
        let (subject, other) = (&all[subject], &all[other]);
        if subject.kind != other.kind && !is_anonymous(&other.kind) {
            note_pair(tx, subject, other, (profile_id, event.timestamp, seq), rules)?;
        }
    }
    Ok(())
}

fn own_values(tx: &mut Tx, person_id: i64) -> Result<HashMap<Box<str>, usize>, DbError> {
    let mut counts: HashMap<Box<str>, usize> = HashMap::new();
    for member in members_of(tx, person_id)? {
        if let Some(row) = tx.get::<Profiles>(member)? {
            for (key, ..) in row.state.identifiers.own() {
                *counts.entry_ref(&*key.kind).or_default() += 1;
            }
        }
    }
    Ok(counts)
}

const COUNT: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM identity_suspects \
     WHERE kind = $1 AND value = $2 AND other_kind = $3 AND at > $4";
const DISMISSED: &str = "SELECT at FROM identity_suspects_dismissed WHERE kind = $1 AND value = $2";

fn note_pair(
    tx: &mut Tx,
    subject: &Identifier,
    other: &Identifier,
    (profile_id, at, seq): (i64, Timestamp, i64),
    rules: &Rules,
) -> Result<(), DbError> {
    if !tx.memory::<Noted>()?.0.insert((subject.hash, other.hash)) {
        return Ok(());
    }
    let (kind, value): (&str, &str) = (&subject.kind, &subject.value);
    let since = at.plus(-i64::from(rules.hubs.window_days) * DAY_US);
    let params = [kind.into(), value.into(), (&*other.kind).into(), since.micros().into()];
    let known = tx.first(COUNT, &params)?.map_or(Ok(0), |r| r.int(0))?;
    if known >= OTHERS_MAX {
        return Ok(());
    }
    tx.append(
        &SUSPECTS,
        vec![
            kind.into(),
            value.into(),
            (&*other.kind).into(),
            (&*other.value).into(),
            profile_id.into(),
            at.micros().into(),
            seq.into(),
        ],
    );
    let hard = i64::from(rules.hubs.demote_at);
    if hard == 0 || known + 1 < hard || tx.first(COUNT, &params)?.map_or(Ok(0), |r| r.int(0))? < hard {
        return Ok(());
    }
    let now = rules::of(tx)?;
    if now.is_demoted(kind, value) || now.is_blocked(kind, value) {
        return Ok(());
    }
    if tx.first(DISMISSED, &[kind.into(), value.into()])?.is_some() {
        return Ok(());
    }
    let reason = format!("seen with {hard} values of {} within {} days", other.kind, rules.hubs.window_days);
    // The value is in its form already, whatever the country.
    match rules::block(tx, (kind, value), Mode::Demote, &reason, "braid", Country::find("ZZ")) {
        Ok(_) | Err(rules::ListError::Bad(_)) => Ok(()),
        Err(rules::ListError::Store(error)) => Err(error),
    }
}

/// A value that is seen with many others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    pub kind: String,
    pub value: String,
    /// The kind of the others, and how many of them there are.
    pub other_kind: String,
    pub others: i64,
    /// Profiles that the events went to.
    pub profiles: i64,
    pub first: Timestamp,
    pub last: Timestamp,
}

const LIST: &str = "SELECT s.kind, s.value, s.other_kind, CAST(COUNT(*) AS BIGINT), CAST(COUNT(DISTINCT s.profile_id) AS BIGINT), \
     CAST(MIN(s.at) AS BIGINT), CAST(MAX(s.at) AS BIGINT) FROM identity_suspects s \
     LEFT JOIN identity_suspects_dismissed d ON d.kind = s.kind AND d.value = s.value \
     LEFT JOIN blocked_values b ON b.kind = s.kind AND b.value = s.value \
     WHERE d.at IS NULL AND b.mode IS NULL AND s.at > $1 \
     GROUP BY s.kind, s.value, s.other_kind HAVING COUNT(*) >= $2 ORDER BY 4 DESC, 1, 2, 3 LIMIT $3";

/// Suspects that nobody has decided about, those with most others first. The window ends at `now`.
pub fn list(db: &mut Engine, rules: &Rules, now: Timestamp, limit: i64) -> Result<Vec<Suspect>, DbError> {
    let since = now.plus(-i64::from(rules.hubs.window_days) * DAY_US);
    let rows = db.rows(LIST, &[since.micros().into(), i64::from(rules.hubs.suspect_at).into(), limit.into()])?;
    rows.iter()
        .map(|r| {
            Ok(Suspect {
                kind: r.text(0)?.into(),
                value: r.text(1)?.into(),
                other_kind: r.text(2)?.into(),
                others: r.int(3)?,
                profiles: r.int(4)?,
                first: Timestamp::from_micros(r.int(5)?),
                last: Timestamp::from_micros(r.int(6)?),
            })
        })
        .collect()
}

/// An event that shows a suspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub other_kind: String,
    pub other_value: String,
    pub profile_id: i64,
    pub at: Timestamp,
    pub seq: i64,
}

/// The newest events that show a suspect.
pub fn examples(db: &mut Engine, kind: &str, value: &str, limit: i64) -> Result<Vec<Example>, DbError> {
    let rows = db.rows(
        "SELECT other_kind, other_value, profile_id, at, seq FROM identity_suspects WHERE kind = $1 AND value = $2 \
         ORDER BY at DESC, other_kind, other_value LIMIT $3",
        &[kind.into(), value.into(), limit.into()],
    )?;
    rows.iter()
        .map(|r| {
            Ok(Example {
                other_kind: r.text(0)?.into(),
                other_value: r.text(1)?.into(),
                profile_id: r.int(2)?,
                at: Timestamp::from_micros(r.int(3)?),
                seq: r.int(4)?,
            })
        })
        .collect()
}

/// Leaves a suspect as it is: it is listed no more and not demoted by itself.
pub fn dismiss(tx: &mut Tx, kind: &str, value: &str, actor: &str) -> Result<(), DbError> {
    let now = tx.now().micros();
    tx.execute(
        "INSERT INTO identity_suspects_dismissed (kind, value, at, actor) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (kind, value) DO NOTHING",
        &[kind.into(), value.into(), now.into(), actor.into()],
    )
    .map(drop)
}
