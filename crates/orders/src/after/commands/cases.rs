//! Cases after the sale: warranty by serial number, repair, loans, instructions, a word after delivery.
use super::goods::{Moving, move_goods};
use super::*;
use crate::after::CaseTable;
use crate::after::model::*;
use crate::commands::order_of;
use crate::states::after::{Action, Case as CaseState, Guard};
use crate::states::step;
use base::Quantity;
use catalog::variants;
use db::Bulk;
use serde_json::json;
use stock::model::{CUSTOMER, Condition, DocumentKind};

static SERIALS: Bulk = Bulk {
    table: "sold_serials",
    columns: &[("serial", 't'), ("variant_no", 'i'), ("order_no", 'i'), ("line", 'i'), ("sold_at", 'i')],
    key: 2,
    insert_only: true,
};

/// Writes down which piece, by its serial number, went out with a line of an order: what a guarantee is found by.
pub fn note_serial(tx: &mut Tx, order_no: i64, line: usize, serial: &str, actor: &str) -> Result<(), OrderError> {
    let serial = serial.trim().to_ascii_uppercase();
    if serial.is_empty() || serial.len() > 100 || serial.chars().any(char::is_control) {
        return Err(OrderError::field("/serial", "a serial number has from 1 to 100 bytes"));
    }
    let order = order_of(tx, order_no)?;
    let of = order.body.lines.get(line);
    let of = of.ok_or_else(|| OrderError::field("/line", "the order has no such line"))?;
    let sql = "SELECT order_no, line FROM sold_serials WHERE serial = $1 AND variant_no = $2";
    if let Some(row) = tx.first(sql, &[(&serial).into(), of.variant_no.into()])? {
        if row.int(0)? == order_no && row.int(1)? == line as i64 {
            return Ok(());
        }
        return Err(OrderError::field("/serial", format!("it was sold with order {}", row.int(0)?)));
    }
    let now = tx.now();
    tx.append(
        &SERIALS,
        vec![serial.into(), of.variant_no.into(), order_no.into(), (line as i64).into(), now.micros().into()],
    );
    tell(tx, order_no, actor, "serial noted", &json!({"line": line}));
    Ok(())
}

/// What is asked after the sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseAsk {
    pub kind: CaseKind,
    /// Found by the serial number where there is none.
    pub order_no: Option<i64>,
    pub line: Option<usize>,
    pub serial: String,
    pub note: String,
    /// Who looks after it; empty: nobody yet.
    pub owner: String,
    /// By when; `None`: as the shop answers.
    pub due_at: Option<Timestamp>,
    /// The customer agreed to pay.
    pub paid_by_customer: bool,
}

/// A case after the sale.
pub fn case_of(tx: &mut Tx, no: i64) -> Result<Arc<Case>, OrderError> {
    let found = tx.get::<CaseTable>(no)?.cloned();
    found.ok_or_else(|| OrderError::Unknown { what: "case", id: no.to_string() })
}

fn put_case(tx: &mut Tx, mut row: Case) -> Arc<Case> {
    row.version += 1;
    row.updated_at = tx.now();
    let row = Arc::new(row);
    tx.put::<CaseTable>(row.no, row.clone());
    tx.notify(db::Notice::Changed { what: "after_sale" });
    row
}

/// Opens a case: of an order's line, or of a serial number, which knows its order and since when the guarantee runs.
pub fn open_case(tx: &mut Tx, shop: &Shop, ask: &CaseAsk, actor: &str) -> Result<Arc<Case>, OrderError> {
    check_texts(&[("/note", &ask.note)], &[])?;
    if ask.owner.len() > 200 {
        return Err(OrderError::field("/owner", "at most 200 bytes are allowed"));
    }
    let serial = ask.serial.trim().to_ascii_uppercase();
    let sold = if serial.is_empty() { None } else { sold_as(tx, &serial, ask.order_no)? };
    let (order_no, line) = match (&sold, ask.order_no) {
        (Some(sold), _) => (sold.0, Some(sold.1)),
        (None, Some(order_no)) => (order_no, ask.line),
        (None, None) => {
            return Err(OrderError::field("/serial", "name the order, or a serial number that went out with one"));
        }
    };
    let order = order_of(tx, order_no)?;
    let of = match line {
        Some(line) => {
            let of = order.body.lines.get(line);
            Some(of.ok_or_else(|| OrderError::field("/line", "the order has no such line"))?)
        }
        None if matches!(ask.kind, CaseKind::Warranty | CaseKind::Repair) => {
            return Err(OrderError::field("/line", "say what of the order it is about"));
        }
        None => None,
    };
    let (policy, law, now) = (policy(tx)?, law(tx, shop)?, tx.now());
    let since = match sold {
        Some((_, _, at)) => at,
        None => delivered_at(tx, order_no)?.unwrap_or(order.placed_at),
    };
    let warranty_until = match of {
        Some(of) => Some(warranty(tx, &policy, law.as_ref(), of.variant_no, since)?),
        None => None,
    };
    let no = tx.next_id();
    let mut account = account_of(tx, order_no)?;
    account.cases.push(no);
    put_account(tx, order_no, account)?;
    tell(tx, order_no, actor, "case opened", &json!({"case": no, "kind": ask.kind.as_str()}));
    let body = CaseBody {
        line,
        variant_no: of.map_or(0, |of| of.variant_no),
        sku: of.map_or_else(String::new, |of| of.sku.clone()),
        warranty_until,
        paid_by_customer: ask.paid_by_customer,
        loans: vec![],
    };
    let row = Case {
        no,
        order_no,
        kind: ask.kind,
        state: CaseState::Open,
        serial,
        owner: ask.owner.clone(),
        note: ask.note.clone(),
        outcome: String::new(),
        opened_at: now,
        due_at: ask.due_at.unwrap_or_else(|| in_days(law.as_ref(), now, policy.answer_days)),
        updated_at: now,
        version: 0,
        body,
    };
    Ok(put_case(tx, row))
}

/// The order, line and moment with which a serial number went out.
fn sold_as(tx: &mut Tx, serial: &str, order_no: Option<i64>) -> Result<Option<(i64, usize, Timestamp)>, OrderError> {
    let sql = "SELECT order_no, line, sold_at FROM sold_serials WHERE serial = $1 ORDER BY sold_at DESC LIMIT 10";
    for row in tx.rows(sql, &[serial.into()])? {
        if order_no.is_none_or(|no| row.int(0).is_ok_and(|of| of == no)) {
            return Ok(Some((
                row.int(0)?,
                usize::try_from(row.int(1)?).unwrap_or(0),
                Timestamp::from_micros(row.int(2)?),
            )));
        }
    }
    Ok(None)
}

/// The end of a guarantee: so many months of the calendar after the sale, as the product says or the shop gives.
fn warranty(
    tx: &mut Tx,
    policy: &Policy,
    law: Option<&Law>,
    variant_no: i64,
    since: Timestamp,
) -> Result<Timestamp, OrderError> {
    let product = match variants::get(tx, variant_no)? {
        Some(variant) => catalog::products::by_no(tx, variant.product_no)?,
        None => None,
    };
    let said = product.as_ref().and_then(|p| p.values.get(&policy.warranty_attribute)).and_then(months);
    let months = said.unwrap_or(policy.warranty_months).clamp(0, 600);
    let zone = law.and_then(|law| jiff::tz::TimeZone::get(&law.time_zone).ok()).unwrap_or(jiff::tz::TimeZone::UTC);
    let begin = jiff::Timestamp::from_microsecond(since.micros()).ok().map(|at| at.to_zoned(zone));
    let end = begin.and_then(|at| at.checked_add(jiff::Span::new().months(months)).ok());
    Ok(end.map_or(since, |at| Timestamp::from_micros(at.timestamp().as_microsecond())))
}

/// A number of months, written as a number or as a text.
fn months(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|f| f as i64)).or_else(|| value.as_str()?.trim().parse().ok())
}

/// A step that needs nothing but itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseStep {
    Accept,
    Wait,
    Work,
    Finish,
    Cancel,
}

/// Takes a step.
pub fn step_case(tx: &mut Tx, no: i64, what: CaseStep, actor: &str) -> Result<Arc<Case>, OrderError> {
    let mut row = Case::clone(&*case_of(tx, no)?);
    let now = tx.now();
    let mut holds = Vec::new();
    let free = matches!(row.kind, CaseKind::Instructions | CaseKind::CheckIn);
    let guaranteed = row.kind == CaseKind::Warranty && row.body.warranty_until.is_some_and(|until| now < until);
    if free || guaranteed || row.body.paid_by_customer {
        holds.push(Guard::Covered);
    }
    if !row.lends() {
        holds.push(Guard::LoanBack);
    }
    let action = match what {
        CaseStep::Accept => Action::Accept,
        CaseStep::Wait => Action::Wait,
        CaseStep::Work => Action::Work,
        CaseStep::Finish => Action::Finish,
        CaseStep::Cancel => Action::Cancel,
    };
    row.state = step(row.state, action, &holds)?;
    tell(tx, row.order_no, actor, "case", &json!({"case": no, "state": row.state.as_str()}));
    Ok(put_case(tx, row))
}

/// Ends a case with what came of it, in words for the customer.
pub fn close_case(tx: &mut Tx, no: i64, outcome: &str, actor: &str) -> Result<Arc<Case>, OrderError> {
    check_texts(&[("/outcome", outcome)], &[])?;
    let mut row = Case::clone(&*case_of(tx, no)?);
    let mut holds = Vec::new();
    if !outcome.trim().is_empty() {
        holds.push(Guard::Outcome);
    }
    if !row.lends() {
        holds.push(Guard::LoanBack);
    }
    row.state = step(row.state, Action::Close, &holds)?;
    row.outcome = outcome.into();
    tell(tx, row.order_no, actor, "case closed", &json!({"case": no}));
    Ok(put_case(tx, row))
}

/// Says no, with a reason for the customer.
pub fn refuse_case(tx: &mut Tx, no: i64, why: &str, actor: &str) -> Result<Arc<Case>, OrderError> {
    check_texts(&[("/why", why)], &[])?;
    let mut row = Case::clone(&*case_of(tx, no)?);
    let holds: &[Guard] = if why.trim().is_empty() { &[] } else { &[Guard::Reason] };
    row.state = step(row.state, Action::Refuse, holds)?;
    row.outcome = why.into();
    tell(tx, row.order_no, actor, "case refused", &json!({"case": no}));
    Ok(put_case(tx, row))
}

/// Says who looks after a case, until when, and whether the customer pays.
pub fn assign(
    tx: &mut Tx,
    no: i64,
    owner: &str,
    due_at: Option<Timestamp>,
    paid_by_customer: Option<bool>,
) -> Result<Arc<Case>, OrderError> {
    let mut row = Case::clone(&*case_of(tx, no)?);
    if owner.len() > 200 || owner.chars().any(char::is_control) {
        return Err(OrderError::field("/owner", "at most 200 bytes on one line are allowed"));
    }
    row.owner = owner.into();
    row.due_at = due_at.unwrap_or(row.due_at);
    row.body.paid_by_customer = paid_by_customer.unwrap_or(row.body.paid_by_customer);
    Ok(put_case(tx, row))
}

/// Lends the customer something of ours from a place, for as long as the work takes.
pub fn lend(
    tx: &mut Tx,
    no: i64,
    (variant_no, from_no, lot): (i64, i64, &str),
    quantity: Quantity,
    actor: &str,
) -> Result<Arc<Case>, OrderError> {
    let mut row = Case::clone(&*case_of(tx, no)?);
    if !matches!(row.state, CaseState::Accepted | CaseState::Waiting | CaseState::InWork) {
        return Err(OrderError::field("/case", format!("nothing is lent while it is {}", row.state)));
    }
    if !quantity.is_positive() || quantity > Quantity::MAX || row.body.loans.len() >= 20 || lot.len() > 100 {
        return Err(OrderError::field("/quantity", "lend more than nothing, and at most twenty things"));
    }
    if !variants::get(tx, variant_no)?.is_some_and(|v| v.tracked) {
        return Err(OrderError::field("/sku", "only what is counted is lent"));
    }
    let (from, to) = ((from_no, Condition::Sellable), (CUSTOMER, Condition::Sellable));
    let moved = Moving { variant_no, milli: quantity.milli(), lot, from, to, reason: "loan" }.movement();
    move_goods(tx, DocumentKind::Movement, &format!("case:{no}"), vec![moved], actor)?;
    let (milli, out_at) = (quantity.milli(), tx.now());
    row.body.loans.push(Loan { variant_no, milli, from_no, lot: lot.into(), out_at, back_at: None });
    tell(tx, row.order_no, actor, "lent", &json!({"case": no}));
    Ok(put_case(tx, row))
}

/// What was lent is back, at any place, as good as it is now.
pub fn take_back(
    tx: &mut Tx,
    no: i64,
    loan: usize,
    (to_no, grade): (i64, Grade),
    actor: &str,
) -> Result<Arc<Case>, OrderError> {
    let mut row = Case::clone(&*case_of(tx, no)?);
    let now = tx.now();
    let found = row.body.loans.get_mut(loan).filter(|l| l.back_at.is_none());
    let found = found.ok_or_else(|| OrderError::field("/loan", "nothing of that is out"))?;
    if grade == Grade::WriteOff {
        return Err(OrderError::field("/grade", "take it in as it is, and write it off as stock"));
    }
    found.back_at = Some(now);
    let (from, to) = ((CUSTOMER, Condition::Sellable), (to_no, super::goods::condition(Some(grade))));
    let moved = Moving { variant_no: found.variant_no, milli: found.milli, lot: &found.lot, from, to, reason: "loan" }
        .movement();
    move_goods(tx, DocumentKind::Movement, &format!("case:{no}"), vec![moved], actor)?;
    tell(tx, row.order_no, actor, "loan is back", &json!({"case": no}));
    Ok(put_case(tx, row))
}

/// Plans to ask the customer of a delivered order how it went: once, some days after the hand-over. `None`: the shop does not ask, or it
/// was planned before.
pub fn check_in(tx: &mut Tx, shop: &Shop, order_no: i64, actor: &str) -> Result<Option<Arc<Case>>, OrderError> {
    let policy = policy(tx)?;
    let Some(got) = delivered_at(tx, order_no)?.filter(|_| policy.check_in_days > 0) else { return Ok(None) };
    for no in account_of(tx, order_no)?.cases {
        if case_of(tx, no)?.kind == CaseKind::CheckIn {
            return Ok(None);
        }
    }
    let law = law(tx, shop)?;
    let ask = CaseAsk {
        kind: CaseKind::CheckIn,
        order_no: Some(order_no),
        line: None,
        serial: String::new(),
        note: String::new(),
        owner: String::new(),
        due_at: Some(in_days(law.as_ref(), got, policy.check_in_days)),
        paid_by_customer: false,
    };
    open_case(tx, shop, &ask, actor).map(Some)
}
