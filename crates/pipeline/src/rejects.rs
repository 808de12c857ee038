//! What could not be accepted, kept with the reason for the debugger.
use base::Timestamp;
use collect::Reject;
use db::{Bulk, DbError, Notice, Tx};

/// Rejected items that are kept; older ones give way.
pub const KEPT_MAX: i64 = 100_000;

static REJECTS: Bulk = Bulk {
    table: "rejects",
    columns: &[
        ("id", 'i'),
        ("source", 'i'),
        ("received_at", 'i'),
        ("code", 't'),
        ("pointer", 't'),
        ("detail", 't'),
        ("raw", 't'),
        ("event", 't'),
        ("message_id", 't'),
        ("envelope", 't'),
        ("whole", 'i'),
    ],
    key: 1,
    insert_only: true,
};

/// Records refused items of a source.
pub fn record(tx: &mut Tx, source: i64, received_at: Timestamp, rejects: &[Reject]) -> Result<(), DbError> {
    if rejects.is_empty() {
        return Ok(());
    }
    tx.counts().rejected += rejects.len() as i64;
    let mut newest = 0;
    for reject in rejects {
        newest = tx.next_id();
        let clean = |text: &str| text.replace('\0', "\u{fffd}");
        tx.append(
            &REJECTS,
            vec![
                newest.into(),
                source.into(),
                received_at.micros().into(),
                reject.code.into(),
                clean(&reject.pointer).into(),
                clean(&reject.detail).into(),
                clean(&reject.raw).into(),
                clean(reject.event.as_deref().unwrap_or_default()).into(),
                clean(reject.message_id.as_deref().unwrap_or_default()).into(),
                clean(reject.envelope.as_deref().unwrap_or_default()).into(),
                i64::from(reject.envelope.is_some()).into(),
            ],
        );
    }
    // Ids come from a sequence that others use too, so this keeps at most as many; a sweep a thousand rejects is enough.
    if newest % 1024 < rejects.len() as i64 {
        tx.execute("DELETE FROM rejects WHERE id < $1", &[(newest - KEPT_MAX).into()])?;
    }
    tx.notify(Notice::Rejected { source, count: rejects.len() as i64 });
    Ok(())
}

/// What came of trying a refused item again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    Accepted,
    /// It was taken meanwhile, for instance because its sender tried again too.
    Duplicate,
    /// It is refused still, for this reason.
    Rejected(&'static str),
}

impl Replayed {
    /// As it is stored and shown.
    pub fn as_str(&self) -> &'static str {
        match self {
            Replayed::Accepted => "accepted",
            Replayed::Duplicate => "duplicate",
            Replayed::Rejected(code) => code,
        }
    }
}

/// Why a refused item is not tried again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("there is no refused item {0}")]
    NotFound(i64),
    /// Its sender has to mend it: a plan or an alias cannot.
    #[error("it was refused for {0}, which no plan changes; it must be sent again by its source")]
    NotByPlan(String),
    #[error("it was taken already")]
    Done,
    #[error(transparent)]
    Store(#[from] DbError),
}

const FIND: &str = "SELECT source, received_at, code, raw, envelope, whole, replay FROM rejects WHERE id = $1";

/// Tries a refused item again by the present plan, on the normal path, with the moment at which it came. Repeats of what was
/// taken meanwhile are found as ever, so nothing is taken twice.
pub fn replay(
    tx: &mut Tx,
    preparer: &crate::Preparer,
    kind: impl FnOnce(i64) -> collect::SourceKind,
    id: i64,
) -> Result<Replayed, ReplayError> {
    let row = tx.first(FIND, &[id.into()])?.ok_or(ReplayError::NotFound(id))?;
    let (source, received_at) = (row.int(0)?, Timestamp::from_micros(row.int(1)?));
    if row.int(5)? == 0 {
        return Err(ReplayError::NotByPlan(row.text(2)?.to_string()));
    }
    if matches!(row.text(6)?, "accepted" | "duplicate") {
        return Err(ReplayError::Done);
    }
    let inner = row.text(4)?.strip_prefix('{').and_then(|e| e.strip_suffix('}')).unwrap_or_default();
    let rest = if inner.is_empty() { String::new() } else { format!(",{inner}") };
    let body = format!("{{\"batch\":[{}]{rest}}}", row.text(3)?);
    preparer.follow(tx)?;
    let sender = collect::Source { id: source, kind: kind(source) };
    let client = collect::Client::default();
    let received = preparer.receive(collect::Call::Batch, sender, client, body.into(), received_at);
    let outcome = match received {
        Err(refusal) => Replayed::Rejected(refusal.code),
        Ok(received) if !received.rejects.is_empty() => Replayed::Rejected(received.rejects[0].code),
        Ok(mut received) => {
            let done = crate::ingest(tx, preparer, &mut received.batch)?;
            if done.kept > 0 { Replayed::Accepted } else { Replayed::Duplicate }
        }
    };
    let now = tx.now().micros();
    let sql = "UPDATE rejects SET replayed_at = $2, replay = $3 WHERE id = $1";
    tx.execute(sql, &[id.into(), now.into(), outcome.as_str().into()])?;
    Ok(outcome)
}
