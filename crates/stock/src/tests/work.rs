//! Transfers, counts and purchases as people do them.
use super::world::{World, q, want};
use crate::commands::{self, Shortage};
use crate::counting::{self, CountInput, LineState};
use crate::model::{CUSTOMER, Condition, DocumentKind, LocationKind, ReservationKind, TRANSIT};
use crate::purchasing::{self, PurchaseInput, PurchaseState};
use crate::transfers::{self, Arrived, Rest, TransferInput, TransferState};
use crate::{StockError, counting::within};
use base::Quantity;

fn input(from_no: i64, to_no: i64, lines: &[(i64, i64)]) -> TransferInput {
    TransferInput {
        from_no,
        to_no,
        reference: String::new(),
        note: String::new(),
        expected_at: None,
        lines: lines.iter().map(|(variant, units)| (*variant, q(*units))).collect(),
    }
}

fn ask(world: &World, asked: TransferInput) -> Result<transfers::Transfer, StockError> {
    world.write(move |tx| transfers::request(tx, &asked, "olena"))
}

#[test]
fn goods_go_from_place_to_place_and_differences_are_settled() {
    // [M8] [M9]
    World::each(|world| {
        let (hub, shop) = (world.location("W", LocationKind::Warehouse), world.location("Lviv-1", LocationKind::Store));
        world.receive(7, hub, 10);
        world.receive(8, hub, 4);
        let no = ask(world, input(hub, shop, &[(7, 6), (8, 4)])).expect("there is enough").no;
        assert_eq!((world.on_site(7), world.on_site(8)), (q(4), q(0)), "what goes is nobody else's any more");
        assert!(matches!(ask(world, input(hub, shop, &[(7, 5)])), Err(StockError::NotEnough(_))));
        let at = world.now();
        let refused = world.write(move |tx| transfers::receive(tx, no, &[], Rest::Awaited, ("", "olena"), at));
        assert!(matches!(refused, Err(StockError::Wrong { state: "requested", .. })));
        // One of the eights was not found: it stays for sale where it is.
        let left = world.write(move |tx| transfers::ship(tx, no, &[q(6), q(3)], "picker", at)).expect("they leave");
        assert_eq!(left.state, TransferState::InTransit);
        assert_eq!((world.sellable(7, hub), world.sellable(7, TRANSIT), world.on_site(8)), (q(4), q(6), q(1)));
        world.crash();
        let first = [Arrived { line: 0, received: q(4), damaged: q(1) }];
        let part = world.write(move |tx| transfers::receive(tx, no, &first, Rest::Awaited, ("", "shop"), at));
        let (part, _) = part.expect("some came");
        assert_eq!(part.state, TransferState::PartlyReceived);
        assert_eq!((world.sellable(7, shop), world.on_site(7)), (q(4), q(8)), "what is broken is not for sale");
        let too_many = [Arrived { line: 0, received: q(2), damaged: Quantity::ZERO }];
        let refused = world.write(move |tx| transfers::receive(tx, no, &too_many, Rest::Awaited, ("", "shop"), at));
        assert!(matches!(refused, Err(StockError::Field { .. })), "one is on the way");
        let rest = [Arrived { line: 1, received: q(3), damaged: Quantity::ZERO }];
        let silent = world.write(move |tx| transfers::receive(tx, no, &rest, Rest::Lost, ("", "shop"), at));
        assert!(matches!(silent, Err(StockError::Field { .. })), "a loss has a reason");
        let done = world.write(move |tx| transfers::receive(tx, no, &rest, Rest::Lost, ("carton open", "shop"), at));
        let (done, _) = done.expect("all is settled");
        assert_eq!(
            (done.state, done.lines[0].lost, &*done.lines[0].why),
            (TransferState::Received, q(1), "carton open")
        );
        assert_eq!((world.sellable(7, TRANSIT), world.sellable(8, shop)), (q(0), q(3)));
        let over = world.write(move |tx| transfers::cancel(tx, no, Rest::Back, ("", "olena")));
        assert!(matches!(over, Err(StockError::Wrong { .. })));
    });
}

#[test]
fn a_transfer_is_called_off_before_and_on_the_way() {
    World::each(|world| {
        let (hub, shop) = (world.location("W", LocationKind::Warehouse), world.location("Lviv-1", LocationKind::Store));
        world.receive(7, hub, 5);
        let no = ask(world, input(hub, shop, &[(7, 2)])).expect("there is enough").no;
        world.write(move |tx| transfers::cancel(tx, no, Rest::Awaited, ("", "olena"))).expect("it is called off");
        assert_eq!(world.on_site(7), q(5));
        let no = ask(world, input(hub, shop, &[(7, 2)])).expect("there is enough").no;
        let at = world.now();
        world.write(move |tx| transfers::ship(tx, no, &[q(2)], "picker", at)).expect("they leave");
        let unsaid = world.write(move |tx| transfers::cancel(tx, no, Rest::Awaited, ("", "olena")));
        assert!(matches!(unsaid, Err(StockError::Field { .. })));
        let back = world.write(move |tx| transfers::cancel(tx, no, Rest::Back, ("road closed", "olena")));
        assert_eq!(back.expect("it goes back").state, TransferState::Cancelled);
        assert_eq!((world.sellable(7, hub), world.sellable(7, TRANSIT)), (q(5), q(0)));
    });
}

#[test]
fn a_transfer_whose_goods_were_sold_cannot_leave() {
    World::each(|world| {
        let (hub, shop) = (world.location("W", LocationKind::Store), world.location("Lviv-1", LocationKind::Store));
        world.receive(7, hub, 2);
        let no = ask(world, input(hub, shop, &[(7, 2)])).expect("there is enough").no;
        let sale = super::world::paper(DocumentKind::Sale, world.now(), vec![super::world::line(7, hub, CUSTOMER, 1)]);
        let posted = world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it has happened");
        assert_eq!(posted.broken.len(), 1);
        let at = world.now();
        let refused = world.write(move |tx| transfers::ship(tx, no, &[q(2)], "picker", at));
        assert!(matches!(refused, Err(StockError::Field { .. })));
        world.write(move |tx| transfers::cancel(tx, no, Rest::Awaited, ("", "olena"))).expect("it is called off");
        assert_eq!(world.on_site(7), q(1));
    });
}

#[test]
fn what_is_within_tolerance_settles_by_itself() {
    for (book, variance, permille, settles) in [
        (100, 0, 0, true),
        (100, 1, 0, false),
        (100, 2, 20, true),
        (100, -2, 20, true),
        (100, 3, 20, false),
        (0, 1, 1000, false),
    ] {
        assert_eq!(within(q(book), q(variance), permille), settles, "{book} {variance} {permille}");
    }
}

#[test]
fn a_blind_count_wants_a_second_look_or_a_second_person() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        for variant in 7..=9 {
            world.receive(variant, shop, 10);
        }
        let asked = CountInput {
            location_no: shop,
            blind: true,
            tolerance_permille: 100,
            note: "Shelf 4".into(),
            variants: vec![7, 8, 9, 9],
        };
        let no = world.write(move |tx| counting::begin(tx, &asked, "olena")).expect("it begins").no;
        world.pass(60);
        let enter = |variant: i64, units: i64, who: &'static str| {
            let at = world.now();
            world.write(move |tx| counting::enter(tx, no, variant, q(units), (who, at)))
        };
        assert_eq!(enter(7, 9, "taras").expect("counted").line.state, LineState::Settled);
        assert_eq!(world.sellable(7, shop), q(9));
        let far = enter(8, 6, "taras").expect("counted").line;
        assert_eq!((far.state, far.variance), (LineState::Variance, q(-4)));
        assert_eq!(world.sellable(8, shop), q(10), "nothing moves before it is settled");
        world.pass(30);
        assert_eq!(enter(8, 7, "taras").expect("counted").line.state, LineState::Variance, "not the same number");
        assert_eq!(enter(8, 7, "iryna").expect("counted").line.state, LineState::Settled, "twice the same");
        assert_eq!(world.sellable(8, shop), q(7));
        enter(9, 2, "taras").expect("counted");
        let sale = super::world::paper(
            DocumentKind::Sale,
            world.now().plus(1),
            vec![super::world::line(9, shop, CUSTOMER, 1)],
        );
        world.pass(5);
        world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("it is sold");
        let own = world.write(move |tx| counting::approve(tx, no, 9, "taras"));
        assert!(matches!(own, Err(StockError::Field { .. })), "not who counted it");
        world.write(move |tx| counting::approve(tx, no, 9, "iryna")).expect("approved");
        assert_eq!(world.sellable(9, shop), q(1), "what was sold since it was counted is gone");
        world.write(move |tx| counting::close(tx, no)).expect("closed");
        assert!(matches!(enter(9, 2, "taras"), Err(StockError::Wrong { .. })));
    });
}

#[test]
fn a_count_that_finds_less_than_is_claimed_breaks_claims() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        world.receive(7, shop, 3);
        let order = world.reserve_as(ReservationKind::Order, vec![want(7, 3)], None).expect("ordered").no;
        let (location_no, variants) = (shop, vec![7]);
        let asked = CountInput { location_no, blind: false, tolerance_permille: 1000, note: String::new(), variants };
        let no = world.write(move |tx| counting::begin(tx, &asked, "olena")).expect("it begins").no;
        world.pass(60);
        let at = world.now();
        let entered = world.write(move |tx| counting::enter(tx, no, 7, q(2), ("taras", at))).expect("counted");
        assert_eq!(entered.broken.iter().map(|b| b.reservation_no).collect::<Vec<_>>(), [order]);
        assert_eq!(world.on_site(7), q(2));
    });
}

#[test]
fn what_is_ordered_is_incoming_until_it_comes() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        let supplier =
            world.write(|tx| purchasing::put_supplier(tx, ("khmara", "Khmara Ltd", 14, ""))).expect("made").1;
        let asked = PurchaseInput {
            supplier_no: supplier.no,
            location_no: shop,
            currency: "UAH".into(),
            freight_minor: 50_000,
            expected_at: None,
            note: String::new(),
            lines: vec![(7, q(10), 12_500), (8, q(5), 9_900)],
        };
        let no = world.write(move |tx| purchasing::draft(tx, &asked, "olena")).expect("a draft").no;
        let incoming = || {
            let all = world.store().query(|db| purchasing::incoming(db, 7)).expect("it is read");
            all.iter().map(|i| i.quantity).sum::<Quantity>()
        };
        assert_eq!(incoming(), q(0), "a draft is nothing yet");
        let at = world.now();
        let early = world.write(move |tx| purchasing::receive(tx, no, &[(0, q(1))], false, ("d-1", "shop"), at));
        assert!(matches!(early, Err(StockError::Wrong { state: "draft", .. })));
        world.write(move |tx| purchasing::place(tx, no, Some(at))).expect("ordered");
        assert_eq!((incoming(), world.on_site(7)), (q(10), q(0)), "never counted as available");
        let some = world.write(move |tx| purchasing::receive(tx, no, &[(0, q(4))], false, ("d-1", "shop"), at));
        assert_eq!(some.expect("some came").state, PurchaseState::PartlyReceived);
        let again = world.write(move |tx| purchasing::receive(tx, no, &[(0, q(4))], false, ("d-1", "shop"), at));
        assert_eq!(again.expect("told twice").lines[0].received, q(4));
        assert_eq!((incoming(), world.on_site(7)), (q(6), q(4)));
        let more = world.write(move |tx| purchasing::receive(tx, no, &[(0, q(7))], false, ("d-2", "shop"), at));
        assert!(matches!(more, Err(StockError::Field { .. })), "six are awaited");
        assert!(matches!(world.write(move |tx| purchasing::cancel(tx, no)), Err(StockError::Wrong { .. })));
        let done = world.write(move |tx| purchasing::receive(tx, no, &[(1, q(5))], true, ("d-3", "shop"), at));
        let done = done.expect("nothing more will come");
        assert_eq!((done.state, done.lines[0].cancelled), (PurchaseState::Received, q(6)));
        assert_eq!(incoming(), q(0));
    });
}

#[test]
fn what_came_broken_lies_apart() {
    World::each(|world| {
        let (hub, shop) = (world.location("W", LocationKind::Warehouse), world.location("Lviv-1", LocationKind::Store));
        world.receive(7, hub, 2);
        let no = ask(world, input(hub, shop, &[(7, 2)])).expect("there is enough").no;
        let at = world.now();
        world.write(move |tx| transfers::ship(tx, no, &[q(2)], "picker", at)).expect("they leave");
        let came = [Arrived { line: 0, received: q(1), damaged: q(1) }];
        world.write(move |tx| transfers::receive(tx, no, &came, Rest::Awaited, ("", "shop"), at)).expect("they came");
        let stock = world.store().read(|tx| commands::stock(tx, 7)).expect("it is read").expect("it is known");
        let position = stock.at(shop).expect("it is there");
        assert_eq!(position.on_hand[Condition::Damaged as usize], q(1));
    });
}
