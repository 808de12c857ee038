//! Observing a source: it feeds profiles, segments and reports while nothing reacts at customers (B7).
//!
//! Who enters a segment enters because of something, its *cause*: the event in whose transaction the entry was made, or, where the
//! clock made it, the newest event of the person that the segment looks at. If the cause came from a source while it was
//! observed, no rule acts on the entry, then or later; what rules would have done is counted by rule and day.
use crate::preparer::Preparer;
use crate::step;
use base::{DAY_US, Timestamp};
use customers::profiles::Profiles;
use db::reactor::Moved;
use db::tx::Memory;
use db::{DbError, Engine, Tx, log};
use hashbrown::HashMap;
use segments::runtime::definitions;
use std::sync::Arc;

/// Newest events of a person among which the cause of an entry by the clock is looked for.
const LOOK_BACK: usize = 64;

/// Seqs in which a source was observed: from the first to before the last; 0 = still.
type Periods = HashMap<i64, Vec<(i64, i64)>>;

/// Who is, or was, observed; and what rules would have done in the running group.
pub struct Observed {
    periods: Arc<Periods>,
    before: Option<Arc<Periods>>,
    counted: HashMap<(i64, i64, i64), Case>,
}

/// Entries that a rule would have answered, with the newest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Case {
    count: i64,
    person_id: i64,
    message_id: String,
    at: i64,
}

impl Memory for Observed {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut periods = Periods::new();
        for row in db.rows("SELECT source, from_seq, to_seq FROM observations ORDER BY source, from_seq", &[])? {
            periods.entry(row.int(0)?).or_default().push((row.int(1)?, row.int(2)?));
        }
        Ok(Self { periods: Arc::new(periods), before: None, counted: HashMap::new() })
    }
    fn commit(&mut self) {
        self.before = None;
        self.counted.clear();
    }
    fn rollback(&mut self) {
        if let Some(before) = self.before.take() {
            self.periods = before;
        }
        self.counted.clear();
    }
    fn before_commit(&mut self, db: &mut Engine) -> Result<(), DbError> {
        let mut cases: Vec<_> = self.counted.iter().collect();
        cases.sort_unstable_by_key(|(key, _)| **key);
        for ((source, rule, day), case) in cases {
            db.execute(
                "INSERT INTO observed (source, rule_id, day, count, person_id, message_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (source, rule_id, day) DO UPDATE SET count = observed.count + excluded.count, \
                 person_id = excluded.person_id, message_id = excluded.message_id, at = excluded.at",
                &[
                    (*source).into(),
                    (*rule).into(),
                    (*day).into(),
                    case.count.into(),
                    case.person_id.into(),
                    case.message_id.as_str().into(),
                    case.at.into(),
                ],
            )?;
        }
        self.counted.clear();
        Ok(())
    }
}

fn covered(periods: &Periods, source: i64, seq: i64) -> bool {
    let inside = |(from, to): &(i64, i64)| *from <= seq && (*to == 0 || seq < *to);
    periods.get(&source).is_some_and(|all| all.iter().any(inside))
}

/// Whether a source is observed now; costs a look-up in memory.
pub fn is_observed(tx: &mut Tx, source: i64) -> Result<bool, DbError> {
    let memory = tx.memory::<Observed>()?;
    Ok(!memory.periods.is_empty() && memory.periods.get(&source).is_some_and(|all| all.iter().any(|(_, to)| *to == 0)))
}

/// Begins or ends observing a source; gives whether anything changed.
pub fn set(tx: &mut Tx, source: i64, on: bool) -> Result<bool, DbError> {
    if is_observed(tx, source)? == on {
        return Ok(false);
    }
    let (seq, now) = (tx.next_seq(), tx.now().micros());
    if on {
        // Switched off and on without an event between: the period goes on.
        tx.execute(
            "INSERT INTO observations (source, from_seq, to_seq, since, until) VALUES ($1, $2, 0, $3, 0) \
             ON CONFLICT (source, from_seq) DO UPDATE SET to_seq = 0, until = 0",
            &[source.into(), seq.into(), now.into()],
        )?;
    } else {
        let sql = "UPDATE observations SET to_seq = $2, until = $3 WHERE source = $1 AND to_seq = 0";
        tx.execute(sql, &[source.into(), seq.into(), now.into()])?;
    }
    let memory = tx.memory::<Observed>()?;
    let mut periods = (*memory.periods).clone();
    let own = periods.entry(source).or_default();
    if on {
        own.retain(|(from, _)| *from != seq);
        own.push((seq, 0));
    } else if let Some(period) = own.iter_mut().find(|(_, to)| *to == 0) {
        period.1 = seq;
    }
    let old = std::mem::replace(&mut memory.periods, Arc::new(periods));
    memory.before.get_or_insert(old);
    Ok(true)
}

/// Counts what rules would have done about these entries.
pub fn count(tx: &mut Tx, source: i64, message_id: &str, moved: &[Moved]) -> Result<(), DbError> {
    for m in moved.iter().filter(|m| m.entered && m.triggers) {
        let rules = messaging::rules::listening(tx, m.segment_id)?;
        let now = tx.now().micros();
        let memory = tx.memory::<Observed>()?;
        for rule in rules {
            let case = memory.counted.entry((source, rule.id, now.div_euclid(DAY_US))).or_default();
            case.count += 1;
            (case.person_id, case.message_id, case.at) = (m.person_id, message_id.to_string(), now);
        }
    }
    Ok(())
}

/// Of entries that the clock made, those on which rules may act; what observed events caused is counted.
pub fn without_observed(tx: &mut Tx, preparer: &Preparer, moved: &[Moved]) -> Result<Vec<Moved>, DbError> {
    if tx.memory::<Observed>()?.periods.is_empty() {
        return Ok(moved.to_vec());
    }
    let mut out = Vec::with_capacity(moved.len());
    for m in moved {
        let asked = m.entered && m.triggers && messaging::rules::listens(tx, m.segment_id)?;
        match if asked { observed_cause(tx, preparer, m)? } else { None } {
            Some((source, message_id)) => count(tx, source, &message_id, std::slice::from_ref(m))?,
            None => out.push(*m),
        }
    }
    Ok(out)
}

/// The source and message that caused an entry by the clock, if the source was observed then.
fn observed_cause(tx: &mut Tx, preparer: &Preparer, moved: &Moved) -> Result<Option<(i64, String)>, DbError> {
    let members = customers::commands::members_of(tx, moved.person_id)?;
    let mut seqs: Vec<i64> = Vec::new();
    for member in &members {
        let tail = tx.get::<Profiles>(*member)?.map(|row| row.tail.entries()).unwrap_or_default();
        seqs.extend(tail.iter().map(|e| e.seq));
    }
    if seqs.len() < LOOK_BACK {
        // The newest part was just moved to a chunk.
        seqs = customers::commands::timeline_entries(tx, &members)?.iter().map(|e| e.seq).collect();
    }
    seqs.sort_unstable();
    let newest = seqs.split_off(seqs.len().saturating_sub(LOOK_BACK));
    let (compiled, current) = (definitions::current(tx)?, step::current(tx)?);
    let periods = tx.memory::<Observed>()?.periods.clone();
    for row in log::rows_of(tx.engine(), &newest)?.iter().rev() {
        let mut events = preparer.decode_row(&current, row)?;
        events.reverse();
        for event in events {
            let seq = row.first_seq + i64::from(event.index);
            if newest.binary_search(&seq).is_ok() && compiled.touches(&event, moved.segment_id) {
                return Ok(covered(&periods, row.source, seq).then(|| (row.source, event.message_id.to_string())));
            }
        }
    }
    Ok(None)
}

/// What a rule would have done on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldHave {
    pub rule_id: i64,
    /// The day's beginning, UTC.
    pub day: Timestamp,
    pub count: i64,
    pub person_id: i64,
    pub message_id: String,
    pub at: Timestamp,
}

/// The newest days of what rules would have done because of a source, newest first.
pub fn would_have(db: &mut Engine, source: i64, limit: i64) -> Result<Vec<WouldHave>, DbError> {
    let sql = "SELECT rule_id, day, count, person_id, message_id, at FROM observed WHERE source = $1 \
               ORDER BY day DESC, rule_id LIMIT $2";
    db.rows(sql, &[source.into(), limit.into()])?
        .iter()
        .map(|r| {
            Ok(WouldHave {
                rule_id: r.int(0)?,
                day: Timestamp::from_micros(r.int(1)? * DAY_US),
                count: r.int(2)?,
                person_id: r.int(3)?,
                message_id: r.text(4)?.into(),
                at: Timestamp::from_micros(r.int(5)?),
            })
        })
        .collect()
}

/// Since when sources are observed, of those that are.
pub fn observed_since(db: &mut Engine) -> Result<HashMap<i64, Timestamp>, DbError> {
    let rows = db.rows("SELECT source, since FROM observations WHERE to_seq = 0", &[])?;
    rows.iter().map(|r| Ok((r.int(0)?, Timestamp::from_micros(r.int(1)?)))).collect()
}
