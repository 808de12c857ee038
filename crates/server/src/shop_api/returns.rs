//! Returns and claims as their customer asks for them and sees them, by the link of the order (docs/returns.md).
use super::Holder;
use super::orders::find;
use crate::api::orders::{refused, shop, wire};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::change::Done;
use crate::input::Input;
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{Quantity, Timestamp};
use db::Tx;
use orders::after::commands::{self as after, Ask, ClaimAsk};
use orders::after::model::{Claim, ClaimLine, Instead, Reason, Resolution, Return, Wanted, Way};
use orders::model::Order;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What the customer asks to bring back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnInput {
    lines: Vec<LineInput>,
    /// What they want instead; without it money.
    #[serde(default)]
    instead: Vec<InsteadInput>,
    #[serde(default)]
    note: String,
    /// References of media.
    #[serde(default)]
    photos: Vec<String>,
    /// The asker's own id of it, so that asking twice counts once.
    #[serde(default)]
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineInput {
    /// The order's line, from 0.
    line: usize,
    quantity: Amount,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InsteadInput {
    /// The return's line that it stands for, from 0.
    of: usize,
    sku: String,
    quantity: Amount,
}

/// What the customer complains of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimInput {
    lines: Vec<LineInput>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    photos: Vec<String>,
    #[serde(default)]
    key: String,
}

/// A return or exchange as its customer sees it: nothing of who decided, and no contact, since links are passed on.
#[derive(Debug, Serialize)]
struct ReturnView {
    id: String,
    /// `return` or `exchange`.
    kind: &'static str,
    state: &'static str,
    lines: Vec<ReturnLineView>,
    note: String,
    answer: String,
    /// `payments` or `credit`: where the money goes.
    way: &'static str,
    total: wire::Money,
    withheld: wire::Money,
    /// So much less than its share goes back, as what stays lost discounts.
    lost_discount: wire::Money,
    opened_at: Timestamp,
    /// Until when the next step is due: our answer, or the goods.
    due_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct ReturnLineView {
    line: Option<usize>,
    sku: String,
    quantity: Amount,
    reason: &'static str,
    refund: wire::Money,
}

/// A claim as its customer sees it.
#[derive(Debug, Serialize)]
struct ClaimView {
    id: String,
    state: &'static str,
    lines: Vec<ClaimLineView>,
    note: String,
    answer: String,
    /// What it brings, once somebody said so: `refund`, `credit`, `replacement`, …
    resolution: Option<&'static str>,
    refund: wire::Money,
    opened_at: Timestamp,
    due_at: Timestamp,
}

#[derive(Debug, Serialize)]
struct ClaimLineView {
    line: usize,
    sku: String,
    quantity: Amount,
    reason: &'static str,
}

fn return_view(row: &Return) -> ReturnView {
    let money = |minor: i64| wire::Money { minor, currency: row.body.currency.clone() };
    ReturnView {
        id: row.no.to_string(),
        kind: row.stage.kind(),
        state: row.stage.as_str(),
        lines: row
            .body
            .lines
            .iter()
            .map(|line| ReturnLineView {
                line: line.line,
                sku: line.sku.clone(),
                quantity: Amount(Quantity::from_milli(line.milli)),
                reason: line.reason.as_str(),
                refund: money(line.refund_minor),
            })
            .collect(),
        note: row.note.clone(),
        answer: row.answer.clone(),
        way: match row.body.way {
            Way::Payments => "payments",
            Way::Credit => "credit",
        },
        total: money(row.body.total_minor),
        withheld: money(row.body.withheld_minor),
        lost_discount: money(row.body.lost_discount_minor),
        opened_at: row.opened_at,
        due_at: row.due_at,
    }
}

fn claim_view(row: &Claim, order: &Order) -> ClaimView {
    let sku = |line: usize| order.body.lines.get(line).map(|l| l.sku.clone()).unwrap_or_default();
    ClaimView {
        id: row.no.to_string(),
        state: row.state.as_str(),
        lines: row
            .body
            .lines
            .iter()
            .map(|line| ClaimLineView {
                line: line.line,
                sku: sku(line.line),
                quantity: Amount(Quantity::from_milli(line.milli)),
                reason: line.reason.as_str(),
            })
            .collect(),
        note: row.note.clone(),
        answer: row.answer.clone(),
        resolution: row.body.resolution.map(Resolution::as_str),
        refund: wire::Money { minor: row.body.refund_minor, currency: order.body.currency.clone() },
        opened_at: row.opened_at,
        due_at: row.due_at,
    }
}

/// What a customer can say: that nobody took the parcel is the carrier's to say, and no rule stands against it.
fn reasons(fault_only: bool) -> Vec<&'static str> {
    let said = Reason::ALL.iter().filter(|r| **r != Reason::NotCollected && (!fault_only || r.is_our_fault()));
    said.map(|r| r.as_str()).collect()
}

fn reason(at: usize, word: &str, fault_only: bool) -> Result<Reason, Problem> {
    let all = reasons(fault_only);
    let known = Reason::parse(word).filter(|reason| all.contains(&reason.as_str()));
    known.ok_or_else(|| BAD_INPUT.at(&format!("/lines/{at}/reason"), format!("one of {}", all.join(", "))))
}

/// What can still be asked for each line.
fn offered(tx: &mut Tx, app: &App, order: &Order) -> Result<Vec<serde_json::Value>, Problem> {
    let all = after::offered(tx, &shop(app), order.no).map_err(|e| refused(tx, e))?;
    let amount = |milli: i64| Amount(Quantity::from_milli(milli));
    let one = |o: after::Offered| {
        json!({
            "line": o.line,
            "sku": order.body.lines[o.line].sku,
            "returnable": amount(o.returnable),
            "until": o.until.map(|day| day.to_string()),
            "denied": o.denied,
            "claimable": amount(o.claimable),
        })
    };
    Ok(all.into_iter().map(one).collect())
}

/// Lists what the customer asked to bring back, and what they still can.
pub async fn list_returns(
    State(app): State<Arc<App>>,
    _: Holder,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    let shared = app.clone();
    let found = app.read(move |tx| {
        let order = find(tx, &id)?;
        let mut items = Vec::new();
        for no in after::account_of(tx, order.no)?.returns.iter().rev() {
            items.push(return_view(&*after::return_of(tx, *no).map_err(|e| refused(tx, e))?));
        }
        Ok(json!({"items": items, "offered": offered(tx, &shared, &order)?, "reasons": reasons(false)}))
    });
    Ok(Json(found.await?))
}

/// Asks to bring goods back. What the rules do not allow is refused at once; what they allow is approved, where the shop says so.
pub async fn ask_return(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<ReturnInput>,
) -> Result<Response, Problem> {
    let (given, shared, channel) = (input.value, app.clone(), by.actor());
    app.change_as(by.actor(), input.request, move |tx| {
        let order = find(tx, &id)?;
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            let reason = reason(at, &line.reason, false)?;
            lines.push(Wanted { line: Some(line.line), variant_no: 0, quantity: line.quantity.0, reason });
        }
        let mut instead = Vec::with_capacity(given.instead.len());
        for (at, other) in given.instead.iter().enumerate() {
            let variant_no = crate::api::stock::variant(tx, &format!("/instead/{at}/sku"), &other.sku)?;
            instead.push(Instead { of: other.of, variant_no, milli: other.quantity.0.milli() });
        }
        let ask = Ask {
            order_no: Some(order.no),
            lines,
            instead,
            note: given.note.clone(),
            photos: given.photos.clone(),
            key: given.key.clone(),
            channel: channel.clone(),
            ..Ask::default()
        };
        let made = after::request_by_customer(tx, &shop(&shared), &ask).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        Ok(Done::created(return_view(&made)))
    })
    .await
}

/// Lists what the customer complained of, and what they still can.
pub async fn list_claims(
    State(app): State<Arc<App>>,
    _: Holder,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    let shared = app.clone();
    let found = app.read(move |tx| {
        let order = find(tx, &id)?;
        let mut items = Vec::new();
        for no in after::account_of(tx, order.no)?.claims.iter().rev() {
            items.push(claim_view(&*after::claim_of(tx, *no).map_err(|e| refused(tx, e))?, &order));
        }
        Ok(json!({"items": items, "offered": offered(tx, &shared, &order)?, "reasons": reasons(true)}))
    });
    Ok(Json(found.await?))
}

/// Complains of goods, which need not come back.
pub async fn ask_claim(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<ClaimInput>,
) -> Result<Response, Problem> {
    let (given, shared, channel) = (input.value, app.clone(), by.actor());
    app.change_as(by.actor(), input.request, move |tx| {
        let order = find(tx, &id)?;
        let mut lines = Vec::with_capacity(given.lines.len());
        for (at, line) in given.lines.iter().enumerate() {
            let reason = reason(at, &line.reason, true)?;
            lines.push(ClaimLine { line: line.line, milli: line.quantity.0.milli(), reason });
        }
        let ask = ClaimAsk {
            order_no: order.no,
            lines,
            note: given.note.clone(),
            photos: given.photos.clone(),
            key: given.key.clone(),
            channel: channel.clone(),
        };
        let made = after::claim_by_customer(tx, &shop(&shared), &ask).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        Ok(Done::created(claim_view(&made, &order)))
    })
    .await
}
