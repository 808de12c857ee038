//! Bringing the items of a feed up to the catalogue and its prices, a bounded piece at a time.
use super::render::{self, Item, Offer};
use super::{Feed, find, put};
use crate::model::{Price, Product, ProductVariant};
use crate::prices::model::Ask;
use crate::prices::shown::shown;
use crate::prices::store::VariantPrices;
use crate::prices::{marks, store};
use crate::schema::{Channel, Schema};
use crate::{products, schema};
use db::{Bulk, DbError, Engine, Lookup, Tx, Value};
use hashbrown::{HashMap, HashSet};

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
    /// Items that were rendered.
    pub rendered: usize,
    /// Items that were written.
    pub written: usize,
    /// Whether there is more to do.
    pub more: bool,
}

/// Feeds that are behind the catalogue or the prices of their channel.
pub fn waiting(db: &mut Engine) -> Result<Vec<i64>, DbError> {
    let sql = "SELECT f.no FROM feeds f JOIN sales_channels c ON c.no = f.channel_no WHERE f.active = 1 AND (\
               EXISTS (SELECT 1 FROM products p WHERE p.change > f.position) \
               OR EXISTS (SELECT 1 FROM price_marks m WHERE m.channel = '' AND m.change > f.priced_to) \
               OR EXISTS (SELECT 1 FROM price_marks m WHERE m.channel = c.code AND m.change > f.priced_to)) ORDER BY f.no";
    db.rows(sql, &[])?.iter().map(|r| r.int(0)).collect()
}

/// Says what a variant is offered for in a feed.
pub type Offering<'a> = dyn FnMut(&mut Tx, &Feed, &Channel, &Product, &ProductVariant) -> Result<Offer, DbError> + 'a;

/// A feed with what its items are rendered from.
struct Work<'a> {
    feed: &'a Feed,
    channel: &'a Channel,
    schema: &'a Schema,
    media: &'a str,
}

/// Brings a feed further: what the catalogue changed first, then whose price moved. `offer` says price and availability of a
/// variant; `media` is where pictures are fetched from.
pub fn advance(tx: &mut Tx, feed_no: i64, media: &str, offer: &mut Offering<'_>) -> Result<Pace, DbError> {
    let Some(mut feed) = find(tx.engine(), feed_no)?.filter(|f| f.active) else { return Ok(Pace::default()) };
    let schema = schema::held(tx)?;
    let Some(channel) = schema.channels.iter().find(|c| c.no == feed.channel_no).cloned() else {
        return Ok(Pace::default());
    };
    let rows = products::changed(tx.engine(), feed.position, PIECE)?;
    let (nos, only, full) = match rows.last().copied() {
        Some((last, last_no)) => {
            let mut nos: Vec<i64> = rows.iter().map(|(_, no)| *no).collect();
            let full = nos.len() as i64 == PIECE;
            if full {
                nos.extend(products::of_change(tx.engine(), last, last_no)?);
            }
            feed.position = last;
            (nos, None, full)
        }
        None => {
            let rows = marks::marked(tx.engine(), &channel.code, feed.priced_to, PIECE)?;
            let Some((last, _)) = rows.last().copied() else { return Ok(Pace::default()) };
            let full = rows.len() as i64 == PIECE;
            feed.priced_to = last;
            let variants: Vec<i64> = rows.into_iter().map(|(_, variant)| variant).collect();
            let mut nos: Vec<i64> = products::products_of(tx, &variants)?.into_iter().flatten().collect();
            nos.sort_unstable();
            nos.dedup();
            (nos, Some(variants.into_iter().collect::<HashSet<i64>>()), full)
        }
    };
    let work = Work { feed: &feed, channel: &channel, schema: &schema, media };
    let mut pace = work.render(tx, &nos, only.as_ref(), offer)?;
    pace.more = full;
    feed.followed_at = tx.now();
    put(tx, &feed)?;
    Ok(pace)
}

impl Work<'_> {
    /// Renders the items of products, or only those of some of their variants, and writes those that differ.
    fn render(
        &self,
        tx: &mut Tx,
        nos: &[i64],
        only: Option<&HashSet<i64>>,
        offer: &mut Offering<'_>,
    ) -> Result<Pace, DbError> {
        let found = products::by_nos(tx, nos)?;
        let wanted = |variant: &ProductVariant| only.is_none_or(|only| only.contains(&variant.no));
        let variants: Vec<i64> =
            found.iter().flatten().flat_map(|p| &p.variants).filter(|v| wanted(v)).map(|v| v.no).collect();
        tx.preload::<VariantPrices>(&variants)?;
        let mut known: HashMap<i64, (String, String)> = HashMap::new();
        let keys: Vec<[Value<'_>; 2]> = nos.iter().map(|no| [self.feed.no.into(), (*no).into()]).collect();
        tx.lookup(&OF_PRODUCT, &keys.iter().map(|k| &k[..]).collect::<Vec<_>>(), &mut |_, row| {
            known.insert(row.int(0)?, (row.text(1)?.to_string(), row.text(2)?.to_string()));
            Ok(())
        })?;
        let mut fresh: Vec<(i64, i64, String, &'static str)> = Vec::new();
        for product in found.iter().flatten() {
            for variant in product.variants.iter().filter(|v| wanted(v)) {
                let offered = offer(tx, self.feed, self.channel, product, variant)?;
                let item = render::item(self.schema, self.channel, self.feed, self.media, product, variant, &offered);
                let (text, why) = match item {
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
                [self.feed.no.into(), (*variant).into(), (*product).into(), text.into(), (*why).into()]
            })
            .collect();
        tx.upsert_many(&ITEMS, &written.iter().map(|r| &r[..]).collect::<Vec<_>>())?;
        Ok(Pace { products: nos.len(), rendered: variants.len(), written: fresh.len(), more: false })
    }
}

/// The price that everybody is asked in a feed's channel and region, and always there. Where the law wants the lowest price of
/// `lowest_days` beside a reduced one, nothing above it is shown as the price before.
pub fn shown_offer(
    tx: &mut Tx,
    feed: &Feed,
    channel: &Channel,
    variant: &ProductVariant,
    lowest_days: Option<i64>,
) -> Result<Offer, DbError> {
    let ask = Ask {
        variant: variant.no,
        currency: feed.currency.clone(),
        quantity: 1000,
        channel: Some(channel.code.clone()),
        region: Some(feed.region.clone()).filter(|region| !region.is_empty()),
        at: tx.now(),
        ..Ask::default()
    };
    let lists = store::lists(tx)?;
    let entries = tx.get::<VariantPrices>(variant.no)?;
    let held = shown(&lists, entries.map_or(&[], |e| &e[..]), &ask, variant.price.as_ref(), lowest_days);
    let price = held.map(|held| Price { minor: held.minor, currency: feed.currency.clone() });
    Ok(Offer { price, before: held.and_then(|held| held.before), available: true })
}
