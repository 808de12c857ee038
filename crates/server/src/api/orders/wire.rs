//! Orders on the wire.
use crate::api::stock::wire::Amount;
use crate::problem::{BAD_INPUT, Problem};
use crate::shop_api::ids::{self, Kind};
use base::{Quantity, Timestamp};
use orders::commands::Happened;
use orders::model::{Delivery, Order, Promised};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use stock::Places;

/// A sum of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = OrderMoney)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A sum as it is asked for: `{"minor", "currency"}`, or a decimal number of units of the order's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sum {
    Minor(i64, Option<String>),
    Units(String),
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            minor: i64,
            #[serde(default)]
            currency: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Whole(Whole),
            Number(serde_json::Number),
            Text(String),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Whole(whole) => Sum::Minor(whole.minor, whole.currency),
            Either::Number(number) => Sum::Units(number.to_string()),
            Either::Text(text) => Sum::Units(text),
        })
    }
}

impl utoipa::PartialSchema for Sum {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Money::schema()
    }
}
impl utoipa::ToSchema for Sum {}

impl Sum {
    /// Minor units of an order's currency.
    pub fn minor(&self, pointer: &str, currency: &str) -> Result<i64, Problem> {
        match self {
            Sum::Minor(_, Some(other)) if !other.eq_ignore_ascii_case(currency) => {
                Err(BAD_INPUT.at(pointer, format!("the order is in {currency}")))
            }
            Sum::Minor(minor, _) => Ok(*minor),
            Sum::Units(text) => {
                let money = base::Money::parse(text.trim(), currency);
                let money = money.map_err(|_| BAD_INPUT.at(pointer, format!("{text:.40?} is no sum of money")))?;
                Ok(money.minor)
            }
        }
    }
}

/// An order as a body names it: by the id that the API gives, or by its number in the books. Whoever may use the admin API may see
/// any number, so the id's seal is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRef(pub i64);

impl<'de> Deserialize<'de> for OrderRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('o').and_then(|t| t.split_once('-')).map_or(text.as_str(), |(no, _)| no);
        let no = digits.parse().ok().filter(|no| *no > 0).map(OrderRef);
        no.ok_or_else(|| serde::de::Error::custom(format!("{text:.40} is no id of an order")))
    }
}

impl utoipa::PartialSchema for OrderRef {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}
impl utoipa::ToSchema for OrderRef {}

fn place_id(places: &Places, no: i64) -> Option<String> {
    places.get(no).map(|location| location.id.to_string())
}

/// What a promotion took off.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DiscountBody {
    promotion: String,
    minor: i64,
    why: String,
}

/// Discounts of a line.
pub fn discounts<'a>(of: impl Iterator<Item = (&'a str, i64, &'a str)>) -> Vec<DiscountBody> {
    of.map(|(promotion, minor, why)| DiscountBody { promotion: promotion.into(), minor, why: why.into() }).collect()
}

/// How goods get to the customer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = OrderDelivery)]
pub struct DeliveryBody {
    /// `pickup` or `ship`.
    kind: String,
    location_id: Option<String>,
    /// The way, as the shop's settings name it.
    option_id: Option<String>,
    price: Option<Money>,
}

/// A way of delivery.
pub fn delivery(delivery: &Delivery, places: &Places, currency: &str) -> DeliveryBody {
    match delivery {
        Delivery::PickUp { location_no } => DeliveryBody {
            kind: "pickup".into(),
            location_id: place_id(places, *location_no),
            option_id: None,
            price: None,
        },
        Delivery::Ship { option, price_minor } => DeliveryBody {
            kind: "ship".into(),
            location_id: None,
            option_id: Some(option.clone()),
            price: Some(Money { minor: *price_minor, currency: currency.into() }),
        },
    }
}

/// What the customer was told.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PromisedBody {
    #[schema(value_type = String, format = DateTime)]
    earliest: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    latest: Timestamp,
    why: Vec<String>,
}

impl PromisedBody {
    pub fn of(promised: &Promised) -> Self {
        Self { earliest: promised.earliest, latest: promised.latest, why: promised.why.clone() }
    }
}

/// Who ordered.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ContactBody {
    email: String,
    phone: String,
    name: String,
    address: String,
}

/// A line of an order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OrderLineBody {
    /// Its place in the order, from 0.
    line: i64,
    sku: String,
    quantity: Amount,
    unit_minor: i64,
    list_minor: i64,
    net_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    /// Why it costs that.
    why: String,
    discounts: Vec<DiscountBody>,
    /// Where its pieces are.
    parts: Vec<PartBody>,
}

/// Pieces of a line that share their fate.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PartBody {
    /// Its place among the order's parts, from 0.
    part: i64,
    quantity: Amount,
    /// `ordered`, `parked`, `allocated`, `released`, `sent`, `delivered`, `returned`, `lost` or `cancelled`.
    state: String,
    location_id: Option<String>,
    fulfilment: Option<i64>,
}

/// What a place does for an order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FulfilmentBody {
    no: i64,
    location_id: Option<String>,
    /// `pick_up`, `ship`, or `supply` for a place that gives goods to the shop where they are fetched.
    kind: String,
    /// `open`, `scheduled`, `on_hold`, `in_progress`, `incomplete`, `closed` or `cancelled`.
    state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    asked_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    accepted_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ready_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
    /// Until when it waits for the customer.
    #[schema(value_type = Option<String>, format = DateTime)]
    keep_until: Option<Timestamp>,
    tracking: String,
    transfer_id: Option<String>,
    /// Why this place.
    why: String,
}

/// A payment.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PaymentBody {
    provider: String,
    payment_id: String,
    /// `created`, `authorised`, `on_delivery`, `captured`, `partly_refunded`, `refunded`, `declined`, `failed` or `cancelled`.
    state: String,
    authorised_minor: i64,
    on_delivery_minor: i64,
    captured_minor: i64,
    refunded_minor: i64,
}

/// What happened to an order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HappenedBody {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    what: String,
    /// Why, where something was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    detail: Value,
}

/// An order.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OrderBody {
    order_id: String,
    number: String,
    /// What people see: `awaiting_payment`, `on_hold`, `parked`, `confirmed`, `in_progress`, `partly_sent`, `sent`, `partly_delivered`,
    /// `delivered`, `partly_returned`, `returned`, `lost` or `cancelled`.
    state: String,
    /// `placed`, `editing`, `closed` or `cancelled`.
    stage: String,
    sales_channel: String,
    currency: String,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    contact: ContactBody,
    /// The customer, where they are known.
    person_id: Option<String>,
    delivery: DeliveryBody,
    promised: Option<PromisedBody>,
    zone: String,
    try_on: bool,
    /// The colleague to whom it is credited.
    seller: String,
    coupons: Vec<String>,
    /// Why it must not go on.
    holds: Vec<String>,
    lines: Vec<OrderLineBody>,
    fulfilments: Vec<FulfilmentBody>,
    payments: Vec<PaymentBody>,
    history: Vec<HappenedBody>,
    shipping_minor: i64,
    shipping_tax_minor: i64,
    discount_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    /// What is to be paid for what is not cancelled.
    owed_minor: i64,
    /// Of it so much because what stays lost discounts by what was called off.
    lost_discount_minor: i64,
    paid_minor: i64,
    refunded_minor: i64,
    /// What is left to pay with all that came back; negative where something is to be given back.
    balance_minor: i64,
    version: i64,
}

fn some(at: Timestamp) -> Option<Timestamp> {
    (at.micros() != 0).then_some(at)
}

/// An order with everything that is known of it.
pub fn order(
    order: &Order,
    (places, key): (&Places, (u64, u64)),
    history: &[Happened],
    person_id: Option<i64>,
) -> OrderBody {
    let body = &order.body;
    let (sums, owing) = (order.sums(), order.owing());
    let parts = |line: usize| {
        let of = body.parts.iter().enumerate().filter(move |(_, part)| part.line == line);
        of.map(|(at, part)| PartBody {
            part: at as i64,
            quantity: Amount(part.quantity()),
            state: part.state.as_str().into(),
            location_id: place_id(places, part.location_no),
            fulfilment: part.fulfilment,
        })
        .collect()
    };
    let lines = body.lines.iter().enumerate().map(|(at, line)| OrderLineBody {
        line: at as i64,
        sku: line.sku.clone(),
        quantity: Amount(Quantity::from_milli(line.milli)),
        unit_minor: line.unit_minor,
        list_minor: line.list_minor,
        net_minor: line.net_minor,
        tax_minor: line.tax_minor,
        total_minor: line.total_minor,
        why: line.why.clone(),
        discounts: discounts(line.discounts.iter().map(|d| (&*d.promotion, d.minor, &*d.why))),
        parts: parts(at),
    });
    let happened = |h: &Happened| {
        let detail: Value = serde_json::from_str(&h.detail).unwrap_or(Value::Null);
        let reason = detail.get("why").and_then(Value::as_str).filter(|why| !why.is_empty()).map(String::from);
        HappenedBody { at: h.at, actor: h.actor.clone(), what: h.what.clone(), reason, detail }
    };
    OrderBody {
        order_id: ids::id(key, Kind::Order, order.no),
        number: body.number.clone(),
        state: order.status().as_str().into(),
        stage: body.stage.as_str().into(),
        sales_channel: body.channel.clone(),
        currency: body.currency.clone(),
        placed_at: order.placed_at,
        updated_at: order.updated_at,
        contact: ContactBody {
            email: order.contact.email.clone(),
            phone: order.contact.phone.clone(),
            name: order.contact.name.clone(),
            address: order.contact.address.clone(),
        },
        person_id: person_id.map(|id| id.to_string()),
        delivery: delivery(&body.delivery, places, &body.currency),
        promised: body.promised.as_ref().map(PromisedBody::of),
        zone: body.zone.clone(),
        try_on: body.try_on,
        seller: body.seller.clone(),
        coupons: body.coupons.clone(),
        holds: body.holds.clone(),
        lines: lines.collect(),
        fulfilments: body
            .fulfilments
            .iter()
            .map(|f| FulfilmentBody {
                no: f.no,
                location_id: place_id(places, f.location_no),
                kind: f.kind.as_str().into(),
                state: f.state.as_str().into(),
                asked_at: some(f.asked_at),
                accepted_at: some(f.accepted_at),
                ready_at: some(f.ready_at),
                due_at: some(f.due_at),
                done_at: some(f.done_at),
                keep_until: some(f.keep_until),
                tracking: f.tracking.clone(),
                transfer_id: f.transfer_no.map(|no| no.to_string()),
                why: f.why.clone(),
            })
            .collect(),
        payments: body
            .payments
            .iter()
            .map(|p| PaymentBody {
                provider: p.provider.clone(),
                payment_id: p.id.clone(),
                state: p.state.as_str().into(),
                authorised_minor: p.authorised_minor,
                on_delivery_minor: p.on_delivery_minor,
                captured_minor: p.captured_minor,
                refunded_minor: p.refunded_minor,
            })
            .collect(),
        history: history.iter().map(happened).collect(),
        shipping_minor: body.shipping_minor,
        shipping_tax_minor: body.shipping_tax_minor,
        discount_minor: body.discount_minor,
        tax_minor: body.tax_minor,
        total_minor: body.total_minor,
        owed_minor: order.owed_minor(),
        lost_discount_minor: body.lost_discount_minor,
        paid_minor: sums.captured,
        refunded_minor: sums.refunded,
        balance_minor: owing.due_minor - owing.paid_minor,
        version: order.version,
    }
}
