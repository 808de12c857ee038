//! What can be asked after the sale: each a function over `&mut Tx` that refuses before its first write.
mod cases;
mod claims;
mod decide;
mod exchange;
mod goods;
mod offered;
mod paying;
mod receive;
mod refund;
mod request;

pub use cases::{
    CaseAsk, CaseStep, assign, case_of, check_in, close_case, lend, note_serial, open_case, refuse_case, step_case,
    take_back,
};
pub use claims::{
    ClaimAsk, approve_claim, cancel_claim, claim_by_customer, claim_of, deny_claim, open_claim, reopen_claim,
    resolve_claim,
};
pub use decide::{approve, cancel, deny};
pub use exchange::{fulfil, turn_into_return};
#[cfg(test)]
pub(crate) use goods::settle_pieces;
pub use offered::{Offered, offered};
pub use paying::pay_with_credit;
pub use receive::{Got, Taken, close_short, grade, receive};
pub use refund::{Pay, credit_refund, fail_refund, goodwill, refund, refund_of, retry_refund, settle_refund};
pub use request::{Ask, request, request_by_customer};

use super::model::{Account, Claim, Return};
use super::policy::Policy;
use super::{AccountTable, ClaimTable, ReturnTable};
use crate::commands::Shop;
use crate::error::OrderError;
use crate::model::Order;
use base::{DAY_US, Timestamp};
use db::{DbError, Tx};
use loyalty::law::Law;
use std::sync::Arc;

/// Characters of a note or an answer, and references of media.
const TEXT_MAX: usize = 2000;
const PHOTOS_MAX: usize = 10;
const POLICY: &str = "orders.returns";

/// What the shop promises about returns.
pub fn policy(tx: &mut Tx) -> Result<Policy, DbError> {
    let text = db::settings::get(tx.engine(), POLICY)?;
    text.map_or(Ok(Policy::default()), |text| serde_json::from_str(&text).map_err(|e| DbError::damaged("settings", e)))
}

/// Changes what the shop promises.
pub fn put_policy(tx: &mut Tx, policy: &Policy) -> Result<(), OrderError> {
    policy.check().map_err(|(pointer, detail)| OrderError::field(pointer, detail))?;
    let text = serde_json::to_string(policy).map_err(|e| DbError::damaged("settings", e))?;
    tx.will_write();
    Ok(db::settings::set(tx.engine(), POLICY, &text)?)
}

/// A return or exchange.
pub fn return_of(tx: &mut Tx, no: i64) -> Result<Arc<Return>, OrderError> {
    let found = tx.get::<ReturnTable>(no)?.cloned();
    found.ok_or_else(|| OrderError::Unknown { what: "return", id: no.to_string() })
}

/// What of an order is spoken for after the sale.
pub fn account_of(tx: &mut Tx, order_no: i64) -> Result<Account, DbError> {
    Ok(tx.get::<AccountTable>(order_no)?.map(|row| Account::clone(row)).unwrap_or_default())
}

/// Keeps the account; the order itself knows what of it changes what is to pay.
fn put_account(tx: &mut Tx, order_no: i64, account: Account) -> Result<(), OrderError> {
    let decided = account.decided();
    tx.put::<AccountTable>(order_no, Arc::new(account));
    let order = crate::commands::order_of(tx, order_no)?;
    if order.body.decided != decided {
        let mut next = Order::clone(&order);
        next.body.decided = decided;
        crate::commands::put_order(tx, next);
    }
    Ok(())
}

fn put_return(tx: &mut Tx, mut row: Return) -> Arc<Return> {
    row.version += 1;
    row.updated_at = tx.now();
    let row = Arc::new(row);
    tx.put::<ReturnTable>(row.no, row.clone());
    tx.notify(db::Notice::Changed { what: "returns" });
    row
}

fn put_claim(tx: &mut Tx, mut row: Claim) -> Arc<Claim> {
    row.version += 1;
    row.updated_at = tx.now();
    let row = Arc::new(row);
    tx.put::<ClaimTable>(row.no, row.clone());
    tx.notify(db::Notice::Changed { what: "claims" });
    row
}

/// The law of the shop's country.
fn law(tx: &mut Tx, shop: &Shop) -> Result<Option<Law>, DbError> {
    Ok(loyalty::rules::rules(tx)?.law(&shop.country))
}

/// The end of a day of the shop that lies so many days ahead.
fn in_days(law: Option<&Law>, now: Timestamp, days: i64) -> Timestamp {
    law.map_or_else(|| now.plus(days * DAY_US), |law| law.end_of(law.day(now).plus(days)))
}

/// When the customer got an order: the last hand-over, as nobody is to lose days by a split delivery. `None`: nothing was handed over.
pub fn delivered_at(tx: &mut Tx, order_no: i64) -> Result<Option<Timestamp>, DbError> {
    let sql = "SELECT at FROM order_history WHERE order_no = $1 \
               AND what IN ('handed over', 'collected', 'delivered') ORDER BY no DESC LIMIT 1";
    tx.first(sql, &[order_no.into()])?.map(|row| row.int(0).map(Timestamp::from_micros)).transpose()
}

fn check_texts(texts: &[(&str, &str)], photos: &[String]) -> Result<(), OrderError> {
    for (pointer, text) in texts {
        if text.len() > TEXT_MAX || text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(OrderError::field(*pointer, format!("at most {TEXT_MAX} bytes of plain text are allowed")));
        }
    }
    let sound = |photo: &String| !photo.is_empty() && photo.len() <= 200 && !photo.chars().any(char::is_control);
    if photos.len() > PHOTOS_MAX || !photos.iter().all(sound) {
        return Err(OrderError::field("/photos", format!("at most {PHOTOS_MAX} references of media are taken")));
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), OrderError> {
    if key.len() > 200 {
        return Err(OrderError::field("/key", "a key has at most 200 bytes"));
    }
    Ok(())
}

/// The history of an order says what came after the sale.
fn tell(tx: &mut Tx, order: i64, actor: &str, what: &str, detail: &serde_json::Value) {
    if order > 0 {
        crate::commands::history(tx, order, actor, what, detail);
    }
}

/// Pieces of a line in states, in thousandths.
fn pieces(order: &Order, line: usize, of: impl Fn(crate::states::line::Line) -> bool) -> i64 {
    order.body.parts.iter().filter(|p| p.line == line && of(p.state)).map(|p| p.milli).sum()
}
