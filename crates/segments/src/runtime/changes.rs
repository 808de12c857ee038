//! The facts about memberships: what a group changed, as one appended row.
use super::memberships::{Cause, Membership, Memberships};
use base::Timestamp;
use db::pack::{Reader, put_i64, put_u64};
use db::tx::Memory;
use db::{Bulk, DbError, Engine, Notice, Tx};
use hashbrown::HashMap;

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    pub segment_id: i64,
    pub person_id: i64,
    pub entered: bool,
    /// When it happened: an event's moment of reception, a timer's due time.
    pub at: Timestamp,
    pub leaves_at_us: i64,
    pub cause: Cause,
}

/// Counts of people by segment, and the changes of the running group.
#[derive(Debug, Default)]
pub struct Changes {
    counts: HashMap<i64, i64>,
    before: HashMap<i64, i64>,
    pending: Vec<Change>,
    /// Group and moment of `pending`.
    group: (i64, i64),
}

static ROWS: Bulk = Bulk {
    table: "membership_changes",
    columns: &[("group_id", 'i'), ("at", 'i'), ("changes", 'b')],
    key: 1,
    insert_only: false,
};
static COUNTS: Bulk =
    Bulk { table: "segment_counts", columns: &[("segment_id", 'i'), ("count", 'i')], key: 1, insert_only: false };

impl Memory for Changes {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let rows = db.rows("SELECT segment_id, count FROM segment_counts", &[])?;
        let counts = rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect::<Result<_, DbError>>()?;
        Ok(Self { counts, ..Self::default() })
    }
    fn commit(&mut self) {
        self.before.clear();
        self.pending.clear();
    }
    fn rollback(&mut self) {
        for (segment, count) in self.before.drain() {
            self.counts.insert(segment, count);
        }
        self.pending.clear();
    }
    fn before_commit(&mut self, db: &mut Engine) -> Result<(), DbError> {
        if !self.pending.is_empty() {
            // One row for all commands of the group.
            let packed = encode(&self.pending);
            db.bulk(&ROWS, &[&[self.group.0.into(), self.group.1.into(), (&packed).into()]])?;
        }
        if self.before.is_empty() {
            return Ok(());
        }
        let rows: Vec<[db::Value<'_>; 2]> =
            self.before.keys().map(|s| [(*s).into(), self.counts.get(s).copied().unwrap_or(0).into()]).collect();
        let refs: Vec<&[db::Value<'_>]> = rows.iter().map(|r| &r[..]).collect();
        db.bulk(&COUNTS, &refs)
    }
}

/// How many people are in a segment now.
pub fn count(tx: &mut Tx, segment_id: i64) -> Result<i64, DbError> {
    Ok(tx.memory::<Changes>()?.counts.get(&segment_id).copied().unwrap_or(0))
}

/// Makes changes: the person's row, the counts, and the fact.
pub fn apply(tx: &mut Tx, changes: &[Change]) -> Result<(), DbError> {
    let group = (tx.group(), tx.now().micros());
    for change in changes {
        apply_row(tx, change)?;
        let memory = tx.memory::<Changes>()?;
        let old = memory.counts.get(&change.segment_id).copied().unwrap_or(0);
        memory.before.entry(change.segment_id).or_insert(old);
        memory.counts.insert(change.segment_id, old + if change.entered { 1 } else { -1 });
        memory.pending.push(*change);
        memory.group = group;
    }
    Ok(())
}

/// Writes a membership anew with another beginning; nobody enters or leaves.
pub fn correct(tx: &mut Tx, change: Change) -> Result<(), DbError> {
    apply_row(tx, &change)?;
    let group = (tx.group(), tx.now().micros());
    let memory = tx.memory::<Changes>()?;
    memory.pending.push(change);
    memory.group = group;
    Ok(())
}

fn apply_row(tx: &mut Tx, change: &Change) -> Result<(), DbError> {
    let Some(row) = tx.get_mut::<Memberships>(change.person_id)? else { return Ok(()) };
    if change.entered {
        row.put(Membership {
            segment_id: change.segment_id,
            since_us: change.at.micros(),
            leaves_at_us: change.leaves_at_us,
            cause: change.cause,
        });
    } else {
        row.remove(change.segment_id);
    }
    Ok(())
}

/// Tells the counts that this command moved; the facts are written with the group.
pub fn tell(tx: &mut Tx) -> Result<(), DbError> {
    let memory = tx.memory::<Changes>()?;
    if memory.before.is_empty() {
        return Ok(());
    }
    let counts: Vec<(i64, i64)> =
        memory.before.keys().map(|s| (*s, memory.counts.get(s).copied().unwrap_or(0))).collect();
    for (id, count) in counts {
        tx.notify(Notice::Segment { id, count });
    }
    Ok(())
}

fn encode(changes: &[Change]) -> Vec<u8> {
    let mut out = Vec::with_capacity(changes.len() * 16);
    put_u64(&mut out, changes.len() as u64);
    for c in changes {
        put_i64(&mut out, c.segment_id);
        put_i64(&mut out, c.person_id);
        put_u64(&mut out, u64::from(c.entered) | (c.cause as u64) << 1);
        put_i64(&mut out, c.at.micros());
        put_i64(&mut out, c.leaves_at_us);
    }
    out
}

fn decode(bytes: &[u8]) -> Result<Vec<Change>, DbError> {
    const CAUSES: [Cause; 5] = [Cause::Event, Cause::Timer, Cause::Initial, Cause::Merge, Cause::Unmerge];
    let mut reader = Reader::new(bytes);
    let count = reader.u64()?;
    let mut out = Vec::with_capacity(count.min(65_536) as usize);
    for _ in 0..count {
        let (segment_id, person_id, flags) = (reader.i64()?, reader.i64()?, reader.u64()?);
        let cause = *CAUSES
            .get((flags >> 1) as usize)
            .ok_or_else(|| DbError::damaged("membership_changes", "unknown cause"))?;
        let at = Timestamp::from_micros(reader.i64()?);
        out.push(Change { segment_id, person_id, entered: flags & 1 == 1, at, leaves_at_us: reader.i64()?, cause });
    }
    Ok(out)
}

/// Brings the lazy rows up to the facts again, from `from_group` on. Replaying what a row already has changes nothing: the
/// last change of a pair decides.
pub fn recover(tx: &mut Tx, from_group: i64) -> Result<(), DbError> {
    let sql = "SELECT changes FROM membership_changes WHERE group_id >= $1 ORDER BY group_id";
    for row in tx.rows(sql, &[from_group.into()])? {
        for change in decode(row.blob(0)?)? {
            apply_row(tx, &change)?;
        }
    }
    Ok(())
}

/// Takes people out of the facts of up to `limit` groups from `from_group` on; gives where to go on, `None` at the end.
/// Their rows must be empty already.
pub fn forget(tx: &mut Tx, people: &[i64], from_group: i64, limit: i64) -> Result<Option<i64>, DbError> {
    let sql = "SELECT group_id, changes FROM membership_changes WHERE group_id >= $1 ORDER BY group_id LIMIT $2";
    let rows = tx.rows(sql, &[from_group.into(), limit.into()])?;
    let mut next = None;
    for row in &rows {
        let group = row.int(0)?;
        next = Some(group + 1);
        let mut changes = decode(row.blob(1)?)?;
        let before = changes.len();
        changes.retain(|c| !people.contains(&c.person_id));
        if changes.len() < before {
            let packed = encode(&changes);
            let sql = "UPDATE membership_changes SET changes = $2 WHERE group_id = $1";
            tx.execute(sql, &[group.into(), (&packed).into()])?;
        }
    }
    Ok(next)
}

/// What groups after one changed, in order: group, its moment, its changes. At most `limit` groups.
pub fn after(db: &mut Engine, group: i64, limit: i64) -> Result<Vec<(i64, Timestamp, Vec<Change>)>, DbError> {
    let sql = "SELECT group_id, at, changes FROM membership_changes WHERE group_id > $1 ORDER BY group_id LIMIT $2";
    let rows = db.rows(sql, &[group.into(), limit.into()])?;
    rows.iter().map(|r| Ok((r.int(0)?, Timestamp::from_micros(r.int(1)?), decode(r.blob(2)?)?))).collect()
}

/// The newest changes of a segment, newest first.
pub fn newest(db: &mut Engine, segment_id: i64, limit: usize) -> Result<Vec<Change>, DbError> {
    let mut out = Vec::new();
    // A bounded look back: a segment that nobody entered for ten thousand groups has no news.
    let sql = "SELECT changes FROM membership_changes ORDER BY group_id DESC LIMIT 10000";
    db.each(sql, &[], &mut |row| {
        out.extend(decode(row.blob(0)?)?.into_iter().rev().filter(|c| c.segment_id == segment_id));
        Ok(out.len() < limit)
    })?;
    out.truncate(limit);
    Ok(out)
}
