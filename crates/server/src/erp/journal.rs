//! What was done and refused in an exchange, line by line.
use base::Timestamp;
use db::{Bulk, DbError, Engine, Row, Tx};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErpJournalLevel)]
pub enum Level {
    /// Done, and worth knowing.
    Note,
    /// One thing was not taken.
    Refused,
    /// A file or a step was not taken.
    Failed,
}

impl Level {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Refused => "refused",
            Level::Failed => "failed",
        }
    }
    fn parse(text: &str) -> Self {
        [Level::Note, Level::Refused].into_iter().find(|l| l.as_str() == text).unwrap_or(Level::Failed)
    }
}

/// Whose lines these are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub connection_id: i64,
    pub exchange_id: i64,
    pub file: String,
}

static JOURNAL: Bulk = Bulk {
    table: "erp_journal",
    columns: &[
        ("id", 'i'),
        ("connection_id", 'i'),
        ("exchange_id", 'i'),
        ("at", 'i'),
        ("level", 't'),
        ("file", 't'),
        ("line", 'i'),
        ("subject", 't'),
        ("what", 't'),
    ],
    key: 1,
    insert_only: true,
};

/// Writes a line; `row` is the item's place in its file from 1, 0 where there is none.
pub fn note(tx: &mut Tx, place: &Place, level: Level, row: i64, subject: &str, what: &str) {
    let (id, at) = (tx.next_id(), tx.now().micros());
    let short = |text: &str| text.chars().take(500).collect::<String>();
    tx.append(
        &JOURNAL,
        vec![
            id.into(),
            place.connection_id.into(),
            place.exchange_id.into(),
            at.into(),
            level.as_str().into(),
            short(&place.file).into(),
            row.into(),
            short(subject).into(),
            short(what).into(),
        ],
    );
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub id: i64,
    pub exchange_id: i64,
    pub at: Timestamp,
    pub level: Level,
    pub file: String,
    pub row: i64,
    pub subject: String,
    pub what: String,
}

fn read(row: &Row) -> Result<Line, DbError> {
    Ok(Line {
        id: row.int(0)?,
        exchange_id: row.int(1)?,
        at: Timestamp::from_micros(row.int(2)?),
        level: Level::parse(row.text(3)?),
        file: row.text(4)?.into(),
        row: row.int(5)?,
        subject: row.text(6)?.into(),
        what: row.text(7)?.into(),
    })
}

/// Lines of a connection before one, newest first; of one exchange, where it is not 0.
pub fn page(db: &mut Engine, connection: i64, exchange: i64, before: i64, limit: i64) -> Result<Vec<Line>, DbError> {
    let rows = if exchange == 0 {
        let sql = "SELECT id, exchange_id, at, level, file, line, subject, what FROM erp_journal WHERE connection_id = $1 AND id < $2 \
                   ORDER BY id DESC LIMIT $3";
        db.rows(sql, &[connection.into(), before.into(), limit.into()])?
    } else {
        let sql = "SELECT id, exchange_id, at, level, file, line, subject, what FROM erp_journal WHERE exchange_id = $1 \
                   AND connection_id = $4 AND id < $2 ORDER BY id DESC LIMIT $3";
        db.rows(sql, &[exchange.into(), before.into(), limit.into(), connection.into()])?
    };
    rows.iter().map(read).collect()
}
