//! Asking to bring goods back, for money or for others, anywhere.
use super::*;
use crate::after::model::*;
use crate::after::policy::{Asked, may_return};
use crate::commands::order_of;
use crate::model::Contact;
use crate::states::line::Line as LineState;
use crate::states::returns::exchange::Exchange as ExchangeState;
use crate::states::returns::goods::Return as ReturnState;
use base::Quantity;
use catalog::model::ProductState;
use catalog::prices::model::Ask as PriceAsk;
use catalog::{schema, variants};
use loyalty::law::Day;
use serde_json::json;

/// Lines of one return.
const LINES_MAX: usize = 200;

/// What somebody asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// `None`: by a receipt alone, where the shop takes that.
    pub order_no: Option<i64>,
    pub receipt: String,
    /// Who, without an order.
    pub contact: Contact,
    pub lines: Vec<Wanted>,
    /// What they want instead; empty: money.
    pub instead: Vec<Instead>,
    pub note: String,
    pub photos: Vec<String>,
    /// The asker's own id of it, so that asking twice counts once; empty: none.
    pub key: String,
    /// Where it is asked: `site`, `till:Lviv-1`.
    pub channel: String,
}

/// Asks on behalf of a colleague: what the rules do not allow is written down with the reason, and waits for a person.
pub fn request(tx: &mut Tx, shop: &Shop, ask: &Ask, actor: &str) -> Result<Arc<Return>, OrderError> {
    ask_for(tx, shop, ask, false, actor)
}

/// Asks as the customer: what the rules do not allow is refused at once, in words that the customer can read.
pub fn request_by_customer(tx: &mut Tx, shop: &Shop, ask: &Ask) -> Result<Arc<Return>, OrderError> {
    ask_for(tx, shop, ask, true, "customer")
}

fn ask_for(tx: &mut Tx, shop: &Shop, ask: &Ask, strict: bool, actor: &str) -> Result<Arc<Return>, OrderError> {
    check_key(&ask.key)?;
    let key = if ask.key.is_empty() { String::new() } else { format!("{}:{}", ask.order_no.unwrap_or(0), ask.key) };
    if let Some(known) = asked_before(tx, &key)? {
        return return_of(tx, known);
    }
    check_texts(&[("/note", &ask.note), ("/receipt", &ask.receipt)], &ask.photos)?;
    if ask.lines.is_empty() || ask.lines.len() > LINES_MAX {
        return Err(OrderError::field("/lines", format!("name one to {LINES_MAX} lines")));
    }
    for (at, wanted) in ask.lines.iter().enumerate() {
        if !wanted.quantity.is_positive() || wanted.quantity > Quantity::MAX {
            return Err(OrderError::field(format!("/lines/{at}/quantity"), "the quantity must be more than nothing"));
        }
    }
    let (policy, law) = (policy(tx)?, law(tx, shop)?);
    let rules = Rules { policy: &policy, law: law.as_ref(), strict };
    let (lines, currency) = match ask.order_no {
        Some(no) => of_order(tx, no, ask, rules)?,
        None => of_receipt(tx, shop, ask, rules)?,
    };
    check_instead(tx, ask)?;
    let now = tx.now();
    let stage = match ask.instead.is_empty() {
        true => Stage::Return(ReturnState::Requested),
        false => Stage::Exchange(ExchangeState::Requested),
    };
    let exchange = (!ask.instead.is_empty()).then(|| Exchange { instead: ask.instead.clone(), ..Exchange::default() });
    let order_no = ask.order_no.unwrap_or(0);
    let no = tx.next_id();
    if order_no > 0 {
        let mut account = account_of(tx, order_no)?;
        for line in &lines {
            Account::add(&mut account.coming, line.line.unwrap_or(0), line.milli);
        }
        account.returns.push(no);
        put_account(tx, order_no, account)?;
    }
    let contact = if order_no > 0 { Contact::default() } else { ask.contact.clone() };
    let allowed = lines.iter().all(|line| line.denied.is_none());
    let detail = json!({"return": no, "kind": stage.kind(), "lines": lines.len()});
    tell(tx, order_no, actor, "return requested", &detail);
    let made = put_return(
        tx,
        Return {
            no,
            order_no,
            stage,
            request_key: key,
            receipt: ask.receipt.clone(),
            contact,
            note: ask.note.clone(),
            answer: String::new(),
            photos: ask.photos.clone(),
            opened_at: now,
            due_at: in_days(law.as_ref(), now, policy.answer_days),
            updated_at: now,
            version: 0,
            body: ReturnBody {
                lines,
                channel: ask.channel.clone(),
                currency,
                opened_by: actor.into(),
                decided_by: String::new(),
                way: if order_no > 0 { Way::Payments } else { Way::Credit },
                withheld_minor: 0,
                shipping_minor: 0,
                total_minor: 0,
                refunds: vec![],
                lost_discount_minor: 0,
                credit_no: None,
                exchange,
            },
        },
    );
    if !(policy.approve_by_rule && allowed && order_no > 0) {
        return Ok(made);
    }
    match approve(tx, shop, no, "", "rule") {
        // The others are not to be had just now: a person looks.
        Err(OrderError::Stock(stock::StockError::NotEnough(_))) => Ok(made),
        other => other,
    }
}

fn asked_before(tx: &mut Tx, key: &str) -> Result<Option<i64>, OrderError> {
    if key.is_empty() {
        return Ok(None);
    }
    tx.flush_table::<ReturnTable>()?;
    let row = tx.first("SELECT no FROM returns WHERE request_key = $1 ORDER BY no LIMIT 1", &[key.into()])?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

#[derive(Clone, Copy)]
struct Rules<'a> {
    policy: &'a Policy,
    law: Option<&'a Law>,
    strict: bool,
}

fn of_order(tx: &mut Tx, no: i64, ask: &Ask, rules: Rules<'_>) -> Result<(Vec<ReturnLine>, String), OrderError> {
    let order = order_of(tx, no)?;
    let account = account_of(tx, no)?;
    let got = delivered_at(tx, no)?.unwrap_or(order.placed_at);
    let mut lines: Vec<ReturnLine> = Vec::new();
    for (at, wanted) in ask.lines.iter().enumerate() {
        let line = wanted.line.filter(|line| *line < order.body.lines.len());
        let Some(line) = line else {
            return Err(OrderError::field(format!("/lines/{at}/line"), "the order has no such line"));
        };
        let earlier: i64 = lines.iter().filter(|l| l.line == Some(line)).map(|l| l.milli).sum();
        let not_taken = wanted.reason == Reason::NotCollected;
        let out = |s: LineState| s == LineState::Delivered || (not_taken && s == LineState::Sent);
        let free = pieces(&order, line, out) - account.coming(line) - account.kept(line) - earlier;
        if wanted.quantity.milli() > free {
            let free = Quantity::from_milli(free.max(0));
            let detail = format!("{free} of it can be returned, not {}", wanted.quantity);
            return Err(OrderError::field(format!("/lines/{at}/quantity"), detail));
        }
        let of = &order.body.lines[line];
        let denied = verdict(tx, rules, of.variant_no, wanted.reason, got)?;
        if let (Some(why), true) = (&denied, rules.strict) {
            return Err(OrderError::field(format!("/lines/{at}"), why.clone()));
        }
        lines.push(line_of(wanted, Some(line), of.variant_no, of.sku.clone(), denied, of.unit_minor));
    }
    Ok((lines, order.body.currency.clone()))
}

/// Without the order: what it costs today, as store credit, so that nobody gains by it.
fn of_receipt(tx: &mut Tx, shop: &Shop, ask: &Ask, rules: Rules<'_>) -> Result<(Vec<ReturnLine>, String), OrderError> {
    if !rules.policy.without_order {
        return Err(OrderError::field("/order_id", "this shop takes goods back with their order only"));
    }
    if ask.receipt.trim().is_empty() {
        return Err(OrderError::field("/receipt", "name the receipt that the customer shows"));
    }
    if !ask.instead.is_empty() {
        return Err(OrderError::field("/instead", "without the order goods come back for store credit"));
    }
    let now = tx.now();
    let mut lines = Vec::new();
    for (at, wanted) in ask.lines.iter().enumerate() {
        let variant = variants::get(tx, wanted.variant_no)?;
        let variant = variant.ok_or_else(|| OrderError::field(format!("/lines/{at}/sku"), "there is no such SKU"))?;
        let price = PriceAsk {
            variant: wanted.variant_no,
            currency: shop.currency.clone(),
            quantity: wanted.quantity.milli(),
            at: now,
            ..PriceAsk::default()
        };
        let quote = catalog::prices::store::price_of(tx, &price)?.map(|quote| quote.minor);
        let base = (*variant.currency == *shop.currency).then_some(variant.price_minor);
        let Some(unit_minor) = quote.or(base) else {
            let (sku, currency) = (variant.sku.to_string(), shop.currency.clone());
            return Err(OrderError::NoPrice { sku, currency });
        };
        let denied = verdict(tx, rules, wanted.variant_no, wanted.reason, now)?;
        lines.push(line_of(wanted, None, wanted.variant_no, variant.sku.to_string(), denied, unit_minor));
    }
    Ok((lines, shop.currency.clone()))
}

fn line_of(
    wanted: &Wanted,
    line: Option<usize>,
    variant_no: i64,
    sku: String,
    denied: Option<String>,
    unit_minor: i64,
) -> ReturnLine {
    ReturnLine {
        line,
        variant_no,
        sku,
        milli: wanted.quantity.milli(),
        reason: wanted.reason,
        arrived: vec![],
        denied,
        unit_minor,
        refund_minor: 0,
        refund_tax_minor: 0,
        points_back: 0,
        points_taken: 0,
        points_minor: 0,
        refunded_milli: 0,
    }
}

/// The last day on which somebody who only changed their mind may bring a piece back; or why they may not.
pub(super) fn until(
    tx: &mut Tx,
    (policy, law): (&Policy, Option<&Law>),
    variant_no: i64,
    got: Timestamp,
) -> Result<Result<Option<Day>, String>, OrderError> {
    let Some(law) = law else { return Ok(Ok(None)) };
    let class = class_of(tx, policy, variant_no)?;
    let asked = Asked { reason: Reason::ChangedMind, got: law.day(got), today: law.day(tx.now()), class: &class };
    Ok(may_return(Some(law), policy, asked).map(Some).map_err(|denied| denied.to_string()))
}

/// Why the rules do not allow it; `None`: they do. What nobody took comes back without a rule.
fn verdict(
    tx: &mut Tx,
    rules: Rules<'_>,
    variant_no: i64,
    reason: Reason,
    got: Timestamp,
) -> Result<Option<String>, OrderError> {
    let Some(law) = rules.law.filter(|_| reason != Reason::NotCollected) else { return Ok(None) };
    let class = class_of(tx, rules.policy, variant_no)?;
    let asked = Asked { reason, got: law.day(got), today: law.day(tx.now()), class: &class };
    Ok(may_return(Some(law), rules.policy, asked).err().map(|denied| denied.to_string()))
}

/// The class of goods that the law may speak of: what the product says, else what its category does.
fn class_of(tx: &mut Tx, policy: &Policy, variant_no: i64) -> Result<String, OrderError> {
    let Some(variant) = variants::get(tx, variant_no)? else { return Ok(String::new()) };
    let schema = schema::held(tx)?;
    let Some(product) = catalog::products::by_no(tx, variant.product_no)? else { return Ok(String::new()) };
    if let Some(class) = product.values.get(&policy.class_attribute).and_then(|value| value.as_str()) {
        return Ok(class.to_string());
    }
    let codes = product.categories.iter().flat_map(|no| schema.path(*no)).map(|category| category.code.clone());
    Ok(codes.filter_map(|code| policy.class_of_category.get(&*code).cloned()).next().unwrap_or_default())
}

fn check_instead(tx: &mut Tx, ask: &Ask) -> Result<(), OrderError> {
    if ask.instead.len() > LINES_MAX {
        return Err(OrderError::field("/instead", format!("at most {LINES_MAX} lines are taken")));
    }
    for (at, instead) in ask.instead.iter().enumerate() {
        if instead.of >= ask.lines.len() {
            return Err(OrderError::field(format!("/instead/{at}/of"), "it stands for no line of the return"));
        }
        if instead.milli <= 0 || instead.milli > Quantity::MAX.milli() {
            return Err(OrderError::field(format!("/instead/{at}/quantity"), "the quantity must be more than nothing"));
        }
        let sold = variants::get(tx, instead.variant_no)?.is_some_and(|v| v.state == ProductState::Active);
        if !sold {
            return Err(OrderError::field(format!("/instead/{at}/sku"), "it is not sold now"));
        }
    }
    Ok(())
}
