//! What is done with an order, and what places do for it.
use super::wire::{OrderBody, Sum};
use super::{check_stores, order_no, refused, shop, shown};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::{Caller, WriteOrders};
use crate::change::Done;
use crate::input::{Input, RequestKey};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_ALLOWED, Problem};
use axum::extract::{Path, State};
use axum::response::Response;
use db::Tx;
use orders::OrderError;
use orders::commands::{self, Fact, Proof};
use orders::model::Order;
use orders::payments::{self, Ask};
use orders::states::payment::Action;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// What is done with an order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum OrderStep {
    /// Confirms it: no call is needed any more.
    Confirm,
    /// Stops it.
    Hold { why: String },
    /// Lets it go on.
    Release { hold: String },
    /// Calls it off, or the parts that are named. Parts that a place works on need its agreement.
    Cancel {
        parts: Option<Vec<usize>>,
        #[serde(default)]
        agreed: bool,
        #[serde(default)]
        why: String,
    },
    /// Looks again for places for what is parked.
    Source,
    /// Writes a note.
    Note { text: String },
}

/// What a place does for an order.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum FulfilmentStep {
    /// Takes it: its people pick.
    Accept,
    /// Does not take it.
    Decline {
        #[serde(default)]
        why: String,
    },
    /// Misses pieces of a line.
    Short { line: usize, quantity: Amount },
    /// Has it packed.
    Ready,
    /// Hands it over, by the customer's code or as somebody was recognised. Of goods that were tried on: what is kept.
    HandOver {
        code: Option<String>,
        seen: Option<String>,
        kept: Option<Vec<KeptLine>>,
        /// Serial numbers of pieces that go out, for guarantees.
        #[serde(default)]
        serials: Vec<SerialLine>,
    },
    /// Gives the parcel to the carrier.
    Dispatch {
        #[serde(default)]
        tracking: String,
        /// Serial numbers of pieces that go out, for guarantees.
        #[serde(default)]
        serials: Vec<SerialLine>,
    },
    /// The carrier brought it to the customer.
    Deliver,
    /// It came back, since nobody took it.
    BringBack { location_id: Option<String> },
}

/// A piece of a line by its serial number.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SerialLine {
    line: usize,
    serial: String,
}

/// What a customer keeps of a line.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptLine {
    line: usize,
    quantity: Amount,
}

async fn step(
    app: &Arc<App>,
    caller: &Caller,
    (id, request, what): (String, RequestKey, &'static str),
    f: impl Fn(&mut Tx, &Order, &App) -> Result<Arc<Order>, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let (shared, by) = (app.clone(), caller.clone());
    app.change(caller, request, move |tx| {
        let no = order_no(tx, &id)?;
        let order = commands::order_of(tx, no).map_err(|e| refused(tx, e))?;
        check_stores(&by, &*stock::commands::places(tx)?, &order)?;
        let before = json!({"state": order.status().as_str()});
        let order = f(tx, &order, &shared)?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        let after = json!({"state": order.status().as_str(), "step": what});
        let done = Done::ok(shown(tx, &shared, &order)?).versioned(order.version);
        Ok(done.noted(("update", "order"), no, Some(before), Some(after)))
    })
    .await
}

/// Does something with an order: confirms, stops, lets go on, calls off, sources again, notes.
#[utoipa::path(post, path = "/api/v1/orders/{id}/steps", tag = "orders", params(("id" = String, Path)),
    request_body = OrderStep, responses((status = 200, body = OrderBody)))]
pub async fn step_order(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<OrderStep>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    let what = match &given {
        OrderStep::Confirm => "confirm",
        OrderStep::Hold { .. } => "hold",
        OrderStep::Release { .. } => "release",
        OrderStep::Cancel { .. } => "cancel",
        OrderStep::Source => "source",
        OrderStep::Note { .. } => "note",
    };
    step(&app, &caller, (id, input.request, what), move |tx, order, app| {
        let (no, by) = (order.no, actor.as_str());
        let done = match &given {
            OrderStep::Confirm => commands::confirm_order(tx, no, by),
            OrderStep::Hold { why } => commands::hold(tx, no, why, by),
            OrderStep::Release { hold } => commands::release_hold(tx, no, hold, by),
            OrderStep::Cancel { parts, agreed, why } => commands::cancel(tx, no, parts.as_deref(), (*agreed, why, by)),
            OrderStep::Source => commands::source_again(tx, no, &shop(app), by),
            OrderStep::Note { text } => commands::note(tx, no, text, by),
        };
        done.map_err(|e| refused(tx, e))
    })
    .await
}

/// Does what a place does for an order: takes it, declines, misses something, packs, hands over, sends.
#[utoipa::path(post, path = "/api/v1/orders/{id}/fulfilments/{no}/steps", tag = "orders",
    params(("id" = String, Path), ("no" = i64, Path)), request_body = FulfilmentStep,
    responses((status = 200, body = OrderBody)))]
pub async fn step_fulfilment(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path((id, fulfilment)): Path<(String, i64)>,
    input: Input<FulfilmentStep>,
) -> Result<Response, Problem> {
    let (given, by) = (input.value, caller.clone());
    step(&app, &caller, (id, input.request, "fulfilment"), move |tx, order, app| {
        let (no, actor) = (order.no, by.actor.as_str());
        let places = stock::commands::places(tx)?;
        if let Some(stores) = &by.stores {
            let at = order.body.fulfilments.iter().find(|f| f.no == fulfilment).and_then(|f| places.get(f.location_no));
            if let Some(at) = at.filter(|at| !stores.iter().any(|store| **store == *at.id)) {
                return Err(NOT_ALLOWED.because(format!("{actor} works in other stores than {}", at.id)));
            }
        }
        let done = match &given {
            FulfilmentStep::Accept => commands::accept(tx, no, fulfilment, actor),
            FulfilmentStep::Decline { why } => commands::decline(tx, no, fulfilment, &shop(app), (why, actor)),
            FulfilmentStep::Short { line, quantity } => {
                commands::report_short(tx, no, fulfilment, (*line, quantity.0), &shop(app), actor)
            }
            FulfilmentStep::Ready => commands::ready(tx, no, fulfilment, actor),
            FulfilmentStep::HandOver { code, seen, kept, serials } => {
                let proof = match (code, seen) {
                    (Some(code), _) => Proof::Code(code.clone()),
                    (None, Some(seen)) if !seen.trim().is_empty() => Proof::Seen(seen.clone()),
                    _ => return Err(BAD_INPUT.at("/code", "give the customer's code, or say how they were recognised")),
                };
                let kept: Option<Vec<_>> = kept.as_ref().map(|k| k.iter().map(|l| (l.line, l.quantity.0)).collect());
                note_serials(tx, order, serials, actor)?;
                commands::collect(tx, no, fulfilment, (&proof, kept.as_deref()), actor)
            }
            FulfilmentStep::Dispatch { tracking, serials } => {
                note_serials(tx, order, serials, actor)?;
                commands::dispatch(tx, no, fulfilment, tracking, actor)
            }
            FulfilmentStep::Deliver => commands::deliver(tx, no, fulfilment, actor),
            FulfilmentStep::BringBack { location_id } => {
                let to = match location_id {
                    Some(id) => Some(crate::api::stock::place(&places, "/location_id", id)?),
                    None => None,
                };
                commands::bring_back(tx, no, fulfilment, to, actor)
            }
        };
        let done = done.map_err(|e| refused(tx, e))?;
        if matches!(given, FulfilmentStep::HandOver { .. } | FulfilmentStep::Deliver) {
            // The customer has it: somebody will ask how it went, if the shop asks.
            orders::after::commands::check_in(tx, &shop(app), no, actor).map_err(|e| refused(tx, e))?;
        }
        Ok(done)
    })
    .await
}

/// Pieces by serial number, at most as many as the line has.
fn note_serials(tx: &mut Tx, order: &Order, serials: &[SerialLine], actor: &str) -> Result<(), Problem> {
    for (at, one) in serials.iter().enumerate() {
        let of = order.body.lines.get(one.line);
        let pieces = of.map_or(0, |line| line.milli / 1000);
        let told = serials.iter().filter(|other| other.line == one.line).count() as i64;
        if told > pieces {
            let detail = format!("line {} has {pieces} pieces, not {told}", one.line);
            return Err(BAD_INPUT.at(&format!("/serials/{at}"), detail));
        }
    }
    for one in serials {
        let noted = orders::after::commands::note_serial(tx, order.no, one.line, &one.serial, actor);
        noted.map_err(|e| refused(tx, e))?;
    }
    Ok(())
}

/// A payment.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentInput {
    /// `test`, `on_delivery`, `till` or `store_credit`.
    pub provider: String,
    /// The code of the store credit.
    pub code: Option<String>,
    pub amount: Sum,
    /// `capture` without it; `authorise`, `refund`, `cancel`.
    pub action: Option<String>,
    /// The payment that it is about; a new one without it.
    pub payment_id: Option<String>,
}

/// Asks a provider and writes down what it tells. A payment id that is not named is made of the request, so that a repeat is one.
pub fn pay(
    tx: &mut Tx,
    order: &Order,
    given: &PaymentInput,
    (inside, actor): (bool, &str),
) -> Result<(Arc<Order>, String), Problem> {
    if given.provider == "test" && !commands::settings(tx)?.1.policy.test_payments {
        let detail = "the test provider is turned off in this shop: /policy/test_payments of its order settings";
        return Err(CONFLICT.because(detail));
    }
    let provider = payments::provider(&given.provider).map_err(|e| BAD_INPUT.at("/provider", e.to_string()))?;
    let action = given.action.as_deref().unwrap_or("capture");
    let action =
        Action::parse(action).ok_or_else(|| BAD_INPUT.at("/action", "authorise, capture, refund or cancel"))?;
    let amount_minor = given.amount.minor("/amount", &order.body.currency)?;
    if given.provider == orders::after::credit::PROVIDER && action == Action::Capture {
        let code = given.code.as_deref().ok_or_else(|| BAD_INPUT.at("/code", "give the code of the store credit"))?;
        let paid = orders::after::commands::pay_with_credit(tx, order.no, code, Some(amount_minor), actor);
        let (order, account) = paid.map_err(|e: OrderError| refused(tx, e))?;
        return Ok((order, account.to_string()));
    }
    let facts = provider.ask(Ask { amount_minor, action, inside }).map_err(|e| CONFLICT.because(e.to_string()))?;
    let mine = |p: &&orders::model::Paying| p.provider == given.provider;
    let last = order.body.payments.iter().rev().find(mine).map(|p| p.id.clone());
    let new = || format!("{}-{}", order.body.number, order.body.payments.len() + 1);
    let payment_id = match (&given.payment_id, action) {
        (Some(id), _) => id.clone(),
        (None, Action::Refund | Action::Cancel) => last.unwrap_or_else(new),
        (None, _) => new(),
    };
    let mut order = Arc::new(order.clone());
    for action in facts {
        let fact = Fact {
            provider: given.provider.clone(),
            payment_id: payment_id.clone(),
            external_id: format!("{payment_id}/{}/{}", action.as_str(), tx.next_id()),
            action,
            amount_minor,
        };
        order = commands::pay(tx, order.no, &fact, actor).map_err(|e: OrderError| refused(tx, e))?;
    }
    Ok((order, payment_id))
}

/// Takes a payment, or gives one back.
#[utoipa::path(post, path = "/api/v1/orders/{id}/payments", tag = "orders", params(("id" = String, Path)),
    request_body = PaymentInput, responses((status = 200, body = OrderBody)))]
pub async fn pay_order(
    State(app): State<Arc<App>>,
    WriteOrders(caller): WriteOrders,
    Path(id): Path<String>,
    input: Input<PaymentInput>,
) -> Result<Response, Problem> {
    let (given, actor) = (input.value, caller.actor.clone());
    step(&app, &caller, (id, input.request, "payment"), move |tx, order, _| {
        Ok(pay(tx, order, &given, (true, &actor))?.0)
    })
    .await
}
