//! Erasure: what messages know of a person goes, what they count stays.
use super::{Books, find};
use crate::model::{Derived, Status};
use db::{DbError, Tx};

/// What stands in place of an erased address. It is no address, so nothing can match it.
pub(super) const ERASED: &str = "erased";

/// Blanks address, subject and reasons in every message of these profiles and stops those that wait. Statuses, counts and
/// the cap ledger stay true; links in mails that were sent stop working.
///
/// Suppressions stay: forgetting that somebody complained would mean writing again.
pub fn forget(tx: &mut Tx, profiles: &[i64]) -> Result<Vec<Derived>, DbError> {
    let mut books = Books::default();
    let now = tx.now().micros();
    crate::preferences::forget(tx, profiles)?;
    for profile in profiles {
        let waiting = "SELECT id FROM messages WHERE profile_id = $1 AND status = 'pending' ORDER BY id";
        for row in tx.rows(waiting, &[(*profile).into()])? {
            let Some(message) = find(tx, row.int(0)?)? else { continue };
            tx.execute(
                "UPDATE messages SET status = 'stopped', reason = 'person_erased', due_at = 0, settled_at = $2 WHERE id = $1",
                &[message.id.into(), now.into()],
            )?;
            books.moved(&message, Status::Stopped);
        }
        tx.execute(
            "UPDATE messages SET subject = '', why = '', event_id = '', address = CASE WHEN address = '' THEN '' ELSE $2 END WHERE profile_id = $1",
            &[(*profile).into(), ERASED.into()],
        )?;
        tx.execute("UPDATE sends SET address = $2 WHERE profile_id = $1", &[(*profile).into(), ERASED.into()])?;
    }
    books.close(tx)
}
