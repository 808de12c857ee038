//! Goods of an order after the sale: pieces that come back, and the order of what is given instead.
use super::*;
use crate::after::model::*;
use crate::commands::{Fact, history, order_of, pay, put_order};
use crate::model::{Delivery, Part};
use crate::states::line::{Action as LineAction, Guard as LineGuard, Line as LineState};
use crate::states::order::{Action as OrderAction, Stage as OrderStage};
use crate::states::payment::Action as PayAction;
use crate::states::{Refusal, step};
use base::Quantity;
use catalog::variants;
use serde_json::json;
use stock::commands::{Shortage, post};
use stock::model::{CUSTOMER, Condition, Document, DocumentKind, LOSS, Move};

/// The provider under which one order's money pays for another; the payment's id names the order that it came from.
pub const MOVED: &str = "moved";

/// Where pieces lie that were graded; a write-off lies there for a moment.
pub fn condition(grade: Option<Grade>) -> Condition {
    match grade {
        None => Condition::Quarantine,
        Some(Grade::Sellable) => Condition::Sellable,
        Some(Grade::Outlet | Grade::WriteOff) => Condition::Damaged,
    }
}

/// A movement of goods after the sale.
pub struct Moving<'a> {
    pub variant_no: i64,
    pub milli: i64,
    pub lot: &'a str,
    pub from: (i64, Condition),
    pub to: (i64, Condition),
    pub reason: &'a str,
}

impl Moving<'_> {
    pub fn movement(&self) -> Move {
        Move {
            variant_no: self.variant_no,
            from_no: self.from.0,
            from_condition: self.from.1,
            to_no: self.to.0,
            to_condition: self.to.1,
            lot: self.lot.into(),
            quantity: Quantity::from_milli(self.milli),
            reason: self.reason.into(),
        }
    }
}

/// From the customer to the place, and on to loss what is not worth keeping.
pub fn taken_in(line: &ReturnLine, arrived: &Arrived) -> Vec<Move> {
    let (milli, lot, reason) = (arrived.milli, &*arrived.lot, line.reason.as_str());
    let there = (arrived.location_no, condition(arrived.grade));
    let variant_no = line.variant_no;
    let from = (CUSTOMER, Condition::Sellable);
    let mut out = vec![Moving { variant_no, milli, lot, from, to: there, reason }.movement()];
    if arrived.grade == Some(Grade::WriteOff) {
        let to = (LOSS, Condition::Sellable);
        out.push(Moving { variant_no, milli, lot, from: there, to, reason: "write_off" }.movement());
    }
    out
}

/// Posts a paper of movements; those of goods whose pieces are not counted are left out.
pub fn move_goods(
    tx: &mut Tx,
    kind: DocumentKind,
    reference: &str,
    moves: Vec<Move>,
    actor: &str,
) -> Result<(), OrderError> {
    let mut counted = Vec::with_capacity(moves.len());
    for m in moves {
        if variants::get(tx, m.variant_no)?.is_some_and(|v| v.tracked) {
            counted.push(m);
        }
    }
    if counted.is_empty() {
        return Ok(());
    }
    let document = Document {
        kind,
        source: "braid".into(),
        external_id: "".into(),
        reference: reference.into(),
        note: "".into(),
        actor: actor.into(),
        at: tx.now(),
        moves: counted,
    };
    post(tx, &document, Shortage::Refuse)?;
    Ok(())
}

/// Pieces of a line are back: those that the customer had, or, where nobody took the parcel, those on their way.
pub fn bring_back(order: &mut Order, line: usize, milli: i64, not_taken: bool, place: i64) -> Result<(), Refusal> {
    let first = if not_taken { LineState::Sent } else { LineState::Delivered };
    let second = if not_taken { LineState::Delivered } else { LineState::Sent };
    let mut left = milli;
    for state in [first, second] {
        for at in 0..order.body.parts.len() {
            let part = order.body.parts[at].clone();
            if left == 0 || part.line != line || part.state != state {
                continue;
            }
            let action = if state == LineState::Sent { LineAction::BringBack } else { LineAction::Return };
            let next = step(state, action, &[LineGuard::Received])?;
            let back = part.milli.min(left);
            left -= back;
            order.body.parts[at].milli -= back;
            let known = order.body.parts.iter_mut().find(|p| {
                p.line == line && p.state == next && p.location_no == place && p.claim.is_none() && p.milli > 0
            });
            match known {
                Some(known) => known.milli += back,
                None => {
                    order.body.parts.push(Part { milli: back, state: next, location_no: place, claim: None, ..part })
                }
            }
        }
    }
    assert_eq!(left, 0, "more comes back than the customer has");
    order.body.parts.retain(|part| part.milli > 0);
    Ok(())
}

/// An order that was filed is open again.
pub fn reopen(order: &mut Order) -> Result<(), Refusal> {
    if order.body.stage == OrderStage::Closed {
        order.body.stage = step(order.body.stage, OrderAction::Reopen, &[])?;
    }
    Ok(())
}

/// A line of the order of what is given instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    pub variant_no: i64,
    pub milli: i64,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub why: String,
}

/// Makes the order of what is given instead, its goods kept by a reservation, paid as far as `moved_minor` goes by the first order's
/// money. It is an order as any other: it is picked, handed over or sent, and can come back.
pub fn order_instead(
    tx: &mut Tx,
    origin: &Order,
    lines: &[NewLine],
    (reservation_no, moved_minor): (Option<i64>, i64),
    suffix: &str,
    actor: &str,
) -> Result<Arc<Order>, OrderError> {
    let no = tx.next_id();
    let mut parts = Vec::new();
    let Some(template) = origin.body.parts.first().filter(|_| !origin.body.lines.is_empty()).cloned() else {
        return Err(OrderError::field("/order", "the order has no goods"));
    };
    if let Some(reservation_no) = reservation_no {
        let owner = format!("order:{no}");
        let kept = stock::commands::confirm(tx, reservation_no, stock::model::ReservationKind::Order, &owner)?;
        let mut open: Vec<i64> = lines.iter().map(|line| line.milli).collect();
        for (at, reserved) in kept.lines.iter().enumerate().filter(|(_, line)| line.ended.is_none()) {
            let milli = reserved.quantity.milli();
            let line = (0..lines.len()).find(|l| lines[*l].variant_no == reserved.variant_no && open[*l] >= milli);
            let line = line.ok_or_else(|| DbError::damaged("reservations", "a claim is of something else"))?;
            open[line] -= milli;
            let claim = Some((reservation_no, at));
            parts.push(kept_part(&template, line, milli, (reserved.location_no, claim)));
        }
    }
    let mut made = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        let variant = variants::get(tx, line.variant_no)?;
        let (sku, tracked) = variant.map_or_else(|| (String::new(), false), |v| (v.sku.to_string(), v.tracked));
        if !tracked {
            parts.push(kept_part(&template, at, line.milli, (template.location_no, None)));
        }
        let total_minor = line.net_minor + line.tax_minor;
        // Whatever else a line bears is as in the first order.
        let mut new = origin.body.lines[0].clone();
        new.variant_no = line.variant_no;
        new.sku = sku;
        new.milli = line.milli;
        new.unit_minor = unit_of(total_minor, line.milli);
        new.why = line.why.clone();
        new.list_minor = total_minor;
        new.discounts = vec![];
        new.net_minor = line.net_minor;
        new.tax_minor = line.tax_minor;
        new.total_minor = total_minor;
        // Points stay with the first order: what they paid of it is no part of what this one costs.
        (new.burned, new.burned_minor, new.earned) = (0, 0, 0);
        made.push(new);
    }
    let mut body = origin.body.clone();
    body.number = format!("{}-{suffix}", origin.body.number);
    body.cart_no = 0;
    body.total_minor = made.iter().map(|line| line.total_minor).sum();
    body.tax_minor = made.iter().map(|line| line.tax_minor).sum();
    body.lines = made;
    body.parts = parts;
    body.payments = vec![];
    body.decided = Default::default();
    (body.priced_from, body.lost_discount_minor) = (None, 0);
    body.points = None;
    body.holds = vec![];
    body.fulfilments = vec![];
    body.promised = None;
    body.given_at = Default::default();
    (body.try_on, body.unclaimed) = (false, false);
    crate::commands::assign(&mut body, "given instead of what came back");
    body.stage = OrderStage::Placed;
    body.discount_minor = 0;
    body.shipping_minor = 0;
    body.shipping_tax_minor = 0;
    if let Delivery::Ship { price_minor, .. } = &mut body.delivery {
        *price_minor = 0;
    }
    let now = tx.now();
    let (contact, placed_at, updated_at) = (origin.contact.clone(), now, now);
    let mut order = Order { no, contact, placed_at, updated_at, version: 0, body };
    crate::commands::begin(&mut order, now)?;
    let order = put_order(tx, order);
    history(tx, no, actor, "placed", &json!({"instead_of": origin.no}));
    if moved_minor == 0 {
        return Ok(order);
    }
    let fact = moved_fact(origin.no, PayAction::Capture, moved_minor, &format!("pays:{no}"));
    pay(tx, no, &fact, actor)
}

/// Pieces that are kept for an order; whatever else a part bears is as in the first order.
fn kept_part(template: &Part, line: usize, milli: i64, (location_no, claim): (i64, Option<(i64, usize)>)) -> Part {
    let mut part = template.clone();
    part.line = line;
    part.milli = milli;
    part.state = LineState::Allocated;
    part.location_no = location_no;
    part.claim = claim;
    part
}

/// What one of so many costs.
fn unit_of(total_minor: i64, milli: i64) -> i64 {
    use loyalty::amounts::Quantity;
    loyalty::share_until(total_minor, Quantity(milli), Quantity(1000.min(milli)))
}

/// A fact about the payment by another order's money.
pub fn moved_fact(origin_no: i64, action: PayAction, amount_minor: i64, id: &str) -> Fact {
    Fact {
        provider: MOVED.into(),
        payment_id: format!("order:{origin_no}"),
        external_id: id.into(),
        action,
        amount_minor,
    }
}

/// The order whose money a payment is.
pub fn origin_of(payment_id: &str) -> Option<i64> {
    payment_id.strip_prefix("order:")?.parse().ok()
}

/// Takes pieces of an order's lines as given back or moved; gives what they are worth, less what was given for them before.
pub fn settle_pieces(
    tx: &mut Tx,
    order_no: i64,
    account: &mut Account,
    of: &[(usize, i64)],
) -> Result<Vec<loyalty::refunds::Refund>, OrderError> {
    let order = order_of(tx, order_no)?;
    let points = points_of_order(tx, &order)?;
    let mut out = Vec::with_capacity(of.len());
    for (line, milli) in of {
        let points = points.get(*line).copied().unwrap_or_default();
        let of_line =
            crate::after::money::of_pieces(&order.body.lines[*line], *line, account.settled(*line), *milli, points);
        let mut refund = of_line.map_err(|e| OrderError::field("/lines", e.to_string()))?;
        // What was paid with points goes back as points.
        let reduced = account.reduced(*line).min(refund.total_minor - refund.points_minor);
        let withheld = reduced + refund.points_minor;
        if withheld > 0 {
            let tax = loyalty::amounts::divide(
                i128::from(refund.tax_minor) * i128::from(refund.total_minor - withheld),
                i128::from(refund.total_minor),
            );
            refund.total_minor -= withheld;
            refund.tax_minor = tax;
            refund.net_minor = refund.total_minor - tax;
            if reduced > 0 {
                Account::add(&mut account.reduced, *line, -reduced);
            }
        }
        Account::add(&mut account.settled, *line, *milli);
        Account::add(&mut account.valued, *line, *milli);
        account.let_go_minor += refund.total_minor;
        out.push(refund);
    }
    Ok(out)
}

/// Where the order's shop prices the rest again when goods come back, they are worth what that leaves: `worth` is what they would be by
/// their shares, taken as settled just now, less `reduced` that was given before. Gives how much less it is than the shares, and why,
/// in words. What came back because of a fault of ours, and what is exchanged or complained of, keeps its share: nobody loses a
/// discount by that.
pub(super) fn price_rest_again(
    tx: &mut Tx,
    order_no: i64,
    account: &mut Account,
    (of, reduced): (&[(usize, i64)], i64),
    worth: &mut [&mut loyalty::refunds::Refund],
) -> Result<(i64, String), OrderError> {
    let order = order_of(tx, order_no)?;
    let mut now: Vec<(usize, i64)> = Vec::new();
    for (line, milli) in of {
        match now.iter_mut().find(|(known, _)| known == line) {
            Some((_, sum)) => *sum += milli,
            None => now.push((*line, *milli)),
        }
    }
    let shares: Vec<i64> = worth.iter().map(|w| w.total_minor + w.points_minor).collect();
    // What was given for a complaint before is part of the price that the pieces bring.
    let prorated: i64 = shares.iter().sum::<i64>() + reduced;
    let Some(again) = crate::commands::repricing::of_pieces(tx, &order, account, &now, prorated)? else {
        return Ok((0, String::new()));
    };
    for (line, milli) in &now {
        Account::add(&mut account.repriced, *line, *milli);
    }
    account.repriced_minor += again.total_minor;
    for (refund, total) in worth.iter_mut().zip(loyalty::distribute((again.total_minor - reduced).max(0), &shares)) {
        // Points go back as points, and the rest as money.
        refund.points_minor = refund.points_minor.min(total);
        let money = total - refund.points_minor;
        let whole = refund.total_minor;
        let tax = if whole > 0 {
            loyalty::amounts::divide(i128::from(refund.tax_minor) * i128::from(money), i128::from(whole))
        } else {
            0
        };
        account.let_go_minor += money - whole;
        (refund.total_minor, refund.tax_minor, refund.net_minor) = (money, tax, money - tax);
    }
    Ok((prorated - again.total_minor, again.why))
}

/// The points that an order burned and earned, by line.
fn points_of_order(tx: &mut Tx, order: &Order) -> Result<Vec<crate::after::money::Points>, OrderError> {
    let document = format!("order:{}", order.no);
    let mut sum = |kind| -> Result<i64, DbError> {
        let moved = loyalty::points::commands::of_document(tx, kind, &document)?;
        Ok(moved.iter().map(|(_, points)| points).sum())
    };
    let pays = order.body.points.filter(|points| points.pays);
    let burned_minor = pays.map_or(0, |points| points.burned_minor);
    // A change may have given some of those in the ledger back: the order knows what its lines burned.
    let burned = match order.body.points {
        Some(points) => points.burned,
        None => sum("burn")?,
    };
    let points = crate::after::money::Points { burned, burned_minor, earned: sum("earn")? };
    Ok(crate::after::money::points_of(&order.body.lines, points, pays.is_some()))
}
