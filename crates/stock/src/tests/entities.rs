//! Legal entities: codes, places with dates, papers of transfers.
use super::world::{World, line, paper, q};
use crate::StockError;
use crate::commands::{self, Shortage};
use crate::cost::{self, Bill, Share};
use crate::entities::codes::{CodeError, edrpou, iban, rnokpp};
use crate::entities::needed::{Chain, Line, Needed, documents};
use crate::entities::{self, EntityInput, EntityKind};
use crate::lists::{Movements, movements};
use crate::model::{CUSTOMER, DocumentKind, LocationKind, SUPPLIER};
use crate::transfers::{self, Arrived, Rest, TransferInput};
use base::{DAY_US, SECOND_US};
use proptest::prelude::*;

#[test]
fn codes_are_checked_by_their_digits() {
    // Codes of well-known companies, and of both ranges of weights.
    for code in ["14360570", "21673832", "00032129", "30019775"] {
        edrpou(code).unwrap_or_else(|e| panic!("{code}: {e}"));
    }
    assert_eq!(edrpou("14360571"), Err(CodeError::CheckDigit { what: "EDRPOU", wanted: 0 }));
    assert_eq!(edrpou("1436057"), Err(CodeError::Form { what: "EDRPOU", wanted: 8 }));
    assert_eq!(rnokpp("1234567899"), Ok(()));
    assert_eq!(rnokpp("1234567890"), Err(CodeError::CheckDigit { what: "RNOKPP", wanted: 9 }));
    // The example of the registry of IBANs (SWIFT, Ukraine).
    assert_eq!(iban("UA21 3223 1300 0002 6007 2335 6600 1").as_deref(), Ok("UA213223130000026007233566001"));
    assert_eq!(iban("UA213223130000026007233566002"), Err(CodeError::Iban));
    assert_eq!(iban("DE89370400440532013000"), Err(CodeError::IbanForm));
}

proptest! {
    #[test]
    fn one_wrong_digit_of_an_iban_is_seen(at in 2usize..29, other in 0u8..10) {
        let right = "UA213223130000026007233566001";
        let mut bytes = right.as_bytes().to_vec();
        bytes[at] = b'0' + other;
        let text = String::from_utf8(bytes).expect("digits");
        prop_assert_eq!(iban(&text).is_ok(), text == right);
    }

    #[test]
    fn papers_of_an_order_hold_each_line_once_and_all_that_is_paid(
        lines in prop::collection::vec((0i64..4, 0i64..10_000, 0i64..5_000), 0..12), taker in 0i64..4
    ) {
        let lines: Vec<Line> = lines.iter().enumerate()
            .map(|(at, (owner_no, price_minor, cost_minor))| Line { line: at as i64, owner_no: *owner_no, price_minor: *price_minor, cost_minor: *cost_minor })
            .collect();
        for chain in [Chain::Direct, Chain::Resale] {
            let papers = documents(&lines, taker, chain);
            let receipts = papers.iter().filter_map(|p| match p {
                Needed::Receipt { entity_no, lines, price_minor } => Some((*entity_no, lines.clone(), *price_minor)),
                Needed::Between { .. } => None,
            });
            let receipts: Vec<_> = receipts.collect();
            let mut sold: Vec<i64> = receipts.iter().flat_map(|(_, lines, _)| lines.clone()).collect();
            sold.sort_unstable();
            prop_assert_eq!(sold, (0..lines.len() as i64).collect::<Vec<_>>());
            prop_assert_eq!(receipts.iter().map(|(.., paid)| paid).sum::<i64>(), lines.iter().map(|l| l.price_minor).sum::<i64>());
            if chain == Chain::Resale {
                prop_assert!(receipts.iter().all(|(entity, ..)| *entity == taker));
            }
            // Whoever gives a receipt owns the goods by then.
            for (entity, numbers, _) in &receipts {
                for number in numbers {
                    let owner = lines[*number as usize].owner_no;
                    let bought = papers.iter().any(|p| matches!(p, Needed::Between { seller_no, buyer_no, lines, .. }
                        if (*seller_no, *buyer_no) == (owner, *entity) && lines.contains(number)));
                    prop_assert!(owner == *entity || bought);
                }
            }
        }
    }
}

fn entity(world: &World, id: &str, kind: EntityKind, code: &str, vat: bool, markup: i64) -> i64 {
    let input = EntityInput {
        id: id.into(),
        kind,
        name: id.into(),
        code: code.into(),
        vat,
        vat_code: String::new(),
        iban: String::new(),
        address: String::new(),
        markup_permille: markup,
    };
    world.write(move |tx| entities::put(tx, &input, None)).expect("it is made").1.no
}

#[test]
fn a_transfer_between_two_entities_is_a_sale_of_one_and_a_purchase_of_the_other() {
    World::each(|world| {
        let (hub, shop) = (world.location("W", LocationKind::Warehouse), world.location("Lviv-1", LocationKind::Store));
        let trade = entity(world, "trade", EntityKind::Company, "14360570", true, 100);
        let trader = entity(world, "petrenko", EntityKind::SoleTrader, "1234567899", false, 0);
        let since = world.now().plus(-DAY_US);
        for (place, owner) in [(hub, trade), (shop, trader)] {
            world.write(move |tx| entities::assign(tx, place, owner, since)).expect("it belongs to it");
        }
        let early = world.write(move |tx| entities::assign(tx, shop, trade, since));
        assert!(matches!(early, Err(StockError::Field { .. })), "the past stays as it was");
        let receipt = paper(DocumentKind::Receipt, world.now(), vec![line(7, SUPPLIER, hub, 10)]);
        let receipt =
            world.write(move |tx| commands::post(tx, &receipt, Shortage::Refuse)).expect("they come").document_no;
        let moves =
            world.store().query(move |db| movements(db, Movements::Document(receipt), i64::MAX, 9)).expect("read");
        let (currency, lines) = ("UAH".to_string(), vec![(moves[0].no, 1000)]);
        let bill = Bill { currency, lines, freight_minor: 0, customs_minor: 0, by: Share::Value };
        world.write(move |tx| cost::bill(tx, receipt, &bill)).expect("billed");
        let send = |from: i64, to: i64, units: i64| {
            let input = TransferInput {
                from_no: from,
                to_no: to,
                reference: String::new(),
                note: String::new(),
                expected_at: None,
                lines: vec![(7, q(units))],
            };
            let no = world.write(move |tx| transfers::request(tx, &input, "olena")).expect("asked for").no;
            let at = world.now();
            world.write(move |tx| transfers::ship(tx, no, &[q(units)], "picker", at)).expect("they leave");
            no
        };
        let no = send(hub, shop, 4);
        let papers = world.store().query(|db| entities::documents(db, i64::MAX, 10)).expect("they are read");
        let told: Vec<_> =
            papers.iter().map(|p| (p.sale, p.entity_no, p.other_no, p.net_minor, p.seller_vat)).collect();
        // Four of a hundred, and a tenth more.
        assert_eq!(told, [(false, trader, trade, Some(440), true), (true, trade, trader, Some(440), true)]);
        world.pass(60);
        let (at, came) = (world.now(), [Arrived { line: 0, received: q(3), damaged: q(0) }]);
        world.write(move |tx| transfers::receive(tx, no, &came, Rest::Back, ("", "shop"), at)).expect("they come");
        let papers = world.store().query(|db| entities::documents(db, i64::MAX, 2)).expect("they are read");
        let told: Vec<_> = papers.iter().map(|p| (p.sale, p.entity_no, p.net_minor, p.quantity)).collect();
        assert_eq!(told, [(false, trade, Some(100), q(1)), (true, trader, Some(100), q(1))], "one was sold back");
        // From tomorrow on the shop is the company's: what was before stays the trader's.
        let (now, tomorrow) = (world.now(), world.now().plus(DAY_US));
        let sale = paper(DocumentKind::Sale, now, vec![line(7, shop, CUSTOMER, 1)]);
        world.write(move |tx| commands::post(tx, &sale, Shortage::Refuse)).expect("sold");
        world.write(move |tx| entities::assign(tx, shop, trade, tomorrow)).expect("it changes hands");
        world.pass(DAY_US / SECOND_US + 1);
        let sale = paper(DocumentKind::Sale, world.now(), vec![line(7, shop, CUSTOMER, 2)]);
        world.write(move |tx| commands::post(tx, &sale, Shortage::Refuse)).expect("sold");
        send(hub, shop, 1);
        assert_eq!(
            world.store().query(|db| entities::documents(db, i64::MAX, 10)).expect("read").len(),
            4,
            "within one"
        );
        let until = world.now().plus(1);
        let figures = world.store().query(move |db| entities::figures(db, since, until)).expect("they are read");
        let told: Vec<_> = figures
            .iter()
            .map(|f| (f.entity_no, f.received, f.sold, f.sold_between_minor, f.bought_between_minor))
            .collect();
        assert_eq!(told, [(trade, q(10), q(2), 440, 100), (trader, q(0), q(1), 100, 440)]);
    });
}
