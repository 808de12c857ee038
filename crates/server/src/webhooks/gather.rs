//! What happened since a place: read beside the writer, from the log and from the lists of changes.
use super::facts::{self, Consent, Fact};
use base::Timestamp;
use db::{DbError, Engine, Tx, jobs, log, subscriptions};
use pipeline::Preparer;
use pipeline::timeline;
use std::collections::{HashMap, HashSet};

/// The subscription to the log.
pub const NAME: &str = "webhooks";
/// Rows of the log that are opened at once.
const LOG_ROWS: i64 = 64;
/// Rows of each other list.
const ROWS: i64 = 200;

/// How far everything was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// The log: the next seq to read.
    pub log: i64,
    /// The last row of `identity_changes`.
    pub identity: i64,
    /// The last consent.
    pub consents: i64,
    /// The last group whose changes of segments were read.
    pub segments: i64,
    /// The last erasure.
    pub erasures: i64,
    /// The moment of the last job that ended; jobs of that same moment are read again, and known by their key.
    pub jobs: i64,
}

const SOURCES: [&str; 5] = ["identity", "consents", "segments", "erasures", "jobs"];

impl Places {
    /// The places as they are committed.
    pub fn read(db: &mut Engine) -> Result<Self, DbError> {
        let rows = db.rows("SELECT source, position FROM webhook_positions LIMIT 100", &[])?;
        let mut found = HashMap::new();
        for row in &rows {
            found.insert(row.text(0)?.to_string(), row.int(1)?);
        }
        let at = |source: &str| found.get(source).copied().unwrap_or(0);
        Ok(Self {
            log: subscriptions::position(db, NAME)?,
            identity: at("identity"),
            consents: at("consents"),
            segments: at("segments"),
            erasures: at("erasures"),
            jobs: at("jobs"),
        })
    }
    /// The present: from here on nothing of the past is told. Numbers of rows come from one sequence.
    pub fn now(tx: &Tx) -> Self {
        let id = tx.writer_row().next_id;
        let (identity, consents, erasures) = (id, id, id);
        Self { log: tx.next_seq(), identity, consents, segments: tx.group(), erasures, jobs: tx.now().micros() }
    }
    /// Notes that everything before was read.
    pub fn write(&self, tx: &mut Tx) -> Result<(), DbError> {
        subscriptions::advance(tx, NAME, self.log)?;
        let values = [self.identity, self.consents, self.segments, self.erasures, self.jobs];
        for (source, position) in SOURCES.into_iter().zip(values) {
            tx.execute(
                "INSERT INTO webhook_positions (source, position) VALUES ($1, $2) ON CONFLICT (source) DO UPDATE SET \
                 position = excluded.position WHERE webhook_positions.position < excluded.position",
                &[source.into(), position.into()],
            )?;
        }
        Ok(())
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// Where reading began.
    pub before: Places,
    /// Where it ended.
    pub after: Places,
    /// The newest erasure that this reading saw: if there is a newer one, it may hold what is gone by now.
    pub newest_erasure: i64,
    /// In the order of their lists.
    pub facts: Vec<Fact>,
}

impl Gathered {
    /// Whether anything moved.
    pub fn is_empty(&self) -> bool {
        self.before == self.after
    }
}

/// The newest erasure of all.
pub fn newest_erasure(db: &mut Engine) -> Result<i64, DbError> {
    let sql = "SELECT CAST(COALESCE(MAX(id), 0) AS BIGINT) FROM jobs WHERE kind = $1";
    db.first(sql, &[pipeline::erasure::KIND.into()])?.map_or(Ok(0), |r| r.int(0))
}

/// Reads what follows the committed places, a bounded piece. With `with_log` off, the log is passed over unread.
pub fn gather(db: &mut Engine, preparer: &Preparer, with_log: bool) -> Result<Gathered, DbError> {
    let newest_erasure = newest_erasure(db)?;
    let before = Places::read(db)?;
    let (mut after, mut facts) = (before, Vec::new());
    after.log = read_log(db, preparer, before.log, with_log, &mut facts)?;
    for change in customers::changes::after(db, before.identity, ROWS)? {
        after.identity = change.id;
        facts.extend(facts::of_identity(&change));
    }
    for consent in consents(db, before.consents)? {
        after.consents = consent.id;
        facts.push(facts::of_consent(&consent));
    }
    let groups = segments::runtime::changes::after(db, before.segments, ROWS)?;
    if !groups.is_empty() {
        let names = segment_names(db)?;
        for (group, at, changes) in groups {
            after.segments = group;
            facts.extend(facts::of_segments(group, at, &changes, &|id| names.get(&id).cloned()));
        }
    }
    for job in jobs::begun_after(db, pipeline::erasure::KIND, before.erasures, ROWS)? {
        after.erasures = job.id;
        facts.push(facts::of_erasure(&job));
    }
    for job in jobs::ended_since(db, before.jobs.max(1), ROWS)? {
        after.jobs = job.finished_at;
        if job.kind != pipeline::erasure::KIND {
            facts.push(facts::of_job(&job));
        }
    }
    let gone = being_erased(db)?;
    if !gone.is_empty() {
        facts.retain(|fact| fact.profile_id == 0 || !gone.contains(&fact.profile_id));
    }
    Ok(Gathered { before, after, newest_erasure, facts })
}

/// Profiles whose erasure has begun and whose bodies may still hold what they said.
fn being_erased(db: &mut Engine) -> Result<HashSet<i64>, DbError> {
    let sql = "SELECT subject, payload FROM jobs WHERE kind = $1 AND finished_at = 0 ORDER BY id";
    let mut out = HashSet::new();
    for row in db.rows(sql, &[pipeline::erasure::KIND.into()])? {
        out.insert(row.int(0)?);
        let payload: serde_json::Value = serde_json::from_str(row.text(1)?).unwrap_or_default();
        out.extend(payload["profiles"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_i64));
    }
    Ok(out)
}

fn read_log(
    db: &mut Engine,
    preparer: &Preparer,
    from: i64,
    with_log: bool,
    facts: &mut Vec<Fact>,
) -> Result<i64, DbError> {
    let end = db::store::read_row(db)?.next_seq;
    if !with_log || end <= from {
        return Ok(end.max(from));
    }
    let mut next = from;
    let observed = observations(db)?;
    for row in log::page(db, from, LOG_ROWS)? {
        next = row.first_seq + row.ids.len() as i64;
        // A source that is only observed reaches nobody.
        let seen_only = |seq: i64| {
            observed.iter().any(|(source, from, to)| *source == row.source && *from <= seq && (*to == 0 || seq < *to))
        };
        if row.kept() == 0 || seen_only(row.first_seq) {
            continue;
        }
        let kept_by_law = retained(db, row.first_seq, next)?;
        let events = timeline::stored_events(preparer, &row)?;
        let told = events.iter().filter(|e| !kept_by_law.contains(&e.seq));
        facts.extend(told.filter_map(|e| facts::of_event(e, 0)));
    }
    Ok(next)
}

/// Documents of erased people that law keeps: they stay for that, and are told to nobody.
fn retained(db: &mut Engine, from: i64, to: i64) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT seq FROM retained_documents WHERE seq >= $1 AND seq < $2 ORDER BY seq";
    let rows = db.rows(sql, &[from.into(), to.into()])?;
    rows.iter().map(|r| r.int(0)).collect()
}

/// When which source was observed only: source, first seq, seq after the last (0 = still).
fn observations(db: &mut Engine) -> Result<Vec<(i64, i64, i64)>, DbError> {
    let rows = db.rows("SELECT source, from_seq, to_seq FROM observations ORDER BY from_seq DESC LIMIT 10000", &[])?;
    rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?, r.int(2)?))).collect()
}

fn consents(db: &mut Engine, after: i64) -> Result<Vec<Consent>, DbError> {
    let sql = "SELECT id, channel, address, purpose, granted, at, profile_id, imported FROM consents WHERE id > $1 \
               ORDER BY id LIMIT $2";
    let read = |r: &db::Row| -> Result<Consent, DbError> {
        Ok(Consent {
            id: r.int(0)?,
            channel: r.text(1)?.into(),
            address: r.text(2)?.into(),
            purpose: r.text(3)?.into(),
            granted: r.int(4)? != 0,
            at: Timestamp::from_micros(r.int(5)?),
            profile_id: r.int(6)?,
            imported: r.int(7)? != 0,
        })
    };
    db.rows(sql, &[after.into(), ROWS.into()])?.iter().map(read).collect()
}

fn segment_names(db: &mut Engine) -> Result<HashMap<i64, String>, DbError> {
    let rows = db.rows("SELECT id, name FROM segments ORDER BY id LIMIT 10000", &[])?;
    rows.iter().map(|r| Ok((r.int(0)?, r.text(1)?.to_string()))).collect()
}
