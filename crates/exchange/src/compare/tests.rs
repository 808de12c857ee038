use super::ready::{Bar, standing, streak};
use super::*;
use crate::compare::module::Module;
use crate::compare::there::Totals;
use crate::convert::Context;
use crate::rows::Row;
use crate::values::DateOrder;
use base::{Country, Timestamp};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn item(key: &str, day: &str, value: i64) -> Item {
    Item { key: key.into(), day: day.into(), value, ..Item::default() }
}

fn sides(there: Vec<Item>, here: Vec<Item>) -> Sides {
    Sides { there, here, ..Sides::default() }
}

#[test]
fn each_difference_has_its_cause() {
    // [AD2] each difference between the old tool and Braid is listed with why.
    let there = vec![
        item("1", "2026-11-01", 100),
        item("2", "2026-11-01", 200),
        item("3", "2026-11-01", 300),
        item("4", "2026-11-30", 400),
        item("4", "2026-11-30", 400),
        item("6", "2026-11-01", 600),
    ];
    let here = vec![
        item("1", "2026-11-01", 100),
        item("2", "2026-11-01", 250),
        item("4", "2026-12-01", 400),
        item("5", "2026-11-02", 500),
        item("5", "2026-11-02", 500),
        item("6", "2026-11-05", 600),
        item("7", "2026-12-09", 700),
    ];
    let rejected = vec![
        Rejected { key: "8".into(), day: "2026-11-01".into(), line: 9, reason: "this is no amount".into() },
        Rejected { key: "5".into(), day: "2026-11-02".into(), line: 10, reason: "this is no amount".into() },
    ];
    let window = Some(("2026-11-01".into(), "2026-11-30".into()));
    let out = compare(Sides { rejected, window, ..sides(there, here) });
    let mut told: Vec<(&str, Cause)> = out.differences.iter().map(|d| (d.key.as_str(), d.cause)).collect();
    told.sort();
    assert_eq!(
        told,
        [
            ("2", Cause::DifferentValue),
            ("3", Cause::MissingInBraid),
            ("4", Cause::DayBorder),
            ("4", Cause::DuplicateThere),
            ("5", Cause::MissingThere),
            ("5", Cause::DuplicateHere),
            ("6", Cause::DifferentValue),
            ("8", Cause::RejectedRow),
        ],
        "{:#?}",
        out.differences
    );
    assert_eq!((out.all.same, out.all.judge(Thresholds::default()).0), (1, Verdict::NoGo));
}

#[test]
fn a_file_of_another_zone_is_known_by_its_clock() {
    // [AD2] a time-zone shift is one cause, not a hundred missing orders.
    let hour = 3_600_000_000;
    let at = |n: i64, off: i64| Item { at_us: 1_000 * hour + n * hour + off * hour, ..item(&n.to_string(), "", 5) };
    let there: Vec<Item> =
        (0..10).map(|n| Item { day: if n < 8 { "2026-11-01" } else { "2026-11-02" }.into(), ..at(n, -2) }).collect();
    let here: Vec<Item> =
        (0..10).map(|n| Item { day: if n < 6 { "2026-11-01" } else { "2026-11-02" }.into(), ..at(n, 0) }).collect();
    let out = compare(sides(there, here));
    assert_eq!((out.shift_minutes, out.all.causes.clone()), (-120, BTreeMap::from([(Cause::ZoneShift, 2)])));
    assert_eq!(out.all.judge(Thresholds::default()).0, Verdict::Go);
    assert_eq!(out.all.judge(Thresholds { day_border_counts: true, ..Thresholds::default() }).0, Verdict::NoGo);
    assert!(out.differences[0].why.contains("-2 h"), "{}", out.differences[0].why);
}

#[test]
fn totals_that_were_cut_at_another_hour_are_told_from_wrong_ones() {
    let there = vec![
        item("2026-11-01", "2026-11-01", 10),
        item("2026-11-02", "2026-11-02", 5),
        item("2026-11-09", "2026-11-09", 7),
    ];
    let here = vec![
        item("2026-11-01", "2026-11-01", 8),
        item("2026-11-02", "2026-11-02", 7),
        item("2026-11-09", "2026-11-09", 9),
    ];
    let out = compare(Sides { totals: true, ..sides(there, here) });
    assert_eq!(out.all.causes, BTreeMap::from([(Cause::DayBorder, 2), (Cause::DifferentValue, 1)]));
    assert_eq!(out.days["2026-11-01"].judge(Thresholds::default()).0, Verdict::Go);
    assert_eq!(out.days["2026-11-09"].judge(Thresholds::default()).0, Verdict::NoGo);
}

#[test]
fn the_verdict_follows_the_thresholds() {
    let many = |shift: i64| -> Vec<Item> {
        (0..1000).map(|n| item(&n.to_string(), "2026-11-01", 1000 + i64::from(n < shift))).collect()
    };
    let judge = |there, here, t| compare(sides(there, here)).all.judge(t).0;
    let usual = Thresholds::default();
    assert_eq!(judge(many(0), many(0), usual), Verdict::Go);
    assert_eq!(judge(many(0), many(5), usual), Verdict::Go);
    assert_eq!(judge(many(0), many(6), usual), Verdict::NoGo);
    assert_eq!(judge(Vec::new(), Vec::new(), usual), Verdict::Nothing);
    assert_eq!(judge(Vec::new(), many(1), usual), Verdict::NoGo, "an empty file is no agreement");
}

#[test]
fn a_row_of_green_days_ends_at_a_red_or_a_missing_day() {
    // [AD2] go or no go is a rule, not a feeling.
    let days = |list: &[(&str, Verdict)]| list.iter().map(|(d, v)| ((*d).to_string(), *v)).collect::<BTreeMap<_, _>>();
    let (go, no, nothing) = (Verdict::Go, Verdict::NoGo, Verdict::Nothing);
    assert_eq!(streak(&days(&[("2026-11-01", go), ("2026-11-02", go), ("2026-11-03", go)])), 3);
    assert_eq!(streak(&days(&[("2026-11-01", go), ("2026-11-02", no), ("2026-11-03", go)])), 1);
    assert_eq!(streak(&days(&[("2026-11-01", go), ("2026-11-03", go)])), 1, "a day was not compared");
    assert_eq!(streak(&days(&[("2026-11-01", go), ("2026-11-02", nothing), ("2026-11-03", go)])), 2, "a closed day");
    let bar = Bar { green_days: 2, open_differences: 1, stale_days: 3 };
    let three = days(&[("2026-11-01", go), ("2026-11-02", go), ("2026-11-03", go)]);
    let judge = |open, today| standing(&three, open, bar, today);
    assert_eq!((judge(1, "2026-11-06").verdict, judge(1, "2026-11-06").lacking.len()), (go, 0));
    assert_eq!((judge(2, "2026-11-07").verdict, judge(2, "2026-11-07").lacking.len()), (no, 2));
    assert_eq!(standing(&BTreeMap::new(), 0, bar, "2026-11-06").verdict, nothing);
}

#[test]
fn files_of_totals_are_known_by_their_columns() {
    let names = |text: &str| text.split(',').map(str::to_string).collect::<Vec<_>>();
    let context = Context {
        zone: TimeZone::get("Europe/Kyiv").expect("it is known"),
        country: Country::find("UA"),
        currency: "UAH".into(),
        file_time: Timestamp::from_civil(2026, 11, 1, 9, 0, 0),
        now: Timestamp::from_civil(2026, 11, 22, 23, 0, 0),
        source: "a test".into(),
    };
    let read = |module, columns: &str, row: &[&str]| {
        let totals = Totals::find(module, &names(columns)).expect("they are totals");
        totals.read(module, &Row::of(2, row.iter().copied()), &context, DateOrder::DayFirst)
    };
    let found = read(Module::Revenue, "Дата,Виручка", &["21.11.2026", "12 345,60 грн"]).expect("it is read");
    assert_eq!((found.key.as_str(), found.value), ("2026-11-21", 1_234_560));
    let found = read(Module::Sends, "date,channel,sent", &["2026-11-21", "Email", "17"]).expect("it is read");
    assert_eq!((found.key.as_str(), found.value), ("2026-11-21 email", 17));
    let found = read(Module::Segments, "Segment,Size", &["Loyal", "9"]).expect("it is read");
    assert_eq!((found.key.as_str(), found.day.as_str(), found.value), ("Loyal", "2026-11-23", 9));
    assert_eq!(read(Module::Sends, "date,sent", &["2026-11-21", "1.5"]).expect_err("half a mail").line, 2);
    assert_eq!(Totals::find(Module::Orders, &names("number,date,total,status,email")), None, "rows of orders");
}

fn items() -> impl Strategy<Value = Vec<Item>> {
    let one = (0u8..12, 1u8..6, 0i64..4)
        .prop_map(|(key, day, value)| item(&key.to_string(), &format!("2026-11-0{day}"), value));
    proptest::collection::vec(one, 0..24)
}

proptest! {
    /// Nothing is told twice and nothing left out: what agrees and what differs makes up both sides.
    #[test]
    fn every_item_is_the_same_or_has_a_cause(there in items(), here in items(), totals: bool) {
        let (a, b) = (there.len() as u64, here.len() as u64);
        let out = compare(Sides { totals, ..sides(there, here) });
        let count = |causes: &[Cause]| causes.iter().filter_map(|c| out.all.causes.get(c)).sum::<u64>();
        let both = out.all.same + count(&[Cause::DifferentValue, Cause::ZoneShift, Cause::DayBorder]);
        prop_assert_eq!(both + count(&[Cause::MissingInBraid, Cause::DuplicateThere]), a);
        prop_assert_eq!(both + count(&[Cause::MissingThere, Cause::DuplicateHere]), b);
        prop_assert_eq!(out.differences.len() as u64, out.all.causes.values().sum::<u64>());
        let by_day: u64 = out.days.values().flat_map(|d| d.causes.values()).sum();
        prop_assert_eq!(by_day, out.differences.len() as u64);
    }

    /// A side compared with itself agrees, whatever the order.
    #[test]
    fn equal_sides_agree(there in items()) {
        let mut first: BTreeMap<String, Item> = BTreeMap::new();
        there.into_iter().for_each(|i| drop(first.insert(i.key.clone(), i)));
        let list: Vec<Item> = first.into_values().collect();
        let out = compare(sides(list.clone(), list.into_iter().rev().collect()));
        prop_assert!(out.differences.is_empty());
    }
}
