//! Checks of what comes after the sale, on real data. Written from the rules, not from the commands: every sum is made anew from the
//! rows of cases, refunds, payments and movements.
use super::model::*;
use super::tables::refund_of;
use crate::doctor::Finding;
use crate::model::OrderBody;
use crate::states::line::Line as LineState;
use crate::states::payment::Payment;
use crate::states::payment::refund::Refund as RefundState;
use crate::states::returns::exchange::Exchange as ExchangeState;
use crate::states::returns::goods::Return as ReturnState;
use db::{DbError, Engine, Row};
use std::collections::BTreeMap;

type Tell<'a> = &'a mut dyn FnMut(&'static str, String, String);

/// Orders that are looked at together.
const PIECE: i64 = 200;

/// Runs every check; reads only.
pub fn check(db: &mut Engine) -> Result<Vec<Finding>, DbError> {
    let mut out = Vec::new();
    let mut tell = |check, subject: String, detail: String| out.push(Finding { check, subject, detail });
    let moved = moved(db)?;
    let mut after = 0;
    loop {
        let sql = "SELECT order_no, body FROM after_orders WHERE order_no > $1 ORDER BY order_no LIMIT $2";
        let rows = db.rows(sql, &[after.into(), PIECE.into()])?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { break };
        let (first, last) = (first.int(0)?, last.int(0)?);
        let accounts = accounts(&rows, &mut tell)?;
        let known = Known::read(db, first, last)?;
        for (no, account) in &accounts {
            let moved = moved.get(no).copied().unwrap_or(0);
            known.check(*no, account, moved, &mut tell);
        }
        after = last;
    }
    credit(db, &mut tell)?;
    goods(db, &mut tell)?;
    loans(db, &mut tell)?;
    Ok(out)
}

fn accounts(rows: &[Row], tell: Tell<'_>) -> Result<Vec<(i64, Account)>, DbError> {
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        match serde_json::from_str(row.text(1)?) {
            Ok(account) => out.push((row.int(0)?, account)),
            Err(e) => tell("after_row", format!("order {}", row.int(0)?), e.to_string()),
        }
    }
    Ok(out)
}

/// Money that pays for other orders, by the order that it came from.
fn moved(db: &mut Engine) -> Result<BTreeMap<i64, i64>, DbError> {
    let sql = "SELECT o.body FROM payment_facts f JOIN orders o ON o.no = f.order_no WHERE f.provider = 'moved' \
               AND f.action = 'capture' ORDER BY f.order_no";
    let mut out = BTreeMap::new();
    for row in db.rows(sql, &[])? {
        let Ok(body) = serde_json::from_str::<OrderBody>(row.text(0)?) else { continue };
        for paying in body.payments.iter().filter(|p| p.provider == "moved") {
            let origin = paying.id.strip_prefix("order:").and_then(|no| no.parse::<i64>().ok()).unwrap_or(0);
            *out.entry(origin).or_insert(0) += paying.captured_minor - paying.refunded_minor;
        }
    }
    Ok(out)
}

/// All that belongs to a span of orders.
#[derive(Default)]
struct Known {
    orders: BTreeMap<i64, OrderBody>,
    returns: BTreeMap<i64, Vec<(i64, Stage, ReturnBody)>>,
    claims: BTreeMap<i64, Vec<ClaimBody>>,
    refunds: BTreeMap<i64, Vec<Refund>>,
}

impl Known {
    fn read(db: &mut Engine, first: i64, last: i64) -> Result<Self, DbError> {
        let mut out = Self::default();
        let span = [first.into(), last.into()];
        for row in db.rows("SELECT no, body FROM orders WHERE no >= $1 AND no <= $2 ORDER BY no", &span)? {
            if let Ok(body) = serde_json::from_str(row.text(1)?) {
                out.orders.insert(row.int(0)?, body);
            }
        }
        let sql = "SELECT order_no, no, kind, state, body FROM returns WHERE order_no >= $1 AND order_no <= $2 ORDER BY order_no, no";
        for row in db.rows(sql, &span)? {
            let stage = Stage::parse(row.text(2)?, row.text(3)?);
            let body = serde_json::from_str(row.text(4)?);
            if let (Some(stage), Ok(body)) = (stage, body) {
                out.returns.entry(row.int(0)?).or_default().push((row.int(1)?, stage, body));
            }
        }
        let sql = "SELECT order_no, body FROM claims WHERE order_no >= $1 AND order_no <= $2 ORDER BY order_no, no";
        for row in db.rows(sql, &span)? {
            if let Ok(body) = serde_json::from_str(row.text(1)?) {
                out.claims.entry(row.int(0)?).or_default().push(body);
            }
        }
        let sql = "SELECT order_no, cause, provider, payment_id, amount_minor, currency, state, external_id, why, actor, at, settled_at, no \
                   FROM refunds WHERE order_no >= $1 AND order_no <= $2 ORDER BY order_no, no";
        for row in db.rows(sql, &span)? {
            let refund = refund_of(row.int(12)?, &row)?;
            out.refunds.entry(row.int(0)?).or_default().push(refund);
        }
        Ok(out)
    }

    fn check(&self, no: i64, account: &Account, moved: i64, tell: Tell<'_>) {
        let subject = format!("order {no}");
        let Some(order) = self.orders.get(&no) else {
            tell("after_order", subject, "something comes after an order that is not there".into());
            return;
        };
        let returns = self.returns.get(&no).map_or(&[][..], Vec::as_slice);
        let claims = self.claims.get(&no).map_or(&[][..], Vec::as_slice);
        let refunds = self.refunds.get(&no).map_or(&[][..], Vec::as_slice);
        for line in 0..order.lines.len() {
            let of_line = |r: &ReturnLine| r.line == Some(line);
            let mine = returns.iter().flat_map(|(_, stage, body)| body.lines.iter().map(move |l| (*stage, l)));
            let (mut coming, mut settled, mut back) = (0, 0, 0);
            for (stage, l) in mine.filter(|(_, l)| of_line(l)) {
                coming += if awaits(stage) { l.milli - l.arrived_milli() } else { 0 };
                settled += l.refunded_milli;
                back += l.arrived_milli();
                if l.arrived_milli() > l.milli || l.refunded_milli > l.arrived_milli() {
                    tell(
                        "return_pieces",
                        subject.clone(),
                        format!("line {line}: more came or was paid than was asked for"),
                    );
                }
            }
            let of_claims = claims.iter().filter(|c| c.settled).flat_map(|c| &c.lines);
            let kept: i64 = of_claims.filter(|l| l.line == line).map(|l| l.milli).sum();
            let wanted = (coming, settled + kept, kept);
            let found = (account.coming(line), account.settled(line), account.kept(line));
            if wanted != found {
                let detail = format!("line {line}: coming, settled and kept should be {wanted:?} and are {found:?}");
                tell("after_account", subject.clone(), detail);
            }
            let part = |of: fn(LineState) -> bool| -> i64 {
                order.parts.iter().filter(|p| p.line == line && of(p.state)).map(|p| p.milli).sum()
            };
            let returned = part(|s| s == LineState::Returned);
            let out = part(|s| matches!(s, LineState::Sent | LineState::Delivered | LineState::Lost));
            if back > returned || settled + kept > returned + out || coming + kept > out {
                let detail = format!(
                    "line {line}: {back} came back, {settled} and {kept} were settled, {coming} are coming; the order has {returned} returned and {out} out"
                );
                tell("return_pieces", subject.clone(), detail);
            }
        }
        self.money(order, &subject, account, moved, refunds, tell);
        for (return_no, stage, body) in returns {
            let told = |no: &i64| {
                let all = self.refunds.values().flatten();
                all.filter(|r| r.no == *no).all(|r| matches!(r.state, RefundState::Settled | RefundState::Credited))
            };
            if *stage == Stage::Return(ReturnState::Refunded) && !body.refunds.iter().all(told) {
                tell(
                    "return_refunds",
                    format!("return {return_no}"),
                    "it is refunded and some of its money did not arrive".into(),
                );
            }
        }
    }

    fn money(
        &self,
        order: &OrderBody,
        subject: &str,
        account: &Account,
        moved: i64,
        refunds: &[Refund],
        tell: Tell<'_>,
    ) {
        let counted = order
            .payments
            .iter()
            .filter(|p| !matches!(p.state, Payment::Declined | Payment::Failed | Payment::Cancelled));
        let (captured, refunded) = counted.fold((0, 0), |(c, r), p| (c + p.captured_minor, r + p.refunded_minor));
        let sum =
            |of: &dyn Fn(&Refund) -> bool| -> i64 { refunds.iter().filter(|r| of(r)).map(|r| r.amount_minor).sum() };
        let waiting = sum(&|r| matches!(r.state, RefundState::Pending | RefundState::Failed));
        let credited = sum(&|r| {
            r.state == RefundState::Credited
                || (r.state == RefundState::Settled
                    && r.provider == super::credit::PROVIDER
                    && r.external_id.is_empty())
        });
        if credited != account.credited_minor || moved != account.moved_minor {
            let detail = format!(
                "{credited} were credited and {moved} moved; its account says {} and {}",
                account.credited_minor, account.moved_minor
            );
            tell("after_money", subject.into(), detail);
        }
        if !order.decided.is_nothing() && order.decided != account.decided() {
            let detail = "what it says of money after the sale is not what its account says".to_string();
            tell("after_money", subject.into(), detail);
        }
        if refunded + waiting + credited + moved > captured {
            let detail = format!(
                "{captured} were captured; {refunded} went back, {waiting} are on their way, {credited} were credited, {moved} moved"
            );
            tell("after_money", subject.into(), detail);
        }
        let mut listed = account.refunds.clone();
        listed.sort_unstable();
        if listed != refunds.iter().map(|r| r.no).collect::<Vec<_>>() {
            tell("after_refunds", subject.into(), "its account lists other refunds than there are".into());
        }
    }
}

fn awaits(stage: Stage) -> bool {
    use ReturnState::{Approved, PartlyReceived, Requested};
    match stage {
        Stage::Return(state) => matches!(state, Requested | Approved | PartlyReceived),
        Stage::Exchange(state) => matches!(state, ExchangeState::Requested | ExchangeState::Approved),
    }
}

const UNEVEN: &str = "SELECT p.no, CAST(COALESCE(SUM(l.minor), 0) AS BIGINT), CAST(COUNT(l.minor) AS BIGINT) FROM credit_postings p \
     LEFT JOIN credit_lines l ON l.posting_no = p.no GROUP BY p.no HAVING COALESCE(SUM(l.minor), 0) <> 0 OR COUNT(l.minor) <> 2 \
     ORDER BY p.no LIMIT 100";
const WRONG: &str = "SELECT a.no, a.balance_minor, CAST(COALESCE(SUM(l.minor), 0) AS BIGINT) FROM credit_accounts a \
     LEFT JOIN credit_lines l ON l.account_no = a.no GROUP BY a.no, a.balance_minor \
     HAVING a.balance_minor <> COALESCE(SUM(l.minor), 0) OR a.balance_minor < 0 ORDER BY a.no LIMIT 100";

fn credit(db: &mut Engine, tell: Tell<'_>) -> Result<(), DbError> {
    for row in db.rows(UNEVEN, &[])? {
        tell(
            "credit_posting",
            format!("posting {}", row.int(0)?),
            format!("its {} lines sum to {}", row.int(2)?, row.int(1)?),
        );
    }
    for row in db.rows(WRONG, &[])? {
        let detail = format!("it says {} and its lines {}", row.int(1)?, row.int(2)?);
        tell("credit_balance", format!("store credit {}", row.int(0)?), detail);
    }
    Ok(())
}

const TAKEN_IN: &str = "SELECT d.reference, m.variant_no, CAST(SUM(m.quantity) AS BIGINT) FROM stock_moves m \
     JOIN stock_documents d ON d.no = m.document_no WHERE d.kind = 'return' AND d.source = 'braid' AND m.from_no = -2 \
     GROUP BY d.reference, m.variant_no ORDER BY d.reference, m.variant_no";

/// What stock took in for returns is what the returns say.
fn goods(db: &mut Engine, tell: Tell<'_>) -> Result<(), DbError> {
    let mut moved: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for row in db.rows(TAKEN_IN, &[])? {
        if let Some(no) = row.text(0)?.strip_prefix("return:").and_then(|no| no.parse().ok()) {
            moved.insert((no, row.int(1)?), row.int(2)?);
        }
    }
    let mut after = 0;
    loop {
        let rows = db.rows("SELECT no, body FROM returns WHERE no > $1 ORDER BY no LIMIT 500", &[after.into()])?;
        let Some(last) = rows.last() else { break };
        after = last.int(0)?;
        for row in &rows {
            let no = row.int(0)?;
            let Ok(body) = serde_json::from_str::<ReturnBody>(row.text(1)?) else {
                tell("return_row", format!("return {no}"), "it cannot be read".into());
                continue;
            };
            let mut came: BTreeMap<i64, i64> = BTreeMap::new();
            for line in &body.lines {
                *came.entry(line.variant_no).or_default() += line.arrived_milli();
            }
            for (variant_no, milli) in came {
                // Goods that are not counted move nothing.
                let there = moved.remove(&(no, variant_no)).unwrap_or(0);
                if there != milli && there != 0 {
                    let detail = format!("of variant {variant_no} {milli} came, and stock took in {there}");
                    tell("return_goods", format!("return {no}"), detail);
                }
            }
        }
    }
    for ((no, variant_no), milli) in moved {
        tell(
            "return_goods",
            format!("return {no}"),
            format!("stock took in {milli} of variant {variant_no}, and it says nothing"),
        );
    }
    Ok(())
}

const LENT: &str = "SELECT d.reference, CAST(SUM(CASE WHEN m.to_no = -2 THEN m.quantity ELSE -m.quantity END) AS BIGINT) \
     FROM stock_moves m JOIN stock_documents d ON d.no = m.document_no WHERE d.kind = 'movement' AND d.source = 'braid' \
     AND m.reason = 'loan' GROUP BY d.reference ORDER BY d.reference";

/// What is lent is what stock says is out, and nothing of a case that is over.
fn loans(db: &mut Engine, tell: Tell<'_>) -> Result<(), DbError> {
    let mut out: BTreeMap<i64, i64> = BTreeMap::new();
    for row in db.rows(LENT, &[])? {
        if let Some(no) = row.text(0)?.strip_prefix("case:").and_then(|no| no.parse().ok()) {
            out.insert(no, row.int(1)?);
        }
    }
    let mut after = 0;
    loop {
        let sql = "SELECT no, state, body FROM after_sale WHERE no > $1 ORDER BY no LIMIT 500";
        let rows = db.rows(sql, &[after.into()])?;
        let Some(last) = rows.last() else { break };
        after = last.int(0)?;
        for row in &rows {
            let no = row.int(0)?;
            let subject = format!("case {no}");
            let Ok(body) = serde_json::from_str::<CaseBody>(row.text(2)?) else {
                tell("case_row", subject, "it cannot be read".into());
                continue;
            };
            let lent: i64 = body.loans.iter().filter(|l| l.back_at.is_none()).map(|l| l.milli).sum();
            let moved = out.remove(&no).unwrap_or(0);
            if lent != moved {
                tell("case_loan", subject.clone(), format!("{lent} are lent, and stock says {moved}"));
            }
            if lent > 0 && matches!(row.text(1)?, "closed" | "refused" | "cancelled") {
                tell("case_loan", subject, "it is over and something of ours is still out".into());
            }
        }
    }
    Ok(())
}
