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
