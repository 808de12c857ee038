//! Saying yes or no to a return, and calling it off.
use super::*;
use crate::after::model::Stage;
use crate::states::returns::exchange::{Action as ExchangeAction, Guard as ExchangeGuard};
use crate::states::returns::goods::{Action, Guard};
use crate::states::step;
use serde_json::json;
use stock::model::EndedWhy;

/// Says yes. What the rules do not allow needs a reason why it is taken all the same. Of an exchange the others are kept now; refused
/// where they are not to be had.
pub fn approve(tx: &mut Tx, shop: &Shop, no: i64, exception: &str, actor: &str) -> Result<Arc<Return>, OrderError> {
    check_texts(&[("/exception", exception)], &[])?;
    let mut row = Return::clone(&*return_of(tx, no)?);
    let allowed = row.body.lines.iter().all(|line| line.denied.is_none()) || !exception.trim().is_empty();
    match row.stage {
        Stage::Return(state) => {
            let holds: &[Guard] = if allowed { &[Guard::Allowed] } else { &[] };
            row.stage = Stage::Return(step(state, Action::Approve, holds)?);
        }
        Stage::Exchange(state) => {
            let next = step(state, ExchangeAction::Approve, &[ExchangeGuard::Stock])?;
            if !allowed {
                let why = row.body.lines.iter().find_map(|line| line.denied.clone()).unwrap_or_default();
                return Err(OrderError::field("/exception", format!("say why it is taken all the same: {why}")));
            }
            exchange::keep(tx, &mut row)?;
            row.stage = Stage::Exchange(next);
        }
    }
    if !exception.is_empty() {
        row.answer = exception.into();
    }
    row.body.decided_by = actor.into();
    let (policy, law) = (policy(tx)?, law(tx, shop)?);
    row.due_at = in_days(law.as_ref(), tx.now(), policy.bring_days);
    tell(tx, row.order_no, actor, "return approved", &json!({"return": no}));
    Ok(put_return(tx, row))
}

/// Says no, in words for the customer.
pub fn deny(tx: &mut Tx, no: i64, why: &str, actor: &str) -> Result<Arc<Return>, OrderError> {
    check_texts(&[("/why", why)], &[])?;
    if why.trim().is_empty() {
        return Err(OrderError::field("/why", "the customer is told why"));
    }
    let mut row = Return::clone(&*return_of(tx, no)?);
    row.stage = match row.stage {
        Stage::Return(state) => Stage::Return(step(state, Action::Deny, &[])?),
        Stage::Exchange(state) => Stage::Exchange(step(state, ExchangeAction::Cancel, &[])?),
    };
    row.answer = why.into();
    row.body.decided_by = actor.into();
    let_go(tx, &mut row)?;
    tell(tx, row.order_no, actor, "return denied", &json!({"return": no}));
    Ok(put_return(tx, row))
}

/// The customer keeps the goods after all.
pub fn cancel(tx: &mut Tx, no: i64, actor: &str) -> Result<Arc<Return>, OrderError> {
    let mut row = Return::clone(&*return_of(tx, no)?);
    row.stage = match row.stage {
        Stage::Return(state) => Stage::Return(step(state, Action::Cancel, &[])?),
        Stage::Exchange(state) => Stage::Exchange(step(state, ExchangeAction::Cancel, &[])?),
    };
    let_go(tx, &mut row)?;
    tell(tx, row.order_no, actor, "return cancelled", &json!({"return": no}));
    Ok(put_return(tx, row))
}

/// Nothing comes any more, and nothing is kept for it.
pub(super) fn let_go(tx: &mut Tx, row: &mut Return) -> Result<(), OrderError> {
    if let Some(reservation_no) = row.body.exchange.as_mut().and_then(|e| e.reservation_no.take()) {
        stock::commands::release(tx, reservation_no, EndedWhy::Released)?;
    }
    if row.order_no > 0 {
        let mut account = account_of(tx, row.order_no)?;
        for line in &row.body.lines {
            Account::add(&mut account.coming, line.line.unwrap_or(0), line.arrived_milli() - line.milli);
        }
        put_account(tx, row.order_no, account)?;
    }
    Ok(())
}
