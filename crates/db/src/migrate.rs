//! Migrations: one text for both engines, forward only, run at start under the writer's lock.
use crate::engine::Dialect;
use crate::{DbError, Engine};

/// The migrations of one crate, in order; the version of the schema is the number of all of them.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// The crate that owns the tables.
    pub owner: &'static str,
    /// File name without extension, and text.
    pub steps: &'static [(&'static str, &'static str)],
}

/// What `db` itself needs.
pub const MIGRATIONS: Migrations = Migrations {
    owner: "db",
    steps: &[
        ("0001_log", include_str!("../migrations/0001_log.sql")),
        ("0002_jobs", include_str!("../migrations/0002_jobs.sql")),
        ("0003_derived", include_str!("../migrations/0003_derived.sql")),
        ("0004_dedup", include_str!("../migrations/0004_dedup.sql")),
        ("0005_acted_at", include_str!("../migrations/0005_acted_at.sql")),
    ],
};

/// The text that an engine gets. On SQLite a `BIGINT PRIMARY KEY` becomes the row id itself, which saves a second tree; a
/// table closed by `) /* clustered */;` lives in its key's tree. On PostgreSQL, bodies are compressed already.
pub fn text_for(sql: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => {
            sql.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY").replace("/* clustered */", "WITHOUT ROWID")
        }
        Dialect::Postgres => sql.to_string(),
    }
}

/// Refuses a schema that is newer than the program: for those who only read.
pub fn refuse_newer(db: &mut Engine, all: &[Migrations]) -> Result<(), DbError> {
    refuse_newer_of(&versions(db)?, all)
}

fn refuse_newer_of(versions: &[(String, i64)], all: &[Migrations]) -> Result<(), DbError> {
    for crate_steps in all {
        let found = version_of(versions, crate_steps.owner);
        let known = crate_steps.steps.len() as i64;
        if found > known {
            return Err(DbError::Newer { found, known });
        }
    }
    Ok(())
}

/// The steps that were made, by owner.
fn versions(db: &mut Engine) -> Result<Vec<(String, i64)>, DbError> {
    let sql = "SELECT owner, MAX(step) FROM migrations GROUP BY owner ORDER BY owner";
    db.rows(sql, &[])?.iter().map(|row| Ok((row.text(0)?.to_string(), row.int(1)?))).collect()
}

fn version_of(versions: &[(String, i64)], owner: &str) -> i64 {
    versions.iter().find(|(name, _)| name == owner).map_or(0, |(_, step)| *step)
}

/// Brings the schema to what the program knows; refuses one that is newer.
pub fn migrate(db: &mut Engine, all: &[Migrations], now_us: i64) -> Result<(), DbError> {
    db.batch("CREATE TABLE IF NOT EXISTS migrations (owner TEXT NOT NULL, step BIGINT NOT NULL, name TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (owner, step))")?;
    let versions = versions(db)?;
    refuse_newer_of(&versions, all)?;
    for crate_steps in all {
        let found = version_of(&versions, crate_steps.owner);
        for (at, (name, sql)) in crate_steps.steps.iter().enumerate().skip(found as usize) {
            let text = text_for(sql, db.dialect());
            db.batch("BEGIN")?;
            let applied = db.batch(&text).and_then(|()| {
                db.execute(
                    "INSERT INTO migrations (owner, step, name, applied_at) VALUES ($1, $2, $3, $4)",
                    &[crate_steps.owner.into(), (at as i64 + 1).into(), (*name).into(), now_us.into()],
                )
            });
            if let Err(e) = applied {
                db.batch("ROLLBACK")?;
                return Err(e);
            }
            db.batch("COMMIT")?;
        }
    }
    // The body of a log row is compressed already; trying again would cost PostgreSQL time for nothing. Asked for first: the
    // change takes a lock that waits for every reader.
    let outside = "SELECT CAST(1 AS BIGINT) FROM pg_attribute WHERE attrelid = CAST('log' AS regclass) AND attname = 'body' AND attstorage = 'e'";
    if db.dialect() == Dialect::Postgres && db.first(outside, &[])?.is_none() {
        db.batch("ALTER TABLE log ALTER COLUMN body SET STORAGE EXTERNAL")?;
    }
    Ok(())
}
