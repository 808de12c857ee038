//! What stays of an order is priced again where the shop promised so: the rules as they were then, and what that changes.
use super::{history, put_order};
use crate::after::model::Account;
use crate::error::OrderError;
use crate::model::Order;
use crate::owing::{goods_minor, kept_milli};
use crate::repricing::{Going, Repriced, back};
use db::Tx;
use serde_json::json;
use std::sync::Arc;

/// What goes back for pieces that come back or are called off, where the order is of a shop that prices the rest again; `None` where each
/// piece brings its share. `prorated_minor` is that share.
pub(crate) fn of_pieces(
    tx: &mut Tx,
    order: &Order,
    account: &Account,
    now: &[(usize, i64)],
    prorated_minor: i64,
) -> Result<Option<Repriced>, OrderError> {
    if order.body.priced_from.is_none() {
        return Ok(None);
    }
    let rules = loyalty::rules::rules_of(tx, order.body.rules)?;
    let lines = order.body.lines.iter().enumerate();
    let cancelled = lines.map(|(at, line)| line.milli - kept_milli(order, at) + account.repriced(at)).collect();
    let whole: i64 = order.body.lines.iter().map(|line| line.total_minor).sum();
    let cancelled_minor = whole - goods_minor(order) - order.body.lost_discount_minor;
    let going = Going { before: cancelled, before_minor: cancelled_minor + account.repriced_minor, now: now.to_vec() };
    let found = back(order, &rules, &going, prorated_minor);
    found.transpose().map_err(|e| OrderError::field("/lines", e.to_string()))
}

/// Pieces were called off: what stays owes what it costs alone. `after` is stored already.
pub(super) fn called_off(
    tx: &mut Tx,
    before: &Order,
    after: Arc<Order>,
    actor: &str,
) -> Result<(Arc<Order>, String), OrderError> {
    let gone = |at: usize| kept_milli(before, at) - kept_milli(&after, at);
    let now: Vec<(usize, i64)> =
        (0..after.body.lines.len()).map(|at| (at, gone(at))).filter(|(_, milli)| *milli > 0).collect();
    let all = (0..after.body.lines.len()).all(|at| kept_milli(&after, at) == 0);
    if now.is_empty() || all || after.body.priced_from.is_none() {
        return Ok((after, String::new()));
    }
    let account = crate::after::commands::account_of(tx, after.no)?;
    let prorated = goods_minor(before) - goods_minor(&after);
    let Some(found) = of_pieces(tx, before, &account, &now, prorated)? else { return Ok((after, String::new())) };
    let lost = prorated - found.total_minor;
    if lost == 0 {
        return Ok((after, found.why));
    }
    let mut next = Order::clone(&after);
    next.body.lost_discount_minor += lost;
    let detail = json!({"back_minor": found.total_minor, "share_minor": prorated, "why": found.why});
    history(tx, after.no, actor, "priced again", &detail);
    Ok((put_order(tx, next), found.why))
}
