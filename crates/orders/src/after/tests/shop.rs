//! A shop whose goods were delivered, and what tests ask of it after the sale.
use crate::OrderError;
use crate::after::commands::{self, Ask, Got, Pay, Taken};
use crate::after::model::*;
use crate::after::{doctor, policy::Policy};
use crate::commands as orders;
use crate::model::{Delivery, Order};
use crate::states::payment::Action;
pub use crate::tests::world::{World, q, shop};
use base::DAY_US;
use catalog::model::{Price, ProductInput, ProductState, VariantInput};
use std::sync::Arc;
use stock::model::{Condition, LocationKind};

pub struct Place {
    pub lviv: i64,
    pub hub: i64,
    /// Two sizes of one product.
    pub small: i64,
    pub large: i64,
    pub hat: i64,
}

pub fn each(story: impl Fn(&mut World, Place)) {
    World::each(|world| {
        let place = begin(world);
        story(world, place);
        sound(world);
    });
}

pub fn sound(world: &World) {
    assert_eq!(world.store().query(doctor::check).expect("the books can be read"), []);
    world.assert_sound();
}

pub fn begin(world: &World) -> Place {
    let (lviv, hub) = (world.location("Lviv-1", LocationKind::Store), world.location("Hub", LocationKind::Warehouse));
    let of = |sku: &str| VariantInput {
        sku: sku.into(),
        price: Some(Price { minor: 100_001, currency: "UAH".into() }),
        tracked: Some(true),
        attributes: [("size".to_string(), serde_json::json!(sku))].into(),
        ..VariantInput::default()
    };
    let product = ProductInput {
        id: "boots".into(),
        name: Some("Boots".into()),
        state: Some(ProductState::Active),
        axes: Some(vec!["size".into()]),
        variants: vec![of("boots-38"), of("boots-39")],
        ..ProductInput::default()
    };
    let (small, large) = world
        .write(move |tx| {
            let (_, rejected) = catalog::commands::put_products(tx, std::slice::from_ref(&product))?;
            assert_eq!(rejected, []);
            let find = |tx: &mut db::Tx, sku| catalog::variants::find(tx, sku);
            Ok((find(tx, "boots-38")?.expect("made"), find(tx, "boots-39")?.expect("made")))
        })
        .expect("it is made");
    let hat = world.goods("hat", 30_000, true);
    for variant in [small, large, hat] {
        world.receive(variant, hub, 20);
    }
    Place { lviv, hub, small, large, hat }
}

/// An order that the customer has and paid.
pub fn delivered(world: &World, lines: &[(i64, i64)]) -> Arc<Order> {
    let cart = world.cart(lines, Delivery::Ship { option: "courier".into(), price_minor: 9900 });
    let order = world.checkout(cart).expect("it is ordered");
    let no = order.no;
    world.pay(no, Action::Capture, &format!("c-{no}"), order.body.total_minor).expect("it is paid");
    hand_over(world, no)
}

pub fn hand_over(world: &World, no: i64) -> Arc<Order> {
    world.write(move |tx| orders::hand_over_all(tx, no, "courier")).expect("it is handed over")
}

pub fn wanted(line: usize, units: i64, reason: Reason) -> Wanted {
    Wanted { line: Some(line), variant_no: 0, quantity: q(units), reason }
}

pub fn ask(world: &World, order_no: i64, lines: Vec<Wanted>) -> Result<Arc<Return>, OrderError> {
    let ask = Ask { order_no: Some(order_no), lines, channel: "site".into(), ..Ask::default() };
    world.write(move |tx| commands::request(tx, &shop(), &ask, "agent"))
}

pub fn got(line: usize, units: i64, grade: Option<Grade>) -> Got {
    Got { line, quantity: q(units), grade, lot: String::new() }
}

pub fn receive(world: &World, no: i64, place: i64, lines: Vec<Got>) -> Result<Arc<Return>, OrderError> {
    let taken = Taken { location_no: place, key: String::new(), lines };
    world.write(move |tx| commands::receive(tx, &shop(), no, &taken, "clerk"))
}

pub fn refund(world: &World, no: i64, how: Pay) -> Result<Arc<Return>, OrderError> {
    world.write(move |tx| commands::refund(tx, no, &how, "clerk"))
}

pub fn settle(world: &World, refund_no: i64) -> Arc<Refund> {
    world.write(move |tx| commands::settle_refund(tx, refund_no, "", "bank")).expect("it is settled")
}

pub fn order(world: &World, no: i64) -> Arc<Order> {
    world.write(move |tx| orders::order_of(tx, no)).expect("it is there")
}

pub fn row(world: &World, no: i64) -> Arc<Return> {
    world.write(move |tx| commands::return_of(tx, no)).expect("it is there")
}

/// What lies at a place of a variant in a condition.
pub fn lies(world: &World, variant: i64, place: i64, condition: Condition) -> i64 {
    let read = world.write(move |tx| Ok(stock::commands::stock(tx, variant)?));
    let stock = read.expect("it is read").unwrap_or_default();
    stock.at(place).map_or(0, |p| p.on_hand[condition as usize].milli())
}

pub fn put_policy(world: &World, policy: Policy) {
    world.write(move |tx| commands::put_policy(tx, &policy)).expect("it is kept");
}

pub fn pass_days(world: &World, days: i64) {
    world.clock.advance(days * DAY_US);
}

pub fn stage(row: &Return) -> &'static str {
    row.stage.as_str()
}
