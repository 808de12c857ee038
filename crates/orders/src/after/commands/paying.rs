//! Store credit as a way to pay: the account and the order change together, each once.
use super::*;
use crate::after::credit;
use crate::commands::{Fact, order_of, pay};
use crate::states::order::Stage;
use crate::states::payment::Action;

/// Pays an order with the credit of a code: so much, or as much as is there and needed. Gives the order and the account's number, under
/// which the payment stands. One account pays once for an order; what is given back of the payment goes to it again.
pub fn pay_with_credit(
    tx: &mut Tx,
    order_no: i64,
    code: &str,
    amount_minor: Option<i64>,
    actor: &str,
) -> Result<(Arc<Order>, i64), OrderError> {
    let order = order_of(tx, order_no)?;
    if order.body.stage != Stage::Placed {
        return Err(OrderError::field("/order", "it is not at a point where it is paid for"));
    }
    let account = credit::by_code(tx, code).map_err(|error| match error {
        OrderError::Unknown { .. } => OrderError::field("/code", "there is no store credit of this code"),
        other => other,
    })?;
    if account.currency != order.body.currency {
        let detail = format!("the credit is in {}, the order in {}", account.currency, order.body.currency);
        return Err(OrderError::field("/code", detail));
    }
    let id = account.no.to_string();
    if order.body.payments.iter().any(|p| p.provider == credit::PROVIDER && p.id == id) {
        return Err(OrderError::field("/code", "this credit paid for this order already"));
    }
    let open = order.open_minor();
    let amount = amount_minor.unwrap_or(account.balance_minor.min(open));
    if open <= 0 {
        return Err(OrderError::field("/amount", "nothing is left to pay"));
    }
    if amount <= 0 || amount > open {
        return Err(OrderError::field("/amount", format!("from more than nothing up to {open} can be paid")));
    }
    if amount > account.balance_minor {
        return Err(OrderError::field(
            "/amount",
            format!("the credit is {}, less than {amount}", account.balance_minor),
        ));
    }
    let key = format!("order:{order_no}:{id}");
    credit::spend(tx, account.no, amount, &key, "order", actor)?;
    let fact = Fact {
        provider: credit::PROVIDER.into(),
        payment_id: id,
        external_id: key,
        action: Action::Capture,
        amount_minor: amount,
    };
    Ok((pay(tx, order_no, &fact, actor)?, account.no))
}
