//! Payments as a ledger of facts: what a provider told, once, whatever the order of its messages.
use super::{history, order_of, put_order};
use crate::error::OrderError;
use crate::model::{Order, Paying};
use crate::states::payment::{Action, Guard, Payment};
use crate::states::step;
use db::{Bulk, Tx};
use serde_json::json;
use std::sync::Arc;

/// What a provider told of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub provider: String,
    /// The payment, in the provider's words.
    pub payment_id: String,
    /// This message about it: told twice, it counts once.
    pub external_id: String,
    pub action: Action,
    /// More than nothing.
    pub amount_minor: i64,
}

static FACTS: Bulk = Bulk {
    table: "payment_facts",
    columns: &[
        ("provider", 't'),
        ("external_id", 't'),
        ("order_no", 'i'),
        ("action", 't'),
        ("amount_minor", 'i'),
        ("at", 'i'),
    ],
    key: 2,
    insert_only: true,
};

/// Takes a fact about a payment. What was told before changes nothing; what the payment's state does not allow is refused with the
/// reason. Money in another currency than the order's must be refused by the caller.
pub fn pay(tx: &mut Tx, order_no: i64, fact: &Fact, actor: &str) -> Result<Arc<Order>, OrderError> {
    let order = order_of(tx, order_no)?;
    if fact.amount_minor <= 0 && !matches!(fact.action, Action::Decline | Action::Fail | Action::Cancel) {
        return Err(OrderError::field("/amount", "the amount must be more than nothing"));
    }
    if fact.provider.is_empty() || fact.external_id.is_empty() || fact.external_id.len() > 200 {
        return Err(OrderError::field("/external_id", "say who tells it and under which id"));
    }
    let sql = "SELECT order_no FROM payment_facts WHERE provider = $1 AND external_id = $2";
    if let Some(row) = tx.first(sql, &[(&fact.provider).into(), (&fact.external_id).into()])? {
        if row.int(0)? == order_no {
            return Ok(order);
        }
        return Err(OrderError::field("/external_id", "this provider told it of another order"));
    }
    let mut next = (*order).clone();
    let at = next.body.payments.iter().position(|p| p.provider == fact.provider && p.id == fact.payment_id);
    let at = match at {
        Some(at) => at,
        None => {
            next.body.payments.push(Paying {
                provider: fact.provider.clone(),
                id: fact.payment_id.clone(),
                state: Payment::Created,
                authorised_minor: 0,
                on_delivery_minor: 0,
                captured_minor: 0,
                refunded_minor: 0,
            });
            next.body.payments.len() - 1
        }
    };
    let open = next.open_minor();
    let paying = &mut next.body.payments[at];
    let amount = fact.amount_minor;
    let mut holds = Vec::new();
    let left = paying.captured_minor - paying.refunded_minor;
    match fact.action {
        Action::Capture => {
            if paying.state == Payment::Created && amount > open {
                return Err(OrderError::field("/amount", format!("{open} is left to pay")));
            }
            if amount <= paying.authorised_minor {
                holds.push(Guard::Covered);
            }
        }
        Action::Refund => {
            if amount <= left {
                holds.push(Guard::Left);
            }
            if amount >= left {
                holds.push(Guard::All);
            }
        }
        _ => {}
    }
    paying.state = step(paying.state, fact.action, &holds)?;
    match fact.action {
        Action::Authorise => paying.authorised_minor += amount,
        Action::AgreeOnDelivery => paying.on_delivery_minor += amount,
        Action::Capture => {
            paying.captured_minor += amount;
            // What was agreed for the hand-over is paid now.
            paying.on_delivery_minor = (paying.on_delivery_minor - amount).max(0);
        }
        Action::Refund => paying.refunded_minor += amount,
        Action::Decline | Action::Fail | Action::Cancel => {}
    }
    let now = tx.now();
    let action = fact.action.as_str();
    tx.append(
        &FACTS,
        vec![
            fact.provider.as_str().into(),
            fact.external_id.as_str().into(),
            order_no.into(),
            action.into(),
            amount.into(),
            now.micros().into(),
        ],
    );
    let detail = json!({"provider": fact.provider, "payment": fact.payment_id, "amount_minor": amount});
    history(tx, order_no, actor, &format!("payment {action}"), &detail);
    super::work::go_on(tx, &mut next)?;
    let order = put_order(tx, next);
    if fact.action == Action::Refund {
        crate::told::tell(tx, super::telling::refunded(&order, amount))?;
    }
    Ok(order)
}
