//! What goes with what (N10): accompanying goods, spare parts and sets as slots beside a cart, an order and a hand-over.
//!
//! The rule: of what the catalogue says belongs to the goods in hand, what can be had there now, and is neither in hand nor owned.
use crate::commands::{Shop, order_of};
use crate::error::OrderError;
use crate::model::Order;
use crate::personal;
use crate::states::line::Line as LineState;
use base::Quantity;
use catalog::model::{Product, ProductState};
use catalog::prices::model::Ask as PriceAsk;
use catalog::prices::store::price_of;
use catalog::{links, products};
use db::Tx;
use std::collections::{BTreeMap, BTreeSet};
use stock::availability;

/// Kinds of the catalogue that are offered, the best first; `substitute` and `upsell` are for who did not choose yet.
const OFFERED: [&str; 3] = ["accompanying", "spare_part", "pack"];
/// Slots of one answer, and products whose relations are read.
pub const SLOTS_MAX: usize = 12;
const PRODUCTS_MAX: usize = 50;
/// Orders of the customer in which owned goods are looked for.
const ORDERS_MAX: i64 = 100;

/// Something that the catalogue joins to goods in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its place among [`OFFERED`].
    pub rank: usize,
    pub product_no: i64,
    /// The goods in hand to which it belongs.
    pub because_no: i64,
}

/// Chooses what is offered: each product once, by kind, then by how many of the goods in hand it belongs to, then by number; nothing
/// that is in hand or owned. Pure: the same input gives the same slots.
pub fn choose(candidates: &[Candidate], in_hand: &BTreeSet<i64>, owned: &BTreeSet<i64>) -> Vec<Candidate> {
    let mut best: BTreeMap<i64, (usize, usize, i64)> = BTreeMap::new();
    for c in candidates {
        if in_hand.contains(&c.product_no) || owned.contains(&c.product_no) {
            continue;
        }
        let entry = best.entry(c.product_no).or_insert((c.rank, 0, c.because_no));
        entry.1 += 1;
        if c.rank < entry.0 {
            (entry.0, entry.2) = (c.rank, c.because_no);
        }
    }
    let mut all: Vec<_> = best.into_iter().collect();
    all.sort_by_key(|(no, (rank, times, _))| (*rank, std::cmp::Reverse(*times), *no));
    all.into_iter().map(|(product_no, (rank, _, because_no))| Candidate { rank, product_no, because_no }).collect()
}

/// For what slots are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Variants in hand.
    pub variants: Vec<i64>,
    /// Products that the customer has already.
    pub owned: BTreeSet<i64>,
    /// Where it has to lie; without it somewhere that serves the channel.
    pub location_no: Option<i64>,
    pub channel: String,
    pub currency: String,
}

/// A slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub variant_no: i64,
    pub sku: String,
    pub product_id: String,
    pub name: String,
    pub kind: &'static str,
    /// The name of what it goes with.
    pub because: String,
    pub price_minor: i64,
    pub currency: String,
    /// `None`: pieces are not counted.
    pub available: Option<Quantity>,
}

/// What goes with the goods in hand, can be had, and is not owned: at most so many.
pub fn slots(tx: &mut Tx, asked: &Asked, most: usize) -> Result<Vec<Slot>, OrderError> {
    let most = most.min(SLOTS_MAX);
    let of: Vec<i64> = products::products_of(tx, &asked.variants)?.into_iter().flatten().collect();
    let in_hand: BTreeSet<i64> = of.into_iter().collect();
    let mut candidates = Vec::new();
    for because_no in in_hand.iter().take(PRODUCTS_MAX) {
        for link in links::associations(tx.engine(), *because_no)? {
            if let Some(rank) = OFFERED.iter().position(|kind| *kind == link.kind) {
                candidates.push(Candidate { rank, product_no: link.other_no, because_no: *because_no });
            }
        }
    }
    let chosen = choose(&candidates, &in_hand, &asked.owned);
    let nos: Vec<i64> = chosen.iter().map(|c| c.product_no).collect();
    let mut names: BTreeMap<i64, String> = BTreeMap::new();
    let mut out = Vec::new();
    for (c, product) in chosen.iter().zip(products::by_nos(tx, &nos)?) {
        if out.len() == most {
            break;
        }
        let Some(product) = product.filter(|p| p.state == ProductState::Active) else { continue };
        let Some((variant_no, available)) = best_variant(tx, asked, &product)? else { continue };
        let Some(variant) = product.variants.iter().find(|v| v.no == variant_no) else { continue };
        let Some(price_minor) = price(tx, asked, variant_no, variant.price.as_ref())? else { continue };
        let because = match names.get(&c.because_no) {
            Some(name) => name.clone(),
            None => {
                let name = products::by_no(tx, c.because_no)?.map_or_else(String::new, |p| p.name);
                names.insert(c.because_no, name.clone());
                name
            }
        };
        out.push(Slot {
            variant_no,
            sku: variant.sku.clone(),
            product_id: product.id.clone(),
            name: product.name.clone(),
            kind: OFFERED[c.rank],
            because,
            price_minor,
            currency: asked.currency.clone(),
            available,
        });
    }
    Ok(out)
}

/// The variant of which most is there; one whose pieces are not counted can always be had.
fn best_variant(tx: &mut Tx, asked: &Asked, product: &Product) -> Result<Option<(i64, Option<Quantity>)>, OrderError> {
    let places = stock::commands::places(tx)?;
    let channel = places.channel(&asked.channel).cloned();
    let now = tx.now();
    let mut best: Option<(i64, Option<Quantity>)> = None;
    for variant in product.variants.iter().filter(|v| !v.archived) {
        if !variant.tracked {
            return Ok(Some((variant.no, None)));
        }
        let Some(stock) = stock::commands::stock(tx, variant.no)? else { continue };
        let there = match (asked.location_no, &channel) {
            (Some(no), _) => stock.at(no).map_or(Quantity::ZERO, |p| availability::at_the_till(p, now)),
            (None, Some(channel)) => availability::for_channel(&stock, channel, now),
            (None, None) => Quantity::ZERO,
        };
        if there >= Quantity::units(1) && best.as_ref().is_none_or(|(_, b)| b.is_some_and(|b| there > b)) {
            best = Some((variant.no, Some(there)));
        }
    }
    Ok(best)
}

fn price(
    tx: &mut Tx,
    asked: &Asked,
    variant_no: i64,
    base: Option<&catalog::model::Price>,
) -> Result<Option<i64>, OrderError> {
    let store = match asked.location_no {
        Some(no) => stock::commands::places(tx)?.get(no).map(|place| place.id.to_string()),
        None => None,
    };
    let ask = PriceAsk {
        variant: variant_no,
        currency: asked.currency.clone(),
        quantity: 1_000,
        channel: Some(asked.channel.clone()).filter(|c| !c.is_empty()),
        store,
        at: tx.now(),
        ..PriceAsk::default()
    };
    let quote = price_of(tx, &ask)?.map(|quote| quote.minor);
    Ok(quote.or_else(|| base.filter(|p| p.currency == asked.currency).map(|p| p.minor)))
}

/// Products that somebody has, or that are on their way to them, by their orders.
pub fn owned(tx: &mut Tx, names: &personal::Names<'_>) -> Result<BTreeSet<i64>, OrderError> {
    let mut variants = BTreeSet::new();
    for order in personal::orders(tx, names, ORDERS_MAX)? {
        let gone = |s: LineState| matches!(s, LineState::Cancelled | LineState::Returned | LineState::Lost);
        for part in order.body.parts.iter().filter(|p| !gone(p.state)) {
            variants.insert(order.body.lines[part.line].variant_no);
        }
    }
    let variants: Vec<i64> = variants.into_iter().collect();
    Ok(products::products_of(tx, &variants)?.into_iter().flatten().collect())
}

/// How orders and carts name somebody.
pub fn names(contact: &crate::model::Contact) -> [(&'static str, &str); 4] {
    [
        ("user_id", &contact.user_id),
        ("phone", &contact.phone),
        ("email", &contact.email),
        ("anonymous_id", &contact.anonymous_id),
    ]
}

/// Slots beside an order: what goes with it, at the place where it is fetched, or by its channel.
pub fn beside_order(tx: &mut Tx, order_no: i64, place: Option<i64>, most: usize) -> Result<Vec<Slot>, OrderError> {
    let order: std::sync::Arc<Order> = order_of(tx, order_no)?;
    let location_no = place.or(match &order.body.delivery {
        crate::model::Delivery::PickUp { location_no } => Some(*location_no),
        crate::model::Delivery::Ship { .. } => None,
    });
    let asked = Asked {
        variants: order.body.lines.iter().map(|line| line.variant_no).collect(),
        owned: owned(tx, &names(&order.contact))?,
        location_no,
        channel: order.body.channel.clone(),
        currency: order.body.currency.clone(),
    };
    slots(tx, &asked, most)
}

/// Slots beside a cart.
pub fn beside_cart(tx: &mut Tx, cart_no: i64, most: usize) -> Result<Vec<Slot>, OrderError> {
    let cart = crate::commands::cart_of(tx, cart_no)?;
    let location_no = match &cart.body.delivery {
        Some(crate::model::Delivery::PickUp { location_no }) => Some(*location_no),
        _ => None,
    };
    let asked = Asked {
        variants: cart.body.lines.iter().map(|line| line.variant_no).collect(),
        owned: owned(tx, &names(&cart.contact))?,
        location_no,
        channel: cart.body.channel.clone(),
        currency: cart.body.currency.clone(),
    };
    slots(tx, &asked, most)
}

/// What somebody can be sold beside goods, as [`Shop`] asks at a counter: nothing of it is stored.
pub fn beside_goods(
    tx: &mut Tx,
    shop: &Shop,
    (variant_no, location_no): (i64, i64),
    most: usize,
) -> Result<Vec<Slot>, OrderError> {
    let asked = Asked {
        variants: vec![variant_no],
        location_no: Some(location_no),
        currency: shop.currency.clone(),
        ..Asked::default()
    };
    slots(tx, &asked, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nos: &[i64]) -> BTreeSet<i64> {
        nos.iter().copied().collect()
    }
    fn candidate(rank: usize, product_no: i64, because_no: i64) -> Candidate {
        Candidate { rank, product_no, because_no }
    }

    #[test]
    fn what_is_owned_or_in_hand_is_not_offered_and_each_product_once() {
        // [N10]
        let all = [
            candidate(1, 10, 1),
            candidate(0, 11, 1),
            candidate(0, 12, 1),
            candidate(0, 12, 2),
            candidate(0, 13, 1),
            candidate(0, 2, 1),
            candidate(0, 10, 2),
        ];
        let chosen = choose(&all, &set(&[1, 2]), &set(&[13]));
        let said: Vec<_> = chosen.iter().map(|c| (c.product_no, c.rank, c.because_no)).collect();
        assert_eq!(said, [(10, 0, 2), (12, 0, 1), (11, 0, 1)]);
    }
}
