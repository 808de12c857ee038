//! What the customer of an order can still bring back or complain of: the same rules by which a request is taken, asked beforehand.
use super::claims::claimable;
use super::request::until;
use super::*;
use crate::after::policy::last_day;
use crate::commands::order_of;
use crate::states::line::Line as LineState;
use loyalty::law::Day;

/// What can be asked for a line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The line's place in the order.
    pub line: usize,
    /// Pieces that can be brought back, in thousandths.
    pub returnable: i64,
    /// The last day for that, for whoever only changed their mind; `None` where no law says one.
    pub until: Option<Day>,
    /// Why it is not taken back without a fault; nothing: it is.
    pub denied: Option<String>,
    /// Pieces that can be complained of, in thousandths.
    pub claimable: i64,
}

/// What can be asked for each line of an order. Nothing is written.
pub fn offered(tx: &mut Tx, shop: &Shop, order_no: i64) -> Result<Vec<Offered>, OrderError> {
    let (order, account) = (order_of(tx, order_no)?, account_of(tx, order_no)?);
    let (policy, law) = (policy(tx)?, law(tx, shop)?);
    let got = delivered_at(tx, order_no)?.unwrap_or(order.placed_at);
    let in_time =
        law.as_ref().is_none_or(|law| law.day(tx.now()) <= last_day(Some(law), &policy, law.day(got), true).0);
    let mut out = Vec::with_capacity(order.body.lines.len());
    for (line, of) in order.body.lines.iter().enumerate() {
        let there = pieces(&order, line, |state| state == LineState::Delivered);
        let free = (there - account.coming(line) - account.kept(line)).max(0);
        let verdict = match free {
            0 => Ok(None),
            _ => until(tx, (&policy, law.as_ref()), of.variant_no, got)?,
        };
        let (until, denied) = match verdict {
            Ok(until) => (until, None),
            Err(why) => (None, Some(why)),
        };
        let claimable = if in_time { claimable(&order, &account, line).max(0) } else { 0 };
        out.push(Offered { line, returnable: free, until, denied, claimable });
    }
    Ok(out)
}
