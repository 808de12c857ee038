//! Uses what the other side said of prices and stock, as soon as it can be used: the offer is known and somebody said what its
//! warehouse or kind of price is here. Until then it waits.
use super::connections::{Connection, StockMode};
use super::journal::{Level, Place, note};
use super::maps::{self, MapKind};
use super::source;
use base::{Decimal, Quantity, Timestamp};
use catalog::commands::put_products_by;
use catalog::model::{Price, ProductInput, VariantInput};
use catalog::prices::commands::{NewPrice, PriceError, set_prices};
use catalog::prices::model::BASE;
use catalog::variants;
use db::{Bulk, DbError, Lookup, Tx, Value};
use std::collections::{BTreeMap, HashMap};
use stock::StockError;
use stock::model::{Document, DocumentKind};

/// A price as the other side said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    pub external_id: String,
    pub price_type: String,
    /// Major units.
    pub amount: Decimal,
    /// As it was written; empty: that of the type, or the connection's.
    pub currency: String,
}

/// A quantity as the other side said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub external_id: String,
    /// Empty: everywhere together.
    pub warehouse: String,
    pub quantity: Quantity,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Done {
    pub prices: u64,
    pub counts: u64,
    /// What changed our books.
    pub moved: u64,
    pub refused: u64,
    /// What nobody said the meaning of yet.
    pub waiting: u64,
}

impl std::ops::AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.prices += other.prices;
        self.counts += other.counts;
        self.moved += other.moved;
        self.refused += other.refused;
        self.waiting += other.waiting;
    }
}

static PRICES: Bulk = Bulk {
    table: "erp_prices",
    columns: &[
        ("connection_id", 'i'),
        ("external_id", 't'),
        ("price_type", 't'),
        ("amount", 't'),
        ("currency", 't'),
        ("at", 'i'),
        ("applied", 'i'),
    ],
    key: 3,
    insert_only: false,
};
static STOCK: Bulk = Bulk {
    table: "erp_stock",
    columns: &[
        ("connection_id", 'i'),
        ("external_id", 't'),
        ("warehouse", 't'),
        ("quantity", 'i'),
        ("at", 'i'),
        ("applied", 'i'),
    ],
    key: 3,
    insert_only: false,
};
static PRICES_OF: Lookup = Lookup {
    table: "erp_prices",
    keys: &[("connection_id", 'i'), ("external_id", 't')],
    columns: "price_type, amount, currency, at, applied",
    order: "price_type",
};
static STOCK_OF: Lookup = Lookup {
    table: "erp_stock",
    keys: &[("connection_id", 'i'), ("external_id", 't')],
    columns: "warehouse, quantity, at, applied",
    order: "warehouse",
};

struct PriceRow {
    price_type: String,
    amount: String,
    currency: String,
    at: i64,
    applied: bool,
}

struct StockRow {
    warehouse: String,
    quantity: i64,
    at: i64,
    applied: bool,
}

/// Reads rows by their offer.
fn rows_of<T>(
    tx: &mut Tx,
    lookup: &'static Lookup,
    connection: i64,
    ids: &[&str],
    read: fn(&db::Row) -> Result<T, DbError>,
) -> Result<HashMap<String, Vec<T>>, DbError> {
    let mut ask = ids.to_vec();
    ask.sort_unstable();
    ask.dedup();
    let keys: Vec<[Value<'_>; 2]> = ask.iter().map(|id| [connection.into(), (*id).into()]).collect();
    let refs: Vec<&[Value<'_>]> = keys.iter().map(|k| &k[..]).collect();
    let mut out: HashMap<String, Vec<T>> = HashMap::new();
    if refs.is_empty() {
        return Ok(out);
    }
    tx.lookup(lookup, &refs, &mut |at, row| {
        out.entry(ask[at].to_string()).or_default().push(read(&row)?);
        Ok(())
    })?;
    Ok(out)
}

fn prices_of(tx: &mut Tx, connection: i64, ids: &[&str]) -> Result<HashMap<String, Vec<PriceRow>>, DbError> {
    rows_of(tx, &PRICES_OF, connection, ids, |row| {
        Ok(PriceRow {
            price_type: row.text(0)?.into(),
            amount: row.text(1)?.into(),
            currency: row.text(2)?.into(),
            at: row.int(3)?,
            applied: row.int(4)? != 0,
        })
    })
}

fn stock_of(tx: &mut Tx, connection: i64, ids: &[&str]) -> Result<HashMap<String, Vec<StockRow>>, DbError> {
    rows_of(tx, &STOCK_OF, connection, ids, |row| {
        Ok(StockRow {
            warehouse: row.text(0)?.into(),
            quantity: row.int(1)?,
            at: row.int(2)?,
            applied: row.int(3)? != 0,
        })
    })
}

/// Which of these offers have something that waits.
pub fn waiting(tx: &mut Tx, connection: i64, ids: &[&str]) -> Result<Vec<String>, DbError> {
    let prices = prices_of(tx, connection, ids)?;
    let stock = stock_of(tx, connection, ids)?;
    let mut out: Vec<String> =
        prices.into_iter().filter(|(_, all)| all.iter().any(|p| !p.applied)).map(|(id, _)| id).collect();
    out.extend(stock.into_iter().filter(|(_, all)| all.iter().any(|s| !s.applied)).map(|(id, _)| id));
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Keeps what was said as of a moment. What is older than what is known is no news; a price that is as it was stays used.
pub fn keep(tx: &mut Tx, connection: i64, prices: &[Priced], held: &[Held], at: Timestamp) -> Result<(), DbError> {
    let known = prices_of(tx, connection, &prices.iter().map(|p| p.external_id.as_str()).collect::<Vec<_>>())?;
    let mut fresh: BTreeMap<(&str, &str), (String, &str)> = BTreeMap::new();
    for p in prices {
        let amount = p.amount.to_string();
        let before = known.get(&p.external_id).and_then(|all| all.iter().find(|k| k.price_type == p.price_type));
        let same = |k: &PriceRow| k.at > at.micros() || (k.amount == amount && k.currency == p.currency);
        if !before.is_some_and(same) {
            fresh.insert((&p.external_id, &p.price_type), (amount, &p.currency));
        }
    }
    let rows: Vec<[Value<'_>; 7]> = fresh
        .iter()
        .map(|((id, kind), (amount, currency))| {
            [
                connection.into(),
                (*id).into(),
                (*kind).into(),
                amount.into(),
                (*currency).into(),
                at.micros().into(),
                0.into(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        tx.upsert_many(&PRICES, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
    }
    let known = stock_of(tx, connection, &held.iter().map(|h| h.external_id.as_str()).collect::<Vec<_>>())?;
    let mut fresh: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for h in held {
        let before = known.get(&h.external_id).and_then(|all| all.iter().find(|k| k.warehouse == h.warehouse));
        // The same moment again is the same file again.
        if !before.is_some_and(|k| k.at > at.micros() || (k.at == at.micros() && k.quantity == h.quantity.milli())) {
            fresh.insert((&h.external_id, &h.warehouse), h.quantity.milli());
        }
    }
    let rows: Vec<[Value<'_>; 6]> = fresh
        .iter()
        .map(|((id, place), milli)| {
            [connection.into(), (*id).into(), (*place).into(), (*milli).into(), at.micros().into(), 0.into()]
        })
        .collect();
    if rows.is_empty() { Ok(()) } else { tx.upsert_many(&STOCK, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>()) }
}

/// Uses what waits of these offers: id there, variant here.
pub fn settle(
    tx: &mut Tx,
    connection: &Connection,
    currency: &str,
    offers: &[(String, i64)],
    place: &Place,
) -> Result<Done, DbError> {
    let mut done = Done::default();
    let mut targets: HashMap<(MapKind, String), maps::Mapped> = HashMap::new();
    for mapped in maps::all(tx.engine(), connection.id)? {
        targets.insert((mapped.kind, mapped.external_id.clone()), mapped);
    }
    let ids: Vec<&str> = offers.iter().map(|(id, _)| id.as_str()).collect();
    let prices = prices_of(tx, connection.id, &ids)?;
    set(tx, (connection, currency), offers, (&prices, &targets), place, &mut done)?;
    let stock = stock_of(tx, connection.id, &ids)?;
    count(tx, connection, offers, (&stock, &targets), place, &mut done)?;
    Ok(done)
}

fn used_prices(tx: &mut Tx, connection: i64, all: &[(&str, &PriceRow)]) -> Result<(), DbError> {
    let rows: Vec<[Value<'_>; 7]> = all
        .iter()
        .map(|(id, r)| {
            let (kind, amount, currency) = ((&r.price_type).into(), (&r.amount).into(), (&r.currency).into());
            [connection.into(), (*id).into(), kind, amount, currency, r.at.into(), 1.into()]
        })
        .collect();
    if rows.is_empty() { Ok(()) } else { tx.upsert_many(&PRICES, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>()) }
}

fn used_stock(tx: &mut Tx, connection: i64, all: &[(&str, &StockRow)]) -> Result<(), DbError> {
    let rows: Vec<[Value<'_>; 6]> = all
        .iter()
        .map(|(id, r)| {
            [connection.into(), (*id).into(), (&r.warehouse).into(), r.quantity.into(), r.at.into(), 1.into()]
        })
        .collect();
    if rows.is_empty() { Ok(()) } else { tx.upsert_many(&STOCK, &rows.iter().map(|r| &r[..]).collect::<Vec<_>>()) }
}

type Targets = HashMap<(MapKind, String), maps::Mapped>;

fn set(
    tx: &mut Tx,
    (connection, usual): (&Connection, &str),
    offers: &[(String, i64)],
    (rows, targets): (&HashMap<String, Vec<PriceRow>>, &Targets),
    place: &Place,
    done: &mut Done,
) -> Result<(), DbError> {
    // One change of prices a list and currency.
    type Wanted<'a> = BTreeMap<(i64, String), Vec<(NewPrice, &'a str)>>;
    let mut wanted: Wanted<'_> = BTreeMap::new();
    let mut used: Vec<(&str, &PriceRow)> = Vec::new();
    for (id, variant) in offers {
        for row in rows.get(id).into_iter().flatten().filter(|r| !r.applied) {
            let target = targets.get(&(MapKind::PriceType, row.price_type.clone()));
            let list = match target.map_or("", |t| t.target.as_str()) {
                "" => {
                    done.waiting += 1;
                    continue;
                }
                "base" => BASE,
                number => number.parse().unwrap_or(-1),
            };
            let said = [&row.currency[..], target.map_or("", |t| &t.currency), &connection.settings.currency, usual];
            let said = said.into_iter().find(|c| !c.is_empty()).unwrap_or_default();
            let minor = exchange::commerceml::currency(said).and_then(|code| {
                let places = base::currency_exponent(&code);
                Decimal::parse(&row.amount)?.to_minor(places).map(|minor| (minor, code))
            });
            used.push((id, row));
            let Some((minor, code)) = minor else {
                note(tx, place, Level::Refused, 0, id, &format!("the price {} {said:?} cannot be read", row.amount));
                done.refused += 1;
                continue;
            };
            let price = NewPrice {
                variant: *variant,
                min_quantity: 0,
                minor: Some(minor),
                compare_at: None,
                from: None,
                until: None,
            };
            wanted.entry((list, code)).or_default().push((price, id));
        }
    }
    let actor = source(connection);
    for ((list, code), all) in wanted {
        let prices: Vec<NewPrice> = all.iter().map(|(p, _)| p.clone()).collect();
        let key = format!("{actor}:{}", tx.next_id());
        match set_prices(tx, (list, &code), &key, &prices, &actor, &place.file) {
            Ok(applied) => {
                done.prices += applied.accepted as u64;
                for r in &applied.rejections {
                    note(
                        tx,
                        place,
                        Level::Refused,
                        0,
                        all.get(r.index).map_or("", |a| a.1),
                        &format!("price: {}", r.what),
                    );
                    done.refused += 1;
                }
            }
            Err(PriceError::Store(error)) => return Err(error),
            Err(error) => {
                note(tx, place, Level::Refused, 0, &format!("{} prices", prices.len()), &error.to_string());
                done.refused += prices.len() as u64;
            }
        }
        if list == BASE {
            base_of_products(tx, &actor, &code, &prices, place)?;
        }
    }
    used_prices(tx, connection.id, &used)
}

/// The catalogue's own price follows the base price, so that feeds show it.
fn base_of_products(tx: &mut Tx, actor: &str, code: &str, prices: &[NewPrice], place: &Place) -> Result<(), DbError> {
    let mut inputs: BTreeMap<i64, ProductInput> = BTreeMap::new();
    for price in prices {
        let (Some(variant), Some(minor)) = (variants::get(tx, price.variant)?, price.minor) else { continue };
        let price = Some(Price { minor, currency: code.into() });
        let input = VariantInput { sku: variant.sku.to_string(), price, ..VariantInput::default() };
        inputs.entry(variant.product_no).or_default().variants.push(input);
    }
    let numbers: Vec<i64> = inputs.keys().copied().collect();
    for product in catalog::products::by_nos(tx, &numbers)?.into_iter().flatten() {
        if let Some(input) = inputs.get_mut(&product.no) {
            input.id = product.id;
        }
    }
    let inputs: Vec<ProductInput> = inputs.into_values().filter(|i| !i.id.is_empty()).collect();
    let (_, rejected) = put_products_by(tx, actor, &inputs)?;
    for r in rejected {
        note(tx, place, Level::Refused, 0, &inputs[r.index].id, &format!("price: {}", r.detail));
    }
    Ok(())
}

fn count(
    tx: &mut Tx,
    connection: &Connection,
    offers: &[(String, i64)],
    (rows, targets): (&HashMap<String, Vec<StockRow>>, &Targets),
    place: &Place,
    done: &mut Done,
) -> Result<(), DbError> {
    let teller = source(connection);
    let mut used: Vec<(&str, &StockRow)> = Vec::new();
    for (id, variant) in offers {
        let Some(all) = rows.get(id) else { continue };
        // Who names warehouses does not mean the total.
        let by_place = all.iter().any(|r| !r.warehouse.is_empty());
        for row in all.iter().filter(|r| !(r.applied || by_place && r.warehouse.is_empty())) {
            let target = targets.get(&(MapKind::Warehouse, row.warehouse.clone())).map_or("", |t| t.target.as_str());
            if target.is_empty() {
                done.waiting += 1;
                continue;
            }
            used.push((id, row));
            if connection.settings.stock == StockMode::Check {
                continue;
            }
            let outcome = count_one(tx, (connection, &teller), (id, *variant), row, target, place)?;
            match outcome {
                Ok(moved) => {
                    done.counts += 1;
                    done.moved += u64::from(moved);
                }
                Err(why) => {
                    note(tx, place, Level::Refused, 0, id, &format!("stock at {target}: {why}"));
                    done.refused += 1;
                }
            }
        }
    }
    used_stock(tx, connection.id, &used)
}

/// An id of a paper in the 200 bytes that it may have.
pub fn paper_id(text: &str) -> String {
    if text.len() <= 200 { text.into() } else { crate::secrets::hex(&crate::secrets::hash_key(text)) }
}

/// Writes one quantity down as a count at its moment. Gives whether it moved anything, or why it was refused.
fn count_one(
    tx: &mut Tx,
    (connection, teller): (&Connection, &str),
    (id, variant): (&str, i64),
    row: &StockRow,
    target: &str,
    place: &Place,
) -> Result<Result<bool, String>, DbError> {
    let tracked = variants::get(tx, variant)?.is_some_and(|v| v.tracked);
    if !tracked {
        return Ok(Ok(false));
    }
    let places = stock::commands::places(tx)?;
    let Some(location) = places.find(target).map(|l| l.no) else {
        return Ok(Err(format!("there is no location {target:?}")));
    };
    let at = Timestamp::from_micros(row.at.min(tx.now().micros()));
    // What happened here until then, and the other side has not heard of: its number is without that.
    let unheard = super::feed::unheard(tx, connection, variant, location, at)?;
    let told = Quantity::from_milli(row.quantity) + unheard;
    if told.is_negative() {
        let what = format!("{told} at {target} is less than nothing: counted as nothing");
        note(tx, place, Level::Note, 0, id, &what);
    }
    let paper = Document {
        kind: DocumentKind::Count,
        source: teller.into(),
        external_id: paper_id(&format!("{}:{location}:{id}", row.at)).into(),
        reference: place.file.chars().take(40).collect::<String>().into(),
        note: "".into(),
        actor: teller.into(),
        at,
        moves: vec![],
    };
    match stock::commands::count(tx, &paper, location, variant, told.or_none()) {
        Ok((posted, variance)) => {
            for broken in posted.iter().flat_map(|p| &p.broken) {
                let what = format!("at {target} {} of {} cannot be served any more", broken.quantity, broken.owner);
                note(tx, place, Level::Note, 0, id, &what);
            }
            Ok(Ok(!variance.is_zero()))
        }
        Err(StockError::Store(error)) => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}
