//! What was learned, read for people.
use super::flush::words;
use base::Timestamp;
use db::{DbError, Engine, Tx};

/// A property as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedProperty {
    pub name: String,
    pub count: i64,
    /// Kinds of values, by the words of plans.
    pub kinds: String,
    pub shape: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// An event as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedEvent {
    pub name: String,
    pub count: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// Values of properties beyond those that are kept; for the nameless event, events beyond those that are kept.
    pub overflow: i64,
    pub properties: Vec<LearnedProperty>,
}

/// What a source was seen to send, most frequent first; bounded by what is learned.
pub fn learned(db: &mut Engine, source: i64) -> Result<Vec<LearnedEvent>, DbError> {
    let at = Timestamp::from_micros;
    let events = "SELECT event, count, first_at, last_at, overflow FROM learned_events WHERE source = $1 ORDER BY count DESC, event";
    let mut out = Vec::new();
    for r in db.rows(events, &[source.into()])? {
        out.push(LearnedEvent {
            name: r.text(0)?.into(),
            count: r.int(1)?,
            first_at: at(r.int(2)?),
            last_at: at(r.int(3)?),
            overflow: r.int(4)?,
            properties: Vec::new(),
        });
    }
    let properties = "SELECT event, property, count, first_at, last_at, kinds, shape FROM learned_properties WHERE source = $1 \
                      ORDER BY event, count DESC, property";
    for r in db.rows(properties, &[source.into()])? {
        let name = r.text(0)?;
        if let Some(event) = out.iter_mut().find(|e| e.name == name) {
            event.properties.push(LearnedProperty {
                name: r.text(1)?.into(),
                count: r.int(2)?,
                first_at: at(r.int(3)?),
                last_at: at(r.int(4)?),
                kinds: words(r.int(5)?),
                shape: r.text(6)?.into(),
            });
        }
    }
    Ok(out)
}

/// Something that changed in a source's events, or does not fit its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftItem {
    pub id: i64,
    pub kind: String,
    pub event: String,
    pub property: String,
    pub detail: String,
    pub since: Timestamp,
    pub last_at: Timestamp,
    pub count: i64,
    /// Ids of messages, newest first.
    pub examples: Vec<String>,
    pub resolved_at_us: i64,
    pub resolved_by: String,
}

const DRIFT: &str = "id, kind, event, property, detail, since, last_at, count, examples, resolved_at, resolved_by";

fn item(r: &db::Row) -> Result<DriftItem, DbError> {
    Ok(DriftItem {
        id: r.int(0)?,
        kind: r.text(1)?.into(),
        event: r.text(2)?.into(),
        property: r.text(3)?.into(),
        detail: r.text(4)?.into(),
        since: Timestamp::from_micros(r.int(5)?),
        last_at: Timestamp::from_micros(r.int(6)?),
        count: r.int(7)?,
        examples: serde_json::from_str(r.text(8)?).map_err(|e| DbError::damaged("drift", e))?,
        resolved_at_us: r.int(9)?,
        resolved_by: r.text(10)?.into(),
    })
}

/// What drifts in a source, newest first; `open` leaves out what was resolved.
pub fn drift(db: &mut Engine, source: i64, open: bool, before: i64, limit: i64) -> Result<Vec<DriftItem>, DbError> {
    let sql = format!(
        "SELECT {DRIFT} FROM drift WHERE source = $1 AND id < $2 AND ($3 = 0 OR resolved_at = 0) ORDER BY id DESC LIMIT $4"
    );
    let rows = db.rows(&sql, &[source.into(), before.into(), i64::from(open).into(), limit.into()])?;
    rows.iter().map(item).collect()
}

/// Marks a drift as seen and in order; `None` when there is none such.
pub fn resolve(tx: &mut Tx, source: i64, id: i64, actor: &str) -> Result<Option<DriftItem>, DbError> {
    let now = tx.now().micros();
    let sql = "UPDATE drift SET resolved_at = $3, resolved_by = $4 WHERE source = $1 AND id = $2 AND resolved_at = 0";
    tx.execute(sql, &[source.into(), id.into(), now.into(), actor.into()])?;
    let sql = format!("SELECT {DRIFT} FROM drift WHERE source = $1 AND id = $2");
    tx.first(&sql, &[source.into(), id.into()])?.map(|r| item(&r)).transpose()
}
