//! What comes after the sale, on the wire.
use crate::api::orders::wire::OrderRef;
use crate::api::stock::place_id;
use crate::api::stock::wire::Amount;
use crate::api::wire::Money;
use crate::input::Id;
use crate::problem::Problem;
use crate::shop_api::ids::{self, Kind};
use base::{Quantity, Timestamp};
use catalog::variants;
use db::Tx;
use orders::after::lists::Item;
use orders::after::model::{Case, Claim, Refund, Return};
use orders::after::{commands, credit};
use serde::{Deserialize, Serialize};

/// The id of an order as the API gives it everywhere.
fn order_id(key: (u64, u64), no: i64) -> String {
    ids::id(key, Kind::Order, no)
}

/// A return, claim or case in a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AfterItem {
    id: Id,
    /// Null without an order.
    order_id: Option<String>,
    order_number: String,
    /// Who ordered, or brings it back, as they name themselves.
    name: String,
    kind: String,
    state: String,
    /// Who looks after it; empty: nobody yet, or it is no case.
    owner: String,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// By when the next step is to be done.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl AfterItem {
    pub fn of(key: (u64, u64), item: Item) -> Self {
        Self {
            id: Id(item.no),
            order_id: (item.order_no > 0).then(|| order_id(key, item.order_no)),
            order_number: item.order_number,
            name: item.name,
            kind: item.kind,
            state: item.state,
            owner: item.owner,
            opened_at: item.opened_at,
            due_at: item.due_at,
            updated_at: item.updated_at,
        }
    }
}

/// Goods that somebody brings back.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnBody {
    pub order_id: Option<OrderRef>,
    /// Without an order: the receipt that the customer shows.
    #[serde(default)]
    pub receipt: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub phone: String,
    #[serde(default)]
    pub name: String,
    pub lines: Vec<ReturnLineBody>,
    /// What the customer wants instead; without it money.
    #[serde(default)]
    pub instead: Vec<InsteadBody>,
    #[serde(default)]
    pub note: String,
    /// References of media.
    #[serde(default)]
    pub photos: Vec<String>,
    /// Your own id of it, so that asking twice counts once.
    #[serde(default)]
    pub key: String,
    /// Where it is asked, such as `till:Lviv-1`.
    #[serde(default)]
    pub channel: String,
}

/// A line of a return.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnLineBody {
    /// The order's line, from 0.
    pub line: Option<i64>,
    /// Without an order: what it is.
    pub sku: Option<String>,
    pub quantity: Amount,
    /// `too_small`, `too_large`, `not_liked`, `changed_mind`, `not_as_described`, `defect`, `damaged`, `wrong_item`, `late`,
    /// `not_collected` or `other`.
    pub reason: String,
}

/// Something else.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InsteadBody {
    /// The return's line that it stands for, from 0.
    pub of: i64,
    pub sku: String,
    pub quantity: Amount,
}

/// A return or an exchange.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReturnShown {
    id: Id,
    order_id: Option<String>,
    /// `return` or `exchange`.
    kind: String,
    state: String,
    receipt: String,
    email: String,
    phone: String,
    name: String,
    note: String,
    /// What the customer was told.
    answer: String,
    photos: Vec<String>,
    channel: String,
    lines: Vec<ReturnLineShown>,
    /// Decided, or done: `payments` or `credit`.
    way: &'static str,
    total: Money,
    withheld: Money,
    /// So much less than its share goes back, as what stays lost discounts.
    lost_discount: Money,
    shipping: Money,
    refunds: Vec<RefundShown>,
    /// Where it went without an order.
    credit_code: Option<String>,
    exchange: Option<ExchangeShown>,
    opened_by: String,
    decided_by: String,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    version: i64,
}

/// A line of a return.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReturnLineShown {
    /// The order's line.
    line: Option<i64>,
    sku: String,
    quantity: Amount,
    reason: &'static str,
    /// Why the rules do not allow it; null: they do.
    denied: Option<String>,
    arrived: Vec<ArrivedShown>,
    refund: Money,
    refund_tax: Money,
}

/// Pieces that came.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ArrivedShown {
    quantity: Amount,
    /// `sellable`, `outlet`, `write_off`; null: nobody looked yet.
    grade: Option<&'static str>,
    location_id: String,
    lot: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    by: String,
}

/// The other side of an exchange.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ExchangeShown {
    instead: Vec<InsteadShown>,
    /// The order of the others, once the first goods are back.
    order_id: Option<String>,
    /// Of the first order's money, so much pays for them.
    moved: Money,
}

/// Something else.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct InsteadShown {
    of: i64,
    sku: String,
    quantity: Amount,
}

fn sku(tx: &mut Tx, variant_no: i64) -> Result<String, Problem> {
    Ok(variants::get(tx, variant_no)?.map_or_else(String::new, |v| v.sku.to_string()))
}

impl ReturnShown {
    pub fn of(tx: &mut Tx, row: &Return) -> Result<Self, Problem> {
        let key = tx.hash_key();
        let places = stock::commands::places(tx)?;
        let money = |minor: i64| Money { minor, currency: row.body.currency.clone() };
        let lines = row.body.lines.iter().map(|line| ReturnLineShown {
            line: line.line.map(|at| at as i64),
            sku: line.sku.clone(),
            quantity: Amount(Quantity::from_milli(line.milli)),
            reason: line.reason.as_str(),
            denied: line.denied.clone(),
            arrived: line
                .arrived
                .iter()
                .map(|a| ArrivedShown {
                    quantity: Amount(Quantity::from_milli(a.milli)),
                    grade: a.grade.map(|g| g.as_str()),
                    location_id: place_id(&places, a.location_no),
                    lot: a.lot.clone(),
                    at: a.at,
                    by: a.by.clone(),
                })
                .collect(),
            refund: money(line.refund_minor),
            refund_tax: money(line.refund_tax_minor),
        });
        let lines = lines.collect();
        let mut refunds = Vec::with_capacity(row.body.refunds.len());
        for no in &row.body.refunds {
            let refund = commands::refund_of(tx, *no).map_err(|e| super::refused(tx, e))?;
            refunds.push(RefundShown::of(key, &refund));
        }
        let exchange = match &row.body.exchange {
            None => None,
            Some(exchange) => {
                let mut instead = Vec::with_capacity(exchange.instead.len());
                for other in &exchange.instead {
                    let quantity = Amount(Quantity::from_milli(other.milli));
                    instead.push(InsteadShown { of: other.of as i64, sku: sku(tx, other.variant_no)?, quantity });
                }
                Some(ExchangeShown {
                    instead,
                    order_id: exchange.order_no.map(|no| order_id(key, no)),
                    moved: money(exchange.moved_minor),
                })
            }
        };
        let credit_code = match row.body.credit_no {
            Some(no) => Some(credit::account(tx, no).map_err(|e| super::refused(tx, e))?.code.clone()),
            None => None,
        };
        Ok(Self {
            id: Id(row.no),
            order_id: (row.order_no > 0).then(|| order_id(key, row.order_no)),
            kind: row.stage.kind().into(),
            state: row.stage.as_str().into(),
            receipt: row.receipt.clone(),
            email: row.contact.email.clone(),
            phone: row.contact.phone.clone(),
            name: row.contact.name.clone(),
            note: row.note.clone(),
            answer: row.answer.clone(),
            photos: row.photos.clone(),
            channel: row.body.channel.clone(),
            lines,
            way: match row.body.way {
                orders::after::model::Way::Payments => "payments",
                orders::after::model::Way::Credit => "credit",
            },
            total: money(row.body.total_minor),
            withheld: money(row.body.withheld_minor),
            lost_discount: money(row.body.lost_discount_minor),
            shipping: money(row.body.shipping_minor),
            refunds,
            credit_code,
            exchange,
            opened_by: row.body.opened_by.clone(),
            decided_by: row.body.decided_by.clone(),
            opened_at: row.opened_at,
            due_at: row.due_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}

/// Money that goes back.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RefundShown {
    id: Id,
    order_id: String,
    /// What for, such as `return:7`.
    cause: String,
    provider: String,
    payment_id: String,
    amount: Money,
    /// `pending`, `failed`, `settled` or `credited`.
    state: &'static str,
    external_id: String,
    why: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

impl RefundShown {
    pub fn of(key: (u64, u64), row: &Refund) -> Self {
        Self {
            id: Id(row.no),
            order_id: order_id(key, row.order_no),
            cause: row.cause.to_string(),
            provider: row.provider.clone(),
            payment_id: row.payment_id.clone(),
            amount: Money { minor: row.amount_minor, currency: row.currency.clone() },
            state: row.state.as_str(),
            external_id: row.external_id.clone(),
            why: row.why.clone(),
            at: row.at,
            settled_at: row.settled_at,
        }
    }
}

/// A claim.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClaimShown {
    id: Id,
    order_id: String,
    state: &'static str,
    note: String,
    answer: String,
    photos: Vec<String>,
    lines: Vec<ClaimLineShown>,
    channel: String,
    /// `refund`, `replacement` or `both`, once it is decided.
    resolution: Option<&'static str>,
    refund_minor: i64,
    refunds: Vec<RefundShown>,
    replacement_order_id: Option<String>,
    decided_by: String,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    version: i64,
}

/// A line of a claim.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClaimLineShown {
    line: i64,
    quantity: Amount,
    reason: &'static str,
}

impl ClaimShown {
    pub fn of(tx: &mut Tx, row: &Claim) -> Result<Self, Problem> {
        let key = tx.hash_key();
        let mut refunds = Vec::with_capacity(row.body.refunds.len());
        for no in &row.body.refunds {
            let refund = commands::refund_of(tx, *no).map_err(|e| super::refused(tx, e))?;
            refunds.push(RefundShown::of(key, &refund));
        }
        let lines = row.body.lines.iter().map(|line| ClaimLineShown {
            line: line.line as i64,
            quantity: Amount(Quantity::from_milli(line.milli)),
            reason: line.reason.as_str(),
        });
        Ok(Self {
            id: Id(row.no),
            order_id: order_id(key, row.order_no),
            state: row.state.as_str(),
            note: row.note.clone(),
            answer: row.answer.clone(),
            photos: row.photos.clone(),
            lines: lines.collect(),
            channel: row.body.channel.clone(),
            resolution: row.body.resolution.map(|r| r.as_str()),
            refund_minor: row.body.refund_minor,
            refunds,
            replacement_order_id: row.body.replacement_no.map(|no| order_id(key, no)),
            decided_by: row.body.decided_by.clone(),
            opened_at: row.opened_at,
            due_at: row.due_at,
            version: row.version,
        })
    }
}

/// A case after the sale.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CaseShown {
    id: Id,
    order_id: String,
    /// `warranty`, `repair`, `instructions` or `check_in`.
    kind: &'static str,
    state: &'static str,
    serial: String,
    sku: String,
    line: Option<i64>,
    #[schema(value_type = Option<String>, format = DateTime)]
    warranty_until: Option<Timestamp>,
    paid_by_customer: bool,
    owner: String,
    note: String,
    outcome: String,
    loans: Vec<LoanShown>,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    version: i64,
}

/// Something of ours that the customer has, or had.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LoanShown {
    sku: String,
    quantity: Amount,
    location_id: String,
    lot: String,
    #[schema(value_type = String, format = DateTime)]
    out_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    back_at: Option<Timestamp>,
}

impl CaseShown {
    pub fn of(tx: &mut Tx, row: &Case) -> Result<Self, Problem> {
        let key = tx.hash_key();
        let places = stock::commands::places(tx)?;
        let mut loans = Vec::with_capacity(row.body.loans.len());
        for loan in &row.body.loans {
            loans.push(LoanShown {
                sku: sku(tx, loan.variant_no)?,
                quantity: Amount(Quantity::from_milli(loan.milli)),
                location_id: place_id(&places, loan.from_no),
                lot: loan.lot.clone(),
                out_at: loan.out_at,
                back_at: loan.back_at,
            });
        }
        Ok(Self {
            id: Id(row.no),
            order_id: order_id(key, row.order_no),
            kind: row.kind.as_str(),
            state: row.state.as_str(),
            serial: row.serial.clone(),
            sku: row.body.sku.clone(),
            line: row.body.line.map(|at| at as i64),
            warranty_until: row.body.warranty_until,
            paid_by_customer: row.body.paid_by_customer,
            owner: row.owner.clone(),
            note: row.note.clone(),
            outcome: row.outcome.clone(),
            loans,
            opened_at: row.opened_at,
            due_at: row.due_at,
            version: row.version,
        })
    }
}
