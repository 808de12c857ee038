//! Requests of people about their data: what may follow what, and the legal term.
use base::{DAY_US, Timestamp};
use db::{Bulk, DbError, Engine, Owned, Tx};
use serde::{Deserialize, Serialize};

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To see what is held (GDPR art. 15).
    Access,
    /// To be forgotten (art. 17).
    Erasure,
    /// To have something put right (art. 16).
    Rectification,
    /// Not to be processed for a purpose (art. 21).
    Objection,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Access, Kind::Erasure, Kind::Rectification, Kind::Objection];
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Access => "access",
            Kind::Erasure => "erasure",
            Kind::Rectification => "rectification",
            Kind::Objection => "objection",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Received,
    /// Whoever asks is who they say they are.
    Verified,
    Running,
    Done,
    /// With a reason that the person is told.
    Refused,
}

impl State {
    /// All states.
    pub const ALL: [State; 5] = [State::Received, State::Verified, State::Running, State::Done, State::Refused];
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Received => "received",
            State::Verified => "verified",
            State::Running => "running",
            State::Done => "done",
            State::Refused => "refused",
        }
    }
    /// The inverse of [`State::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
    /// Whether nothing follows any more.
    pub fn is_closed(self) -> bool {
        matches!(self, State::Done | State::Refused)
    }
    /// Whether `next` may follow. Nothing is done for somebody who was not verified, and what is closed stays closed.
    pub fn may_become(self, next: State) -> bool {
        match (self, next) {
            (State::Received, State::Verified) | (State::Verified, State::Running | State::Done) => true,
            (State::Running, State::Done) => true,
            (from, State::Refused) => !from.is_closed(),
            _ => false,
        }
    }
}

/// The legal term where no setting says another: a month, counted as 30 days.
pub const TERM_DAYS: i64 = 30;
/// The setting's name.
pub const TERM_SETTING: &str = "privacy.term_days";

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub id: i64,
    pub kind: Kind,
    /// 0 = not found among the customers, or erased by now.
    pub person_id: i64,
    pub who: String,
    pub contact: String,
    pub note: String,
    pub state: State,
    pub reason: String,
    pub received_at: Timestamp,
    pub due_at: Timestamp,
    /// 0 = open.
    pub closed_at: i64,
    pub version: i64,
    /// What came of it; see [`Outcome`].
    pub outcome: Option<Outcome>,
}

/// What came of a request, as proof: it names no personal data and outlives an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The person's data was handed over.
    Export {
        /// RFC 3339.
        at: String,
        /// `json` or `html`.
        format: String,
        events: i64,
        bytes: i64,
        /// Of the file, in hexadecimal digits.
        sha256: String,
    },
    /// The person was erased; the number of the erasure.
    Erasure { job_id: i64 },
}

impl Outcome {
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|e| panic!("an outcome serializes: {e}"))
    }
}

impl Request {
    /// Whether the term is over and nobody has answered.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        !self.state.is_closed() && now > self.due_at
    }
}

static REQUESTS: Bulk = Bulk {
    table: "privacy_requests",
    columns: &[
        ("id", 'i'),
        ("kind", 't'),
        ("person_id", 'i'),
        ("who", 't'),
        ("contact", 't'),
        ("note", 't'),
        ("state", 't'),
        ("reason", 't'),
        ("received_at", 'i'),
        ("due_at", 'i'),
        ("closed_at", 'i'),
        ("version", 'i'),
        ("outcome", 't'),
    ],
    key: 1,
    insert_only: false,
};

/// Writes a request, new or changed.
pub fn put(tx: &mut Tx, r: &Request) {
    let text = |t: &str| Owned::Text(t.to_string());
    tx.append(
        &REQUESTS,
        vec![
            r.id.into(),
            text(r.kind.as_str()),
            r.person_id.into(),
            text(&r.who),
            text(&r.contact),
            text(&r.note),
            text(r.state.as_str()),
            text(&r.reason),
            r.received_at.micros().into(),
            r.due_at.micros().into(),
            r.closed_at.into(),
            r.version.into(),
            text(&r.outcome.as_ref().map(Outcome::text).unwrap_or_default()),
        ],
    );
}

/// The moment by which a request must be answered.
pub fn due_at(db: &mut Engine, received_at: Timestamp) -> Result<Timestamp, DbError> {
    let days = db::settings::get(db, TERM_SETTING)?.and_then(|d| d.parse::<i64>().ok()).unwrap_or(TERM_DAYS);
    Ok(received_at.plus(days.clamp(1, 365) * DAY_US))
}

const COLUMNS: &str = "id, kind, person_id, who, contact, note, state, reason, received_at, due_at, closed_at, version, \
                       outcome";

fn read(r: &db::Row) -> Result<Request, DbError> {
    let unknown = |what: &str| DbError::damaged("privacy_requests", format!("unknown {what}"));
    Ok(Request {
        id: r.int(0)?,
        kind: Kind::parse(r.text(1)?).ok_or_else(|| unknown("kind"))?,
        person_id: r.int(2)?,
        who: r.text(3)?.into(),
        contact: r.text(4)?.into(),
        note: r.text(5)?.into(),
        state: State::parse(r.text(6)?).ok_or_else(|| unknown("state"))?,
        reason: r.text(7)?.into(),
        received_at: Timestamp::from_micros(r.int(8)?),
        due_at: Timestamp::from_micros(r.int(9)?),
        closed_at: r.int(10)?,
        version: r.int(11)?,
        outcome: match r.text(12)? {
            "" => None,
            text => Some(serde_json::from_str(text).map_err(|e| DbError::damaged("privacy_requests", e))?),
        },
    })
}

/// A request by its number.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Request>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM privacy_requests WHERE id = $1");
    tx.first(&sql, &[id.into()])?.as_ref().map(read).transpose()
}

/// Requests before a number, newest first; `state` empty = all.
pub fn list(db: &mut Engine, state: &str, before: i64, limit: i64) -> Result<Vec<Request>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM privacy_requests WHERE id < $1 AND ($2 = '' OR state = $2) ORDER BY id DESC LIMIT $3"
    );
    db.rows(&sql, &[before.into(), state.into(), limit.into()])?.iter().map(read).collect()
}

/// How many requests stand in each state, with how many of them are late.
pub fn statistics(db: &mut Engine, now: Timestamp) -> Result<Vec<(String, String, i64, i64)>, DbError> {
    let sql = "SELECT kind, state, COUNT(*), CAST(SUM(CASE WHEN closed_at = 0 AND due_at < $1 THEN 1 ELSE 0 END) AS BIGINT) \
               FROM privacy_requests GROUP BY kind, state ORDER BY kind, state LIMIT 100";
    db.rows(sql, &[now.micros().into()])?
        .iter()
        .map(|r| Ok((r.text(0)?.to_string(), r.text(1)?.to_string(), r.int(2)?, r.int(3)?)))
        .collect()
}

/// Requests of a person, oldest first.
pub fn of_person(db: &mut Engine, person_id: i64) -> Result<Vec<Request>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM privacy_requests WHERE person_id = $1 ORDER BY id LIMIT 1000");
    db.rows(&sql, &[person_id.into()])?.iter().map(read).collect()
}

/// How many open requests are late, and how many more must be answered within `soon_us`.
pub fn pressing(db: &mut Engine, now: Timestamp, soon_us: i64) -> Result<(i64, i64), DbError> {
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN due_at < $1 THEN 1 ELSE 0 END), 0) AS BIGINT), COUNT(*) FROM privacy_requests \
               WHERE closed_at = 0 AND due_at < $2";
    let Some(row) = db.first(sql, &[now.micros().into(), now.plus(soon_us).micros().into()])? else {
        return Ok((0, 0));
    };
    let (late, all) = (row.int(0)?, row.int(1)?);
    Ok((late, all - late))
}

/// Notes what came of a request, and that work on it has begun. Gives the request as it stands then; `None` when there is
/// no such request, or it is closed already.
pub fn note_outcome(tx: &mut Tx, id: i64, outcome: Outcome) -> Result<Option<Request>, DbError> {
    let Some(known) = find(tx, id)?.filter(|r| !r.state.is_closed()) else { return Ok(None) };
    let state = if known.state == State::Verified { State::Running } else { known.state };
    let changed = Request { outcome: Some(outcome), state, version: known.version + 1, ..known };
    put(tx, &changed);
    Ok(Some(changed))
}

/// Closes the requests whose erasure is over; gives their numbers.
pub fn close_erased(tx: &mut Tx, job: i64) -> Result<Vec<i64>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM privacy_requests WHERE closed_at = 0 AND kind = 'erasure' AND outcome <> '' ORDER BY id LIMIT 1000"
    );
    let open: Vec<Request> = tx.rows(&sql, &[])?.iter().map(read).collect::<Result<_, _>>()?;
    let done = open.into_iter().filter(|r| r.outcome == Some(Outcome::Erasure { job_id: job }));
    let now = tx.now().micros();
    let mut ids = Vec::new();
    for request in done {
        ids.push(request.id);
        put(tx, &Request { state: State::Done, closed_at: now, version: request.version + 1, ..request });
    }
    Ok(ids)
}

/// Empties what requests of erased people say; what was asked and when it was answered stays.
pub fn forget(tx: &mut Tx, profiles: &[i64]) -> Result<(), DbError> {
    for profile in profiles {
        let sql = "UPDATE privacy_requests SET who = 'erased', contact = '', note = '' WHERE person_id = $1";
        tx.execute(sql, &[(*profile).into()])?;
    }
    Ok(())
}
