//! Carts: what somebody may order, and what that would cost now.
use super::buyers::{Buyers, buyer, customer};
use super::{change_cart, open_cart};
use crate::CartTable;
use crate::error::OrderError;
use crate::model::{Cart, CartBody, CartLine, Contact, Delivery, OrderBody, Promised};
use crate::repricing::PricedFrom;
use base::Quantity;
use catalog::model::ProductState;
use catalog::prices::model::{Ask, Quote};
use catalog::prices::store::price_of;
use catalog::variants;
use db::Tx;
use loyalty::amounts;
use loyalty::model::{Basket, Context, Line, Priced, Shipping};
use std::collections::HashMap;
use std::sync::Arc;
use stock::StockError;
use stock::choice::Wanted;
use stock::commands::Request;
use stock::model::{EndedWhy, ReservationKind};

/// What a shop is, as far as orders ask.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Whose law holds, such as `UA`.
    pub country: String,
    pub currency: String,
    /// Whose days and hours rules name.
    pub zone: jiff::tz::TimeZone,
    /// Who knows people; without it nobody is known.
    pub buyers: Option<Arc<dyn Buyers>>,
}

/// Lines of one cart, and characters of a coupon and of a contact's fields.
const LINES_MAX: usize = 500;
const COUPONS_MAX: usize = 20;
const TEXT_MAX: usize = 500;

/// Begins a cart.
pub fn create_cart(tx: &mut Tx, shop: &Shop, channel: &str, currency: Option<&str>) -> Result<Arc<Cart>, OrderError> {
    let places = stock::commands::places(tx)?;
    if places.channel(channel).is_none() {
        return Err(OrderError::field("/channel", format!("there is no channel {channel:?}")));
    }
    let currency = currency.unwrap_or(&shop.currency).trim().to_ascii_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(OrderError::field("/currency", "name a currency by three letters"));
    }
    let no = tx.next_id();
    let body = CartBody {
        channel: channel.into(),
        currency,
        lines: vec![],
        coupons: vec![],
        delivery: None,
        ..CartBody::default()
    };
    let cart = Arc::new(Cart { no, contact: Contact::default(), order_no: None, updated_at: tx.now(), body });
    tx.put::<CartTable>(no, cart.clone());
    Ok(cart)
}

/// Puts so much of a variant into a cart: added to what is in it, or, with `instead`, instead of that; nothing takes it out.
pub fn put_line(
    tx: &mut Tx,
    no: i64,
    variant_no: i64,
    quantity: Quantity,
    instead: bool,
) -> Result<Arc<Cart>, OrderError> {
    let cart = open_cart(tx, no)?;
    let variant = variants::get(tx, variant_no)?;
    let sold = variant.is_some_and(|v| v.state == ProductState::Active);
    if !sold && quantity.is_positive() {
        return Err(OrderError::field("/sku", "it is not sold now"));
    }
    if quantity.is_positive() {
        super::assortment::check(tx, &cart.body.channel, variant_no)?;
    }
    let known = cart.body.lines.iter().position(|line| line.variant_no == variant_no);
    let before = known.map_or(Quantity::ZERO, |at| cart.body.lines[at].quantity());
    let after = if instead { quantity } else { before + quantity };
    if quantity.is_negative() || after > Quantity::MAX || (!instead && !quantity.is_positive()) {
        return Err(OrderError::field("/quantity", "the quantity must be more than nothing"));
    }
    if known.is_none() && cart.body.lines.len() >= LINES_MAX {
        return Err(OrderError::field("/sku", format!("a cart has at most {LINES_MAX} lines")));
    }
    change_cart(tx, no, |cart| match known {
        Some(at) if after.is_zero() => drop(cart.body.lines.remove(at)),
        Some(at) => cart.body.lines[at].milli = after.milli(),
        None if after.is_zero() => {}
        None => cart.body.lines.push(CartLine { variant_no, milli: after.milli() }),
    })
}

/// Says who orders.
pub fn put_contact(tx: &mut Tx, no: i64, contact: &Contact) -> Result<Arc<Cart>, OrderError> {
    open_cart(tx, no)?;
    if !contact.is_reachable() {
        return Err(OrderError::field("/email", "give an e-mail or a phone, so that the customer can be reached"));
    }
    for (pointer, text) in [
        ("/email", &contact.email),
        ("/phone", &contact.phone),
        ("/name", &contact.name),
        ("/address", &contact.address),
        ("/user_id", &contact.user_id),
        ("/anonymous_id", &contact.anonymous_id),
    ] {
        if text.len() > TEXT_MAX || text.chars().any(char::is_control) {
            return Err(OrderError::field(pointer, format!("at most {TEXT_MAX} bytes on one line are allowed")));
        }
    }
    change_cart(tx, no, |cart| {
        let address = if contact.address.is_empty() { cart.contact.address.clone() } else { contact.address.clone() };
        // Whoever is somebody else now was not vouched for.
        let same = (&cart.contact.email, &cart.contact.phone, &cart.contact.user_id)
            == (&contact.email, &contact.phone, &contact.user_id);
        let person_id = if same { cart.contact.person_id } else { 0 };
        if !same {
            cart.body.points = 0;
        }
        cart.contact = Contact { address, person_id, ..contact.clone() };
    })
}

/// Says how the goods get to the customer, and what they were told about it.
pub fn put_delivery(
    tx: &mut Tx,
    no: i64,
    delivery: &Delivery,
    (address, promised): (&str, Option<&Promised>),
) -> Result<Arc<Cart>, OrderError> {
    let cart = open_cart(tx, no)?;
    let address = if address.trim().is_empty() { cart.contact.address.trim() } else { address.trim() };
    match delivery {
        Delivery::PickUp { location_no } => {
            let places = stock::commands::places(tx)?;
            let open = places
                .get(*location_no)
                .is_some_and(|location| location.kind.sells() && location.state == stock::model::LocationState::Open);
            if !open {
                return Err(OrderError::field("/location_id", "nothing is handed over there now"));
            }
        }
        Delivery::Ship { price_minor, .. } => {
            if address.trim().is_empty() || address.len() > TEXT_MAX {
                return Err(OrderError::field("/address", "say where to, in at most 500 bytes"));
            }
            if *price_minor < 0 {
                return Err(OrderError::field("/option_id", "a way of delivery costs nothing or more"));
            }
        }
    }
    let (_, settings) = super::settings::settings(tx)?;
    let zone = settings.zone_of(address).to_string();
    change_cart(tx, no, |cart| {
        cart.body.delivery = Some(delivery.clone());
        cart.body.promised = promised.cloned();
        cart.body.zone = zone;
        if !address.is_empty() {
            cart.contact.address = address.into();
        }
    })
}

/// Says whether the goods are tried on before they are paid for: the customer keeps what fits.
pub fn put_try_on(tx: &mut Tx, no: i64, try_on: bool) -> Result<Arc<Cart>, OrderError> {
    open_cart(tx, no)?;
    change_cart(tx, no, |cart| cart.body.try_on = try_on)
}

/// Says who advised the customer; empty takes it back.
pub fn put_seller(tx: &mut Tx, no: i64, seller: &str) -> Result<Arc<Cart>, OrderError> {
    open_cart(tx, no)?;
    if seller.len() > 200 || seller.chars().any(char::is_control) {
        return Err(OrderError::field("/seller", "at most 200 bytes on one line are allowed"));
    }
    change_cart(tx, no, |cart| cart.body.seller = seller.into())
}

/// Gives back what a cart holds; a hold that is over, or not known any more, is none.
pub(super) fn drop_hold(tx: &mut Tx, cart: &Cart) -> Result<(), OrderError> {
    let Some(hold) = cart.body.hold else { return Ok(()) };
    match stock::commands::release(tx, hold, EndedWhy::Replaced) {
        Ok(()) | Err(StockError::Unknown { .. }) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Keeps what is in a cart for as long as its channel says, from now on; what there is too little of is kept as far as it goes.
pub fn hold_cart(tx: &mut Tx, no: i64) -> Result<Arc<Cart>, OrderError> {
    let cart = open_cart(tx, no)?;
    drop_hold(tx, &cart)?;
    let mut lines = Vec::with_capacity(cart.body.lines.len());
    for line in &cart.body.lines {
        if variants::get(tx, line.variant_no)?.is_some_and(|variant| variant.tracked) {
            lines.push(Wanted { variant_no: line.variant_no, quantity: line.quantity(), location_no: None });
        }
    }
    let hold = match lines.is_empty() {
        true => None,
        false => {
            let request = Request {
                channel: cart.body.channel.as_str().into(),
                kind: ReservationKind::Cart,
                owner: format!("cart:{no}").into(),
                lines,
                seconds: None,
                partial: true,
            };
            match stock::commands::reserve(tx, &request) {
                Ok(kept) => Some(kept.no),
                Err(StockError::NotEnough(_)) => None,
                Err(e) => return Err(e.into()),
            }
        }
    };
    change_cart(tx, no, |cart| cart.body.hold = hold)
}

/// Adds a coupon, as typed; whether it gives anything is said with the price.
pub fn add_coupon(tx: &mut Tx, no: i64, code: &str) -> Result<Arc<Cart>, OrderError> {
    let cart = open_cart(tx, no)?;
    let code = loyalty::coupon(code);
    if code.is_empty() || code.len() > 100 {
        return Err(OrderError::field("/code", "a coupon has from 1 to 100 characters"));
    }
    if cart.body.coupons.len() >= COUPONS_MAX {
        return Err(OrderError::field("/code", format!("at most {COUPONS_MAX} coupons are taken")));
    }
    change_cart(tx, no, |cart| {
        if !cart.body.coupons.contains(&code) {
            cart.body.coupons.push(code);
        }
    })
}

/// What a cart costs now, with the quotes of its lines in their order: the same function that prices the order.
pub fn price_cart(tx: &mut Tx, cart: &Cart, shop: &Shop) -> Result<(Priced, Vec<Quote>), OrderError> {
    let Pricing { priced, quotes, .. } = price_with(tx, cart, shop, None)?;
    Ok((priced, quotes))
}

/// What a basket costs, and from what that was reckoned.
pub(super) struct Pricing {
    pub priced: Priced,
    pub quotes: Vec<Quote>,
    pub basket: Basket,
    pub context: Context,
    /// The version of the rules.
    pub rules: i64,
}

impl Pricing {
    /// Writes down in an order how it was priced; `again`: what is kept of it is priced again when some of it goes.
    pub fn note(&self, body: &mut OrderBody, again: bool) {
        body.rules = self.rules;
        body.priced_from = again.then(|| PricedFrom::of(&self.basket, &self.context));
    }
}

/// What was agreed with an order that is changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Agreed {
    /// What one cost, by variant.
    pub units: HashMap<i64, i64>,
    /// Points that are burned for it: no others are.
    pub burned: i64,
    /// Under which it used promotions: its own uses do not count against it.
    pub document: String,
}

/// The same, with what was agreed before.
pub(super) fn price_with(
    tx: &mut Tx,
    cart: &Cart,
    shop: &Shop,
    agreed: Option<&Agreed>,
) -> Result<Pricing, OrderError> {
    let now = tx.now();
    let rules = loyalty::rules::rules(tx)?;
    let law = rules.law(&shop.country);
    let store = match &cart.body.delivery {
        Some(Delivery::PickUp { location_no }) => {
            stock::commands::places(tx)?.get(*location_no).map(|location| location.id.to_string())
        }
        _ => None,
    };
    let buyer = buyer(tx, cart, shop)?;
    let asked = super::goods::promotions_ask(tx, &rules)?;
    let (mut lines, mut quotes) = (Vec::with_capacity(cart.body.lines.len()), Vec::new());
    for (at, wanted) in cart.body.lines.iter().enumerate() {
        let variant = variants::get(tx, wanted.variant_no)?;
        let variant = variant.ok_or_else(|| OrderError::field(format!("/lines/{at}"), "it is not sold any more"))?;
        let ask = Ask {
            variant: wanted.variant_no,
            currency: cart.body.currency.clone(),
            quantity: wanted.milli,
            channel: Some(cart.body.channel.clone()),
            region: None,
            store: store.clone(),
            segments: buyer.as_ref().map_or_else(Vec::new, |buyer| buyer.segments.clone()),
            customer: buyer.as_ref().map(|buyer| buyer.id.clone()),
            at: now,
        };
        let base = (*variant.currency == cart.body.currency).then_some(variant.price_minor);
        let quoted = match agreed.and_then(|agreed| agreed.units.get(&wanted.variant_no)) {
            Some(minor) => base_quote(Some(*minor)).map(|q| Quote { reason: "as agreed with the order".into(), ..q }),
            None => price_of(tx, &ask)?,
        };
        let quote = match quoted {
            Some(quote) => quote,
            None => base_quote(base).ok_or_else(|| OrderError::NoPrice {
                sku: variant.sku.to_string(),
                currency: cart.body.currency.clone(),
            })?,
        };
        let rates = law.as_ref().map(|law| {
            let day = law.day(now);
            law.tax(&variant.tax_class, day).unwrap_or_else(|_| law.standard_tax(day))
        });
        let about = if asked { super::goods::about(tx, variant.product_no)? } else { Default::default() };
        lines.push(Line {
            id: at.to_string(),
            sku: variant.sku.to_string(),
            product: Some(variant.product_no.to_string()),
            quantity: amounts::Quantity(wanted.milli),
            price: amounts::UnitPrice::minor(quote.minor),
            sale: quote.sale,
            categories: about.joined(),
            brand: about.brand,
            rates: rates.unwrap_or_default(),
            ..Line::default()
        });
        quotes.push(quote);
    }
    let shipping = match &cart.body.delivery {
        Some(Delivery::Ship { price_minor, .. }) => {
            let rates = law.as_ref().map(|law| law.standard_tax(law.day(now))).unwrap_or_default();
            Some(Shipping { minor: *price_minor, rates })
        }
        _ => None,
    };
    let mut customer = customer(tx, buyer.as_ref(), &rules)?;
    let mut points = cart.body.points.min(customer.points);
    let mut own = Vec::new();
    if let Some(agreed) = agreed {
        (points, customer.points) = (agreed.burned, agreed.burned);
        own = loyalty::rules::uses::of_document(tx, &agreed.document)?;
    }
    for promotion in &own {
        customer.used.entry(promotion.clone()).and_modify(|used| *used -= 1);
    }
    let basket =
        Basket { currency: cart.body.currency.clone(), lines, shipping, coupons: cart.body.coupons.clone(), points };
    let limited: Vec<String> =
        rules.promotions.promotions.iter().filter(|p| p.limit.is_some()).map(|p| p.id.clone()).collect();
    let mut used = if limited.is_empty() { Default::default() } else { loyalty::rules::uses::totals(tx, &limited)? };
    for promotion in own {
        used.entry(promotion).and_modify(|used| *used -= 1);
    }
    let delivery = cart.body.delivery.as_ref().map(|delivery| match delivery {
        Delivery::PickUp { .. } => "pickup".to_string(),
        Delivery::Ship { option, .. } => option.clone(),
    });
    let context = Context {
        at: now,
        channel: Some(cart.body.channel.clone()),
        store,
        delivery,
        used,
        customer,
        ..Context::default()
    };
    let priced = loyalty::price(&basket, &rules.compiled, &context);
    Ok(Pricing { priced, quotes, basket, context, rules: rules.version })
}

fn base_quote(base: Option<i64>) -> Option<Quote> {
    base.map(|minor| Quote {
        minor,
        list: catalog::prices::model::BASE,
        entry: 0,
        base_minor: Some(minor),
        compare_at: None,
        sale: false,
        personal: false,
        reason: "the base price".into(),
    })
}
