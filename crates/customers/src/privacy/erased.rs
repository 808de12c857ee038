//! The manifest of erasures: keyed hashes, and what they forbid.
use crate::identifier;
use base::Timestamp;
use db::event::{Event, Identifier, Origin};
use db::tx::Memory;
use db::{Bulk, DbError, Engine, Tx};
use hashbrown::HashMap;

/// When a value was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub at: Timestamp,
    /// The seq of the first event after the erasure.
    pub seq: i64,
}

/// What a hash stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A kind and value that the person owned.
    Identifier,
    /// A profile with the moment of its birth, which tells it from one of another line of backups.
    Profile,
}

impl Kind {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Identifier => "identifier",
            Kind::Profile => "profile",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "identifier" => Some(Kind::Identifier),
            "profile" => Some(Kind::Profile),
            _ => None,
        }
    }
}

/// A line of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub hash: u128,
    pub kind: Kind,
    pub request_id: i64,
    pub mark: Mark,
}

/// Erased identifiers in memory: nothing where nobody was erased, 48 bytes a value else.
#[derive(Debug, Default)]
pub struct Erased {
    of: HashMap<u128, Mark>,
    /// What each changed value was before the running group.
    before: Vec<(u128, Option<Mark>)>,
}

impl Memory for Erased {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let of = lines(db)?.into_iter().filter(|l| l.kind == Kind::Identifier).map(|l| (l.hash, l.mark)).collect();
        Ok(Self { of, before: Vec::new() })
    }
    fn commit(&mut self) {
        self.before.clear();
    }
    fn rollback(&mut self) {
        for (hash, mark) in self.before.drain(..).rev() {
            match mark {
                Some(mark) => self.of.insert(hash, mark),
                None => self.of.remove(&hash),
            };
        }
    }
}

impl Erased {
    /// When a value was erased last.
    pub fn mark(&self, hash: u128) -> Option<Mark> {
        self.of.get(&hash).copied()
    }
    /// Whether anybody was erased.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
    /// What an event of the log decides identity by when it is read back: what was erased later decides nothing any more.
    /// `None` where that is all that it names. What the event said stays its own, as do the values of others that a profile
    /// remembers.
    pub fn deciding(&self, identifiers: &[Identifier], seq: i64) -> Option<Vec<Identifier>> {
        if self.is_empty() || !identifiers.iter().any(|i| self.covers(i.hash, seq)) {
            return None;
        }
        Some(identifiers.iter().filter(|i| !self.covers(i.hash, seq)).cloned().collect())
    }
    /// Whether the log may still name a value at `seq` although it was erased later: another person's event carried it.
    pub fn covers(&self, hash: u128, seq: i64) -> bool {
        self.mark(hash).is_some_and(|mark| seq < mark.seq)
    }
}

static ERASED: Bulk = Bulk {
    table: "erased",
    columns: &[("hash", 'b'), ("kind", 't'), ("request_id", 'i'), ("at", 'i'), ("seq", 'i')],
    key: 1,
    insert_only: false,
};

/// How many values were erased and where the log stood at the last erasure: another answer means that somebody was erased
/// since.
pub fn newest(db: &mut Engine) -> Result<(i64, i64), DbError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(MAX(seq), 0) AS BIGINT) FROM erased";
    db.first(sql, &[])?.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

/// The hash of a profile with its birth.
pub fn profile_hash(key: (u64, u64), profile_id: i64, created_at: Timestamp) -> u128 {
    identifier::hash(key, "\u{1}profile", &format!("{profile_id}:{}", created_at.micros()))
}

/// The whole manifest, by hash.
pub fn lines(db: &mut Engine) -> Result<Vec<Line>, DbError> {
    let sql = "SELECT hash, kind, request_id, at, seq FROM erased ORDER BY at, hash";
    db.rows(sql, &[])?
        .iter()
        .map(|r| {
            let hash = r.blob(0)?.try_into().map_err(|e| DbError::damaged("erased", e))?;
            let kind = Kind::parse(r.text(1)?).ok_or_else(|| DbError::damaged("erased", "unknown kind"))?;
            let mark = Mark { at: Timestamp::from_micros(r.int(3)?), seq: r.int(4)? };
            Ok(Line { hash: u128::from_le_bytes(hash), kind, request_id: r.int(2)?, mark })
        })
        .collect()
}

/// Adds lines to the manifest; a value that is erased again moves on.
pub fn add(tx: &mut Tx, lines: &[Line]) -> Result<(), DbError> {
    tx.memory::<Erased>()?;
    for line in lines {
        tx.append(
            &ERASED,
            vec![
                line.hash.to_le_bytes().to_vec().into(),
                line.kind.as_str().into(),
                line.request_id.into(),
                line.mark.at.micros().into(),
                line.mark.seq.into(),
            ],
        );
        if line.kind == Kind::Identifier {
            let memory = tx.memory::<Erased>()?;
            let old = memory.of.insert(line.hash, line.mark);
            memory.before.push((line.hash, old));
        }
    }
    Ok(())
}

/// What an erasure says of an event that carries an erased value.
///
/// What happened before the erasure is refused wherever it comes from: a late event, a repeated file. What happened after
/// it is a new life, if somebody lives it: an event of the tracking API is the person's own act; a line of a file is not,
/// unless the value has an owner again.
pub fn refused(mark: Mark, happened: Timestamp, import: bool, owned: bool) -> bool {
    happened <= mark.at || (import && !owned)
}

/// Whether an event must not be taken because it would bring an erased person back. Costs nothing where nobody was erased,
/// a look-up in memory for each identifier else.
pub fn refuses(tx: &mut Tx, event: &Event, origin: Origin) -> Result<bool, DbError> {
    let memory = tx.memory::<Erased>()?;
    if memory.is_empty() || origin == Origin::Derived {
        return Ok(false);
    }
    let marked: Vec<(usize, Mark)> =
        event.identifiers.iter().enumerate().filter_map(|(at, i)| Some((at, memory.mark(i.hash)?))).collect();
    for (at, mark) in marked {
        let import = origin == Origin::Import;
        let owned = import && crate::commands::owner(tx, &event.identifiers[at])?.is_some();
        if refused(mark, event.timestamp, import, owned) {
            return Ok(true);
        }
    }
    Ok(false)
}
