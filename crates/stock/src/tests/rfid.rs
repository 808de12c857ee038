//! Tags: what they say, and what is made of it.
use super::world::{World, line, paper, q};
use crate::StockError;
use crate::commands::{self, Shortage};
use crate::counting::{self, LineState};
use crate::epc::{EpcError, Sgtin};
use crate::model::{CUSTOMER, DocumentKind, LocationKind};
use crate::rfid::{self, Batch, Device};
use base::{SECOND_US, Timestamp};
use catalog::model::Lots;

/// The example of the standard: filter 3, company 0614141, item 812345, serial number 6789.
const EXAMPLE: &str = "3074257BF7194E4000001A85";

fn read(text: &str) -> (String, String) {
    let tag = Sgtin::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    (tag.gtin.as_str().to_string(), tag.serial)
}

#[test]
fn the_standards_example_is_read_in_all_its_forms() {
    let wanted = ("80614141123458".to_string(), "6789".to_string());
    for text in [
        EXAMPLE,
        "3074257bf7194e4000001a85",
        " urn:epc:id:sgtin:0614141.812345.6789",
        "urn:epc:tag:sgtin-96:3.0614141.812345.6789",
    ] {
        assert_eq!(read(text), wanted, "{text}");
    }
}

#[test]
fn every_partition_is_read_and_what_is_no_sgtin_is_refused() {
    // Bits written by hand from the table: company and item share 44 bits and 13 digits.
    for (partition, company_bits, company_digits) in
        [(0u128, 40, 12), (1, 37, 11), (2, 34, 10), (3, 30, 9), (4, 27, 8), (5, 24, 7), (6, 20, 6)]
    {
        let digits = "4820000123456";
        let (company, item) = digits.split_at(company_digits);
        let field = |text: &str| text.parse::<u128>().expect("digits");
        let bits = 0x30u128 << 88
            | 1 << 85
            | partition << 82
            | field(company) << (82 - company_bits)
            | field(item) << 38
            | 274_877_906_943;
        let (gtin, serial) = read(&format!("{bits:024X}"));
        let (indicator, rest) = item.split_at(1);
        assert_eq!(gtin[..13], format!("{indicator}{company}{rest}"), "partition {partition}");
        assert_eq!(serial, "274877906943");
    }
    let refused = |text: &str| Sgtin::parse(text).expect_err(text);
    assert_eq!(refused("3174257BF4499602D2000000"), EpcError::Header(0x31), "a pallet");
    assert_eq!(refused(&format!("{:024X}", 0x30u128 << 88 | 7 << 82)), EpcError::Partition(7));
    assert_eq!(refused("3074257BF7194E4000001A8"), EpcError::Form);
    assert_eq!(refused("urn:epc:id:sgtin:0614141.12345.6789"), EpcError::Form);
    assert_eq!(refused("urn:epc:id:sgtin:0614141.812345.274877906944"), EpcError::TooLong("serial number"));
    // Ten million does not fit into seven digits of a company.
    let bits = 0x30u128 << 88 | 5 << 82 | 10_000_000 << 58;
    assert_eq!(refused(&format!("{bits:024X}")), EpcError::TooLong("company prefix"));
}

fn batch(place: i64, reads: Vec<(String, Timestamp)>) -> Batch {
    Batch { source: "7".into(), external_id: "night".into(), device: Device::Robot, location_no: place, reads }
}

fn tag(item: &str, serial: i64) -> String {
    format!("urn:epc:id:sgtin:4820000.{item}.{serial}")
}

#[test]
fn a_walk_becomes_a_blind_count_whatever_the_order_of_its_reads() {
    World::each(|world| {
        let shop = world.location("Lviv-1", LocationKind::Store);
        let hub = world.location("W", LocationKind::Warehouse);
        for (no, item) in [(7, "000001"), (8, "000002"), (9, "000003")] {
            let gtin = Sgtin::parse(&tag(item, 1)).expect("a tag").gtin;
            world.variant(no, Lots::None, gtin.as_str());
            world.receive(no, shop, 3);
        }
        world.pass(600);
        let at = |second: i64| world.now().plus(second * SECOND_US);
        let (first, last) = (at(-300), at(-10));
        // Two of the first, all of the second; the third never bore a tag. Late, twice and in any order.
        let mut reads = vec![(tag("000001", 1), last), (tag("000002", 1), first), (tag("000001", 1), first)];
        reads.extend([(tag("000002", 3), at(-20)), ("nonsense".into(), first), (tag("000002", 2), at(-40))]);
        let taken =
            world.write(move |tx| rfid::take(tx, &batch(shop, reads.clone()), "robot")).expect("they are taken");
        assert_eq!((taken.tags, taken.late), (4, 0));
        assert_eq!(taken.refused.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [4]);
        let more = vec![(tag("000001", 2), at(-200)), (tag("000002", 1), at(-100)), (tag("000009", 1), at(-100))];
        let again = more.clone();
        world.write(move |tx| rfid::take(tx, &batch(shop, more.clone()), "robot")).expect("they are taken");
        world.write(move |tx| rfid::take(tx, &batch(shop, again.clone()), "robot")).expect("told twice");
        let elsewhere = vec![(tag("000001", 1), first)];
        let moved = world.write(move |tx| rfid::take(tx, &batch(hub, elsewhere.clone()), "robot"));
        assert!(matches!(moved, Err(StockError::Field { pointer, .. }) if pointer == "/location_id"));
        let no = taken.session_no;
        // Sold after the last read: the walk saw it.
        let sale = paper(DocumentKind::Sale, at(-5), vec![line(8, shop, CUSTOMER, 1)]);
        world.write(move |tx| commands::post(tx, &sale, Shortage::Record)).expect("sold");
        let seen = world
            .write(move |tx| {
                let session = rfid::get(tx, no)?;
                assert_eq!((session.first_at, session.last_at), (first, last));
                rfid::proposal(tx, &session)
            })
            .expect("it is read");
        let lines: Vec<_> = seen.lines.iter().map(|l| (l.variant_no, l.seen, l.book, l.difference())).collect();
        assert_eq!(lines, [(7, q(2), q(3), q(-1)), (8, q(3), q(3), q(0))]);
        assert_eq!(seen.unknown.iter().map(|(_, pieces)| *pieces).collect::<Vec<_>>(), [1]);
        assert_eq!(world.sellable(7, shop), q(3), "nothing has changed yet");
        let count = world.write(move |tx| rfid::count(tx, no, "olena")).expect("a count");
        let states: Vec<_> = count.lines.iter().map(|l| (l.variant_no, l.state)).collect();
        assert_eq!(states, [(7, LineState::Variance), (8, LineState::Settled)]);
        assert_eq!(world.sellable(7, shop), q(3), "a difference waits for a person");
        assert!(matches!(world.write(move |tx| rfid::count(tx, no, "olena")), Err(StockError::Wrong { .. })));
        let late = vec![(tag("000001", 3), at(-250))];
        let late = world.write(move |tx| rfid::take(tx, &batch(shop, late.clone()), "robot")).expect("kept");
        assert_eq!((late.tags, late.late), (1, 1));
        let (count_no, by) = (count.no, "iryna");
        world.write(move |tx| counting::approve(tx, count_no, 7, by)).expect("approved");
        assert_eq!((world.sellable(7, shop), world.sellable(8, shop), world.sellable(9, shop)), (q(2), q(2), q(3)));
    });
}
