//! Money goes back: what for, how much, where to, and what became of it.
use super::goods::{MOVED, moved_fact, origin_of, price_rest_again, settle_pieces};
use super::*;
use crate::after::model::*;
use crate::after::money::{Source, Spoken, shipping, to_payments};
use crate::after::{RefundTable, credit};
use crate::burned::Burned;
use crate::commands::{Fact, history, order_of, pay};
use crate::states::line::Line as LineState;
use crate::states::payment::Action as PayAction;
use crate::states::payment::refund::{Action as RefundAction, Guard as RefundGuard, Refund as RefundState};
use crate::states::returns::goods::{Action, Guard, Return as ReturnState};
use crate::states::{Machine, step};
use loyalty::points::commands as points;
use loyalty::points::plan::Shortfall;
use serde_json::json;

/// How money is given back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pay {
    pub way: Way,
    /// Kept back, because the goods are not as they were, with the reason in `why`.
    pub withheld_minor: i64,
    pub why: String,
    /// The money was handed out already, as at a counter.
    pub paid_out: bool,
}

/// A refund.
pub fn refund_of(tx: &mut Tx, no: i64) -> Result<Arc<Refund>, OrderError> {
    let found = tx.get::<RefundTable>(no)?.cloned();
    found.ok_or_else(|| OrderError::Unknown { what: "refund", id: no.to_string() })
}

fn put_refund(tx: &mut Tx, row: Refund) -> Arc<Refund> {
    let row = Arc::new(row);
    tx.put::<RefundTable>(row.no, row.clone());
    tx.notify(db::Notice::Changed { what: "refunds" });
    row
}

/// What of an order's money is spoken for.
pub(super) fn spoken(tx: &mut Tx, order: &Order) -> Result<Spoken, OrderError> {
    let account = account_of(tx, order.no)?;
    let sums = order.sums();
    let waiting = waiting(tx, &account)?.iter().map(|r| r.amount_minor).sum();
    let (credited, moved) = (account.credited_minor, account.moved_minor);
    let own = || order.body.payments.iter().filter(|p| p.provider == crate::commands::burning::POINTS);
    // Points go back as points.
    let captured = sums.captured - own().map(|p| p.captured_minor).sum::<i64>();
    let refunded = sums.refunded - own().map(|p| p.refunded_minor).sum::<i64>();
    Ok(Spoken { captured, refunded, waiting, credited, moved })
}

/// Refunds of an order that no provider has told yet.
fn waiting(tx: &mut Tx, account: &Account) -> Result<Vec<Arc<Refund>>, OrderError> {
    let mut out = Vec::new();
    for no in &account.refunds {
        let row = refund_of(tx, *no)?;
        if matches!(row.state, RefundState::Pending | RefundState::Failed) {
            out.push(row);
        }
    }
    Ok(out)
}

/// Gives money back for what came: goods to the unit, delivery by the shop's rule, less what is kept back; points are taken back and given
/// back with it. It goes to the payments from which it came, or to store credit. Never more than what was captured and not given before.
pub fn refund(tx: &mut Tx, no: i64, how: &Pay, actor: &str) -> Result<Arc<Return>, OrderError> {
    let mut row = Return::clone(&*return_of(tx, no)?);
    check_texts(&[("/why", &how.why)], &[])?;
    let Stage::Return(state) = row.stage else {
        return Err(OrderError::field("/return", "an exchange settles its difference itself"));
    };
    let done = step(state, Action::Refund, &[Guard::Covered])?;
    if !row.body.refunds.is_empty() {
        return Err(OrderError::field("/return", "its money is on its way already"));
    }
    if how.withheld_minor < 0 || (how.withheld_minor > 0 && how.why.trim().is_empty()) {
        return Err(OrderError::field(
            "/withheld",
            "what is kept back is nothing or more, and the customer is told why",
        ));
    }
    if row.order_no == 0 {
        return by_receipt(tx, row, how, done, actor);
    }
    let order = order_of(tx, row.order_no)?;
    let mut account = account_of(tx, row.order_no)?;
    // Of an exchange that became a return the worth was decided before.
    let open: Vec<usize> = (0..row.body.lines.len())
        .filter(|at| row.body.lines[*at].refunded_milli == 0 && !row.body.lines[*at].arrived.is_empty())
        .collect();
    let of = |at: &usize| (row.body.lines[*at].line.unwrap_or(0), row.body.lines[*at].arrived_milli());
    let came: Vec<(usize, i64)> = open.iter().map(of).collect();
    let given_before = account.clone();
    let mut worth = settle_pieces(tx, row.order_no, &mut account, &came)?;
    let by_choice: Vec<bool> = open.iter().map(|at| !row.body.lines[*at].reason.is_our_fault()).collect();
    let chosen: Vec<(usize, i64)> = came.iter().zip(&by_choice).filter(|(_, own)| **own).map(|(of, _)| *of).collect();
    let mut theirs: Vec<_> = worth.iter_mut().zip(&by_choice).filter(|(_, own)| **own).map(|(w, _)| w).collect();
    let (lost, lost_why) = match chosen.is_empty() {
        true => (0, String::new()),
        false => {
            let mut lines: Vec<usize> = chosen.iter().map(|(line, _)| *line).collect();
            lines.sort_unstable();
            lines.dedup();
            let reduced = lines.iter().map(|line| given_before.reduced(*line) - account.reduced(*line)).sum();
            price_rest_again(tx, row.order_no, &mut account, (&chosen, reduced), &mut theirs)?
        }
    };
    for (at, worth) in open.iter().zip(&worth) {
        row.body.lines[*at].is_worth(worth);
    }
    let goods: i64 = row.body.lines.iter().map(|line| line.refund_minor).sum();
    let policy = policy(tx)?;
    let fault = row.body.lines.iter().any(|line| line.reason.is_our_fault() && !line.arrived.is_empty());
    let all_back = order.body.parts.iter().all(|p| matches!(p.state, LineState::Returned | LineState::Cancelled));
    let delivery = shipping(policy.shipping, order.body.shipping_minor, account.shipping_minor, all_back, fault);
    if how.withheld_minor > goods {
        return Err(OrderError::field("/withheld", format!("the goods bring {goods}; not more is kept back")));
    }
    let total = (goods + delivery - how.withheld_minor).min(spoken(tx, &order)?.left());
    account.shipping_minor += delivery;
    let sum = |of: fn(&ReturnLine) -> i64| row.body.lines.iter().map(of).sum::<i64>();
    let back = Burned { points: sum(|line| line.points_back), minor: sum(|line| line.points_minor) };
    let taken = sum(|line| line.points_taken);
    // What points had paid goes back as points.
    account.let_go_minor += delivery - how.withheld_minor + back.minor;
    put_account(tx, row.order_no, account)?;
    move_points(tx, row.order_no, (taken, back), &format!("return:{no}"), actor)?;
    row.body.way = how.way;
    row.body.withheld_minor = how.withheld_minor;
    row.body.shipping_minor = delivery;
    row.body.total_minor = total;
    row.body.lost_discount_minor = lost.max(0);
    // The customer reads why it is less than they think.
    let words: Vec<&str> = [how.why.trim(), &lost_why].into_iter().filter(|why| !why.is_empty()).collect();
    if !words.is_empty() {
        row.answer = words.join("; ");
    }
    let giving = Giving { cause: Cause::Return(no), way: how.way, paid_out: how.paid_out, why: "", actor };
    row.body.refunds = give(tx, &order, total, giving)?;
    let mut detail = json!({"return": no, "amount_minor": total});
    if !lost_why.is_empty() {
        detail["lost_discount_minor"] = lost.into();
        detail["why"] = lost_why.into();
    }
    tell(tx, row.order_no, actor, "refund", &detail);
    if all_told(tx, &row.body.refunds)? {
        row.stage = Stage::Return(done);
    }
    Ok(put_return(tx, row))
}

/// Without an order: what it costs today, as store credit.
fn by_receipt(
    tx: &mut Tx,
    mut row: Return,
    how: &Pay,
    done: ReturnState,
    actor: &str,
) -> Result<Arc<Return>, OrderError> {
    for line in row.body.lines.iter_mut().filter(|line| !line.arrived.is_empty()) {
        let milli = line.arrived_milli();
        line.refund_minor =
            loyalty::amounts::UnitPrice::minor(line.unit_minor).times(loyalty::amounts::Quantity(milli));
        line.refunded_milli = milli;
    }
    let goods: i64 = row.body.lines.iter().map(|line| line.refund_minor).sum();
    if how.withheld_minor > goods {
        return Err(OrderError::field("/withheld", format!("the goods bring {goods}; not more is kept back")));
    }
    let total = goods - how.withheld_minor;
    if total > 0 {
        let account = credit::of_contact(tx, &row.contact, &row.body.currency)?;
        credit::give(tx, account.no, total, &format!("return:{}", row.no), "return", actor)?;
        row.body.credit_no = Some(account.no);
    }
    row.body.withheld_minor = how.withheld_minor;
    row.body.total_minor = total;
    row.stage = Stage::Return(done);
    Ok(put_return(tx, row))
}

/// Earned points are taken back, burned ones given back with what they paid, in proportion to the pieces; `cause` names the return
/// or claim.
pub(super) fn move_points(
    tx: &mut Tx,
    order_no: i64,
    (taken, back): (i64, Burned),
    cause_of: &str,
    actor: &str,
) -> Result<(), OrderError> {
    let document = format!("order:{order_no}");
    let cause = points::Cause { document: cause_of, actor };
    let refused = |e: points::PointsError| match e {
        points::PointsError::Store(e) => OrderError::Store(e),
        other => OrderError::field("/points", other.to_string()),
    };
    let taken = taken.min(points::still_earned(tx, &document)?);
    if taken > 0 {
        let earned = points::of_document(tx, "earn", &document)?;
        let accounts: Vec<i64> = earned.iter().map(|(account, _)| *account).collect();
        points::take_back(tx, &accounts, &document, taken, Shortfall::Debt, cause).map_err(refused)?;
    }
    crate::commands::burning::give_back(tx, order_no, back, cause_of, actor)?;
    Ok(())
}

/// How an amount is given.
#[derive(Clone, Copy)]
pub(super) struct Giving<'a> {
    pub cause: Cause,
    pub way: Way,
    pub paid_out: bool,
    pub why: &'a str,
    pub actor: &'a str,
}

/// Gives an amount of an order's money: to its payments in their order, or to store credit, as what no payment takes does. Money that an
/// order got from another goes back to where that one had it from. The amount must be left (`spoken`). Gives the refunds.
pub(super) fn give(tx: &mut Tx, order: &Order, amount: i64, giving: Giving<'_>) -> Result<Vec<i64>, OrderError> {
    let mut out = Vec::new();
    let mut account = account_of(tx, order.no)?;
    let waiting = waiting(tx, &account)?;
    let sources = sources(order, &waiting);
    let (parts, rest) = match giving.way {
        Way::Payments => to_payments(amount, &sources),
        Way::Credit => (vec![], amount),
    };
    for (at, part) in parts {
        // Not the order's payment of that place: points are among those, and no source.
        let payment = &sources[at];
        if let (MOVED, Some(origin_no)) = (payment.provider.as_str(), origin_of(&payment.payment_id)) {
            let id = format!("back:{}", tx.next_id());
            pay(tx, order.no, &moved_fact(origin_no, PayAction::Refund, part, &id), giving.actor)?;
            let mut origin = account_of(tx, origin_no)?;
            origin.moved_minor -= part;
            assert!(origin.moved_minor >= 0, "more comes back from another order than was moved to it");
            put_account(tx, origin_no, origin)?;
            let first = order_of(tx, origin_no)?;
            let left = part.min(spoken(tx, &first)?.left());
            out.extend(give(tx, &first, left, giving)?);
            continue;
        }
        let (provider, id) = (payment.provider.clone(), payment.payment_id.clone());
        let no = ask_provider(tx, order, (provider, id), part, giving);
        account.refunds.push(no);
        out.push(no);
    }
    put_account(tx, order.no, account)?;
    if rest > 0 {
        out.push(to_credit(tx, order, rest, giving)?);
    }
    for no in out.clone() {
        let row = refund_of(tx, no)?;
        let at_once = giving.paid_out || matches!(row.provider.as_str(), credit::PROVIDER | "cash");
        if at_once && row.state == RefundState::Pending {
            settle(tx, no, "", giving.actor)?;
        }
    }
    Ok(out)
}

/// The payments of an order with what is left of each. What was moved or credited is nobody's in particular, so it lies on the last.
fn sources(order: &Order, waiting: &[Arc<Refund>]) -> Vec<Source> {
    let on_the_way = |provider: &str, id: &str| -> i64 {
        waiting.iter().filter(|r| r.provider == provider && r.payment_id == id).map(|r| r.amount_minor).sum()
    };
    let left = |p: &crate::model::Paying| p.captured_minor - p.refunded_minor - on_the_way(&p.provider, &p.id);
    // Points go back as points.
    let all = order.body.payments.iter().filter(|p| p.provider != crate::commands::burning::POINTS);
    all.map(|p| Source { provider: p.provider.clone(), payment_id: p.id.clone(), left_minor: left(p).max(0) }).collect()
}

fn ask_provider(
    tx: &mut Tx,
    order: &Order,
    (provider, payment_id): (String, String),
    amount_minor: i64,
    giving: Giving<'_>,
) -> i64 {
    let (no, at) = (tx.next_id(), tx.now());
    let row = Refund {
        no,
        order_no: order.no,
        cause: giving.cause,
        provider,
        payment_id,
        amount_minor,
        currency: order.body.currency.clone(),
        state: RefundState::START[0],
        external_id: String::new(),
        why: giving.why.into(),
        actor: giving.actor.into(),
        at,
        settled_at: None,
    };
    put_refund(tx, row);
    no
}

/// Gives an amount of an order's money as store credit.
fn to_credit(tx: &mut Tx, order: &Order, amount_minor: i64, giving: Giving<'_>) -> Result<i64, OrderError> {
    let into = credit::of_contact(tx, &order.contact, &order.body.currency)?;
    let no = ask_provider(tx, order, (credit::PROVIDER.into(), into.no.to_string()), amount_minor, giving);
    credit::give(tx, into.no, amount_minor, &format!("refund:{no}"), "refund", giving.actor)?;
    let mut row = Refund::clone(&*refund_of(tx, no)?);
    row.state = step(row.state, RefundAction::Settle, &[])?;
    row.settled_at = Some(tx.now());
    put_refund(tx, row);
    let mut account = account_of(tx, order.no)?;
    account.credited_minor += amount_minor;
    account.refunds.push(no);
    put_account(tx, order.no, account)?;
    Ok(no)
}

/// The provider says that the money is back. Told twice, it counts once.
pub fn settle_refund(tx: &mut Tx, no: i64, external_id: &str, actor: &str) -> Result<Arc<Refund>, OrderError> {
    let row = refund_of(tx, no)?;
    if row.state == RefundState::Settled {
        return Ok(row);
    }
    let done = settle(tx, no, external_id, actor)?;
    follow(tx, row.cause)?;
    Ok(done)
}

fn settle(tx: &mut Tx, no: i64, external_id: &str, actor: &str) -> Result<Arc<Refund>, OrderError> {
    let mut row = Refund::clone(&*refund_of(tx, no)?);
    row.state = step(row.state, RefundAction::Settle, &[])?;
    row.external_id = if external_id.is_empty() { format!("refund:{no}") } else { external_id.into() };
    // A provider may have told of the same money before under a name of its own (somebody gave it back in its cabinet, or its notice came
    // first): what is left of the payment is all that can go back now.
    let order = order_of(tx, row.order_no)?;
    let paid = order.body.payments.iter().find(|p| p.provider == row.provider && p.id == row.payment_id);
    let left = paid.map_or(0, |p| p.captured_minor - p.refunded_minor);
    let amount_minor = row.amount_minor.min(left);
    if amount_minor < row.amount_minor {
        row.why = format!("{} of it had gone back before", row.amount_minor - amount_minor);
        history(
            tx,
            row.order_no,
            actor,
            "refund told twice",
            &json!({"refund": no, "before_minor": row.amount_minor - amount_minor}),
        );
    }
    if amount_minor > 0 {
        let fact = Fact {
            provider: row.provider.clone(),
            payment_id: row.payment_id.clone(),
            external_id: row.external_id.clone(),
            action: PayAction::Refund,
            amount_minor,
        };
        pay(tx, row.order_no, &fact, actor)?;
        if let (credit::PROVIDER, Ok(account)) = (row.provider.as_str(), row.payment_id.parse()) {
            credit::give(tx, account, amount_minor, &format!("refund:{no}"), "refund", actor)?;
        }
    }
    row.settled_at = Some(tx.now());
    Ok(put_refund(tx, row))
}

/// The provider says that it cannot.
pub fn fail_refund(tx: &mut Tx, no: i64, why: &str) -> Result<Arc<Refund>, OrderError> {
    check_texts(&[("/why", why)], &[])?;
    let mut row = Refund::clone(&*refund_of(tx, no)?);
    row.state = step(row.state, RefundAction::Fail, &[])?;
    row.why = why.into();
    Ok(put_refund(tx, row))
}

/// Asks the provider again.
pub fn retry_refund(tx: &mut Tx, no: i64) -> Result<Arc<Refund>, OrderError> {
    let mut row = Refund::clone(&*refund_of(tx, no)?);
    row.state = step(row.state, RefundAction::Retry, &[])?;
    Ok(put_refund(tx, row))
}

/// Gives as store credit what the provider could not give back, as the customer agreed.
pub fn credit_refund(tx: &mut Tx, no: i64, agreed: bool, actor: &str) -> Result<Arc<Refund>, OrderError> {
    let mut row = Refund::clone(&*refund_of(tx, no)?);
    let holds: &[RefundGuard] = if agreed { &[RefundGuard::Agreed] } else { &[] };
    row.state = step(row.state, RefundAction::Credit, holds)?;
    let order = order_of(tx, row.order_no)?;
    let into = credit::of_contact(tx, &order.contact, &row.currency)?;
    credit::give(tx, into.no, row.amount_minor, &format!("refund:{no}"), "refund", actor)?;
    let mut account = account_of(tx, row.order_no)?;
    account.credited_minor += row.amount_minor;
    put_account(tx, row.order_no, account)?;
    row.settled_at = Some(tx.now());
    let cause = row.cause;
    let row = put_refund(tx, row);
    follow(tx, cause)?;
    Ok(row)
}

/// Gives something for the trouble, with a reason: store credit that is no part of what was paid.
pub fn goodwill(
    tx: &mut Tx,
    order_no: i64,
    amount_minor: i64,
    (key, why): (&str, &str),
    actor: &str,
) -> Result<i64, OrderError> {
    check_key(key)?;
    check_texts(&[("/why", why)], &[])?;
    let order = order_of(tx, order_no)?;
    if amount_minor <= 0 || why.trim().is_empty() || why.len() > 500 || key.is_empty() {
        return Err(OrderError::field("/amount", "a kindness is of more than nothing, and has a reason and a key"));
    }
    let into = credit::of_contact(tx, &order.contact, &order.body.currency)?;
    credit::give(tx, into.no, amount_minor, &format!("goodwill:{order_no}:{key}"), why, actor)?;
    tell(tx, order_no, actor, "goodwill", &json!({"amount_minor": amount_minor}));
    Ok(into.no)
}

/// Whether all money of these refunds arrived.
pub(super) fn all_told(tx: &mut Tx, refunds: &[i64]) -> Result<bool, OrderError> {
    for no in refunds {
        if !matches!(refund_of(tx, *no)?.state, RefundState::Settled | RefundState::Credited) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a refund was for goes on, once all of its money arrived.
fn follow(tx: &mut Tx, cause: Cause) -> Result<(), OrderError> {
    match cause {
        Cause::Return(no) => {
            let mut row = Return::clone(&*return_of(tx, no)?);
            if let Stage::Return(state @ ReturnState::Received) = row.stage
                && all_told(tx, &row.body.refunds)?
            {
                row.stage = Stage::Return(step(state, Action::Refund, &[Guard::Covered])?);
                put_return(tx, row);
            }
        }
        Cause::Claim(no) => claims::follow(tx, no)?,
        Cause::Goodwill(_) => {}
    }
    Ok(())
}
