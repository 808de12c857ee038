//! Goods on a shelf, for who stands before them (P2, P3, R3): what they are, what they cost here and for them, which sizes there are, here and
//! elsewhere, what goes with them. Without a key: the price tag's code leads here. How much lies at a place is told up to a few pieces.
use super::Holder;
use super::reviews::{PublicReview, sums};
use super::slots::{SLOTS, SlotBody};
use crate::api::customers::counter::quote;
use crate::api::orders::beside::counter_channel;
use crate::api::orders::{refused, shop, wire};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::change::Done;
use crate::input::{Input, Params};
use crate::problem::{NOT_FOUND, Problem};
use crate::shop_api::ids::{self, Kind};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Quantity;
use catalog::gtin::Gtin;
use catalog::model::{Product, ProductState, ProductVariant};
use catalog::{compare, products, schema, variants};
use db::Tx;
use orders::commands;
use orders::model::Contact;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use stock::Places;
use stock::availability;
use stock::model::{Location, LocationKind, LocationState};

/// So many pieces are told exactly; more are that many, so that nobody counts a shop's stock from outside.
const TOLD_MAX: i64 = 10;
/// Other places of one answer.
const ELSEWHERE_MAX: usize = 20;
/// Reviews of one answer.
const REVIEWS: i64 = 3;

/// Who asks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShelfQuery {
    /// The basket of whoever asks: their own price is told.
    cart: Option<String>,
    /// The language of characteristics, such as `uk`.
    lang: Option<String>,
}

#[derive(Debug, Serialize)]
struct Shelf {
    location_id: String,
    location_name: String,
    sku: String,
    gtin: Option<String>,
    product_id: String,
    name: String,
    picture: Option<String>,
    characteristics: Vec<Characteristic>,
    /// Here, for anybody.
    price: wire::Money,
    /// For whoever asks, where it is less.
    own_price: Option<wire::Money>,
    why: String,
    /// What of this can be bought here now; null where pieces are not counted.
    here: Option<Amount>,
    elsewhere: Vec<Elsewhere>,
    /// Sizes and colours of the same product.
    variants: Vec<Size>,
    slots: Vec<SlotBody>,
    /// What others say of it: sums, and the newest that say something.
    rating: serde_json::Value,
    reviews: Vec<PublicReview>,
}

#[derive(Debug, Serialize)]
struct Characteristic {
    label: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Elsewhere {
    location_id: String,
    name: String,
    address: String,
    available: Amount,
}

#[derive(Debug, Serialize)]
struct Size {
    sku: String,
    /// What it differs in: `42`, `red / M`.
    label: String,
    here: Option<Amount>,
    elsewhere: bool,
}

/// Whether customers walk along its shelves now.
fn is_shop(place: &Location) -> bool {
    matches!(place.kind, LocationKind::Store | LocationKind::Partner) && place.state == LocationState::Open
}

/// A place whose shelves can be asked.
fn place(places: &Places, id: &str) -> Result<Arc<Location>, Problem> {
    let found = places.find(id).filter(|l| is_shop(l));
    found.cloned().ok_or_else(|| NOT_FOUND.because("there is no such shop"))
}

/// The product and the variant of a code: an SKU, or a GTIN as scanners read it.
fn find(tx: &mut Tx, code: &str) -> Result<(Product, i64), Problem> {
    let mut found = variants::find(tx, code)?;
    if found.is_none()
        && let Ok(gtin) = Gtin::parse(code)
    {
        found = products::owners_of_gtins(tx, &[gtin.as_str()])?.into_iter().flatten().next();
    }
    let nothing = || NOT_FOUND.because(format!("nothing here has the code {code:.60}"));
    let no = found.ok_or_else(nothing)?;
    let of = products::products_of(tx, &[no])?.into_iter().flatten().next();
    let product = match of {
        Some(product_no) => products::by_no(tx, product_no)?,
        None => None,
    };
    let sold =
        product.filter(|p| p.state == ProductState::Active && p.variants.iter().any(|v| v.no == no && !v.archived));
    Ok((sold.ok_or_else(nothing)?, no))
}

/// What can be bought of a variant at a till of a place.
fn at(tx: &mut Tx, variant: &ProductVariant, location_no: i64) -> Result<Option<Quantity>, Problem> {
    if !variant.tracked {
        return Ok(None);
    }
    let now = tx.now();
    let stock = stock::commands::stock(tx, variant.no)?;
    let there = stock.and_then(|stock| stock.at(location_no).map(|p| availability::at_the_till(p, now)));
    Ok(Some(there.unwrap_or(Quantity::ZERO)))
}

fn told(quantity: Quantity) -> Amount {
    Amount(quantity.min(Quantity::units(TOLD_MAX)))
}

fn elsewhere(tx: &mut Tx, places: &Places, variant: &ProductVariant, here: i64) -> Result<Vec<Elsewhere>, Problem> {
    let Some(stock) = stock::commands::stock(tx, variant.no)? else { return Ok(Vec::new()) };
    let now = tx.now();
    let mut out = Vec::new();
    for position in stock.positions.iter().filter(|p| p.location_no != here) {
        let open = places.get(position.location_no).filter(|l| is_shop(l));
        let available = availability::at_the_till(position, now);
        if let Some(place) = open.filter(|_| available.is_positive()) {
            out.push(Elsewhere {
                location_id: place.id.to_string(),
                name: if place.name.is_empty() { place.id.to_string() } else { place.name.to_string() },
                address: place.address.to_string(),
                available: told(available),
            });
        }
    }
    out.sort_by(|a, b| b.available.0.cmp(&a.available.0).then_with(|| a.location_id.cmp(&b.location_id)));
    out.truncate(ELSEWHERE_MAX);
    Ok(out)
}

/// What a variant differs in from its brothers.
fn label(product: &Product, variant: &ProductVariant) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(of) => {
            let amount = of.get("amount").or_else(|| of.get("value")).map(ToString::to_string).unwrap_or_default();
            let unit = of.get("unit").and_then(|u| u.as_str()).unwrap_or_default();
            format!("{amount} {unit}").trim().to_string()
        }
        other => other.to_string(),
    };
    let axes = product.axes.iter().filter_map(|axis| product.value_of(variant, axis)).map(text);
    let said: Vec<String> = axes.filter(|t| !t.is_empty()).collect();
    if said.is_empty() { variant.sku.clone() } else { said.join(" / ") }
}

/// Shows what stands on a shelf.
pub async fn look(
    State(app): State<Arc<App>>,
    _: Holder,
    Path((location, code)): Path<(String, String)>,
    Params(query): Params<ShelfQuery>,
) -> Result<Json<serde_json::Value>, Problem> {
    let shared = app.clone();
    let shown = app.read(move |tx| {
        let places = stock::commands::places(tx)?;
        let here = place(&places, &location)?;
        let (product, no) = find(tx, &code)?;
        let schema = schema::held(tx)?;
        let locale = query.lang.as_deref().unwrap_or(&shared.config.locale);
        let rows = compare::rows(&schema, std::slice::from_ref(&product), None, locale);
        let rows = rows.into_iter().filter_map(|row| {
            let value = row.values.into_iter().next().flatten()?;
            Some(Characteristic { label: row.label, value })
        });
        let characteristics = rows.collect();
        let (usual, why) = quote(tx, &shared, Contact::default(), no, Some(&here.id))?;
        let contact = match &query.cart {
            Some(id) => {
                let cart_no = ids::number(tx.hash_key(), Kind::Cart, id);
                let cart_no = cart_no.ok_or_else(|| NOT_FOUND.because("there is no such cart"))?;
                Some(commands::cart_of(tx, cart_no).map_err(|e| refused(tx, e))?.contact.clone())
            }
            None => None,
        };
        let (mut own_price, mut own_why) = (None, why);
        if let Some(contact) = contact.filter(Contact::is_reachable) {
            let (price, why) = quote(tx, &shared, contact, no, Some(&here.id))?;
            if price.minor < usual.minor {
                (own_price, own_why) = (Some(price), why);
            }
        }
        let mut sizes = Vec::with_capacity(product.variants.len());
        for variant in product.variants.iter().filter(|v| !v.archived) {
            let there = at(tx, variant, here.no)?;
            let others = there.is_none() || !elsewhere(tx, &places, variant, here.no)?.is_empty();
            let label = label(&product, variant);
            sizes.push(Size { sku: variant.sku.clone(), label, here: there.map(told), elsewhere: others });
        }
        let variant = product.variants.iter().find(|v| v.no == no);
        let variant = variant.ok_or_else(|| NOT_FOUND.because("nothing here has this code"))?;
        let slots = orders::accompany::beside_goods(tx, &shop(&shared), (no, here.no), SLOTS);
        let slots = slots.map_err(|e| refused(tx, e))?;
        let said = orders::reviews::lists::published(tx.engine(), product.no, i64::MAX, true, REVIEWS)?;
        let shelf = Shelf {
            location_id: here.id.to_string(),
            location_name: if here.name.is_empty() { here.id.to_string() } else { here.name.to_string() },
            sku: variant.sku.clone(),
            gtin: variant.gtin.as_ref().map(|g| g.printed().to_string()),
            product_id: product.id.clone(),
            name: product.name.clone(),
            picture: product.media.first().map(|m| format!("/media/{}", m.hash)),
            characteristics,
            price: usual,
            own_price,
            why: own_why,
            here: at(tx, variant, here.no)?.map(told),
            elsewhere: elsewhere(tx, &places, variant, here.no)?,
            variants: sizes,
            slots: slots.into_iter().map(SlotBody::of).collect(),
            rating: sums(&orders::reviews::commands::rating_of(tx, product.no)?),
            reviews: said.into_iter().map(PublicReview::of).collect(),
        };
        serde_json::to_value(shelf).map_err(|e| crate::problem::internal(&e))
    });
    Ok(Json(shown.await?))
}

/// Goods for a new basket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasketInput {
    sku: String,
    quantity: Amount,
}

/// Begins a basket with goods from a shelf; it can be fetched at a shop or delivered, as any cart.
pub async fn begin_basket(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(location): Path<String>,
    input: Input<BasketInput>,
) -> Result<Response, Problem> {
    let (given, shared) = (input.value, app.clone());
    app.change_as(by.actor(), input.request, move |tx| {
        let places = stock::commands::places(tx)?;
        place(&places, &location)?;
        let variant = crate::api::stock::variant(tx, "/sku", &given.sku)?;
        let made = (|| {
            let cart = commands::create_cart(tx, &shop(&shared), &counter_channel(&places), None)?;
            commands::put_line(tx, cart.no, variant, given.quantity.0, false)
        })();
        let cart = made.map_err(|e| refused(tx, e))?;
        Ok(Done::created(json!({"cart_id": ids::id(tx.hash_key(), Kind::Cart, cart.no)})))
    })
    .await
}
