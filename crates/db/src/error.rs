//! What can go wrong between Braid and its database, by what the caller can do about it.

/// The place of damage that leaves nothing to be read, unlike that of a row.
pub const DATABASE_FILE: &str = "the database file";

/// A failure of the database layer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached or opened.
    #[error("cannot open the database at {url}: {reason}")]
    Open { url: String, reason: String },
    /// A statement failed.
    #[error("the database refused a statement: {reason}")]
    Statement { reason: String, sql: String },
    /// The disk, or the quota, is full.
    #[error("the disk that holds the database is full")]
    Full,
    /// The database is locked by somebody else, or does not answer.
    #[error("the database is busy or locked: {0}")]
    Busy(String),
    /// The connection was lost; what it was doing may or may not have happened.
    #[error("the connection to the database was lost: {0}")]
    Lost(String),
    /// Another program took the writer over.
    #[error("this program is no longer the writer: another one took over with epoch {epoch}")]
    Fenced { epoch: i64 },
    /// The writer is held by another program.
    #[error("{0}")]
    Held(String),
    /// Stored data cannot be read.
    #[error("damaged data in {place}: {reason}")]
    Damaged { place: String, reason: String },
    /// The schema is newer than the program.
    #[error("the database has schema version {found}, this program knows {known}: use a newer program")]
    Newer { found: i64, known: i64 },
    /// A command panicked; its effects were undone.
    #[error("a command failed inside the program; its effects were undone")]
    Panicked,
    /// The queue to the writer is full.
    #[error("too much work is waiting for the database")]
    QueueFull,
    /// The writer has stopped.
    #[error("the program is stopping")]
    Stopped,
}

impl DbError {
    /// Damage found at `place`.
    pub fn damaged(place: &str, reason: impl std::fmt::Display) -> Self {
        DbError::Damaged { place: place.to_string(), reason: reason.to_string() }
    }
    /// Whether the same command can succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, DbError::Busy(_) | DbError::Lost(_) | DbError::QueueFull | DbError::Full | DbError::Stopped)
    }
}
