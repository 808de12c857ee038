//! What items of a file do here: goods become products, offers become variants with prices and stock.
use super::connections::Connection;
use super::ids::{self, IdKind, IdState, Known};
use super::journal::{Level, Place, note};
use super::maps::{self, MapKind, Mapped, Name};
use super::settle::{self, Done, Held, Priced};
use super::source;
use base::Timestamp;
use catalog::commands::put_products_by;
use catalog::gtin::Gtin;
use catalog::model::{MediaLink, Outcome, ProductInput, ProductState, VariantInput};
use catalog::products;
use catalog::variants::{self, normalise_sku};
use db::{DbError, Tx};
use exchange::commerceml::{Head, Item, OfferItem, ProductItem};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};

/// An item with its place in the file, and media of goods that lie beside it.
#[derive(Debug, Clone)]
pub struct Row {
    /// From 1.
    pub line: i64,
    pub item: Item,
    /// Hashes of pictures that were kept.
    pub media: Vec<String>,
}

/// What a piece of a file is read under.
pub struct Around<'a> {
    pub connection: &'a Connection,
    /// The shop's currency.
    pub currency: &'a str,
    pub head: Option<Head>,
    /// The moment that the file speaks of.
    pub at: Timestamp,
    /// Since when goods count as seen in this exchange.
    pub begun_us: i64,
    pub place: Place,
}

/// What became of a file's items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = ErpTally)]
pub struct Tally {
    pub items: u64,
    pub goods: u64,
    pub created: u64,
    pub changed: u64,
    pub offers: u64,
    pub prices: u64,
    pub counts: u64,
    pub moved: u64,
    pub orders: u64,
    pub refused: u64,
    pub waiting: u64,
}

impl Tally {
    pub fn add(&mut self, done: Done) {
        self.prices += done.prices;
        self.counts += done.counts;
        self.moved += done.moved;
        self.refused += done.refused;
        self.waiting += done.waiting;
    }
}

/// Takes a piece of a file in.
pub fn take(tx: &mut Tx, around: &Around<'_>, rows: &[Row], tally: &mut Tally) -> Result<(), DbError> {
    words(tx, around, rows, tally)?;
    let goods: Vec<(i64, &ProductItem, &[String])> = rows
        .iter()
        .filter_map(|r| if let Item::Product(p) = &r.item { Some((r.line, p, &r.media[..])) } else { None })
        .collect();
    let woken = take_goods(tx, around, &goods, tally)?;
    let mut offers: Vec<(i64, OfferItem)> = woken.into_iter().map(|offer| (0, offer)).collect();
    for row in rows {
        if let Item::Offer(offer) = &row.item {
            tally.offers += 1;
            offers.push((row.line, offer.clone()));
        }
    }
    take_offers(tx, around, &offers, tally)
}

/// Groups, properties, warehouses, kinds of prices, and what could not be read.
fn words(tx: &mut Tx, around: &Around<'_>, rows: &[Row], tally: &mut Tally) -> Result<(), DbError> {
    let connection = around.connection.id;
    let mut names: Vec<Name> = Vec::new();
    for row in rows {
        tally.items += 1;
        match &row.item {
            Item::Group(g) => {
                let (external_id, parent, name) = (g.id.clone(), g.parent.clone(), g.name.clone());
                names.push(Name { kind: "group", external_id, parent, name });
            }
            Item::Property(p) => {
                let named = |kind, id: &str, parent: &str, name: &str| Name {
                    kind,
                    external_id: id.into(),
                    parent: parent.into(),
                    name: name.into(),
                };
                names.push(named("property", &p.id, "", &p.name));
                names.extend(p.values.iter().map(|(id, text)| named("value", id, &p.id, text)));
            }
            Item::PriceType(p) => {
                let (external_id, name, currency) = (p.id.clone(), p.name.clone(), p.currency.clone());
                let heard = Mapped { kind: MapKind::PriceType, external_id, name, currency, target: String::new() };
                maps::heard(tx, connection, &heard)?;
            }
            Item::Warehouse(w) => {
                let (external_id, name) = (w.id.clone(), w.name.clone());
                let (currency, target) = (String::new(), String::new());
                maps::heard(tx, connection, &Mapped { kind: MapKind::Warehouse, external_id, name, currency, target })?;
            }
            Item::Bad { what, subject, why } => {
                note(tx, &around.place, Level::Refused, row.line, subject, &format!("{what}: {why}"));
                tally.refused += 1;
            }
            Item::Other(name) => note(tx, &around.place, Level::Note, row.line, name, "it is not used here"),
            _ => {}
        }
    }
    maps::keep_names(tx, connection, &names)
}

/// Goods become products. Gives offers that waited for them.
fn take_goods(
    tx: &mut Tx,
    around: &Around<'_>,
    goods: &[(i64, &ProductItem, &[String])],
    tally: &mut Tally,
) -> Result<Vec<OfferItem>, DbError> {
    if goods.is_empty() {
        return Ok(Vec::new());
    }
    let connection = around.connection.id;
    let asked: Vec<(IdKind, &str)> = goods.iter().map(|(_, p, _)| (IdKind::Product, p.id.as_str())).collect();
    let known = ids::find(tx, connection, &asked)?;
    let mut wanted: Vec<(&'static str, String)> = Vec::new();
    for (_, p, _) in goods {
        wanted.extend(p.groups.iter().map(|g| ("group", g.clone())));
        for (property, values) in &p.values {
            wanted.push(("property", property.clone()));
            wanted.extend(values.iter().map(|v| ("value", v.clone())));
        }
    }
    let names = maps::names(tx, connection, wanted)?;
    let adopted = adoptable(tx, connection, goods, &known)?;
    let mut inputs: Vec<ProductInput> = Vec::with_capacity(goods.len());
    let mut fresh: Vec<(Known, i64)> = Vec::with_capacity(goods.len());
    for (line, p, media) in goods {
        tally.goods += 1;
        let before = known.get(&(IdKind::Product, p.id.clone()));
        let state = if p.deleted { IdState::Gone } else { IdState::Live };
        if before.is_none() && p.deleted {
            // What is deleted before it was ever here needs no product; its id is kept, so that offers of it are understood.
            note(tx, &around.place, Level::Note, *line, &p.id, "it is marked as deleted and was never here");
            continue;
        }
        let adopted = adopted.get(p.id.as_str());
        let product_id = match (before, adopted) {
            (Some(before), _) => before.product_id.clone(),
            (None, Some((product_id, _))) => product_id.clone(),
            (None, None) => p.id.clone(),
        };
        let known = Known {
            kind: IdKind::Product,
            external_id: p.id.clone(),
            catalogue: around.head.as_ref().map_or_else(String::new, |h| h.catalogue.clone()),
            product_id: product_id.clone(),
            variant_no: 0,
            article: p
                .article
                .clone()
                .or_else(|| p.code.clone())
                .or(before.map(|b| b.article.clone()))
                .unwrap_or_default(),
            barcode: p.barcode.clone().or(before.map(|b| b.barcode.clone())).unwrap_or_default(),
            service: p.is_service,
            state,
            seen_at: around.begun_us,
        };
        let back = before.is_some_and(|b| b.state == IdState::Gone) && !p.deleted;
        let input = product(p, product_id, &names, media, before.is_none() && adopted.is_none() || back);
        inputs.push(input);
        fresh.push((known, *line));
    }
    let actor = source(around.connection);
    let (accepted, rejected) = put_products_by(tx, &actor, &inputs)?;
    for a in &accepted {
        match a.outcome {
            Outcome::Created => tally.created += 1,
            Outcome::Changed => tally.changed += 1,
            Outcome::Same => {}
        }
    }
    let mut refused: HashSet<usize> = HashSet::new();
    for r in rejected {
        let (known, line) = &fresh[r.index];
        note(
            tx,
            &around.place,
            Level::Refused,
            *line,
            &known.external_id,
            &format!("goods{}: {}", r.pointer, r.detail),
        );
        tally.refused += 1;
        refused.insert(r.index);
    }
    let taken: Vec<&Known> =
        fresh.iter().enumerate().filter(|(at, _)| !refused.contains(at)).map(|(_, (k, _))| k).collect();
    ids::put(tx, connection, taken.iter().copied())?;
    let links: Vec<Known> = taken
        .iter()
        .filter_map(|k| {
            let (_, variant_no) = adopted.get(k.external_id.as_str())?;
            Some(Known { kind: IdKind::Variant, variant_no: *variant_no, ..(*k).clone() })
        })
        .collect();
    for link in &links {
        let what = format!("its article {:?} is known here: it is that product from now on", link.article);
        note(tx, &around.place, Level::Note, 0, &link.external_id, &what);
    }
    ids::put(tx, connection, &links)?;
    let waiting: Vec<&str> = taken.iter().map(|k| k.external_id.as_str()).collect();
    let woken = settle::waiting(tx, connection, &waiting)?;
    let offer = |id: String| Some(OfferItem { id: exchange::commerceml::OfferId::parse(&id)?, ..OfferItem::default() });
    Ok(woken.into_iter().filter_map(offer).collect())
}

/// New goods whose article is an SKU here that no goods of this connection are yet: product and variant.
fn adoptable(
    tx: &mut Tx,
    connection: i64,
    goods: &[(i64, &ProductItem, &[String])],
    known: &ids::All,
) -> Result<HashMap<String, (String, i64)>, DbError> {
    let fresh: Vec<(&str, String)> = goods
        .iter()
        .filter(|(_, p, _)| !p.deleted && !known.contains_key(&(IdKind::Product, p.id.clone())))
        .filter_map(|(_, p, _)| Some((p.id.as_str(), normalise_sku(p.article.as_deref()?)?)))
        .collect();
    let skus: Vec<String> = fresh.iter().map(|(_, sku)| sku.clone()).collect();
    let found = variants::find_many(tx, &skus)?;
    let numbers: Vec<i64> = found.iter().flatten().copied().collect();
    let taken = ids::of_variants(tx, connection, &numbers)?;
    let owners = products::products_of(tx, &numbers)?;
    let products: Vec<i64> = owners.iter().flatten().copied().collect();
    let mut product_ids: HashMap<i64, String> = HashMap::new();
    for product in products::by_nos(tx, &products)?.into_iter().flatten() {
        product_ids.insert(product.no, product.id);
    }
    let by_variant: HashMap<i64, i64> = numbers.iter().zip(owners).filter_map(|(v, p)| Some((*v, p?))).collect();
    let (mut out, mut used) = (HashMap::new(), HashSet::new());
    for ((id, _), variant) in fresh.iter().zip(&found) {
        let Some(variant) = variant.filter(|v| !taken.contains_key(v)) else { continue };
        let product = by_variant.get(&variant).and_then(|no| product_ids.get(no));
        // Two goods of one article: the first is it.
        if let Some(product) = product.filter(|_| used.insert(variant)) {
            out.insert((*id).to_string(), (product.clone(), variant));
        }
    }
    Ok(out)
}

/// Goods as the catalogue takes them: what was not said stays.
fn product(p: &ProductItem, id: String, names: &maps::Names, media: &[String], activate: bool) -> ProductInput {
    let mut attributes: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    if let Some(description) = &p.description {
        attributes.insert("description".into(), exchange::goods::plain(description).into());
    }
    for (property, values) in &p.values {
        let Some((_, name)) = names.get(&("property", property.clone())) else { continue };
        let key = code(name);
        let text = |v: &String| match names.get(&("value", v.clone())) {
            Some((parent, text)) if parent == property => text.clone(),
            _ => v.clone(),
        };
        let texts: Vec<String> = values.iter().map(text).collect();
        match &texts[..] {
            _ if key.is_empty() => {}
            [] => {}
            [one] => drop(attributes.insert(key, one.as_str().into())),
            many => drop(attributes.insert(key, json!(many))),
        }
    }
    let categories: Vec<String> = p.groups.iter().filter_map(|g| maps::path(names, g)).collect();
    let media = media.iter().map(|hash| MediaLink { hash: hash.clone(), alt: BTreeMap::new(), skus: Vec::new() });
    let state = match (p.deleted, activate) {
        (true, _) => Some(ProductState::Archived),
        (false, true) => Some(ProductState::Active),
        (false, false) => None,
    };
    ProductInput {
        id,
        name: p.name.clone(),
        state,
        brand: p.brand.clone(),
        categories: Some(categories).filter(|c| !c.is_empty()),
        attributes,
        media: Some(media.collect::<Vec<_>>()).filter(|m| !m.is_empty()),
        ..ProductInput::default()
    }
}

/// A name as the code of an attribute: without the marks that codes use themselves.
fn code(name: &str) -> String {
    let clean: String =
        name.chars().map(|c| if c.is_control() || matches!(c, '@' | '#' | '|') { ' ' } else { c }).collect();
    clean.trim().chars().take(60).collect::<String>().trim().to_string()
}

/// Offers become variants; what they cost and how many there are is kept and, where it can be, used.
fn take_offers(
    tx: &mut Tx,
    around: &Around<'_>,
    offers: &[(i64, OfferItem)],
    tally: &mut Tally,
) -> Result<(), DbError> {
    if offers.is_empty() {
        return Ok(());
    }
    let connection = around.connection.id;
    let texts: Vec<String> = offers.iter().map(|(_, o)| o.id.to_string()).collect();
    let mut asked: Vec<(IdKind, &str)> = texts.iter().map(|t| (IdKind::Variant, t.as_str())).collect();
    for (_, offer) in offers {
        asked.push((IdKind::Product, &offer.id.product));
        asked.push((IdKind::Variant, &offer.id.product));
    }
    let mut known = ids::find(tx, connection, &asked)?;
    heard(tx, connection, offers)?;
    name_products(tx, around, offers, &mut known, tally)?;
    make_variants(tx, around, offers, &mut known, tally)?;
    let (mut prices, mut held) = (Vec::new(), Vec::new());
    for ((line, offer), id) in offers.iter().zip(&texts) {
        if let Some((total, sum)) = offer.disagreement() {
            let what = format!("{total} in all, but {sum} in its warehouses: those count");
            note(tx, &around.place, Level::Note, *line, id, &what);
        }
        prices.extend(offer.prices.iter().map(|p| Priced {
            external_id: id.clone(),
            price_type: p.price_type.clone(),
            amount: p.amount,
            currency: p.currency.clone(),
        }));
        let all = offer.stock.iter().map(|(place, quantity)| (place.clone(), *quantity));
        let total = offer.total.filter(|_| offer.stock.is_empty()).map(|q| (String::new(), q));
        held.extend(all.chain(total).map(|(warehouse, quantity)| Held {
            external_id: id.clone(),
            warehouse,
            quantity,
        }));
    }
    settle::keep(tx, connection, &prices, &held, around.at)?;
    let mut ready: Vec<(String, i64)> = Vec::new();
    for id in &texts {
        match known.get(&(IdKind::Variant, id.clone())) {
            Some(k) if k.state != IdState::Moved => ready.push((id.clone(), k.variant_no)),
            _ => tally.waiting += 1,
        }
    }
    ready.sort_unstable();
    ready.dedup();
    let done = settle::settle(tx, around.connection, around.currency, &ready, &around.place)?;
    tally.add(done);
    Ok(())
}

/// Notes warehouses and kinds of prices that only offers name.
fn heard(tx: &mut Tx, connection: i64, offers: &[(i64, OfferItem)]) -> Result<(), DbError> {
    let mut named: HashSet<(MapKind, &str)> = HashSet::new();
    for (_, offer) in offers {
        named.extend(offer.prices.iter().map(|p| (MapKind::PriceType, p.price_type.as_str())));
        named.extend(offer.stock.iter().map(|(place, _)| (MapKind::Warehouse, place.as_str())));
        if offer.stock.is_empty() && offer.total.is_some() {
            named.insert((MapKind::Warehouse, ""));
        }
    }
    let all = maps::all(tx.engine(), connection)?;
    for (kind, id) in named {
        if !all.iter().any(|m| m.kind == kind && m.external_id == id) {
            let (external_id, name) = (id.to_string(), String::new());
            let (currency, target) = (String::new(), String::new());
            maps::heard(tx, connection, &Mapped { kind, external_id, name, currency, target })?;
        }
    }
    Ok(())
}

/// Products of offers that came before their goods: made of the offer's name, completed when the goods come.
fn name_products(
    tx: &mut Tx,
    around: &Around<'_>,
    offers: &[(i64, OfferItem)],
    known: &mut ids::All,
    tally: &mut Tally,
) -> Result<(), DbError> {
    let mut fresh: BTreeMap<&str, (i64, &OfferItem)> = BTreeMap::new();
    for (line, offer) in offers {
        let unknown = !known.contains_key(&(IdKind::Product, offer.id.product.clone()));
        if unknown && offer.name.is_some() && !offer.deleted {
            fresh.entry(&offer.id.product).or_insert((*line, offer));
        }
    }
    if fresh.is_empty() {
        return Ok(());
    }
    let as_goods: Vec<(i64, ProductItem)> = fresh
        .into_values()
        .map(|(line, offer)| {
            let name = offer.name.clone().unwrap_or_default();
            // `Boots (41)`: the characteristic is the variant's.
            let plain = match (&offer.id.characteristic, name.rfind(" (")) {
                (Some(_), Some(at)) if name.ends_with(')') => name[..at].to_string(),
                _ => name,
            };
            let own = offer.id.characteristic.is_none();
            let item = ProductItem {
                id: offer.id.product.clone(),
                name: Some(plain),
                article: offer.article.clone(),
                barcode: offer.barcode.clone().filter(|_| own),
                ..ProductItem::default()
            };
            (line, item)
        })
        .collect();
    let rows: Vec<(i64, &ProductItem, &[String])> = as_goods.iter().map(|(l, p)| (*l, p, &[][..])).collect();
    let goods = tally.goods;
    take_goods(tx, around, &rows, tally)?;
    tally.goods = goods;
    let asked: Vec<(IdKind, &str)> = as_goods
        .iter()
        .flat_map(|(_, p)| [(IdKind::Product, p.id.as_str()), (IdKind::Variant, p.id.as_str())])
        .collect();
    known.extend(ids::find(tx, around.connection.id, &asked)?);
    Ok(())
}

/// A variant that is to be made or changed.
struct Wanted<'a> {
    line: i64,
    offer: &'a OfferItem,
    id: String,
    product_id: String,
    input: VariantInput,
    /// It takes over the variant of the goods, which had no characteristics before.
    adopts: Option<i64>,
    service: bool,
}

fn make_variants(
    tx: &mut Tx,
    around: &Around<'_>,
    offers: &[(i64, OfferItem)],
    known: &mut ids::All,
    tally: &mut Tally,
) -> Result<(), DbError> {
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    let mut taken: HashSet<String> = HashSet::new();
    let mut moved: HashSet<&str> = HashSet::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (line, offer) in offers {
        let id = offer.id.to_string();
        let Some(product) = known.get(&(IdKind::Product, offer.id.product.clone())).cloned() else { continue };
        if !seen.insert(id.clone()) {
            continue;
        }
        let own = known.get(&(IdKind::Variant, id.clone()));
        if own.is_some_and(|k| k.state == IdState::Moved) {
            if *line > 0 {
                note(
                    tx,
                    &around.place,
                    Level::Refused,
                    *line,
                    &id,
                    "it has characteristics now: send them, each with its own",
                );
                tally.refused += 1;
            }
            continue;
        }
        let simple = known.get(&(IdKind::Variant, offer.id.product.clone()));
        let simple = simple.filter(|k| k.state == IdState::Live && k.variant_no != 0);
        let takes = offer.id.characteristic.is_some() && own.is_none();
        let adopts = simple.filter(|_| takes && moved.insert(&offer.id.product)).map(|k| k.variant_no);
        let standing = own.map(|k| k.variant_no).or(adopts);
        let says =
            offer.name.is_some() || !offer.characteristics.is_empty() || offer.barcode.is_some() || offer.deleted;
        if standing.is_some() && !says {
            continue;
        }
        if standing.is_none()
            && offer.id.characteristic.is_some()
            && offer.characteristics.is_empty()
            && offer.name.is_none()
        {
            // Only a quantity or a price of a characteristic that nobody described: it waits.
            continue;
        }
        let sku = match standing {
            Some(no) => variants::get(tx, no)?.map(|v| v.sku.to_string()),
            None => None,
        };
        let sku = match sku {
            Some(sku) => sku,
            None => free_sku(tx, offer, &product, &taken)?,
        };
        taken.insert(sku.clone());
        let barcode = offer
            .barcode
            .clone()
            .or_else(|| Some(product.barcode.clone()).filter(|b| offer.id.characteristic.is_none() && !b.is_empty()));
        if let Some(code) = barcode.as_deref().filter(|b| Gtin::parse(b).is_err()) {
            note(tx, &around.place, Level::Note, *line, &id, &format!("{code:?} is no GTIN and was left out"));
        }
        let mut attributes: BTreeMap<String, serde_json::Value> = BTreeMap::new();
        let named = offer.id.characteristic.is_some() && offer.characteristics.is_empty();
        for (name, value) in &offer.characteristics {
            attributes.insert(code(name), value.as_str().into());
        }
        if named && let Some(name) = &offer.name {
            // Old programs put the characteristic into the name only.
            let inner = name.rfind(" (").filter(|_| name.ends_with(')')).map(|at| &name[at + 2..name.len() - 1]);
            attributes.insert("Характеристика".into(), inner.unwrap_or(name).into());
        }
        attributes.remove("");
        let input = VariantInput {
            sku,
            gtin: barcode.filter(|b| Gtin::parse(b).is_ok()),
            tracked: standing.is_none().then_some(!product.service),
            archived: (offer.deleted || own.is_some_and(|k| k.state == IdState::Gone)).then_some(offer.deleted),
            attributes,
            ..VariantInput::default()
        };
        let (product_id, service) = (product.product_id.clone(), product.service);
        wanted.push(Wanted { line: *line, offer, id, product_id, input, adopts, service });
    }
    store_variants(tx, around, wanted, known, tally)
}

fn store_variants(
    tx: &mut Tx,
    around: &Around<'_>,
    wanted: Vec<Wanted<'_>>,
    known: &mut ids::All,
    tally: &mut Tally,
) -> Result<(), DbError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let product_ids: Vec<&str> = wanted.iter().map(|w| w.product_id.as_str()).collect();
    let mut axes: HashMap<String, Vec<String>> = HashMap::new();
    for product in products::by_ids(tx, &product_ids)?.into_iter().flatten() {
        axes.insert(product.id, product.axes);
    }
    // One input a variant: what is wrong with one costs no other of its product its place.
    let inputs: Vec<ProductInput> = wanted
        .iter()
        .map(|w| {
            let axes = axes.entry(w.product_id.clone()).or_default();
            let before = axes.len();
            for key in w.input.attributes.keys() {
                if !axes.contains(key) {
                    axes.push(key.clone());
                }
            }
            ProductInput {
                id: w.product_id.clone(),
                axes: (axes.len() > before).then(|| axes.clone()),
                variants: vec![w.input.clone()],
                ..ProductInput::default()
            }
        })
        .collect();
    let actor = source(around.connection);
    let (_, rejected) = put_products_by(tx, &actor, &inputs)?;
    let mut refused: HashSet<usize> = HashSet::new();
    for r in rejected {
        let w = &wanted[r.index];
        note(tx, &around.place, Level::Refused, w.line, &w.id, &format!("offer{}: {}", r.pointer, r.detail));
        tally.refused += 1;
        refused.insert(r.index);
    }
    let skus: Vec<String> = wanted.iter().map(|w| w.input.sku.clone()).collect();
    let numbers = variants::find_many(tx, &skus)?;
    let mut links: Vec<Known> = Vec::new();
    for (at, (w, no)) in wanted.iter().zip(numbers).enumerate() {
        let Some(variant_no) = no.filter(|_| !refused.contains(&at)) else { continue };
        let link = Known {
            kind: IdKind::Variant,
            external_id: w.id.clone(),
            catalogue: around.head.as_ref().map_or_else(String::new, |h| h.catalogue.clone()),
            product_id: w.product_id.clone(),
            variant_no,
            article: w.offer.article.clone().unwrap_or_default(),
            barcode: w.offer.barcode.clone().unwrap_or_default(),
            service: w.service,
            state: if w.offer.deleted { IdState::Gone } else { IdState::Live },
            seen_at: around.begun_us,
        };
        if w.adopts.is_some()
            && let Some(simple) = known.get_mut(&(IdKind::Variant, w.offer.id.product.clone()))
        {
            simple.state = IdState::Moved;
            links.push(simple.clone());
            let sql = "DELETE FROM erp_stock WHERE connection_id = $1 AND external_id = $2";
            tx.execute(sql, &[around.connection.id.into(), (&w.offer.id.product).into()])?;
            let what = format!(
                "{} has characteristics now: this is the first, with its stock and history",
                w.offer.id.product
            );
            note(tx, &around.place, Level::Note, w.line, &w.id, &what);
        }
        links.push(link);
    }
    ids::put(tx, around.connection.id, &links)?;
    known.extend(links.into_iter().map(|l| ((l.kind, l.external_id.clone()), l)));
    Ok(())
}

/// An SKU that nobody has: the article, with the characteristic where there is one; the id there where that is taken.
fn free_sku(tx: &mut Tx, offer: &OfferItem, product: &Known, taken: &HashSet<String>) -> Result<String, DbError> {
    let id = offer.id.to_string();
    let own = offer.article.as_deref().filter(|a| !a.is_empty() && *a != product.article);
    let base = own.or(Some(product.article.as_str()).filter(|a| !a.is_empty())).unwrap_or(&offer.id.product);
    let values: Vec<&str> = offer.characteristics.iter().map(|(_, v)| v.as_str()).collect();
    let tail = match (&offer.id.characteristic, values.is_empty()) {
        (None, _) => String::new(),
        (Some(_), false) => format!("-{}", values.join("-")),
        (Some(c), true) => format!("-{}", c.chars().take(8).collect::<String>()),
    };
    let short: String = id.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect();
    let tries =
        [own.unwrap_or_default().to_string(), format!("{base}{tail}"), format!("{base}{tail}-{short}"), id.clone()];
    for sku in tries.iter().filter_map(|s| normalise_sku(s)) {
        if !taken.contains(&sku) && variants::find(tx, &sku)?.is_none() {
            return Ok(sku);
        }
    }
    Ok(crate::secrets::hex(&crate::secrets::hash_key(&id)))
}
