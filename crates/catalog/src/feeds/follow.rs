//! Bringing the items of a feed up to the catalogue, a bounded piece at a time.
use super::render::{self, Item, Offer};
use super::{Feed, find, put};
use crate::model::{Product, ProductVariant};
use crate::{products, schema};
use db::{Bulk, DbError, Engine, Lookup, Tx, Value};
use hashbrown::HashMap;

/// Products in one piece.
pub const PIECE: i64 = 300;

static ITEMS: Bulk = Bulk {
    table: "feed_items",
    columns: &[("feed_no", 'i'), ("variant_no", 'i'), ("product_no", 'i'), ("item", 't'), ("why_not", 't')],
    key: 2,
    insert_only: false,
};
static OF_PRODUCT: Lookup = Lookup {
    table: "feed_items",
    keys: &[("feed_no", 'i'), ("product_no", 'i')],
    columns: "variant_no, item, why_not",
    order: "",
};

/// What a piece brought about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Products that were looked at.
    pub products: usize,
    /// Items that were written.
    pub written: usize,
    /// Whether there is more to do.
    pub more: bool,
}

/// Feeds that are behind the catalogue.
pub fn waiting(db: &mut Engine) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT f.no FROM feeds f WHERE f.active = 1 AND EXISTS (SELECT 1 FROM products p WHERE p.change > f.position) ORDER BY f.no";
    db.rows(sql, &[])?.iter().map(|r| r.int(0)).collect()
}

/// Says what a variant is offered for in a feed.
pub type Offering<'a> = dyn FnMut(&mut Tx, &Feed, &Product, &ProductVariant) -> Result<Offer, DbError> + 'a;

/// Brings a feed further. `offer` says price and availability of a variant; `media` is where pictures are fetched from.
pub fn advance(tx: &mut Tx, feed_no: i64, media: &str, offer: &mut Offering<'_>) -> Result<Pace, DbError> {
    let Some(mut feed) = find(tx.engine(), feed_no)?.filter(|f| f.active) else { return Ok(Pace::default()) };
    let schema = schema::held(tx)?;
    let Some(channel) = schema.channels.iter().find(|c| c.no == feed.channel_no).cloned() else {
        return Ok(Pace::default());
    };
    let rows = products::changed(tx.engine(), feed.position, PIECE)?;
    let Some((last, last_no)) = rows.last().copied() else { return Ok(Pace::default()) };
    let mut nos: Vec<i64> = rows.iter().map(|(_, no)| *no).collect();
    let full = nos.len() as i64 == PIECE;
    if full {
        nos.extend(products::of_change(tx.engine(), last, last_no)?);
    }
    let found = products::by_nos(tx, &nos)?;
    let mut known: HashMap<i64, (String, String)> = HashMap::new();
    let keys: Vec<[Value<'_>; 2]> = nos.iter().map(|no| [feed_no.into(), (*no).into()]).collect();
    tx.lookup(&OF_PRODUCT, &keys.iter().map(|k| &k[..]).collect::<Vec<_>>(), &mut |_, row| {
        known.insert(row.int(0)?, (row.text(1)?.to_string(), row.text(2)?.to_string()));
        Ok(())
    })?;
    let mut fresh: Vec<(i64, i64, String, &'static str)> = Vec::new();
    for product in found.iter().flatten() {
        for variant in &product.variants {
            let offered = offer(tx, &feed, product, variant)?;
            let (text, why) = match render::item(&schema, &channel, &feed, media, product, variant, &offered) {
                Item::Text(text) => (text, ""),
                Item::Not(why) => (String::new(), why),
            };
            if known.get(&variant.no).is_none_or(|(t, w)| *t != text || w != why) {
                fresh.push((variant.no, product.no, text, why));
            }
        }
    }
    let written: Vec<[Value<'_>; 5]> = fresh
        .iter()
        .map(|(variant, product, text, why)| {
            [feed_no.into(), (*variant).into(), (*product).into(), text.into(), (*why).into()]
        })
        .collect();
    tx.upsert_many(&ITEMS, &written.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
    feed.position = last;
    feed.followed_at = tx.now();
    put(tx, &feed)?;
    Ok(Pace { products: nos.len(), written: fresh.len(), more: full })
}

/// Price and availability as the catalogue alone knows them: the base price, and always there.
pub fn base_offer(_: &mut Tx, _: &Feed, _: &Product, variant: &ProductVariant) -> Result<Offer, DbError> {
    Ok(Offer { price: variant.price.clone(), available: true })
}
