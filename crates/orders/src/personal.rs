//! What is held of somebody: carts, orders, what came after them, store credit; found by how they name themselves.
//!
//! Erasing it is the pipeline's work, which knows all rooms; here is what an export hands over, and what a colleague at a counter sees.
use crate::after::commands as after;
use crate::after::model::{Case, Claim, CreditAccount, Refund, Return};
use crate::after::{CreditTable, ReturnTable};
use crate::commands::{cart_of, order_of};
use crate::error::OrderError;
use crate::model::{Cart, Order};
use crate::{CartTable, OrderTable};
use base::Timestamp;
use db::{DbError, Tx};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How somebody is named: each a kind of identifier (`email`, `phone`, `user_id`, `anonymous_id`) with its value; others say nothing here.
pub type Names<'a> = [(&'a str, &'a str)];

/// Carts, orders or returns of one name, at most.
const ROWS_MAX: i64 = 10_000;

const ORDERS: [(&str, &str); 4] = [
    ("email", "SELECT no FROM orders WHERE email = $1 AND email <> '' ORDER BY no DESC LIMIT $2"),
    ("phone", "SELECT no FROM orders WHERE phone = $1 AND phone <> '' ORDER BY no DESC LIMIT $2"),
    ("user_id", "SELECT no FROM orders WHERE user_id = $1 AND user_id <> '' ORDER BY no DESC LIMIT $2"),
    ("anonymous_id", "SELECT no FROM orders WHERE anonymous_id = $1 AND anonymous_id <> '' ORDER BY no DESC LIMIT $2"),
];
const CARTS: [(&str, &str); 4] = [
    ("email", "SELECT no FROM carts WHERE email = $1 AND email <> '' ORDER BY no DESC LIMIT $2"),
    ("phone", "SELECT no FROM carts WHERE phone = $1 AND phone <> '' ORDER BY no DESC LIMIT $2"),
    ("user_id", "SELECT no FROM carts WHERE user_id = $1 AND user_id <> '' ORDER BY no DESC LIMIT $2"),
    ("anonymous_id", "SELECT no FROM carts WHERE anonymous_id = $1 AND anonymous_id <> '' ORDER BY no DESC LIMIT $2"),
];
const RETURNS: [(&str, &str); 2] = [
    ("email", "SELECT no FROM returns WHERE email = $1 AND email <> '' ORDER BY no DESC LIMIT $2"),
    ("phone", "SELECT no FROM returns WHERE phone = $1 AND phone <> '' ORDER BY no DESC LIMIT $2"),
];
const CREDIT: [(&str, &str); 2] = [
    ("email", "SELECT no FROM credit_accounts WHERE email = $1 AND email <> '' ORDER BY no DESC LIMIT $2"),
    ("phone", "SELECT no FROM credit_accounts WHERE phone = $1 AND phone <> '' ORDER BY no DESC LIMIT $2"),
];

/// Numbers of rows that carry one of the names, newest first.
fn of_names(tx: &mut Tx, names: &Names<'_>, by: &[(&str, &str)], most: i64) -> Result<Vec<i64>, DbError> {
    let mut out = BTreeSet::new();
    for (kind, value) in names.iter().filter(|(_, value)| !value.is_empty()) {
        if let Some((_, sql)) = by.iter().find(|(k, _)| k == kind) {
            for row in tx.rows(sql, &[(*value).into(), most.into()])? {
                out.insert(row.int(0)?);
            }
        }
    }
    Ok(out.into_iter().rev().take(most as usize).collect())
}

/// The newest orders of somebody.
pub fn orders(tx: &mut Tx, names: &Names<'_>, most: i64) -> Result<Vec<Arc<Order>>, OrderError> {
    tx.flush_table::<OrderTable>()?;
    of_names(tx, names, &ORDERS, most)?.into_iter().map(|no| order_of(tx, no)).collect()
}

/// The newest carts of somebody, those that became orders too.
pub fn carts(tx: &mut Tx, names: &Names<'_>, most: i64) -> Result<Vec<Arc<Cart>>, OrderError> {
    tx.flush_table::<CartTable>()?;
    of_names(tx, names, &CARTS, most)?.into_iter().map(|no| cart_of(tx, no)).collect()
}

/// A posting of store credit: when, what for, how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub at: Timestamp,
    pub what: String,
    pub why: String,
    pub minor: i64,
}

/// Store credit of somebody.
pub fn credit(tx: &mut Tx, names: &Names<'_>) -> Result<Vec<Arc<CreditAccount>>, OrderError> {
    tx.flush_table::<CreditTable>()?;
    of_names(tx, names, &CREDIT, ROWS_MAX)?.into_iter().map(|no| crate::after::credit::account(tx, no)).collect()
}

fn postings(tx: &mut Tx, account_no: i64) -> Result<Vec<Posted>, DbError> {
    let sql = "SELECT p.at, p.what, p.why, l.minor FROM credit_lines l JOIN credit_postings p ON p.no = l.posting_no \
               WHERE l.account_no = $1 ORDER BY p.no LIMIT $2";
    let rows = tx.rows(sql, &[account_no.into(), ROWS_MAX.into()])?;
    let read = |row: &db::Row| -> Result<Posted, DbError> {
        let at = Timestamp::from_micros(row.int(0)?);
        Ok(Posted { at, what: row.text(1)?.into(), why: row.text(2)?.into(), minor: row.int(3)? })
    };
    rows.iter().map(read).collect()
}

/// All that is held of somebody.
#[derive(Debug, Clone, Default)]
pub struct Held {
    pub carts: Vec<Arc<Cart>>,
    pub orders: Vec<Arc<Order>>,
    pub returns: Vec<Arc<Return>>,
    pub claims: Vec<Arc<Claim>>,
    pub cases: Vec<Arc<Case>>,
    pub refunds: Vec<Arc<Refund>>,
    pub credit: Vec<(Arc<CreditAccount>, Vec<Posted>)>,
    pub consultations: Vec<crate::showroom::Consultation>,
    pub reviews: Vec<crate::reviews::Review>,
}

/// Reads all that is held of somebody. What belongs to an order of theirs is theirs, whoever wrote it down.
pub fn held(tx: &mut Tx, names: &Names<'_>) -> Result<Held, OrderError> {
    let mut out = Held { carts: carts(tx, names, ROWS_MAX)?, orders: orders(tx, names, ROWS_MAX)?, ..Held::default() };
    tx.flush_table::<ReturnTable>()?;
    let mut returns: BTreeSet<i64> = of_names(tx, names, &RETURNS, ROWS_MAX)?.into_iter().collect();
    for order in &out.orders {
        let account = after::account_of(tx, order.no)?;
        returns.extend(&account.returns);
        for no in &account.claims {
            out.claims.push(after::claim_of(tx, *no)?);
        }
        for no in &account.cases {
            out.cases.push(after::case_of(tx, *no)?);
        }
        for no in &account.refunds {
            out.refunds.push(after::refund_of(tx, *no)?);
        }
        out.reviews.extend(crate::reviews::commands::of_order(tx, order.no)?);
    }
    for no in returns {
        out.returns.push(after::return_of(tx, no)?);
    }
    for account in credit(tx, names)? {
        let posted = postings(tx, account.no)?;
        out.credit.push((account, posted));
    }
    for cart in &out.carts {
        out.consultations.extend(crate::showroom::of_cart(tx, cart.no)?);
    }
    Ok(out)
}
