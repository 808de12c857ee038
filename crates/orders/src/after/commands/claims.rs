//! Claims: something was wrong with goods, which need not come back.
use super::exchange::reserve_for;
use super::goods::{NewLine, order_instead, settle_pieces};
use super::refund::{Giving, all_told, give, move_points, spoken};
use super::*;
use crate::after::model::*;
use crate::after::policy::last_day;
use crate::burned::Burned;
use crate::commands::order_of;
use crate::states::line::Line as LineState;
use crate::states::returns::claim::{Action, Claim as ClaimState, Guard};
use crate::states::step;
use base::Quantity;
use serde_json::json;

/// What somebody complains of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimAsk {
    pub order_no: i64,
    pub lines: Vec<ClaimLine>,
    pub note: String,
    pub photos: Vec<String>,
    /// The asker's own id of it; empty: none.
    pub key: String,
    pub channel: String,
}

/// A claim.
pub fn claim_of(tx: &mut Tx, no: i64) -> Result<Arc<Claim>, OrderError> {
    let found = tx.get::<ClaimTable>(no)?.cloned();
    found.ok_or_else(|| OrderError::Unknown { what: "claim", id: no.to_string() })
}

/// Complains as the customer.
pub fn claim_by_customer(tx: &mut Tx, shop: &Shop, ask: &ClaimAsk) -> Result<Arc<Claim>, OrderError> {
    open_claim(tx, shop, ask, "customer")
}

/// Writes a complaint down, in time and about pieces that left for the customer and are not back.
pub fn open_claim(tx: &mut Tx, shop: &Shop, ask: &ClaimAsk, actor: &str) -> Result<Arc<Claim>, OrderError> {
    check_key(&ask.key)?;
    let key = if ask.key.is_empty() { String::new() } else { format!("{}:{}", ask.order_no, ask.key) };
    if !key.is_empty() {
        tx.flush_table::<ClaimTable>()?;
        let sql = "SELECT no FROM claims WHERE request_key = $1 ORDER BY no LIMIT 1";
        if let Some(row) = tx.first(sql, &[(&key).into()])? {
            let no = row.int(0)?;
            return claim_of(tx, no);
        }
    }
    check_texts(&[("/note", &ask.note)], &ask.photos)?;
    let order = order_of(tx, ask.order_no)?;
    let mut account = account_of(tx, ask.order_no)?;
    if ask.lines.is_empty() || ask.lines.len() > 200 {
        return Err(OrderError::field("/lines", "name one to 200 lines"));
    }
    for (at, line) in ask.lines.iter().enumerate() {
        if line.line >= order.body.lines.len() {
            return Err(OrderError::field(format!("/lines/{at}/line"), "the order has no such line"));
        }
        let twice = ask.lines.iter().take(at).any(|l| l.line == line.line);
        let free = claimable(&order, &account, line.line);
        if line.milli <= 0 || line.milli > free || twice {
            let free = Quantity::from_milli(free.max(0));
            let detail = format!("{free} of it can be complained of, and each line once");
            return Err(OrderError::field(format!("/lines/{at}/quantity"), detail));
        }
    }
    let (policy, law, now) = (policy(tx)?, law(tx, shop)?, tx.now());
    let got = delivered_at(tx, ask.order_no)?.unwrap_or(order.placed_at);
    if let Some(law) = &law {
        let (until, source) = last_day(Some(law), &policy, law.day(got), true);
        if law.day(now) > until {
            return Err(OrderError::field("/lines", format!("it could be complained of until {until}: {source}")));
        }
    }
    let no = tx.next_id();
    account.claims.push(no);
    put_account(tx, ask.order_no, account)?;
    tell(tx, ask.order_no, actor, "claim opened", &json!({"claim": no}));
    let body = ClaimBody {
        lines: ask.lines.clone(),
        channel: ask.channel.clone(),
        owner: String::new(),
        resolution: None,
        settled: false,
        refund_minor: 0,
        refunds: vec![],
        replacement_no: None,
        moved_minor: 0,
        decided_by: String::new(),
    };
    let due_at = in_days(law.as_ref(), now, policy.answer_days);
    Ok(put_claim(
        tx,
        Claim {
            no,
            order_no: ask.order_no,
            state: ClaimState::Open,
            request_key: key,
            note: ask.note.clone(),
            answer: String::new(),
            photos: ask.photos.clone(),
            opened_at: now,
            due_at,
            updated_at: now,
            version: 0,
            body,
        },
    ))
}

/// Pieces of a line that left and whose money nobody has given back: lost ones too.
pub(super) fn claimable(order: &Order, account: &Account, line: usize) -> i64 {
    let left = |s: LineState| matches!(s, LineState::Sent | LineState::Delivered | LineState::Lost);
    pieces(order, line, left) - account.coming(line) - account.kept(line)
}

/// Says that it is right, and what it brings. Money without an amount is all of what the pieces cost; a part of it leaves them the customer's,
/// to be returned later for the rest. A replacement is an order paid with the first one's money; refused where it is not to be had.
pub fn approve_claim(
    tx: &mut Tx,
    no: i64,
    (resolution, amount_minor): (Resolution, Option<i64>),
    answer: &str,
    actor: &str,
) -> Result<Arc<Claim>, OrderError> {
    check_texts(&[("/answer", answer)], &[])?;
    let mut row = Claim::clone(&*claim_of(tx, no)?);
    row.state = step(row.state, Action::Approve, &[])?;
    let order = order_of(tx, row.order_no)?;
    let mut account = account_of(tx, row.order_no)?;
    for (at, line) in row.body.lines.iter().enumerate() {
        if line.milli > claimable(&order, &account, line.line) {
            return Err(OrderError::field(format!("/lines/{at}"), "some of it came back or was settled meanwhile"));
        }
    }
    let of: Vec<(usize, i64)> = row.body.lines.iter().map(|line| (line.line, line.milli)).collect();
    let mut settled = account.clone();
    let worth = settle_pieces(tx, row.order_no, &mut settled, &of)?;
    let value: i64 = worth.iter().map(|w| w.total_minor).sum();
    let left = spoken(tx, &order)?.left();
    let replaces = resolution != Resolution::Refund;
    let moved = if replaces { value.min(left) } else { 0 };
    let whole = resolution == Resolution::Refund && amount_minor.is_none_or(|a| a >= value);
    let wanted = amount_minor.unwrap_or(if replaces { 0 } else { value });
    if wanted < 0 || wanted > value || (resolution == Resolution::Both && wanted == 0) {
        return Err(OrderError::field("/amount", format!("it is more than nothing and at most {value}")));
    }
    if replaces && wanted > left - moved {
        let detail =
            format!("{} of what was paid is left beside the replacement: give a kindness instead", left - moved);
        return Err(OrderError::field("/amount", detail));
    }
    let give_minor = wanted.min(left - moved);
    let mut kept = None;
    if replaces {
        let goods: Vec<(i64, i64)> =
            row.body.lines.iter().map(|l| (order.body.lines[l.line].variant_no, l.milli)).collect();
        kept = reserve_for(tx, &format!("claim:{no}"), &order.body.channel, &goods)?;
    }
    // Goods whose money goes back whole take their points with them; what is replaced keeps them.
    let mut points = (0, Burned::default());
    if whole || replaces {
        account = settled;
        for (line, milli) in &of {
            Account::add(&mut account.kept, *line, *milli);
            // They stay with the customer, and nothing is owed for them.
            Account::add(&mut account.valued, *line, -*milli);
        }
        // Money beside a replacement.
        account.let_go_minor += if replaces { give_minor } else { 0 };
        account.moved_minor += moved;
        row.body.settled = true;
        if !replaces {
            let sum = |of: fn(&loyalty::refunds::Refund) -> i64| worth.iter().map(of).sum::<i64>();
            points =
                (sum(|w| w.points_taken), Burned { points: sum(|w| w.points_back), minor: sum(|w| w.points_minor) });
            account.let_go_minor += points.1.minor;
        }
    } else {
        let shares = loyalty::distribute(give_minor, &worth.iter().map(|w| w.total_minor).collect::<Vec<_>>());
        for ((line, _), share) in of.iter().zip(shares) {
            Account::add(&mut account.reduced, *line, share);
        }
        account.let_go_minor += give_minor;
    }
    put_account(tx, row.order_no, account)?;
    move_points(tx, row.order_no, points, &format!("claim:{no}"), actor)?;
    if replaces {
        let new = |(line, worth): (&ClaimLine, &loyalty::refunds::Refund)| NewLine {
            variant_no: order.body.lines[line.line].variant_no,
            milli: line.milli,
            net_minor: worth.net_minor,
            tax_minor: worth.tax_minor,
            why: "replaces what was wrong".into(),
        };
        let lines: Vec<NewLine> = row.body.lines.iter().zip(&worth).map(new).collect();
        let made = order_instead(tx, &order, &lines, (kept, moved), &format!("R{no}"), actor)?;
        row.body.replacement_no = Some(made.no);
        row.body.moved_minor = moved;
    }
    if give_minor > 0 {
        let cause = Cause::Claim(no);
        let giving = Giving { cause, way: Way::Payments, paid_out: false, why: "", actor };
        row.body.refunds = give(tx, &order, give_minor, giving)?;
    }
    row.body.resolution = Some(resolution);
    row.body.refund_minor = give_minor;
    row.body.decided_by = actor.into();
    row.answer = answer.into();
    let detail = json!({"claim": no, "resolution": resolution.as_str(), "amount_minor": give_minor});
    tell(tx, row.order_no, actor, "claim approved", &detail);
    if is_done(tx, &row)? {
        row.state = step(row.state, Action::Resolve, &[Guard::Done])?;
    }
    Ok(put_claim(tx, row))
}

/// Whether the money arrived and the replacement left.
fn is_done(tx: &mut Tx, row: &Claim) -> Result<bool, OrderError> {
    if !all_told(tx, &row.body.refunds)? {
        return Ok(false);
    }
    let Some(no) = row.body.replacement_no else { return Ok(true) };
    let gone = |s: LineState| {
        !matches!(s, LineState::Ordered | LineState::Parked | LineState::Allocated | LineState::Released)
    };
    Ok(order_of(tx, no)?.body.parts.iter().all(|part| gone(part.state)))
}

/// Ends a claim whose money arrived and whose replacement left.
pub fn resolve_claim(tx: &mut Tx, no: i64, actor: &str) -> Result<Arc<Claim>, OrderError> {
    let mut row = Claim::clone(&*claim_of(tx, no)?);
    let holds: &[Guard] = if is_done(tx, &row)? { &[Guard::Done] } else { &[] };
    row.state = step(row.state, Action::Resolve, holds)?;
    tell(tx, row.order_no, actor, "claim resolved", &json!({"claim": no}));
    Ok(put_claim(tx, row))
}

/// A refund of a claim arrived.
pub(super) fn follow(tx: &mut Tx, no: i64) -> Result<(), OrderError> {
    let mut row = Claim::clone(&*claim_of(tx, no)?);
    if row.state == ClaimState::Approved && is_done(tx, &row)? {
        row.state = step(row.state, Action::Resolve, &[Guard::Done])?;
        put_claim(tx, row);
    }
    Ok(())
}

/// Says that it is not right, with a reason for the customer, who may bring more until the time to complain is over.
pub fn deny_claim(tx: &mut Tx, shop: &Shop, no: i64, why: &str, actor: &str) -> Result<Arc<Claim>, OrderError> {
    check_texts(&[("/why", why)], &[])?;
    let mut row = Claim::clone(&*claim_of(tx, no)?);
    let holds: &[Guard] = if why.trim().is_empty() { &[] } else { &[Guard::Reason] };
    row.state = step(row.state, Action::Deny, holds)?;
    row.answer = why.into();
    row.body.decided_by = actor.into();
    let (policy, law) = (policy(tx)?, law(tx, shop)?);
    let order = order_of(tx, row.order_no)?;
    let got = delivered_at(tx, row.order_no)?.unwrap_or(order.placed_at);
    row.due_at = match &law {
        Some(law) => law.end_of(last_day(Some(law), &policy, law.day(got), true).0),
        None => in_days(None, got, policy.fault_days),
    };
    tell(tx, row.order_no, actor, "claim denied", &json!({"claim": no}));
    Ok(put_claim(tx, row))
}

/// The customer brings more.
pub fn reopen_claim(
    tx: &mut Tx,
    shop: &Shop,
    no: i64,
    (note, photos): (&str, &[String]),
    actor: &str,
) -> Result<Arc<Claim>, OrderError> {
    let mut row = Claim::clone(&*claim_of(tx, no)?);
    let now = tx.now();
    let holds: &[Guard] = if now < row.due_at { &[Guard::InTime] } else { &[] };
    row.state = step(row.state, Action::Reopen, holds)?;
    if !note.is_empty() {
        row.note = if row.note.is_empty() { note.into() } else { format!("{}\n{note}", row.note) };
    }
    row.photos.extend(photos.iter().cloned());
    check_texts(&[("/note", &row.note)], &row.photos)?;
    let (policy, law) = (policy(tx)?, law(tx, shop)?);
    row.due_at = in_days(law.as_ref(), now, policy.answer_days);
    tell(tx, row.order_no, actor, "claim reopened", &json!({"claim": no}));
    Ok(put_claim(tx, row))
}

/// The customer takes it back; not once something was given for it.
pub fn cancel_claim(tx: &mut Tx, no: i64, actor: &str) -> Result<Arc<Claim>, OrderError> {
    let mut row = Claim::clone(&*claim_of(tx, no)?);
    row.state = step(row.state, Action::Cancel, &[])?;
    if !row.body.refunds.is_empty() || row.body.replacement_no.is_some() {
        return Err(OrderError::field("/claim", "something was given for it already"));
    }
    tell(tx, row.order_no, actor, "claim cancelled", &json!({"claim": no}));
    Ok(put_claim(tx, row))
}
