//! In which words people agreed or refused: the ledger by wording, for whoever has to prove it.
use base::Timestamp;
use db::{DbError, Engine};

/// A wording with what was said under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    pub channel: String,
    pub purpose: String,
    pub version: String,
    pub wording: String,
    /// 0 = a member of staff entered it.
    pub source: i64,
    pub granted: i64,
    pub denied: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// Wordings of one answer, at most.
pub const WORDINGS_MAX: usize = 500;

/// All wordings, those used last first. Reads the whole ledger.
pub fn wordings(db: &mut Engine) -> Result<Vec<Wording>, DbError> {
    let sql = "SELECT channel, purpose, wording_version, wording, source, CAST(SUM(granted) AS BIGINT), COUNT(*), MIN(at), MAX(at) \
               FROM consents GROUP BY channel, purpose, wording_version, wording, source \
               ORDER BY MAX(at) DESC, channel, purpose, wording_version, source LIMIT 500";
    let one = |r: &db::Row| {
        let (granted, all) = (r.int(5)?, r.int(6)?);
        Ok(Wording {
            channel: r.text(0)?.into(),
            purpose: r.text(1)?.into(),
            version: r.text(2)?.into(),
            wording: r.text(3)?.into(),
            source: r.int(4)?,
            granted,
            denied: all - granted,
            first_at: Timestamp::from_micros(r.int(7)?),
            last_at: Timestamp::from_micros(r.int(8)?),
        })
    };
    db.rows(sql, &[])?.iter().map(one).collect()
}
