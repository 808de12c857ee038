//! Exchanges: the others are kept when it is approved, become an order when the first goods are back, and are paid with their money.
use super::goods::{MOVED, NewLine, moved_fact, order_instead, settle_pieces};
use super::refund::{Giving, all_told, give, spoken};
use super::*;
use crate::after::model::*;
use crate::commands::{order_of, pay};
use crate::states::line::Line as LineState;
use crate::states::payment::Action as PayAction;
use crate::states::returns::exchange::{Action, Exchange as ExchangeState, Guard};
use crate::states::returns::goods::{Action as ReturnAction, Guard as ReturnGuard, Return as ReturnState};
use crate::states::step;
use base::Quantity;
use catalog::prices::model::Ask as PriceAsk;
use catalog::variants;
use loyalty::refunds::Refund as Worth;
use loyalty::tax::{Prices, taxed};
use serde_json::json;
use stock::choice;
use stock::commands::{Request, reserve};
use stock::model::ReservationKind;

/// Keeps goods for what is given instead; none where pieces are not counted.
pub(super) fn reserve_for(
    tx: &mut Tx,
    owner: &str,
    channel: &str,
    goods: &[(i64, i64)],
) -> Result<Option<i64>, OrderError> {
    let mut lines = Vec::new();
    for (variant_no, milli) in goods {
        if variants::get(tx, *variant_no)?.is_some_and(|v| v.tracked) {
            let quantity = Quantity::from_milli(*milli);
            lines.push(choice::Wanted { variant_no: *variant_no, quantity, location_no: None });
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let (channel, owner) = (channel.into(), owner.into());
    let kind = ReservationKind::Order;
    let kept = reserve(tx, &Request { channel, kind, owner, lines, seconds: None, partial: false })?;
    Ok(Some(kept.no))
}

/// Keeps the others.
pub(super) fn keep(tx: &mut Tx, row: &mut Return) -> Result<(), OrderError> {
    let order = order_of(tx, row.order_no)?;
    let Some(exchange) = &mut row.body.exchange else {
        return Err(OrderError::field("/instead", "it names nothing that is wanted instead"));
    };
    let goods: Vec<(i64, i64)> = exchange.instead.iter().map(|i| (i.variant_no, i.milli)).collect();
    exchange.reservation_no = reserve_for(tx, &format!("return:{}", row.no), &order.body.channel, &goods)?;
    Ok(())
}

/// The step of an exchange whose first goods are back.
pub(super) fn step_received(state: ExchangeState, row: &Return) -> Result<ExchangeState, OrderError> {
    let next = step(state, Action::Receive, &[])?;
    let all = row.body.lines.iter().all(|line| line.arrived_milli() == line.milli && line.is_graded());
    if !all {
        let detail = "of an exchange all pieces come at once, and each is graded; make a return of what comes alone";
        return Err(OrderError::field("/lines", detail));
    }
    Ok(next)
}

/// The first goods are back: their money pays for the others, which become an order. Where the others are no longer to be had, nothing is
/// moved, and it waits to be turned into a return.
pub(super) fn received(tx: &mut Tx, shop: &Shop, row: &mut Return, actor: &str) -> Result<(), OrderError> {
    let Some(exchange) = row.body.exchange.clone() else { return Ok(()) };
    let goods: Vec<(i64, i64)> = exchange.instead.iter().map(|i| (i.variant_no, i.milli)).collect();
    let origin = order_of(tx, row.order_no)?;
    let mut kept = exchange.reservation_no;
    if let Some(no) = kept
        && !is_whole(tx, no, &goods)?
    {
        // A till sold them meanwhile: perhaps another place has some.
        stock::commands::release(tx, no, stock::model::EndedWhy::Released)?;
        kept = match reserve_for(tx, &format!("return:{}", row.no), &origin.body.channel, &goods) {
            Ok(again) => again,
            Err(OrderError::Stock(stock::StockError::NotEnough(_))) => {
                put_exchange(row, |exchange| exchange.reservation_no = None);
                return Ok(());
            }
            Err(e) => return Err(e),
        };
    }
    let mut account = account_of(tx, row.order_no)?;
    let of: Vec<(usize, i64)> = row.body.lines.iter().map(|line| (line.line.unwrap_or(0), line.milli)).collect();
    let worth = settle_pieces(tx, row.order_no, &mut account, &of)?;
    let lines = price_instead(tx, shop, row, &exchange.instead, &worth)?;
    let value: i64 = worth.iter().map(|w| w.total_minor).sum();
    let left = spoken(tx, &origin)?.left();
    let cost: i64 = lines.iter().map(|line| line.net_minor + line.tax_minor).sum();
    let moved = cost.min(value).min(left);
    account.moved_minor += moved;
    put_account(tx, row.order_no, account)?;
    let suffix = format!("E{}", row.no);
    let made = order_instead(tx, &origin, &lines, (kept, moved), &suffix, actor)?;
    for (line, worth) in row.body.lines.iter_mut().zip(&worth) {
        line.is_worth(worth);
    }
    put_exchange(row, |exchange| {
        exchange.reservation_no = None;
        exchange.order_no = Some(made.no);
        exchange.moved_minor = moved;
    });
    let back = (value - cost).max(0).min(left - moved);
    row.body.total_minor = back;
    if back > 0 {
        let cause = Cause::Return(row.no);
        let giving = Giving { cause, way: row.body.way, paid_out: false, why: "", actor };
        row.body.refunds = give(tx, &origin, back, giving)?;
    }
    tell(tx, row.order_no, actor, "exchanged", &json!({"return": row.no, "order": made.no, "moved_minor": moved}));
    Ok(())
}

fn put_exchange(row: &mut Return, f: impl FnOnce(&mut Exchange)) {
    f(row.body.exchange.get_or_insert_default());
}

/// Whether a reservation still keeps all that is wanted.
fn is_whole(tx: &mut Tx, no: i64, goods: &[(i64, i64)]) -> Result<bool, OrderError> {
    let now = tx.now();
    let Some(found) = tx.get::<stock::ReservationTable>(no)?.cloned() else { return Ok(false) };
    let mut wanted: i64 = 0;
    for (variant_no, milli) in goods {
        if variants::get(tx, *variant_no)?.is_some_and(|v| v.tracked) {
            wanted += milli;
        }
    }
    Ok(found.active(now).map(|(_, line)| line.quantity.milli()).sum::<i64>() == wanted)
}

/// What the others cost: another size of the same product costs what was paid for the first; anything else what it costs today.
fn price_instead(
    tx: &mut Tx,
    shop: &Shop,
    row: &Return,
    instead: &[Instead],
    worth: &[Worth],
) -> Result<Vec<NewLine>, OrderError> {
    let (now, law) = (tx.now(), law(tx, shop)?);
    let mut out = Vec::with_capacity(instead.len());
    for (at, wanted) in instead.iter().enumerate() {
        let Some(variant) = variants::get(tx, wanted.variant_no)? else {
            return Err(OrderError::field(format!("/instead/{at}/sku"), "it is not there any more"));
        };
        let (first, paid) = (&row.body.lines[wanted.of], &worth[wanted.of]);
        let same = variants::get(tx, first.variant_no)?.is_some_and(|v| v.product_no == variant.product_no);
        let alone = instead.iter().filter(|other| other.of == wanted.of).count() == 1;
        let (variant_no, milli) = (wanted.variant_no, wanted.milli);
        if same && alone && wanted.milli == first.milli {
            let (net_minor, tax_minor) = (paid.net_minor, paid.tax_minor);
            out.push(NewLine { variant_no, milli, net_minor, tax_minor, why: "as paid for the first".into() });
            continue;
        }
        let ask = PriceAsk {
            variant: wanted.variant_no,
            currency: row.body.currency.clone(),
            quantity: wanted.milli,
            at: now,
            ..PriceAsk::default()
        };
        let quote = catalog::prices::store::price_of(tx, &ask)?.map(|quote| (quote.minor, quote.reason));
        let base = (*variant.currency == *row.body.currency).then(|| (variant.price_minor, "the base price".into()));
        let Some((unit, why)) = quote.or(base) else {
            return Err(OrderError::NoPrice { sku: variant.sku.to_string(), currency: row.body.currency.clone() });
        };
        let rates = law.as_ref().map(|law| {
            let day = law.day(now);
            law.tax(&variant.tax_class, day).unwrap_or_else(|_| law.standard_tax(day))
        });
        let total = loyalty::amounts::UnitPrice::minor(unit).times(loyalty::amounts::Quantity(milli));
        let taxed = taxed(total, rates.unwrap_or_default(), Prices::Inclusive);
        out.push(NewLine { variant_no, milli, net_minor: taxed.net, tax_minor: taxed.tax(), why });
    }
    Ok(out)
}

/// The customer has the others: handed over now, or sent before. What they cost more must be paid, and what they cost less be back.
pub fn fulfil(tx: &mut Tx, no: i64, hand_over: bool, actor: &str) -> Result<Arc<Return>, OrderError> {
    let mut row = Return::clone(&*return_of(tx, no)?);
    let Stage::Exchange(state) = row.stage else {
        return Err(OrderError::field("/return", "it is a return: money goes back for it"));
    };
    let Some(other) = row.body.exchange.as_ref().and_then(|e| e.order_no) else {
        step(state, Action::Fulfil, &[])?;
        return Err(OrderError::field("/return", "the others are not to be had: turn it into a return"));
    };
    let order = order_of(tx, other)?;
    let settled = order.open_minor() == 0 && all_told(tx, &row.body.refunds)?;
    let holds: &[Guard] = if settled { &[Guard::Settled] } else { &[] };
    let next = step(state, Action::Fulfil, holds)?;
    let waits = order.body.parts.iter().any(|p| matches!(p.state, LineState::Allocated | LineState::Released));
    if waits && !hand_over {
        return Err(OrderError::field("/return", "the others are still here: hand them over, or send them first"));
    }
    if waits {
        crate::commands::hand_over_all(tx, other, actor)?;
    }
    row.stage = Stage::Exchange(next);
    tell(tx, row.order_no, actor, "exchange fulfilled", &json!({"return": no, "order": other}));
    Ok(put_return(tx, row))
}

/// The others are not to be had: the goods that came back are a return, and their money goes back.
pub fn turn_into_return(tx: &mut Tx, no: i64, actor: &str) -> Result<Arc<Return>, OrderError> {
    let mut row = Return::clone(&*return_of(tx, no)?);
    let Stage::Exchange(state) = row.stage else {
        return Err(OrderError::field("/return", "it is a return already"));
    };
    step(state, Action::TurnIntoReturn, &[])?;
    let mut stage = step(ReturnState::Requested, ReturnAction::Approve, &[ReturnGuard::Allowed])?;
    stage = step(stage, ReturnAction::Receive, &[ReturnGuard::All, ReturnGuard::Graded])?;
    let exchange = row.body.exchange.clone().unwrap_or_default();
    if let Some(other) = exchange.order_no {
        if !row.body.refunds.is_empty() {
            return Err(OrderError::field("/return", "some of its money is on its way back: hand the others over"));
        }
        // What left cannot be called off, and is refused here.
        let called_off = crate::commands::cancel(tx, other, None, (true, "turned into a return", actor))?;
        if exchange.moved_minor > 0 {
            let id = format!("back:{}", tx.next_id());
            pay(tx, other, &moved_fact(row.order_no, PayAction::Refund, exchange.moved_minor, &id), actor)?;
        }
        let mut account = account_of(tx, row.order_no)?;
        // What the pieces are worth was decided, and stays so: shares that are taken are not put back among others.
        account.moved_minor -= exchange.moved_minor;
        put_account(tx, row.order_no, account)?;
        // What the customer paid beside for the others.
        let beside = order_of(tx, other)?;
        let own = called_off.body.payments.iter().any(|p| p.provider != MOVED && p.captured_minor > p.refunded_minor);
        let left = spoken(tx, &beside)?.left();
        if own && left > 0 {
            let giving = Giving { cause: Cause::Goodwill(no), way: Way::Payments, paid_out: false, why: "", actor };
            give(tx, &beside, left, giving)?;
        }
    }
    if let Some(reservation_no) = exchange.reservation_no {
        stock::commands::release(tx, reservation_no, stock::model::EndedWhy::Released)?;
    }
    row.stage = Stage::Return(stage);
    row.body.total_minor = 0;
    tell(tx, row.order_no, actor, "exchange turned into a return", &json!({"return": no}));
    Ok(put_return(tx, row))
}
