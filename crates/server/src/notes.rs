//! What staff wrote about customers.
use db::{DbError, Engine, Row, Tx};

/// Notes of one person that are shown, at most.
pub const MAX: i64 = 500;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub id: i64,
    /// The profile that it was written to.
    pub profile_id: i64,
    pub body: String,
    pub author: String,
    pub created_at: i64,
    pub updated_at: i64,
    /// 0 while it stands. A deleted note can be written again until the person is erased.
    pub deleted_at: i64,
}

const COLUMNS: &str = "id, profile_id, body, author, created_at, updated_at, deleted_at";

fn read(row: &Row) -> Result<Note, DbError> {
    Ok(Note {
        id: row.int(0)?,
        profile_id: row.int(1)?,
        body: row.text(2)?.into(),
        author: row.text(3)?.into(),
        created_at: row.int(4)?,
        updated_at: row.int(5)?,
        deleted_at: row.int(6)?,
    })
}

/// Notes of a person's profiles, newest first.
pub fn list(db: &mut Engine, profiles: &[i64]) -> Result<Vec<Note>, DbError> {
    let places: Vec<String> = (1..=profiles.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM notes WHERE profile_id IN ({}) AND deleted_at = 0 ORDER BY id DESC LIMIT {MAX}",
        places.join(", ")
    );
    let params: Vec<db::Value<'_>> = profiles.iter().map(|p| (*p).into()).collect();
    db.rows(&sql, &params)?.iter().map(read).collect()
}

/// A note by number, a deleted one included.
pub fn find(tx: &mut Tx, id: i64) -> Result<Option<Note>, DbError> {
    tx.first(&format!("SELECT {COLUMNS} FROM notes WHERE id = $1"), &[id.into()])?.map(|r| read(&r)).transpose()
}

/// Writes a note, new or changed.
pub fn put(tx: &mut Tx, note: &Note) -> Result<(), DbError> {
    let sql = "INSERT INTO notes (id, profile_id, body, author, created_at, updated_at, deleted_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at, \
               deleted_at = excluded.deleted_at";
    let params = [
        note.id.into(),
        note.profile_id.into(),
        (&note.body).into(),
        (&note.author).into(),
        note.created_at.into(),
        note.updated_at.into(),
        note.deleted_at.into(),
    ];
    tx.execute(sql, &params).map(drop)
}
