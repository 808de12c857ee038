//! What the other side tells by REST, event by event: goods, prices, stock, receipts, sales, returns, payments. One that was told
//! before does nothing; one that cannot be taken says why and costs no other its place.
use super::connections::Connection;
use super::ids::{self, IdKind, IdState, Known};
use super::journal::{Level, Place, note};
use super::maps::{self, MapKind, Mapped};
use super::settle::{self, Held, Priced, paper_id};
use super::source;
use base::{Money, Quantity, Timestamp};
use catalog::commands::put_products_by;
use catalog::model::ProductInput;
use catalog::variants;
use db::{DbError, Tx};
use orders::OrderError;
use orders::commands::{Fact, pay};
use orders::states::payment::Action;
use serde::Deserialize;
use std::collections::BTreeMap;
use stock::StockError;
use stock::commands::{Shortage, post};
use stock::model::{CUSTOMER, Condition, Document, DocumentKind, Move, SUPPLIER};

/// Events of one request.
pub const EVENTS_MAX: usize = 500;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Goods,
    Price,
    Stock,
    Receipt,
    Sale,
    Return,
    Payment,
}

impl Type {
    pub const ALL: [(Type, &'static str); 7] = [
        (Type::Goods, "goods"),
        (Type::Price, "price"),
        (Type::Stock, "stock"),
        (Type::Receipt, "receipt"),
        (Type::Sale, "sale"),
        (Type::Return, "return"),
        (Type::Payment, "payment"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(t, _)| *t == self).map_or("", |(_, name)| name)
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(t, _)| *t)
    }
}

/// An event as it came.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub id: String,
    pub kind: Type,
    pub at: Timestamp,
    pub data: serde_json::Value,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Taken,
    Repeated,
    /// Kept until somebody says what its warehouse or kind of price is here.
    Waiting,
    Refused(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Goods {
    external_id: String,
    product: ProductInput,
    /// The ids there of its variants, by SKU; an SKU stands for itself.
    #[serde(default)]
    variants: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct PriceOf {
    #[serde(flatten)]
    which: Which,
    price_type: String,
    /// Major units, as text: `"2599.00"`.
    amount: String,
    #[serde(default)]
    currency: String,
}

/// Which variant: by its id there, or by SKU.
#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    external_id: String,
    #[serde(default)]
    sku: String,
}

#[derive(Deserialize)]
struct StockAt {
    #[serde(flatten)]
    which: Which,
    warehouse: String,
    quantity: String,
}

#[derive(Deserialize)]
struct Paper {
    #[serde(default)]
    number: String,
    warehouse: String,
    lines: Vec<PaperLine>,
}

#[derive(Deserialize)]
struct PaperLine {
    #[serde(flatten)]
    which: Which,
    quantity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    /// The order's number here.
    order: String,
    /// The payment there.
    number: String,
    /// `capture` or `refund`.
    action: String,
    amount: String,
    currency: String,
}

enum Stop {
    Refused(String),
    Store(DbError),
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Stop::Store(error)
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Refused(why.into()))
}

/// Takes one event.
pub fn take(tx: &mut Tx, connection: &Connection, currency: &str, event: &Incoming) -> Result<Outcome, DbError> {
    let sql = "SELECT type FROM erp_events WHERE connection_id = $1 AND external_id = $2";
    let id = paper_id(&event.id);
    if tx.first(sql, &[connection.id.into(), (&id).into()])?.is_some() {
        return Ok(Outcome::Repeated);
    }
    let place = Place { connection_id: connection.id, exchange_id: 0, file: String::new() };
    let outcome = match one(tx, connection, currency, event, &place) {
        Ok(waiting) => {
            if waiting {
                Outcome::Waiting
            } else {
                Outcome::Taken
            }
        }
        Err(Stop::Store(error)) => return Err(error),
        Err(Stop::Refused(why)) => {
            note(tx, &place, Level::Refused, 0, &event.id, &format!("{}: {why}", event.kind.as_str()));
            return Ok(Outcome::Refused(why));
        }
    };
    let sql = "INSERT INTO erp_events (connection_id, external_id, type, at) VALUES ($1, $2, $3, $4)";
    let row = [connection.id.into(), (&id).into(), event.kind.as_str().into(), event.at.micros().into()];
    tx.execute(sql, &row)?;
    Ok(outcome)
}

fn read<T: serde::de::DeserializeOwned>(event: &Incoming) -> Result<T, Stop> {
    serde_json::from_value(event.data.clone()).map_err(|e| Stop::Refused(format!("data: {e}")))
}

fn one(tx: &mut Tx, connection: &Connection, currency: &str, event: &Incoming, place: &Place) -> Result<bool, Stop> {
    match event.kind {
        Type::Goods => goods(tx, connection, event).map(|()| false),
        Type::Price => {
            let told: PriceOf = read(event)?;
            let Ok(amount) = exchange::commerceml::amount(&told.amount) else { return refused("amount is no number") };
            if amount.billionths() < 0 {
                return refused("amount is less than nothing");
            }
            let (external_id, variant) = which(tx, connection, &told.which)?;
            heard(tx, connection.id, MapKind::PriceType, &told.price_type)?;
            let price = Priced {
                external_id: external_id.clone(),
                price_type: told.price_type,
                amount,
                currency: told.currency,
            };
            settle::keep(tx, connection.id, &[price], &[], event.at)?;
            let done = settle::settle(tx, connection, currency, &[(external_id, variant)], place)?;
            if done.refused > 0 {
                refused("the price cannot be used; the journal says why")
            } else {
                Ok(done.waiting > 0)
            }
        }
        Type::Stock => {
            let told: StockAt = read(event)?;
            let quantity = exchange::commerceml::quantity(&told.quantity).map_err(Stop::Refused)?;
            let (external_id, variant) = which(tx, connection, &told.which)?;
            heard(tx, connection.id, MapKind::Warehouse, &told.warehouse)?;
            let held = Held { external_id: external_id.clone(), warehouse: told.warehouse, quantity };
            settle::keep(tx, connection.id, &[], &[held], event.at)?;
            let done = settle::settle(tx, connection, currency, &[(external_id, variant)], place)?;
            if done.refused > 0 {
                refused("the quantity cannot be used; the journal says why")
            } else {
                Ok(done.waiting > 0)
            }
        }
        Type::Receipt | Type::Sale | Type::Return => paper(tx, connection, event, place).map(|()| false),
        Type::Payment => payment(tx, connection, event).map(|()| false),
    }
}

/// Goods with the ids of their variants.
fn goods(tx: &mut Tx, connection: &Connection, event: &Incoming) -> Result<(), Stop> {
    let told: Goods = read(event)?;
    if told.external_id.is_empty() || told.external_id.len() > 200 {
        return refused("external_id has 1 to 200 bytes");
    }
    let mut input = told.product;
    let known = ids::find(tx, connection.id, &[(IdKind::Product, &told.external_id)])?;
    if let Some(known) = known.get(&(IdKind::Product, told.external_id.clone())) {
        input.id.clone_from(&known.product_id);
    } else if input.id.is_empty() {
        input.id.clone_from(&told.external_id);
    }
    let skus: Vec<String> = input.variants.iter().filter_map(|v| variants::normalise_sku(&v.sku)).collect();
    let (_, rejected) = put_products_by(tx, &source(connection), std::slice::from_ref(&input))?;
    if let Some(r) = rejected.first() {
        return refused(format!("product{}: {}", r.pointer, r.detail));
    }
    let base = Known {
        kind: IdKind::Product,
        external_id: told.external_id,
        catalogue: String::new(),
        product_id: input.id.trim().into(),
        variant_no: 0,
        article: String::new(),
        barcode: String::new(),
        service: false,
        state: IdState::Live,
        seen_at: tx.now().micros(),
    };
    let mut all = vec![base.clone()];
    for (sku, no) in skus.iter().zip(variants::find_many(tx, &skus)?) {
        let external_id = told.variants.get(sku).cloned().unwrap_or_else(|| sku.clone());
        if let Some(variant_no) = no.filter(|_| !external_id.is_empty() && external_id.len() <= 200) {
            all.push(Known { kind: IdKind::Variant, external_id, variant_no, ..base.clone() });
        }
    }
    ids::put(tx, connection.id, &all)?;
    Ok(())
}

/// The id there and the variant here; an SKU that nobody named yet is linked under itself.
fn which(tx: &mut Tx, connection: &Connection, which: &Which) -> Result<(String, i64), Stop> {
    let wanted = if which.external_id.is_empty() { which.sku.trim() } else { &which.external_id };
    if wanted.is_empty() || wanted.len() > 200 {
        return refused("say which: external_id or sku, of at most 200 bytes");
    }
    let known = ids::find(tx, connection.id, &[(IdKind::Variant, wanted)])?;
    if let Some(known) = known.get(&(IdKind::Variant, wanted.to_string())).filter(|k| k.state != IdState::Moved) {
        return Ok((wanted.into(), known.variant_no));
    }
    let Some(no) = variants::find(tx, &which.sku)? else {
        return refused(format!("{wanted:?} is not known here: tell its goods first, or its SKU"));
    };
    if let Some(id) = ids::of_variants(tx, connection.id, &[no])?.remove(&no) {
        return Ok((id, no));
    }
    let product = catalog::products::products_of(tx, &[no])?.into_iter().flatten().next().unwrap_or(0);
    let product_id = catalog::products::by_no(tx, product)?.map(|p| p.id).unwrap_or_default();
    let link = Known {
        kind: IdKind::Variant,
        external_id: wanted.into(),
        catalogue: String::new(),
        product_id,
        variant_no: no,
        article: which.sku.clone(),
        barcode: String::new(),
        service: false,
        state: IdState::Live,
        seen_at: tx.now().micros(),
    };
    ids::put(tx, connection.id, [&link])?;
    Ok((wanted.into(), no))
}

/// Notes a warehouse or a kind of price; who speaks of our own by our own names needs no mapping.
pub fn heard(tx: &mut Tx, connection: i64, kind: MapKind, external_id: &str) -> Result<(), DbError> {
    let known = maps::all(tx.engine(), connection)?;
    if known.iter().any(|m| m.kind == kind && m.external_id == external_id) {
        return Ok(());
    }
    let (name, currency, target) = (external_id.to_string(), String::new(), String::new());
    maps::heard(tx, connection, &Mapped { kind, external_id: external_id.into(), name, currency, target })?;
    let ours = match kind {
        MapKind::Warehouse => stock::commands::places(tx)?.find(external_id).is_some(),
        MapKind::PriceType => external_id == "base",
    };
    if ours {
        maps::point(tx, connection, kind, external_id, external_id)?;
    }
    Ok(())
}

/// The location here of a warehouse there.
fn location(tx: &mut Tx, connection: &Connection, warehouse: &str) -> Result<i64, Stop> {
    heard(tx, connection.id, MapKind::Warehouse, warehouse)?;
    let all = maps::all(tx.engine(), connection.id)?;
    let target =
        all.iter().find(|m| m.kind == MapKind::Warehouse && m.external_id == warehouse).map(|m| m.target.clone());
    let target = target.unwrap_or_default();
    match stock::commands::places(tx)?.find(&target).map(|l| l.no) {
        Some(no) if !target.is_empty() => Ok(no),
        _ => refused(format!("nobody has said which location the warehouse {warehouse:?} is; then tell it again")),
    }
}

/// Goods that came, were sold or came back there: facts, whatever our books say.
fn paper(tx: &mut Tx, connection: &Connection, event: &Incoming, place: &Place) -> Result<(), Stop> {
    let told: Paper = read(event)?;
    let own = location(tx, connection, &told.warehouse)?;
    let (kind, from_no, to_no) = match event.kind {
        Type::Receipt => (DocumentKind::Receipt, SUPPLIER, own),
        Type::Sale => (DocumentKind::Sale, own, CUSTOMER),
        _ => (DocumentKind::Return, CUSTOMER, own),
    };
    let mut moves = Vec::with_capacity(told.lines.len());
    for line in &told.lines {
        let quantity = Quantity::parse(&line.quantity).map_err(|e| Stop::Refused(e.to_string()))?;
        let (_, variant_no) = which(tx, connection, &line.which)?;
        let (from_condition, to_condition) = (Condition::Sellable, Condition::Sellable);
        let (lot, reason) = ("".into(), "".into());
        moves.push(Move { variant_no, from_no, from_condition, to_no, to_condition, lot, quantity, reason });
    }
    let teller = source(connection);
    let paper = Document {
        kind,
        source: teller.as_str().into(),
        external_id: paper_id(&format!("event:{}", event.id)).into(),
        reference: told.number.chars().take(40).collect::<String>().into(),
        note: "".into(),
        actor: teller.as_str().into(),
        at: event.at,
        moves,
    };
    match post(tx, &paper, Shortage::Record) {
        Ok(posted) => {
            for short in &posted.found {
                let what = format!(
                    "{} moved, and our books had {}: the rest was written down as found",
                    short.wanted, short.available
                );
                note(tx, place, Level::Note, 0, &event.id, &what);
            }
            for broken in &posted.broken {
                let what = format!("{} of {} cannot be served any more", broken.quantity, broken.owner);
                note(tx, place, Level::Note, 0, &event.id, &what);
            }
            Ok(())
        }
        Err(StockError::Store(error)) => Err(error.into()),
        Err(error) => refused(error.to_string()),
    }
}

fn payment(tx: &mut Tx, connection: &Connection, event: &Incoming) -> Result<(), Stop> {
    let told: Payment = read(event)?;
    let action = match told.action.as_str() {
        "capture" => Action::Capture,
        "refund" => Action::Refund,
        _ => return refused("action is capture or refund"),
    };
    let money = Money::parse(&told.amount, &told.currency).map_err(|e| Stop::Refused(e.to_string()))?;
    let row = tx.first("SELECT no, currency FROM orders WHERE number = $1", &[(&told.order).into()])?;
    let Some(row) = row else { return refused(format!("there is no order {:?} here", told.order)) };
    let (no, currency) = (row.int(0)?, row.text(1)?.to_string());
    if currency != money.currency {
        return refused(format!("the order is in {currency}"));
    }
    let provider = source(connection);
    let external_id = paper_id(&format!("event:{}", event.id));
    let fact =
        Fact { provider: provider.clone(), payment_id: told.number, external_id, action, amount_minor: money.minor };
    match pay(tx, no, &fact, &provider) {
        Ok(_) => Ok(()),
        Err(OrderError::Store(error)) => Err(error.into()),
        Err(error) => refused(error.to_string()),
    }
}
