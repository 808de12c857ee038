//! Does a plan: each step through the commands that the API uses, in a transaction with its place in the plan.
use super::plan::{Act, PLACES, Plan, Step, Way, way};
use base::{Clock, ManualClock, Quantity, Timestamp};
use catalog::model::{Price, ProductInput, ProductState, VariantInput};
use db::{DbError, Tx};
use orders::OrderError;
use orders::after::commands as after;
use orders::after::model::{Grade, Reason, Wanted};
use orders::commands::{self, Fact, Proof, Shop};
use orders::model::{Contact, Delivery, Order, Serving};
use orders::states::fulfilment::Fulfilment;
use orders::states::line::Line as Piece;
use orders::states::payment::Action;
use pipeline::Core;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use stock::commands::{LocationInput, Shortage};
use stock::model::{Document, DocumentKind, LocationKind, Move, SUPPLIER};

/// Where a replay stands: the moment that is "now" of its plan, and how many steps are done.
pub const STATE: &str = "demo.retail";
const ACTOR: &str = "demo";

/// What became of the steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub done: BTreeMap<&'static str, u64>,
    /// What a rule refused, by its words.
    pub refused: BTreeMap<String, u64>,
    /// It was told to stop before its end.
    pub stopped: bool,
}

/// A replay that was begun before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// The "now" of its plan.
    pub now: Timestamp,
    /// Steps that are done, and how many there are.
    pub done: usize,
    pub of: usize,
}

/// Where a replay that was begun before stands.
pub fn begun(core: &Core) -> Result<Option<Begun>, DbError> {
    let text = core.store.read(|tx| db::settings::get(tx.engine(), STATE))?;
    text.map(|text| state(&text)).transpose()
}

/// What a store's setting of that name says.
pub fn state(text: &str) -> Result<Begun, DbError> {
    let mut words = text.split(' ').map(str::parse::<i64>);
    let mut next = || words.next().and_then(Result::ok);
    let read = (next(), next().and_then(|n| n.try_into().ok()), next().and_then(|n| n.try_into().ok()));
    match read {
        (Some(now), Some(done), Some(of)) => Ok(Begun { now: Timestamp::from_micros(now), done, of }),
        _ => Err(DbError::damaged("settings", "demo.retail is no moment and place")),
    }
}

fn note(tx: &mut Tx, place: Begun) -> Result<(), DbError> {
    tx.will_write();
    let text = format!("{} {} {}", place.now.micros(), place.done, place.of);
    db::settings::set(tx.engine(), STATE, &text)
}

/// Lives a plan through, from where it was left. `go_on` is asked before each step with its place; a no stops it there.
pub fn replay(
    core: &Core,
    clock: &ManualClock,
    (plan, now): (&Plan, Timestamp),
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Tally, OrderError> {
    let mut tally = Tally::default();
    let begun = begun(core)?;
    let mut retailer = Retailer { core, plan, now, places: vec![], goods: vec![], orders: HashMap::new() };
    if let Some((at, _)) = plan.steps.get(begun.map_or(0, |begun| begun.done)) {
        set(clock, *at);
    }
    retailer.furnish(begun.is_none())?;
    for at in begun.map_or(0, |begun| begun.done)..plan.steps.len() {
        if !go_on(at) {
            tally.stopped = true;
            return Ok(tally);
        }
        let (moment, step) = &plan.steps[at];
        set(clock, *moment);
        match retailer.step(at, step) {
            Ok(what) => *tally.done.entry(what).or_default() += 1,
            Err(OrderError::Store(e)) => return Err(e.into()),
            Err(refusal) => {
                *tally.refused.entry(refusal.to_string()).or_default() += 1;
                let place = retailer.after(at);
                core.store.write(move |tx| note(tx, place))?;
            }
        }
    }
    set(clock, now);
    Ok(tally)
}

/// A clock that goes on only.
fn set(clock: &ManualClock, at: Timestamp) {
    clock.advance(at.micros() - clock.now().micros());
}

struct Retailer<'a> {
    core: &'a Core,
    plan: &'a Plan,
    now: Timestamp,
    /// Numbers of the plan's places and goods.
    places: Vec<i64>,
    goods: Vec<i64>,
    /// Orders by their invoice.
    orders: HashMap<String, i64>,
}

/// How an order names the invoice that it is of: the device that ordered.
fn device(number: &str) -> String {
    format!("invoice-{number}")
}

impl Retailer<'_> {
    fn write<T: Send + 'static>(
        &self,
        mut f: impl FnMut(&mut Tx, &Shop) -> Result<T, OrderError> + Send + 'static,
    ) -> Result<T, OrderError> {
        let preparer = self.core.preparer.clone();
        self.core.store.write(move |tx| {
            let shop = pipeline::orders::shop(&preparer);
            let answer = f(tx, &shop)?;
            pipeline::orders::tell(tx, &preparer)?;
            Ok(answer)
        })
    }

    /// Places, products, and what of the orders is there; made once, found again afterwards.
    fn furnish(&mut self, first: bool) -> Result<(), OrderError> {
        for (id, sells, name, address, lat_lon) in PLACES {
            let input = LocationInput {
                id: id.into(),
                kind: if sells { LocationKind::Store } else { LocationKind::Warehouse },
                name: name.into(),
                address: address.into(),
                lat_lon_e7: Some(lat_lon),
                time_zone: "Europe/Kyiv".into(),
                entity: String::new(),
            };
            let place = self.write(move |tx, _| {
                let known = stock::commands::places(tx)?.find(id).map(|location| location.no);
                match known {
                    Some(no) => Ok(no),
                    None => Ok(stock::commands::put_location(tx, &input, None)?.1.no),
                }
            })?;
            self.places.push(place);
        }
        if first {
            self.write(|tx, _| {
                let mut settings = (*commands::settings(tx)?.1).clone();
                for method in &mut settings.methods {
                    method.from_kinds = vec!["warehouse".into()];
                }
                commands::put_settings(tx, &settings).map(drop)
            })?;
            for piece in self.products().chunks(200) {
                let piece = piece.to_vec();
                self.write(move |tx, shop| {
                    let mut piece = piece.clone();
                    for variant in piece.iter_mut().flat_map(|p| &mut p.variants) {
                        if let Some(price) = &mut variant.price {
                            price.currency.clone_from(&shop.currency);
                        }
                    }
                    let (_, rejected) = catalog::commands::put_products(tx, &piece)?;
                    let refused = |r: &catalog::model::Rejection| OrderError::Field {
                        pointer: r.pointer.clone(),
                        detail: r.detail.clone(),
                    };
                    rejected.first().map_or(Ok(()), |r| Err(refused(r)))
                })?;
            }
        }
        let codes: Vec<String> = self.plan.goods.iter().map(|g| g.code.clone()).collect();
        self.goods = self.write(move |tx, _| {
            let find = |code: &String| Ok(catalog::variants::find(tx, code)?.unwrap_or(0));
            codes.iter().map(find).collect::<Result<Vec<i64>, OrderError>>()
        })?;
        let known = self.write(|tx, _| {
            tx.flush_table::<orders::OrderTable>()?;
            let sql = "SELECT anonymous_id, no FROM orders WHERE SUBSTR(anonymous_id, 1, 8) = 'invoice-' ORDER BY no";
            let read = |row: &db::Row| Ok((row.text(0)?.to_string(), row.int(1)?));
            Ok(tx.rows(sql, &[])?.iter().map(read).collect::<Result<HashMap<String, i64>, DbError>>()?)
        })?;
        self.orders = known;
        Ok(())
    }

    /// One product a number, with a variant for each of its letters.
    fn products(&self) -> Vec<ProductInput> {
        let mut products: BTreeMap<&str, ProductInput> = BTreeMap::new();
        for goods in &self.plan.goods {
            let product = products.entry(&goods.product).or_insert_with(|| ProductInput {
                id: format!("demo-{}", goods.product),
                name: Some(if goods.name.is_empty() { goods.code.clone() } else { goods.name.clone() }),
                state: Some(ProductState::Active),
                categories: Some(vec![format!("Подарунки > {}", goods.category)]),
                axes: Some(vec!["variant".into()]),
                ..ProductInput::default()
            });
            let letters = goods.code.get(5..).filter(|l| !l.is_empty()).unwrap_or("-").to_string();
            product.variants.push(VariantInput {
                sku: goods.code.clone(),
                price: Some(Price { minor: goods.first_minor, currency: String::new() }),
                tracked: Some(true),
                attributes: [("variant".to_string(), letters.into())].into(),
                ..VariantInput::default()
            });
        }
        products.into_values().collect()
    }

    /// Where the replay stands once a step is done.
    fn after(&self, at: usize) -> Begun {
        Begun { now: self.now, done: at + 1, of: self.plan.steps.len() }
    }

    fn step(&mut self, at: usize, step: &Step) -> Result<&'static str, OrderError> {
        let place = self.after(at);
        match step {
            Step::Receive { week, place: to, goods } => {
                let to = self.places[*to];
                let moves: Vec<Move> = goods.iter().map(|(g, units)| receipt(self.goods[*g], to, *units)).collect();
                let external_id = format!("{week}:{to}:{}", goods.first().map_or(0, |(g, _)| *g));
                self.write(move |tx, _| {
                    let paper = Document {
                        kind: DocumentKind::Receipt,
                        source: ACTOR.into(),
                        external_id: external_id.as_str().into(),
                        reference: "".into(),
                        note: "".into(),
                        actor: ACTOR.into(),
                        at: tx.now(),
                        moves: moves.clone(),
                    };
                    stock::commands::post(tx, &paper, Shortage::Refuse)?;
                    Ok(note(tx, place)?)
                })?;
                Ok("receipts")
            }
            Step::Prices { prices, .. } => {
                let prices: Vec<(String, i64)> =
                    prices.iter().map(|(g, minor)| (self.plan.goods[*g].code.clone(), *minor)).collect();
                let products: BTreeMap<String, String> =
                    self.plan.goods.iter().map(|g| (g.code.clone(), g.product.clone())).collect();
                self.write(move |tx, shop| {
                    let mut inputs: BTreeMap<&str, ProductInput> = BTreeMap::new();
                    for (code, minor) in &prices {
                        let id = format!("demo-{}", products[code]);
                        let input = inputs.entry(&products[code]).or_default();
                        input.id = id;
                        input.variants.push(VariantInput {
                            sku: code.clone(),
                            price: Some(Price { minor: *minor, currency: shop.currency.clone() }),
                            ..VariantInput::default()
                        });
                    }
                    let inputs: Vec<ProductInput> = inputs.into_values().collect();
                    catalog::commands::put_products(tx, &inputs)?;
                    Ok(note(tx, place)?)
                })?;
                Ok("days with new prices")
            }
            Step::Order(invoice, act) => self.order(at, *invoice, *act),
            Step::Back(invoice) => self.back(at, *invoice),
        }
    }

    fn order(&mut self, at: usize, invoice: usize, act: Act) -> Result<&'static str, OrderError> {
        let (invoice, place) = (&self.plan.invoices[invoice], self.after(at));
        if act == Act::Place {
            let no = self.place(at, invoice)?;
            self.orders.insert(device(&invoice.number), no);
            return Ok("orders");
        }
        let Some(no) = self.orders.get(&device(&invoice.number)).copied() else {
            self.write(move |tx, _| Ok(note(tx, place)?))?;
            return Ok("steps of orders that were not placed");
        };
        let payment = invoice.number.clone();
        self.write(move |tx, _| {
            let order = commands::order_of(tx, no)?;
            match act {
                Act::Place => {}
                Act::Pay => pay(tx, &order, &payment)?,
                _ => serve(tx, &order, act)?,
            }
            Ok(note(tx, place)?)
        })?;
        Ok(match act {
            Act::Place => "orders",
            Act::Pay => "payments",
            Act::Accept => "orders taken",
            Act::Ready => "orders packed",
            Act::Send => "orders sent",
            Act::Have => "orders that the customer has",
        })
    }

    fn place(&self, at: usize, invoice: &super::Invoice) -> Result<i64, OrderError> {
        let mut lines = Vec::new();
        for line in &invoice.lines {
            let goods = self.plan.goods.iter().position(|g| g.code == line.code);
            lines.extend(goods.map(|g| (self.goods[g], line.units)));
        }
        let user = invoice.customer.clone().unwrap_or_default();
        let contact = Contact {
            email: format!(
                "{}@example.com",
                if user.is_empty() { device(&invoice.number) } else { format!("c{user}") }
            ),
            user_id: user,
            anonymous_id: device(&invoice.number),
            ..Contact::default()
        };
        let (way, places, place) = (way(invoice), self.places.clone(), self.after(at));
        self.write(move |tx, shop| {
            let cart = commands::create_cart(tx, shop, "site", None)?.no;
            for (variant, units) in &lines {
                commands::put_line(tx, cart, *variant, Quantity::units(*units), false)?;
            }
            commands::put_contact(tx, cart, &contact)?;
            let (delivery, address) = match way {
                Way::Courier => {
                    (Delivery::Ship { option: "courier".into(), price_minor: 0 }, "Київ, вул. Саксаганського 1")
                }
                Way::Fetched(at) => (Delivery::PickUp { location_no: places[at] }, ""),
            };
            commands::put_delivery(tx, cart, &delivery, (address, None))?;
            let order = commands::checkout(tx, cart, shop, ACTOR)?;
            note(tx, place)?;
            Ok(order.no)
        })
    }

    /// Goods of the customer's newest order that has enough of them come back to a shop, and their money goes back.
    fn back(&self, at: usize, invoice: usize) -> Result<&'static str, OrderError> {
        let (invoice, place) = (&self.plan.invoices[invoice], self.after(at));
        let mine: Vec<i64> = self.plan.invoices[..]
            .iter()
            .rev()
            .filter(|i| !i.back && i.customer.is_some() && i.customer == invoice.customer && i.at <= invoice.at)
            .filter_map(|i| self.orders.get(&device(&i.number)).copied())
            .collect();
        let lines: Vec<(String, i64)> = invoice.lines.iter().map(|l| (l.code.clone(), l.units)).collect();
        let (shop_no, key) = (self.places[1], invoice.number.clone());
        let some = self.write(move |tx, shop| {
            let mut some = false;
            for no in &mine {
                let order = commands::order_of(tx, *no)?;
                let wanted = wanted(&order, &lines);
                if wanted.is_empty() || order.open_minor() > 0 {
                    continue;
                }
                some = take_back(tx, shop, (*no, shop_no), (&key, wanted))?;
                break;
            }
            note(tx, place)?;
            Ok(some)
        })?;
        Ok(if some { "returns" } else { "returns of what was bought before" })
    }
}

fn receipt(variant_no: i64, to_no: i64, units: i64) -> Move {
    Move::sellable(variant_no, (SUPPLIER, to_no), Quantity::units(units), "")
}

fn pay(tx: &mut Tx, order: &Order, payment: &str) -> Result<(), OrderError> {
    let left = order.open_minor();
    if left == 0 {
        return Ok(());
    }
    let fact = Fact {
        provider: "test".into(),
        payment_id: payment.into(),
        external_id: format!("demo:{payment}"),
        action: Action::Capture,
        amount_minor: left,
    };
    commands::pay(tx, order.no, &fact, ACTOR).map(drop)
}

/// What the places of an order do next.
fn serve(tx: &mut Tx, order: &Order, act: Act) -> Result<(), OrderError> {
    let no = order.no;
    for f in order.body.fulfilments.iter().filter(|f| f.kind != Serving::Supply) {
        let open = f.state == Fulfilment::Open;
        let works = f.state == Fulfilment::InProgress;
        match act {
            Act::Accept if open => drop(commands::accept(tx, no, f.no, ACTOR)?),
            Act::Ready if works => drop(commands::ready(tx, no, f.no, ACTOR)?),
            Act::Send if works => drop(commands::dispatch(tx, no, f.no, &format!("2045{no:010}"), ACTOR)?),
            Act::Have if f.kind == Serving::PickUp && works => {
                commands::collect(tx, no, f.no, (&Proof::Seen("a card".into()), None), ACTOR)?;
            }
            Act::Have if f.kind == Serving::Ship && order.body.parts.iter().any(|p| p.state == Piece::Sent) => {
                commands::deliver(tx, no, f.no, "carrier")?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Lines of an order that can come back, and so many pieces of them.
fn wanted(order: &Arc<Order>, lines: &[(String, i64)]) -> Vec<Wanted> {
    let mut out = Vec::new();
    for (code, units) in lines {
        let Some(line) = order.body.lines.iter().position(|l| l.sku == *code) else { continue };
        let has: i64 =
            order.body.parts.iter().filter(|p| p.line == line && p.state == Piece::Delivered).map(|p| p.milli).sum();
        let units = (*units).min(has / 1000);
        if units > 0 {
            let (quantity, reason) = (Quantity::units(units), Reason::NotLiked);
            out.push(Wanted { line: Some(line), variant_no: 0, quantity, reason });
        }
    }
    out
}

fn take_back(
    tx: &mut Tx,
    shop: &Shop,
    (order_no, location_no): (i64, i64),
    (key, lines): (&str, Vec<Wanted>),
) -> Result<bool, OrderError> {
    let got = |(line, wanted): (usize, &Wanted)| after::Got {
        line,
        quantity: wanted.quantity,
        grade: Some(Grade::Sellable),
        lot: String::new(),
    };
    let lines_got: Vec<after::Got> = lines.iter().enumerate().map(got).collect();
    let ask = after::Ask {
        order_no: Some(order_no),
        lines,
        key: key.into(),
        channel: "till".into(),
        ..after::Ask::default()
    };
    let row = after::request(tx, shop, &ask, ACTOR)?;
    if row.stage.as_str() == "requested" {
        after::approve(tx, shop, row.no, "as the shop did", ACTOR)?;
    }
    let taken = after::Taken { location_no, key: key.into(), lines: lines_got };
    after::receive(tx, shop, row.no, &taken, ACTOR)?;
    after::refund(tx, row.no, &after::Pay { paid_out: true, ..after::Pay::default() }, ACTOR)?;
    Ok(true)
}
