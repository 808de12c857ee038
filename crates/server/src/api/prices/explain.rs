//! `/prices`: why a price is what it is, what it was, and where it differs.
use super::until;
use crate::app::App;
use crate::caller::ReadPrices;
use crate::input::{Id, Input};
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::State;
use base::Timestamp;
use catalog::prices::differences::{self, Place};
use catalog::prices::history;
use catalog::prices::model::{Ask, BASE, Quote};
use catalog::prices::{select, store};
use loyalty::law::Earlier;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which price is asked for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceQuestion {
    variant_id: Id,
    currency: String,
    /// In thousandths of a piece; without it one piece.
    quantity: Option<i64>,
    channel: Option<String>,
    region: Option<String>,
    store: Option<String>,
    #[serde(default)]
    segments: Vec<String>,
    customer: Option<String>,
    /// Without it now.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// Whose law says which earlier price stands beside a reduced one: `UA`, `EU`, …
    country: Option<String>,
}

/// A price and why it holds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceAnswer {
    minor: i64,
    /// `null`: the base price.
    list_id: Option<Id>,
    entry_id: Id,
    base_minor: Option<i64>,
    compare_at_minor: Option<i64>,
    sale: bool,
    personal: bool,
    reason: String,
}

impl From<Quote> for PriceAnswer {
    fn from(q: Quote) -> Self {
        Self {
            minor: q.minor,
            list_id: (q.list != BASE).then_some(Id(q.list)),
            entry_id: Id(q.entry),
            base_minor: q.base_minor,
            compare_at_minor: q.compare_at,
            sale: q.sale,
            personal: q.personal,
            reason: q.reason,
        }
    }
}

/// A list that was asked on the way to a price.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AskedList {
    list_id: Id,
    name: String,
    position: i64,
    /// Whether it has a price for the variant there.
    has_price: bool,
}

/// A reduced price, with the earlier one that the law wants beside it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceReduction {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    previous_minor: i64,
    /// The lowest of the days that the law counts.
    lowest_minor: i64,
    /// What the law of the country wants to be shown: the previous price, or the lowest.
    shown_minor: i64,
}

/// From when a price held.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PricePoint {
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// `null`: it was not for sale.
    minor: Option<i64>,
}

/// A price, how it was found, and what it was.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceExplained {
    /// `null`: not for sale there in this currency.
    price: Option<PriceAnswer>,
    /// Lists that hold there, in the order in which they are asked; the first with a price wins.
    asked: Vec<AskedList>,
    reduction: Option<PriceReduction>,
    /// What everybody was asked there, oldest first, the newest 100 changes.
    history: Vec<PricePoint>,
    /// What is scheduled for everybody there.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_change_at: Option<Timestamp>,
}

const HISTORY_MAX: usize = 100;

/// Says which price holds somewhere for somebody, and why.
#[utoipa::path(post, path = "/api/v1/prices/explain", tag = "prices", request_body = PriceQuestion,
    responses((status = 200, body = PriceExplained)))]
pub async fn explain_price(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    input: Input<PriceQuestion>,
) -> Result<Json<PriceExplained>, Problem> {
    let q = input.value;
    let answer = app.read(move |tx| {
        let at = q.at.unwrap_or(tx.now());
        let ask = Ask {
            variant: q.variant_id.0,
            currency: q.currency,
            quantity: q.quantity.unwrap_or(1000),
            channel: q.channel,
            region: q.region,
            store: q.store,
            segments: q.segments,
            customer: q.customer,
            at,
        };
        let (lists, entries) = (store::lists(tx)?, store::entries(tx, ask.variant)?);
        let rules = loyalty::rules::rules(tx)?;
        let law = q.country.as_deref().and_then(|country| rules.law(country));
        let earlier = law.and_then(|law| law.earlier_price(law.day(at)));
        let days = if let Some(Earlier::Lowest { days }) = earlier { days } else { 30 };
        let reduction = history::reduction(&lists, &entries, &ask, days).map(|r| PriceReduction {
            since: r.since,
            previous_minor: r.previous,
            lowest_minor: r.lowest,
            shown_minor: if matches!(earlier, Some(Earlier::Lowest { .. })) { r.lowest } else { r.previous },
        });
        let points = history::series(&lists, &entries, &ask, Timestamp::from_micros(i64::MIN));
        let skip = points.len().saturating_sub(HISTORY_MAX);
        let points = points.into_iter().skip(skip);
        let first = Timestamp::from_micros(i64::MIN);
        let moments = entries.iter().flat_map(|e| [e.starts_at, e.ends_at]).chain(lists.moments());
        let asked = lists.asked(&ask).into_iter().map(|list| AskedList {
            list_id: Id(list.id),
            name: list.name.clone(),
            position: list.position,
            has_price: entries.iter().any(|e| {
                e.list == list.id
                    && e.currency == ask.currency
                    && e.minor.is_some()
                    && e.holds(at)
                    && e.min_quantity <= ask.quantity
            }),
        });
        Ok(PriceExplained {
            asked: asked.collect(),
            price: select::quote(&lists, &entries, &ask).map(PriceAnswer::from),
            reduction,
            history: points.map(|p| PricePoint { from: (p.from > first).then_some(p.from), minor: p.minor }).collect(),
            next_change_at: moments.filter(|m| *m > at).min().and_then(until),
        })
    });
    Ok(Json(answer.await?))
}

/// A place that asks prices.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PricePlace {
    channel: String,
    region: Option<String>,
    store: Option<String>,
}

/// Which places are compared.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DifferencesQuestion {
    currency: String,
    /// 2 to 500.
    places: Vec<PricePlace>,
    /// Shows those with a reason too.
    #[serde(default)]
    explained: bool,
    /// Variants after this one.
    after: Option<Id>,
}

/// A price that differs from what most places ask.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceDifference {
    variant_id: Id,
    place: PricePlace,
    /// `null`: not for sale there.
    price: Option<PriceAnswer>,
    usual_minor: i64,
    usual_places: i64,
    /// The reason of the list that makes it.
    explained: Option<String>,
}

/// Prices that differ.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceDifferences {
    items: Vec<PriceDifference>,
    compared: i64,
    /// Ask for variants after this one for more; `null` at the end.
    next_after: Option<Id>,
}

const VARIANTS: i64 = 500;

/// Lists prices that differ between channels without a reason, of the next 500 variants.
#[utoipa::path(post, path = "/api/v1/prices/differences", tag = "prices", request_body = DifferencesQuestion,
    responses((status = 200, body = PriceDifferences)))]
pub async fn price_differences(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    input: Input<DifferencesQuestion>,
) -> Result<Json<PriceDifferences>, Problem> {
    let q = input.value;
    if !(2..=500).contains(&q.places.len()) {
        return Err(BAD_INPUT.at("/places", "2 to 500 places are compared"));
    }
    let now = app.read(|tx| Ok(tx.now())).await?;
    let answer = app.query(move |db| {
        let lists = store::load_lists(db)?;
        let variants = store::variants(db, q.after.map_or(0, |id| id.0), VARIANTS)?;
        let wanted =
            |p: &PricePlace| Place { channel: p.channel.clone(), region: p.region.clone(), store: p.store.clone() };
        let places: Vec<Place> = q.places.iter().map(wanted).collect();
        let mut items = Vec::new();
        for (variant, entries) in variants.iter().zip(store::read_entries(db, &variants)?) {
            let ask =
                Ask { variant: *variant, currency: q.currency.clone(), quantity: 1000, at: now, ..Ask::default() };
            let found = differences::of_variant(&lists, &entries, &ask, &places);
            items.extend(found.into_iter().filter(|d| q.explained || d.explained.is_none()).map(|d| PriceDifference {
                variant_id: Id(d.variant),
                place: PricePlace { channel: d.place.channel, region: d.place.region, store: d.place.store },
                price: d.quote.map(PriceAnswer::from),
                usual_minor: d.usual_minor,
                usual_places: d.usual_places as i64,
                explained: d.explained,
            }));
        }
        let next_after = variants.last().filter(|_| variants.len() as i64 == VARIANTS).map(|v| Id(*v));
        Ok(PriceDifferences { items, compared: variants.len() as i64, next_after })
    });
    Ok(Json(answer.await?))
}
