//! Refused items as they are stored.
use base::Timestamp;
use db::{DbError, Engine, Value};

/// One refused item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Number; rises with time.
    pub id: i64,
    /// Who sent it.
    pub source: i64,
    /// When it came.
    pub received_at: Timestamp,
    /// Why it was refused.
    pub code: String,
    /// Where in the body.
    pub pointer: String,
    /// Why, in words.
    pub detail: String,
    /// As it came, perhaps cut.
    pub raw: String,
    /// What its event is called, if that could be read.
    pub event: String,
    /// What it calls itself, if that could be read.
    pub message_id: String,
    /// Whether it may be tried again when the source's plan was mended.
    pub replayable: bool,
    /// When it was tried again, and what came of it.
    pub replayed: Option<(Timestamp, String)>,
}

/// Which refused items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// From one source.
    pub source: Option<i64>,
    /// For one reason.
    pub code: Option<String>,
    /// Of one event.
    pub event: Option<String>,
    /// Received at or after, and before, in microseconds.
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// Older than this number.
    pub before: i64,
}

/// Refused items, newest first.
pub fn list(db: &mut Engine, filter: &Filter, limit: i64) -> Result<Vec<Rejected>, DbError> {
    // 0 and '' stand for "any", so that one text serves all cases.
    let sql = "SELECT id, source, received_at, code, pointer, detail, raw, event, message_id, whole, replayed_at, replay \
               FROM rejects WHERE id < $1 AND ($2 = 0 OR source = $2) AND ($3 = '' OR code = $3) AND ($4 = '' OR event = $4) \
               AND received_at >= $5 AND received_at < $6 ORDER BY id DESC LIMIT $7";
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let (code, event) = (text(&filter.code), text(&filter.event));
    let params: [Value<'_>; 7] = [
        filter.before.into(),
        filter.source.unwrap_or(0).into(),
        code.as_str().into(),
        event.as_str().into(),
        filter.since.unwrap_or(i64::MIN).into(),
        filter.until.unwrap_or(i64::MAX).into(),
        limit.into(),
    ];
    db.rows(sql, &params)?.iter().map(rejected).collect()
}

fn rejected(r: &db::Row) -> Result<Rejected, DbError> {
    let replayed_at = r.int(10)?;
    let replay = r.text(11)?.to_string();
    Ok(Rejected {
        id: r.int(0)?,
        source: r.int(1)?,
        received_at: Timestamp::from_micros(r.int(2)?),
        code: r.text(3)?.into(),
        pointer: r.text(4)?.into(),
        detail: r.text(5)?.into(),
        raw: r.text(6)?.into(),
        event: r.text(7)?.into(),
        message_id: r.text(8)?.into(),
        replayable: r.int(9)? != 0 && !matches!(replay.as_str(), "accepted" | "duplicate"),
        replayed: (replayed_at != 0).then(|| (Timestamp::from_micros(replayed_at), replay)),
    })
}

/// Refused items by hour and reason, oldest first: hour, reason, count.
pub fn hours(db: &mut Engine, source: Option<i64>, since: Timestamp) -> Result<Vec<(Timestamp, String, i64)>, DbError> {
    // One line an hour and reason: a few thousand at most, since there are some thirty reasons.
    let sql = "SELECT received_at / 3600000000, code, CAST(COUNT(*) AS BIGINT) FROM rejects \
               WHERE received_at >= $1 AND ($2 = 0 OR source = $2) GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 10000";
    let rows = db.rows(sql, &[since.micros().into(), source.unwrap_or(0).into()])?;
    rows.iter().map(|r| Ok((Timestamp::from_micros(r.int(0)? * base::HOUR_US), r.text(1)?.into(), r.int(2)?))).collect()
}

/// Refused items of one kind, summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Why they were refused.
    pub code: String,
    /// Where in the message, positions in lists left out.
    pub pointer: String,
    /// Who sent them.
    pub source: i64,
    /// How many are kept.
    pub count: i64,
    /// When the first came.
    pub first_at: Timestamp,
    /// When the last came.
    pub last_at: Timestamp,
    /// The newest of them.
    pub example: String,
}

/// Refused items by reason, place and source, most frequent first.
pub fn summary(db: &mut Engine, limit: i64) -> Result<Vec<Summary>, DbError> {
    let sql = "SELECT code, pointer, source, CAST(COUNT(*) AS BIGINT), CAST(MIN(received_at) AS BIGINT), \
               CAST(MAX(received_at) AS BIGINT), CAST(MAX(id) AS BIGINT) FROM rejects GROUP BY code, pointer, source";
    let mut out: Vec<(Summary, i64)> = Vec::new();
    db.each(sql, &[], &mut |r| {
        let pointer = without_position(r.text(1)?);
        let (code, source, count) = (r.text(0)?, r.int(2)?, r.int(3)?);
        let (first, last, newest) = (Timestamp::from_micros(r.int(4)?), Timestamp::from_micros(r.int(5)?), r.int(6)?);
        match out.iter_mut().find(|(s, _)| s.code == code && s.pointer == pointer && s.source == source) {
            Some((known, id)) => {
                known.count += count;
                known.first_at = known.first_at.min(first);
                known.last_at = known.last_at.max(last);
                *id = newest.max(*id);
            }
            None => {
                let code = code.to_string();
                let example = String::new();
                out.push((Summary { code, pointer, source, count, first_at: first, last_at: last, example }, newest));
            }
        }
        Ok(true)
    })?;
    out.sort_by(|(a, _), (b, _)| (b.count, &a.code).cmp(&(a.count, &b.code)));
    out.truncate(limit as usize);
    for (summary, newest) in &mut out {
        let row = db.first("SELECT raw FROM rejects WHERE id = $1", &[(*newest).into()])?;
        summary.example = row.map(|r| r.text(0).map(str::to_string)).transpose()?.unwrap_or_default();
    }
    Ok(out.into_iter().map(|(summary, _)| summary).collect())
}

/// `/batch/17/event` and `/event` are the same place of a message.
fn without_position(pointer: &str) -> String {
    match pointer.strip_prefix("/batch/") {
        Some(rest) => rest.find('/').map_or(String::new(), |at| rest[at..].to_string()),
        None => pointer.to_string(),
    }
}
