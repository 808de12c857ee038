//! Burned points in the ledger: taken when an order is placed, given back to the unit when less of it is left, in the transaction of
//! the change. Where they are a way of paying, the payment follows them.
use super::{Fact, order_of, pay};
use crate::burned::{Burned, kept};
use crate::error::OrderError;
use crate::model::{Order, OrderBody};
use crate::states::payment::Action;
use db::Tx;
use loyalty::points::commands::{self as points, Cause, PointsError};
use std::sync::Arc;

/// The provider under which burned points pay.
pub const POINTS: &str = "loyalty";

pub(super) fn refused(error: PointsError) -> OrderError {
    match error {
        PointsError::Store(e) => OrderError::Store(e),
        other => OrderError::field("/points", other.to_string()),
    }
}

pub(super) fn document(order_no: i64) -> String {
    format!("order:{order_no}")
}

/// Burns what an order takes: called once, when it is placed.
pub(super) fn burn(tx: &mut Tx, no: i64, body: &OrderBody, accounts: &[i64], actor: &str) -> Result<(), OrderError> {
    let Some(of) = body.points.filter(|of| of.burned > 0) else { return Ok(()) };
    let document = document(no);
    points::burn(tx, accounts, of.burned, Cause { document: &document, actor }).map_err(refused)?;
    Ok(())
}

/// The payment of what an order's points are worth, where they are a way of paying; called once, when it is placed.
pub(super) fn pay_with_points(tx: &mut Tx, order: Arc<Order>, actor: &str) -> Result<Arc<Order>, OrderError> {
    match order.body.points.filter(|points| points.pays && points.burned_minor > 0) {
        Some(points) => {
            capture(tx, &order, points.burned_minor, ("points", &format!("burn:order:{}", order.no)), actor)
        }
        None => Ok(order),
    }
}

fn capture(
    tx: &mut Tx,
    order: &Order,
    amount_minor: i64,
    (payment, key): (&str, &str),
    actor: &str,
) -> Result<Arc<Order>, OrderError> {
    let fact = Fact {
        provider: POINTS.into(),
        payment_id: payment.into(),
        external_id: key.into(),
        action: Action::Capture,
        amount_minor,
    };
    pay(tx, order.no, &fact, actor)
}

/// What points pay of an order now.
pub(super) fn paid_with_points(order: &Order) -> i64 {
    let own = order.body.payments.iter().filter(|p| p.provider == POINTS);
    own.map(|p| p.captured_minor - p.refunded_minor).sum()
}

/// Takes so much of the payment by points back, as the points go back to the customer.
fn undo_payment(tx: &mut Tx, no: i64, minor: i64, key: &str, actor: &str) -> Result<Arc<Order>, OrderError> {
    let mut rest = minor;
    let order = order_of(tx, no)?;
    for paying in order.body.payments.iter().filter(|p| p.provider == POINTS) {
        let amount_minor = rest.min(paying.captured_minor - paying.refunded_minor);
        if amount_minor <= 0 {
            continue;
        }
        rest -= amount_minor;
        let fact = Fact {
            provider: POINTS.into(),
            payment_id: paying.id.clone(),
            external_id: format!("{key}:{}", paying.id),
            action: Action::Refund,
            amount_minor,
        };
        pay(tx, no, &fact, actor)?;
    }
    order_of(tx, no)
}

/// Gives burned points back to the lots that they came from, once for a key; never more than are still out. With them goes what they
/// paid. The order is as it is stored.
pub(crate) fn give_back(tx: &mut Tx, no: i64, of: Burned, key: &str, actor: &str) -> Result<Arc<Order>, OrderError> {
    let burned = document(no);
    let out = points::still_out(tx, &burned)?;
    let back = of.points.min(out);
    if back > 0 {
        points::give_back(tx, &burned, back, None, Cause { document: key, actor }).map_err(refused)?;
    }
    match of.minor {
        1.. => undo_payment(tx, no, of.minor, &format!("back:{key}"), actor),
        _ => order_of(tx, no),
    }
}

/// Pieces were called off: their points go back to the customer. `after` is stored already.
pub(super) fn called_off(
    tx: &mut Tx,
    before: &Order,
    after: Arc<Order>,
    actor: &str,
) -> Result<Arc<Order>, OrderError> {
    let less = kept(before).less(kept(&after));
    match less {
        Burned { points: ..=0, minor: ..=0 } => Ok(after),
        // The version names the change: it is made once.
        less => give_back(tx, before.no, less, &format!("cancel:order:{}:{}", before.no, before.version), actor),
    }
}

/// An order was changed and needs fewer points, or they are worth something else now: what is too much goes back at once, and the
/// payment by points is what the points of the new order are worth. `after` is stored already.
pub(super) fn changed(tx: &mut Tx, before: &Order, after: Arc<Order>, actor: &str) -> Result<Arc<Order>, OrderError> {
    let key = format!("edit:order:{}:{}", before.no, before.version);
    let surplus = kept(before).points - kept(&after).points;
    let (wanted, is) = (kept(&after).minor, paid_with_points(before));
    let order = give_back(tx, before.no, Burned { points: surplus, minor: is - wanted }, &key, actor)?;
    match wanted - is {
        more @ 1.. => {
            // A payment that was undone takes nothing any more: it is another one.
            let payment = format!("points-{}", before.version);
            capture(tx, &order, more, (&payment, &format!("burn:{key}")), actor)
        }
        _ => Ok(order),
    }
}
