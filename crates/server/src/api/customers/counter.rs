//! A customer at the counter (P1, P6): what they ordered, what lies in their baskets, what they may pay with, what is theirs alone.
use super::resolve;
use crate::api::orders::{refused, shop, wire::Money};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::caller::ReadCustomers;
use crate::input::{Id, Params};
use crate::problem::{NOT_FOUND, Problem};
use crate::shop_api::ids::{self, Kind};
use axum::Json;
use axum::extract::{Path, State};
use base::Timestamp;
use catalog::variants;
use db::Tx;
use orders::commands;
use orders::model::{Cart, CartBody, CartLine, Contact, Delivery};
use orders::personal;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is asked at the counter.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CounterQuery {
    /// Where the customer stands.
    location_id: Option<String>,
    /// What it costs for them, there.
    sku: Option<String>,
}

/// An order of the customer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CounterOrder {
    order_id: String,
    number: String,
    state: String,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    sales_channel: String,
    total: Money,
    /// What is still to be paid.
    to_pay: Money,
    /// SKUs with quantities.
    lines: Vec<CounterLine>,
}

/// Goods in an order or a basket.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CounterLine {
    sku: String,
    name: String,
    quantity: Amount,
}

/// A basket that was not ordered.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CounterBasket {
    cart_id: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    lines: Vec<CounterLine>,
}

/// A price list that holds for the customer alone.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CounterOffer {
    name: String,
    /// Null: without an end.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

/// What something costs for the customer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CounterPrice {
    sku: String,
    name: String,
    /// For them, with every discount that holds now.
    price: Money,
    /// For anybody.
    usual: Money,
    why: String,
}

/// A customer at the counter.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CounterCard {
    person_id: Id,
    /// Newest first, twenty at most.
    orders: Vec<CounterOrder>,
    baskets: Vec<CounterBasket>,
    offers: Vec<CounterOffer>,
    /// Store credit in each currency.
    credit: Vec<Money>,
    price: Option<CounterPrice>,
}

fn lines(tx: &mut Tx, of: &[(i64, i64)]) -> Result<Vec<CounterLine>, Problem> {
    let mut out = Vec::with_capacity(of.len());
    for (variant_no, milli) in of {
        let sku = variants::get(tx, *variant_no)?.map_or_else(String::new, |v| v.sku.to_string());
        let name = crate::api::consultations::name_of(tx, *variant_no)?;
        out.push(CounterLine { sku, name, quantity: Amount(base::Quantity::from_milli(*milli)) });
    }
    Ok(out)
}

/// Shows a customer as a colleague at a counter needs them: orders, baskets, credit, offers of their own, and what goods cost for them there.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/counter", tag = "customers",
    params(("person_id" = String, Path), CounterQuery), responses((status = 200, body = CounterCard)))]
pub async fn customer_counter(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Path(id): Path<String>,
    Params(query): Params<CounterQuery>,
) -> Result<Json<CounterCard>, Problem> {
    // Whoever sees customers and no orders is told of prices and offers alone.
    let sees_orders = caller.may(crate::access::Act::Read(crate::access::Area::Orders));
    let (person, _) = resolve(&app, &id).await?;
    let (shared, counters) = (app.clone(), app.domain.preparer().current().counters);
    let card = app.read(move |tx| {
        let view = customers::commands::person(tx, person, &counters)?;
        let view = view.ok_or_else(|| NOT_FOUND.because(format!("nobody has the id {person}")))?;
        let mut names: Vec<(&str, &str)> = view.identifiers.iter().map(|i| (&*i.kind, &*i.value)).collect();
        names.sort_unstable();
        let key = tx.hash_key();
        let mut orders = Vec::new();
        let most = if sees_orders { 20 } else { 0 };
        for order in personal::orders(tx, &names, most).map_err(|e| refused(tx, e))? {
            let money = |minor: i64| Money { minor, currency: order.body.currency.clone() };
            let of: Vec<(i64, i64)> = order.body.lines.iter().map(|l| (l.variant_no, l.milli)).collect();
            orders.push(CounterOrder {
                order_id: ids::id(key, Kind::Order, order.no),
                number: order.body.number.clone(),
                state: order.status().as_str().into(),
                placed_at: order.placed_at,
                sales_channel: order.body.channel.clone(),
                total: money(order.body.total_minor),
                to_pay: money(order.open_minor()),
                lines: lines(tx, &of)?,
            });
        }
        let mut baskets = Vec::new();
        let carts = personal::carts(tx, &names, most).map_err(|e| refused(tx, e))?;
        for cart in carts.iter().filter(|c| c.order_no.is_none() && !c.body.lines.is_empty()).take(5) {
            let of: Vec<(i64, i64)> = cart.body.lines.iter().map(|l| (l.variant_no, l.milli)).collect();
            let lines = lines(tx, &of)?;
            baskets.push(CounterBasket {
                cart_id: ids::id(key, Kind::Cart, cart.no),
                updated_at: cart.updated_at,
                lines,
            });
        }
        let (now, person_text) = (tx.now(), person.to_string());
        let theirs = |name: &String| *name == person_text || names.iter().any(|(_, value)| value == name);
        let lists = catalog::prices::store::lists(tx)?;
        let holds = |l: &&catalog::prices::model::PriceList| l.starts_at <= now && now < l.ends_at;
        let own = lists.all().iter().filter(|l| l.scope.customers.iter().any(theirs)).filter(holds);
        let never = catalog::prices::model::NEVER;
        let offers = own
            .map(|l| CounterOffer { name: l.name.clone(), ends_at: Some(l.ends_at).filter(|at| *at != never) })
            .collect();
        let credit = personal::credit(tx, &names).map_err(|e| refused(tx, e))?;
        let credit = credit.iter().filter(|a| a.balance_minor > 0 && sees_orders);
        let credit = credit.map(|a| Money { minor: a.balance_minor, currency: a.currency.clone() }).collect();
        let price = match &query.sku {
            Some(sku) => Some(price(tx, &shared, &names, sku, query.location_id.as_deref())?),
            None => None,
        };
        Ok(CounterCard { person_id: Id(person), orders, baskets, offers, credit, price })
    });
    Ok(Json(card.await?))
}

/// What goods cost for somebody at a place: the function that prices carts, asked with and without them.
fn price(
    tx: &mut Tx,
    app: &App,
    names: &[(&str, &str)],
    sku: &str,
    location_id: Option<&str>,
) -> Result<CounterPrice, Problem> {
    let variant = variants::find(tx, sku)?;
    let variant = variant.ok_or_else(|| NOT_FOUND.because(format!("there is no SKU {sku:.60}")))?;
    let one = |kind: &str| names.iter().find(|(k, _)| *k == kind).map_or_else(String::new, |(_, v)| (*v).to_string());
    let contact = Contact { email: one("email"), phone: one("phone"), user_id: one("user_id"), ..Contact::default() };
    let mine = quote(tx, app, contact, variant, location_id)?;
    let usual = quote(tx, app, Contact::default(), variant, location_id)?;
    let name = crate::api::consultations::name_of(tx, variant)?;
    Ok(CounterPrice { sku: sku.into(), name, price: mine.0, usual: usual.0, why: mine.1 })
}

/// The price of one piece in a basket of somebody, fetched at a place, and why that.
pub fn quote(
    tx: &mut Tx,
    app: &App,
    contact: Contact,
    variant_no: i64,
    location_id: Option<&str>,
) -> Result<(Money, String), Problem> {
    let (places, shop) = (stock::commands::places(tx)?, shop(app));
    let delivery = match location_id {
        Some(id) => Some(Delivery::PickUp { location_no: crate::api::stock::place(&places, "/location_id", id)? }),
        None => None,
    };
    let body = CartBody {
        channel: crate::api::orders::beside::counter_channel(&places),
        currency: shop.currency.clone(),
        lines: vec![CartLine { variant_no, milli: 1_000 }],
        delivery,
        ..CartBody::default()
    };
    let cart = Cart { no: 0, contact, order_no: None, updated_at: tx.now(), body };
    let (priced, quotes) = commands::price_cart(tx, &cart, &shop).map_err(|e| refused(tx, e))?;
    let minor = priced.lines.first().map_or(0, |line| line.taxed.total);
    let mut why: Vec<String> = quotes.first().map(|q| q.reason.clone()).into_iter().collect();
    why.extend(priced.lines.iter().flat_map(|l| &l.discounts).map(|d| d.why.to_string()));
    Ok((Money { minor, currency: shop.currency }, why.join("; ")))
}
