//! What was said after a sale goes with the person; goods and sums stay.
use super::erasure::{begin, found, olena, work_off};
use super::harness::*;
use crate::erasure;
use base::Quantity;
use catalog::model::{Price, ProductInput, ProductState, VariantInput};
use orders::OrderError;
use orders::after::commands::{self as after, Ask, CaseAsk, ClaimAsk, Got, Pay, Taken};
use orders::after::model::{CaseKind, ClaimLine, Grade, Reason, Wanted, Way};
use orders::commands::{self, Fact};
use orders::model::{Contact, Delivery};
use orders::states::payment::Action;
use stock::commands::{LocationInput, Shortage};
use stock::model::{Document, DocumentKind, LocationKind, Move, SUPPLIER};

const SAID: &str = "write to olena@example.com or ring Zinchenko";

fn goods(tx: &mut db::Tx) -> Result<(i64, i64), OrderError> {
    let input = LocationInput {
        id: "Lviv-1".into(),
        kind: LocationKind::Store,
        name: "Lviv".into(),
        address: String::new(),
        lat_lon_e7: None,
        time_zone: "Europe/Kyiv".into(),
        entity: String::new(),
    };
    let place = stock::commands::put_location(tx, &input, None)?.1.no;
    let price = Some(Price { minor: 10_000, currency: "UAH".into() });
    let variant = VariantInput { sku: "boots".into(), price, tracked: Some(true), ..VariantInput::default() };
    let product = ProductInput {
        id: "boots".into(),
        name: Some("Boots".into()),
        state: Some(ProductState::Active),
        variants: vec![variant],
        ..ProductInput::default()
    };
    assert_eq!(catalog::commands::put_products(tx, &[product])?.1, []);
    let variant = catalog::variants::find(tx, "boots")?.expect("it was made");
    let moved = Move::sellable(variant, (SUPPLIER, place), Quantity::units(9), "");
    let document = Document {
        kind: DocumentKind::Receipt,
        source: "test".into(),
        external_id: "".into(),
        reference: "".into(),
        note: "".into(),
        actor: "somebody".into(),
        at: tx.now(),
        moves: vec![moved],
    };
    stock::commands::post(tx, &document, Shortage::Refuse)?;
    Ok((place, variant))
}

fn sold(tx: &mut db::Tx, place: i64, variant: i64) -> Result<i64, OrderError> {
    let shop =
        commands::Shop { country: "UA".into(), currency: "UAH".into(), zone: jiff::tz::TimeZone::UTC, buyers: None };
    let cart = commands::create_cart(tx, &shop, "site", None)?.no;
    commands::put_line(tx, cart, variant, Quantity::units(3), false)?;
    let contact = Contact { email: "olena@example.com".into(), name: "Olena Zinchenko".into(), ..Contact::default() };
    commands::put_contact(tx, cart, &contact)?;
    commands::put_delivery(tx, cart, &Delivery::PickUp { location_no: place }, ("", None))?;
    let order = commands::checkout(tx, cart, &shop, "site")?;
    let fact = Fact {
        provider: "test".into(),
        payment_id: "p".into(),
        external_id: "c".into(),
        action: Action::Capture,
        amount_minor: order.body.total_minor,
    };
    commands::pay(tx, order.no, &fact, "site")?;
    commands::hand_over_all(tx, order.no, "shop")?;
    Ok(order.no)
}

/// A return, a claim, a case, store credit and a kindness; gives the return.
fn said(tx: &mut db::Tx, place: i64, order: i64) -> Result<i64, OrderError> {
    let shop =
        commands::Shop { country: "UA".into(), currency: "UAH".into(), zone: jiff::tz::TimeZone::UTC, buyers: None };
    let lines = vec![Wanted { line: Some(0), variant_no: 0, quantity: Quantity::units(1), reason: Reason::TooSmall }];
    let (note, photos) = (SAID.to_string(), vec!["olena-device-77/1.jpg".to_string()]);
    let ask = Ask { order_no: Some(order), lines, note, photos, ..Ask::default() };
    let no = after::request(tx, &shop, &ask, "agent")?.no;
    let got = Got { line: 0, quantity: Quantity::units(1), grade: Some(Grade::Sellable), lot: String::new() };
    after::receive(tx, &shop, no, &Taken { location_no: place, key: String::new(), lines: vec![got] }, "clerk")?;
    after::refund(tx, no, &Pay { way: Way::Credit, why: SAID.into(), ..Pay::default() }, "clerk")?;
    let lines = vec![ClaimLine { line: 0, milli: 1000, reason: Reason::Defect }];
    let claim = ClaimAsk { order_no: order, lines, note: SAID.into(), ..ClaimAsk::default() };
    let claim = after::open_claim(tx, &shop, &claim, "agent")?.no;
    after::deny_claim(tx, &shop, claim, SAID, "agent")?;
    let case = CaseAsk {
        kind: CaseKind::Instructions,
        order_no: Some(order),
        line: None,
        serial: String::new(),
        note: SAID.into(),
        owner: String::new(),
        due_at: None,
        paid_by_customer: false,
    };
    let case = after::open_case(tx, &shop, &case, "agent")?.no;
    after::close_case(tx, case, SAID, "agent")?;
    after::goodwill(tx, order, 100, ("k", SAID), "agent")?;
    Ok(no)
}

#[test]
fn what_belongs_to_the_persons_orders_goes_whatever_it_says_and_so_do_prices_of_their_own() {
    for mut shop in shops() {
        olena(&shop);
        let made: Result<(i64, i64, i64), OrderError> = shop.core().store.write(move |tx| {
            use catalog::prices::commands::{NewList, create_list};
            use catalog::prices::model::{Kind, Scope};
            let list = |customers: &[&str], name: &str| NewList {
                name: name.into(),
                currency: "UAH".into(),
                kind: Kind::Regular,
                position: 1,
                scope: Scope { customers: customers.iter().map(|c| (*c).into()).collect(), ..Scope::default() },
                reason: String::new(),
                starts_at: None,
                ends_at: None,
            };
            let own =
                create_list(tx, &list(&["olena@example.com"], "For Olena Zinchenko"), "owner").expect("it is made");
            create_list(tx, &list(&["petro"], "For others"), "owner").expect("it is made");
            let (place, variant) = goods(tx)?;
            let order = sold(tx, place, variant)?;
            let (country, currency) = ("UA".into(), "UAH".into());
            let shop = commands::Shop { country, currency, zone: jiff::tz::TimeZone::UTC, buyers: None };
            let lines = vec![ClaimLine { line: 0, milli: 1000, reason: Reason::Defect }];
            // It names nobody, and is hers all the same.
            let claim =
                ClaimAsk { order_no: order, lines, note: "worn on the wedding day".into(), ..ClaimAsk::default() };
            let claim = after::claim_by_customer(tx, &shop, &claim)?.no;
            commands::note(tx, order, "rings at nine on Sundays", "agent")?;
            Ok((own.id, claim, order))
        });
        let (list, claim, order) = made.expect("it happens");
        let person = shop.person("email", "olena@example.com").expect("Olena is known");
        begin(&shop, person);
        work_off(&shop);
        erasure::scrub(shop.core(), true).expect("the disk is cleaned");
        assert_eq!(found(&shop), Vec::<&str>::new());
        let read = move |tx: &mut db::Tx| -> Result<_, OrderError> {
            let lists = catalog::prices::store::lists(tx)?;
            let customers = |l: &catalog::prices::model::PriceList| l.scope.customers.clone();
            let own = lists.find(list).map(customers);
            let others: Vec<_> = lists.all().iter().filter(|l| l.id != list).map(customers).collect();
            let noted = commands::history_of(tx, order)?.into_iter().any(|h| h.detail.contains("Sundays"));
            Ok((own, others, after::claim_of(tx, claim)?.note.clone(), noted))
        };
        let empty = |(own, others, note, noted): (Option<Vec<String>>, Vec<Vec<String>>, String, bool)| {
            // A list without anybody would hold for all: it holds for nobody.
            assert_eq!((own, others), (Some(vec!["erased".to_string()]), vec![vec!["petro".to_string()]]));
            assert_eq!((note.as_str(), noted), ("", false));
        };
        empty(shop.core().store.write(read).expect("it is read"));
        shop.restart();
        empty(shop.core().store.write(read).expect("it is read"));
        shop.assert_clean();
    }
}

#[test]
fn what_was_said_after_a_sale_goes_and_goods_and_sums_stay() {
    for mut shop in shops() {
        olena(&shop);
        let store = || shop.core().store.clone();
        let made: Result<(i64, i64), OrderError> = store().write(move |tx| {
            let (place, variant) = goods(tx)?;
            let order = sold(tx, place, variant)?;
            Ok((order, said(tx, place, order)?))
        });
        let (order, no) = made.expect("it happens");
        shop.assert_clean();
        let person = shop.person("email", "olena@example.com").expect("Olena is known");
        begin(&shop, person);
        work_off(&shop);
        erasure::scrub(shop.core(), true).expect("the disk is cleaned");
        assert_eq!(found(&shop), Vec::<&str>::new());
        let read: Result<_, OrderError> = shop.core().store.write(move |tx| {
            let row = after::return_of(tx, no)?;
            Ok((row.note.clone(), row.photos.len(), row.body.total_minor, after::account_of(tx, order)?.credited_minor))
        });
        assert_eq!(read.expect("it is read"), (String::new(), 0, 10_000, 10_000));
        shop.restart();
        shop.assert_clean();
        assert_eq!(found(&shop), Vec::<&str>::new(), "memory wrote nothing back");
    }
}
