//! From a cart to an order: priced, its goods kept where sourcing says, its places asked, in one transaction.
use super::arrived::ask_for;
use super::burning::{burn, pay_with_points};
use super::buyers::{buyer, kept as kept_points};
use super::cart::drop_hold;
use super::cart::price_with;
use super::source::{Given, Route, Sourced, Wants, source};
use super::work::begin;
use super::{cart_of, change_cart, history, open_cart, order_of, put_order};
use crate::commands::Shop;
use crate::confirmation::{Facts, PREPAYMENT, UNCONFIRMED, Verdict, decide};
use crate::error::OrderError;
use crate::model::{Cart, Delivery, Fulfilling, Order, OrderBody, OrderLine, Part, Serving, Taken};
use crate::settings::{Begin, Settings};
use crate::states::fulfilment::Fulfilment;
use crate::states::line::Line as LineState;
use crate::states::order::{Action, Guard, Stage};
use crate::states::step;
use base::{Quantity, Timestamp};
use catalog::prices::model::Quote;
use catalog::variants;
use db::Tx;
use loyalty::model::Priced;
use loyalty::refunds::Policy as Refunds;
use serde_json::json;
use std::sync::Arc;
use stock::ahead::Planned;
use stock::choice::Wanted;
use stock::commands::{Request, Reserved, confirm, reserve};
use stock::model::ReservationKind;
use stock::{Places, Short, StockError};

/// Orders a cart. A cart that was ordered before gives the order that it became: a repeat after a lost answer orders nothing twice.
///
/// Refused with all that is short, and then nothing is kept. Goods whose pieces are not counted are kept nowhere. What the shop
/// lacks where the customer wants to fetch it is brought from where sourcing says.
pub fn checkout(tx: &mut Tx, cart_no: i64, shop: &Shop, actor: &str) -> Result<Arc<Order>, OrderError> {
    if let Some(order_no) = cart_of(tx, cart_no)?.order_no {
        return order_of(tx, order_no);
    }
    let cart = open_cart(tx, cart_no)?;
    step(Stage::Cart, Action::Place, &guards(&cart))?;
    let Some(delivery) = cart.body.delivery.clone() else {
        return Err(OrderError::field("/delivery", "choose how the goods get to the customer"));
    };
    let (_, settings) = super::settings::settings(tx)?;
    let pricing = price_with(tx, &cart, shop, None)?;
    let (priced, quotes) = (&pricing.priced, &pricing.quotes);
    let accounts = buyer(tx, &cart, shop)?.map_or_else(Vec::new, |buyer| buyer.accounts);
    let rules = loyalty::rules::rules(tx)?;
    // What the cart held is what the order takes.
    drop_hold(tx, &cart)?;
    let kept = keep(tx, (&settings, shop), (&cart, &delivery, quotes))?;
    // The order's number is given once nothing can be refused any more.
    let no = tx.next_id();
    let Kept { mut body, why } = kept.confirm(tx, (no, &cart, delivery), (priced, quotes), actor)?;
    body.points = kept_points(priced, &rules);
    pricing.note(&mut body, settings.policy.refunds == Refunds::Recompute);
    burn(tx, no, &body, &accounts, actor)?;
    let used: Vec<String> = priced.applied.iter().map(|(promotion, _)| promotion.clone()).collect();
    let account = accounts.first().copied().unwrap_or(0);
    loyalty::rules::uses::note(tx, &format!("order:{no}"), account, &used)?;
    let now = tx.now();
    let contact = cart.contact.clone();
    let mut order = Order { no, contact, placed_at: now, updated_at: now, version: 0, body };
    let verdict = decide(facts(tx, &order, &settings)?, &settings.policy);
    let detail =
        json!({"channel": order.body.channel, "total_minor": order.body.total_minor, "lines": order.body.lines.len()});
    history(tx, no, actor, "placed", &detail);
    if !why.is_empty() {
        history(tx, no, actor, "sourced", &json!({"why": why}));
    }
    match verdict {
        Verdict::Confirmed { why } => {
            history(tx, no, actor, "confirmed", &json!({"why": why}));
            if settings.policy.begin == Begin::Placed {
                begin(&mut order, now)?;
            }
        }
        Verdict::Ask { why } => {
            order.body.holds.push(UNCONFIRMED.into());
            history(tx, no, actor, "held", &json!({"hold": UNCONFIRMED, "why": why}));
        }
        Verdict::Prepay { minor, why } => {
            order.body.holds.push(PREPAYMENT.into());
            history(tx, no, actor, "held", &json!({"hold": PREPAYMENT, "minor": minor, "why": why}));
        }
    }
    let order = put_order(tx, order);
    change_cart(tx, cart_no, |cart| cart.order_no = Some(no))?;
    crate::told::tell(tx, super::telling::completed(&order, cart_no, &cart.body.coupons))?;
    if cart.body.advised {
        crate::showroom::ordered(tx, shop, &order)?;
    }
    pay_with_points(tx, order, actor)
}

/// Goods that are kept and wait for the number of their order.
pub(super) struct Keeping {
    plan: Plan,
    reserved: Option<Reserved>,
    wants: Vec<Wants>,
    /// The lines of the cart that `wants` stands for: goods that are not counted have none.
    counted: Vec<usize>,
    skus: Vec<String>,
}

/// What an order is made of, and why its goods come from where they come.
pub(super) struct Kept {
    pub body: OrderBody,
    pub why: String,
}

/// Keeps the goods of a cart where sourcing says, all of them or none.
pub(super) fn keep(
    tx: &mut Tx,
    (settings, shop): (&Settings, &Shop),
    (cart, delivery, quotes): (&Cart, &Delivery, &[Quote]),
) -> Result<Keeping, OrderError> {
    let places = stock::commands::places(tx)?;
    let (mut wants, mut counted, mut skus) = (Vec::new(), Vec::new(), Vec::with_capacity(cart.body.lines.len()));
    for (at, line) in cart.body.lines.iter().enumerate() {
        let variant = variants::get(tx, line.variant_no)?;
        let variant = variant.ok_or_else(|| OrderError::field(format!("/lines/{at}"), "it is not sold any more"))?;
        if variant.tracked {
            counted.push(at);
            wants.push(Wants {
                variant_no: line.variant_no,
                sku: variant.sku.to_string(),
                quantity: line.quantity(),
                weight_g: variant.weight_g,
                price_minor: quotes[at].minor,
                categories: super::goods::categories(tx, &settings.sourcing, variant.product_no)?,
            });
        }
        skus.push(variant.sku.to_string());
    }
    let plan = plan(tx, (settings, &places, shop), cart, (delivery, &wants))?;
    let reserved = match plan.wanted.is_empty() {
        true => None,
        false => {
            let (channel, kind) = (cart.body.channel.as_str().into(), ReservationKind::Order);
            let lines = plan.wanted.iter().map(|(_, wanted)| wanted.clone()).collect();
            let owner = format!("cart:{}", cart.no).into();
            Some(reserve(tx, &Request { channel, kind, owner, lines, seconds: None, partial: false })?)
        }
    };
    Ok(Keeping { plan, reserved, wants, counted, skus })
}

impl Keeping {
    /// Makes the claims those of an order, and asks other places for what has to be brought.
    pub fn confirm(
        self,
        tx: &mut Tx,
        (no, cart, delivery): (i64, &Cart, Delivery),
        (priced, quotes): (&Priced, &[Quote]),
        actor: &str,
    ) -> Result<Kept, OrderError> {
        let Keeping { plan, reserved, wants, counted, skus } = self;
        if let Some(kept) = &reserved {
            confirm(tx, kept.no, ReservationKind::Order, &format!("order:{no}"))?;
        }
        let mut body = body(cart, (no, delivery), (priced, quotes, skus));
        if let Some(kept) = &reserved {
            for (line, chosen) in kept.lines.iter().enumerate() {
                let want = counted[plan.wanted[chosen.line].0];
                add(&mut body, (want, chosen.location_no, chosen.quantity), Some((kept.no, line)), None, &plan.why);
            }
        }
        bring(tx, (no, &mut body), &plan, (&counted, &wants), actor)?;
        let planned: Vec<Planned> = plan.ahead.iter().map(|(_, planned)| planned.clone()).collect();
        let claims = stock::ahead::claim(tx, &format!("order:{no}"), &planned)?;
        for ((want, planned), claim) in plan.ahead.iter().zip(claims) {
            body.parts.push(Part {
                line: counted[*want],
                milli: planned.quantity.milli(),
                state: LineState::Ordered,
                location_no: planned.location_no,
                claim: None,
                fulfilment: None,
                incoming: Some(claim),
            });
        }
        let place = match &body.delivery {
            Delivery::PickUp { location_no } => Some(*location_no),
            Delivery::Ship { .. } => body.fulfilments.first().map(|f| f.location_no),
        };
        for (at, line) in cart.body.lines.iter().enumerate().filter(|(at, _)| !counted.contains(at)) {
            match place {
                Some(place) => add(&mut body, (at, place, line.quantity()), None, None, &plan.why),
                None => body.parts.push(Part {
                    line: at,
                    milli: line.milli,
                    state: LineState::Allocated,
                    location_no: 0,
                    claim: None,
                    fulfilment: None,
                    incoming: None,
                }),
            }
        }
        Ok(Kept { body, why: plan.why })
    }
}

/// What is to be kept, and what is to be brought.
#[derive(Default)]
struct Plan {
    /// The wanted line and what is asked of stock for it.
    wanted: Vec<(usize, Wanted)>,
    /// Wanted lines that come to the shop from other places.
    brought: Vec<Given>,
    /// What of wanted lines is not there yet, and is on order.
    ahead: Vec<(usize, Planned)>,
    shop_no: i64,
    why: String,
}

fn plan(
    tx: &mut Tx,
    (settings, places, shop): (&Settings, &Places, &Shop),
    cart: &Cart,
    (delivery, wants): (&Delivery, &[Wants]),
) -> Result<Plan, OrderError> {
    if wants.is_empty() {
        return Ok(Plan::default());
    }
    let channel = places.channel(&cart.body.channel).cloned();
    let channel = channel.ok_or_else(|| OrderError::Unknown { what: "channel", id: cart.body.channel.clone() })?;
    let all = |location_no: Option<i64>| {
        let one =
            |(at, w): (usize, &Wants)| (at, Wanted { variant_no: w.variant_no, quantity: w.quantity, location_no });
        wants.iter().enumerate().map(one).collect::<Vec<_>>()
    };
    let from = |given: &[Given]| {
        let one = |g: &Given| {
            let variant_no = wants[g.line].variant_no;
            (g.line, Wanted { variant_no, quantity: g.quantity, location_no: Some(g.location_no) })
        };
        given.iter().map(one).collect::<Vec<_>>()
    };
    match delivery {
        Delivery::PickUp { location_no } => {
            let mut plan =
                Plan { shop_no: *location_no, why: "the customer fetches it there".into(), ..Plan::default() };
            let mut lacking = Vec::new();
            for (at, want) in wants.iter().enumerate() {
                let here = super::source::there(tx, want.variant_no, &channel)?;
                let here = here.get(location_no).copied().unwrap_or(Quantity::ZERO);
                let elsewhere = settings.transfers.enabled || stock::ahead::of(tx, want.variant_no)?.is_some();
                if here >= want.quantity || !elsewhere {
                    let location_no = Some(*location_no);
                    plan.wanted
                        .push((at, Wanted { variant_no: want.variant_no, quantity: want.quantity, location_no }));
                } else {
                    lacking.push((at, here));
                }
            }
            if lacking.is_empty() {
                return Ok(plan);
            }
            let missing: Vec<Wants> = lacking.iter().map(|(at, _)| wants[*at].clone()).collect();
            let route = Route {
                channel: &channel,
                method: None,
                zone: &cart.body.zone,
                order: "",
                without: &[*location_no],
                kinds: Some(&settings.transfers.from_kinds),
            };
            let sourced = match settings.transfers.enabled {
                true => source(tx, (settings, places, shop), &missing, &route)?,
                false => Sourced::Silent,
            };
            let (late, rest): (Vec<usize>, Vec<usize>) = match sourced {
                Sourced::From(given, why) => {
                    plan.why = format!("what the shop lacks is brought: {why}");
                    plan.brought = given.into_iter().map(|g| Given { line: lacking[g.line].0, ..g }).collect();
                    return Ok(plan);
                }
                Sourced::Short(parked) => {
                    (0..lacking.len()).partition(|at| parked.iter().any(|(parked, _)| parked == at))
                }
                Sourced::Silent => ((0..lacking.len()).collect(), vec![]),
            };
            // What nobody has may be on order; the rest is brought.
            let shelf = |at: &usize| {
                let (want, here) = &lacking[*at];
                (*want, vec![(*location_no, *here)])
            };
            let shelves: Vec<_> = late.iter().map(shelf).collect();
            let enabled = settings.transfers.enabled;
            let serves = |no: i64| no == *location_no || (enabled && channel.serves(no));
            let Ok(()) = sell_ahead(tx, &mut plan, wants, (&shelves, &serves))? else {
                return Err(short(lacking.iter().map(|(at, here)| (&wants[*at], Some(*location_no), *here))));
            };
            if !rest.is_empty() {
                let missing: Vec<Wants> = rest.iter().map(|at| wants[lacking[*at].0].clone()).collect();
                let Sourced::From(given, why) = source(tx, (settings, places, shop), &missing, &route)? else {
                    return Err(short(lacking.iter().map(|(at, here)| (&wants[*at], Some(*location_no), *here))));
                };
                plan.why = format!("what the shop lacks is brought: {why}");
                let of = |g: Given| Given { line: lacking[rest[g.line]].0, ..g };
                plan.brought = given.into_iter().map(of).collect();
            }
            Ok(plan)
        }
        Delivery::Ship { option, .. } => {
            let method = settings.method(option);
            // A way that the settings do not know (any more) has no rates: then any place will do.
            let method = method.and_then(|method| Some((method, settings.rate(method, &cart.body.zone)?)));
            let route =
                Route { channel: &channel, method, zone: &cart.body.zone, order: "", without: &[], kinds: None };
            match source(tx, (settings, places, shop), wants, &route)? {
                Sourced::From(given, why) => Ok(Plan { wanted: from(&given), why, ..Plan::default() }),
                Sourced::Silent => Ok(Plan { wanted: all(None), ..Plan::default() }),
                Sourced::Short(parked) => {
                    let late: Vec<usize> = parked.iter().map(|(at, _)| *at).collect();
                    let (mut shelves, mut out) = (Vec::new(), Vec::new());
                    for at in &late {
                        let there = super::source::there(tx, wants[*at].variant_no, &channel)?;
                        let mut there: Vec<(i64, Quantity)> =
                            there.into_iter().filter(|(_, q)| q.is_positive()).collect();
                        there.sort_unstable_by_key(|(no, quantity)| (std::cmp::Reverse(*quantity), *no));
                        let sum = there.iter().map(|(_, quantity)| *quantity).sum::<Quantity>();
                        out.push((&wants[*at], None, sum.min(wants[*at].quantity)));
                        shelves.push((*at, there));
                    }
                    let mut plan = Plan { why: "what is not there is on order".into(), ..Plan::default() };
                    let serves = |no: i64| channel.serves(no);
                    if sell_ahead(tx, &mut plan, wants, (&shelves, &serves))?.is_err() {
                        return Err(short(out.into_iter()));
                    }
                    let rest: Vec<usize> = (0..wants.len()).filter(|at| !late.contains(at)).collect();
                    if !rest.is_empty() {
                        let there: Vec<Wants> = rest.iter().map(|at| wants[*at].clone()).collect();
                        let Sourced::From(given, why) = source(tx, (settings, places, shop), &there, &route)? else {
                            return Err(short(out.into_iter()));
                        };
                        let given: Vec<Given> = given.into_iter().map(|g| Given { line: rest[g.line], ..g }).collect();
                        plan.wanted.extend(from(&given));
                        plan.why = format!("{why}; {}", plan.why);
                    }
                    Ok(plan)
                }
            }
        }
    }
}

/// Lines with where so much of them lies.
type Shelves = [(usize, Vec<(i64, Quantity)>)];

/// Takes of lines what there is, and plans the rest from what is on order, if it may be sold ahead: all of it or nothing. Refused
/// where there is too little on order, or where what there is would do and something else keeps it.
fn sell_ahead(
    tx: &mut Tx,
    plan: &mut Plan,
    wants: &[Wants],
    (shelves, serves): (&Shelves, &dyn Fn(i64) -> bool),
) -> Result<Result<(), ()>, OrderError> {
    let (mut taken, mut asked) = (Vec::new(), Vec::new());
    for (at, there) in shelves {
        let want = &wants[*at];
        let mut left = want.quantity;
        for (location_no, here) in there {
            let quantity = (*here).min(left);
            if quantity.is_positive() {
                left -= quantity;
                let location_no = Some(*location_no);
                taken.push((*at, Wanted { variant_no: want.variant_no, quantity, location_no }));
            }
        }
        if !left.is_positive() {
            return Ok(Err(()));
        }
        asked.push((*at, want.variant_no, left));
    }
    let wanted: Vec<(i64, Quantity)> = asked.iter().map(|(_, variant_no, left)| (*variant_no, *left)).collect();
    match stock::ahead::plan(tx, &wanted, serves) {
        Ok(planned) => {
            plan.wanted.extend(taken);
            plan.ahead.extend(planned.into_iter().map(|planned| (asked[planned.line].0, planned)));
            Ok(Ok(()))
        }
        Err(StockError::NotEnough(_)) => Ok(Err(())),
        Err(e) => Err(e.into()),
    }
}

fn short<'a>(lines: impl Iterator<Item = (&'a Wants, Option<i64>, Quantity)>) -> OrderError {
    let one = |(want, location_no, available): (&Wants, Option<i64>, Quantity)| Short {
        variant_no: want.variant_no,
        location_no,
        wanted: want.quantity,
        available,
    };
    StockError::NotEnough(lines.map(one).collect()).into()
}

/// Asks other places to give what the shop lacks: a transfer for each, visible in the order.
fn bring(
    tx: &mut Tx,
    (order_no, body): (i64, &mut OrderBody),
    plan: &Plan,
    (counted, wants): (&[usize], &[Wants]),
    actor: &str,
) -> Result<(), OrderError> {
    let mut givers: Vec<i64> = plan.brought.iter().map(|given| given.location_no).collect();
    givers.sort_unstable();
    givers.dedup();
    for from_no in givers {
        let of: Vec<&Given> = plan.brought.iter().filter(|given| given.location_no == from_no).collect();
        let pieces = of.iter().map(|given| (wants[given.line].variant_no, given.quantity));
        let expected_at = body.promised.as_ref().map(|promised| promised.earliest);
        let transfer_no = ask_for(tx, (order_no, from_no, plan.shop_no), pieces, expected_at, actor)?;
        for given in of {
            add(body, (counted[given.line], from_no, given.quantity), None, Some(transfer_no), &plan.why);
        }
    }
    Ok(())
}

/// Adds pieces to the order, and to what their place serves.
fn add(
    body: &mut OrderBody,
    (line, location_no, quantity): (usize, i64, Quantity),
    claim: Option<(i64, usize)>,
    transfer_no: Option<i64>,
    why: &str,
) {
    let kind = match (&body.delivery, transfer_no) {
        (_, Some(_)) => Serving::Supply,
        (Delivery::PickUp { .. }, None) => Serving::PickUp,
        (Delivery::Ship { .. }, None) => Serving::Ship,
    };
    let fulfilment = fulfilling(body, (location_no, kind, transfer_no), why);
    body.parts.push(Part {
        line,
        milli: quantity.milli(),
        state: LineState::Allocated,
        location_no,
        claim,
        fulfilment: Some(fulfilment),
        incoming: None,
    });
}

/// What a place serves of the order and has not begun; made when there is none.
pub(super) fn fulfilling(
    body: &mut OrderBody,
    (location_no, kind, transfer_no): (i64, Serving, Option<i64>),
    why: &str,
) -> i64 {
    let same = |f: &&Fulfilling| {
        f.location_no == location_no && f.kind == kind && f.transfer_no == transfer_no && f.state == Fulfilment::Open
    };
    if let Some(known) = body.fulfilments.iter().find(same) {
        return known.no;
    }
    let no = body.fulfilments.iter().map(|f| f.no).max().unwrap_or(0) + 1;
    let never = Timestamp::default();
    body.fulfilments.push(Fulfilling {
        no,
        location_no,
        kind,
        state: Fulfilment::Open,
        asked_at: never,
        accepted_at: never,
        ready_at: never,
        due_at: body.promised.as_ref().map_or(never, |promised| promised.earliest),
        due_first: never,
        done_at: never,
        keep_until: never,
        tracking: String::new(),
        transfer_no,
        why: why.into(),
    });
    no
}

/// Gives parts that no place was asked for to the places where they lie.
pub(crate) fn assign(body: &mut OrderBody, why: &str) {
    let waits =
        |part: &Part| part.fulfilment.is_none() || !body.fulfilments.iter().any(|f| Some(f.no) == part.fulfilment);
    let waiting: Vec<usize> = (0..body.parts.len()).filter(|at| waits(&body.parts[*at])).collect();
    for at in waiting {
        let location_no = body.parts[at].location_no;
        if location_no <= 0 || body.parts[at].state != LineState::Allocated {
            body.parts[at].fulfilment = None;
            continue;
        }
        let kind = match &body.delivery {
            Delivery::PickUp { .. } => Serving::PickUp,
            Delivery::Ship { .. } => Serving::Ship,
        };
        body.parts[at].fulfilment = Some(fulfilling(body, (location_no, kind, None), why));
    }
}

fn body(
    cart: &Cart,
    (no, delivery): (i64, Delivery),
    (priced, quotes, skus): (&Priced, &[Quote], Vec<String>),
) -> OrderBody {
    let lines = cart.body.lines.iter().zip(&priced.lines).zip(quotes).zip(skus);
    let lines: Vec<OrderLine> = lines
        .map(|(((wanted, line), quote), sku)| OrderLine {
            variant_no: wanted.variant_no,
            sku,
            milli: wanted.milli,
            unit_minor: quote.minor,
            why: quote.reason.clone(),
            list_minor: line.list_minor,
            discounts: line
                .discounts
                .iter()
                .map(|d| Taken { promotion: d.promotion.clone(), minor: d.minor, why: d.why.clone() })
                .collect(),
            net_minor: line.taxed.net,
            tax_minor: line.taxed.tax(),
            total_minor: line.taxed.total,
            burned: line.burned,
            burned_minor: line.burned_minor,
            earned: line.earned,
        })
        .collect();
    let shipping = priced.shipping.as_ref().map_or((0, 0), |s| (s.taxed.total, s.taxed.tax()));
    OrderBody {
        number: number(no),
        cart_no: cart.no,
        channel: cart.body.channel.clone(),
        currency: cart.body.currency.clone(),
        delivery,
        lines,
        shipping_minor: shipping.0,
        shipping_tax_minor: shipping.1,
        discount_minor: priced.totals.discount_minor,
        tax_minor: priced.totals.tax_minor,
        total_minor: priced.totals.total_minor,
        stage: Stage::Placed,
        holds: vec![],
        coupons: cart.body.coupons.clone(),
        parts: vec![],
        payments: vec![],
        fulfilments: vec![],
        promised: cart.body.promised.clone(),
        promised_first: None,
        points: None,
        zone: cart.body.zone.clone(),
        try_on: cart.body.try_on,
        seller: cart.body.seller.clone(),
        given_at: Timestamp::default(),
        unclaimed: false,
        rules: 0,
        priced_from: None,
        lost_discount_minor: 0,
        decided: crate::owing::Decided::default(),
    }
}

/// What is known of the customer, if the policy asks.
fn facts(tx: &mut Tx, order: &Order, settings: &Settings) -> Result<Facts, OrderError> {
    let mut facts = Facts { total_minor: order.body.total_minor, ..Facts::default() };
    let policy = &settings.policy;
    if policy.confirm_above_minor == 0 && policy.prepay_after_unclaimed == 0 {
        return Ok(facts);
    }
    let (by, value) = match (&*order.contact.phone, &*order.contact.email) {
        ("", "") => return Ok(facts),
        ("", email) => (BY_EMAIL, email),
        (phone, _) => (BY_PHONE, phone),
    };
    if let Some(row) = tx.first(by, &[value.into()])? {
        (facts.taken, facts.unclaimed) = (row.int(0)?, row.int(1)?);
    }
    Ok(facts)
}

const BY_PHONE: &str = "SELECT CAST(COALESCE(SUM(CASE WHEN status = 'delivered' THEN 1 ELSE 0 END), 0) AS BIGINT), \
                        CAST(COALESCE(SUM(unclaimed), 0) AS BIGINT) FROM orders WHERE phone = $1";
const BY_EMAIL: &str = "SELECT CAST(COALESCE(SUM(CASE WHEN status = 'delivered' THEN 1 ELSE 0 END), 0) AS BIGINT), \
                        CAST(COALESCE(SUM(unclaimed), 0) AS BIGINT) FROM orders WHERE email = $1";

/// What holds of a cart. Stock is kept a moment later, in the same transaction or not at all; money is covered when it comes: an
/// order that is not paid yet waits, and says so.
fn guards(cart: &Cart) -> Vec<Guard> {
    let mut out = vec![Guard::Stock, Guard::Covered];
    if !cart.body.lines.is_empty() {
        out.push(Guard::Lines);
    }
    if cart.contact.is_reachable() {
        out.push(Guard::Customer);
    }
    if cart.body.delivery.is_some() {
        out.push(Guard::Delivery);
    }
    out
}

/// What the customer sees: short, without a hint at how many orders there are, and with a check digit against slips of the
/// tongue. Seven digits of a permutation of the order's number (a multiplication that is prime to 10⁷) and the digit of GS1.
fn number(no: i64) -> String {
    const MODULUS: i64 = 10_000_000;
    let mixed = (no.rem_euclid(MODULUS) * 7_368_787 + 1_299_709).rem_euclid(MODULUS);
    let rounds = no / MODULUS;
    let digits = if rounds == 0 { format!("{mixed:07}") } else { format!("{rounds}{mixed:07}") };
    let sum: u32 =
        digits.bytes().rev().enumerate().map(|(at, b)| u32::from(b - b'0') * if at % 2 == 0 { 3 } else { 1 }).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_unique_and_checked() {
        let all: std::collections::HashSet<String> = (1..200_000).map(super::number).collect();
        assert_eq!(all.len(), 199_999);
        assert!(all.iter().all(|n| n.len() == 8));
        assert_eq!(super::number(10_000_001).len(), 9);
    }
}
