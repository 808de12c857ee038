//! Contact points that their provider says are gone: the gate stops writing to them in the transaction of the event.
use base::Country;
use customers::facts::{Channel, Reason};
use db::event::Origin;
use db::reactor::{Happened, Reactor};
use db::{DbError, Tx};
use messaging::error::MessagingError;
use messaging::suppressions::{self, By};

/// Lost addresses are suppressed.
pub struct Losses;

impl Reactor for Losses {
    fn name(&self) -> &'static str {
        "losses"
    }
    fn react(&mut self, tx: &mut Tx, happened: &mut Happened<'_>) -> Result<(), DbError> {
        let Some(loss) = &happened.event.touch.lost else { return Ok(()) };
        // What a file tells of the past may have been mended since; its block lists are imported as such.
        if happened.origin == Origin::Import || Channel::from_code(happened.event.touch.channel) != Channel::Email {
            return Ok(());
        }
        let address = match (&*loss.address, happened.origin) {
            ("", Origin::Derived) => match sent_to(tx, &happened.event.message_id)? {
                Some(address) => address,
                None => return Ok(()),
            },
            ("", _) => return Ok(()),
            (address, _) => address.to_string(),
        };
        // What is no address needs no suppression; only the store can fail.
        let reason = Reason::from_code(loss.reason).as_str();
        let by = By { reason, actor: "", country: Country::find("") };
        if let Err(MessagingError::Store(error)) = suppressions::block(tx, "email", &address, by) {
            return Err(error);
        }
        Ok(())
    }
}

/// The address of a message of ours, by the id of the event that tells of it: `message-ID-failed`.
fn sent_to(tx: &mut Tx, event_id: &str) -> Result<Option<String>, DbError> {
    let id =
        event_id.strip_prefix("message-").and_then(|rest| rest.split('-').next()).and_then(|id| id.parse::<i64>().ok());
    let Some(id) = id else { return Ok(None) };
    let row = tx.first("SELECT address FROM messages WHERE id = $1", &[id.into()])?;
    Ok(row.map(|r| r.text(0).map(str::to_string)).transpose()?.filter(|a| !a.is_empty()))
}
