use super::shop::{ask, at};
use crate::prices::differences::{Place, of_variant};
use crate::prices::history::{Point, reduction, series};
use crate::prices::model::*;
use crate::prices::select::{Lists, order, quote};
use crate::prices::timeline::{Span, set};
use base::{DAY_US, Timestamp};
use proptest::prelude::*;

fn list(id: i64, position: i64, scope: Scope) -> PriceList {
    PriceList {
        id,
        name: format!("L{id}"),
        currency: "UAH".into(),
        kind: Kind::Regular,
        position,
        scope,
        reason: String::new(),
        starts_at: Timestamp::from_micros(0),
        ends_at: NEVER,
        version: 1,
    }
}

fn entry(id: i64, list: i64, min_quantity: i64, minor: i64) -> Entry {
    Entry {
        id,
        variant: 1,
        list,
        currency: "UAH".into(),
        min_quantity,
        minor: Some(minor),
        compare_at: None,
        starts_at: Timestamp::from_micros(0),
        ends_at: NEVER,
        change: 1,
    }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(order);
    entries
}

fn names(values: &[&str]) -> Vec<String> {
    values.iter().map(|v| v.to_string()).collect()
}

#[test]
fn the_first_list_that_fits_and_has_a_price_wins_and_says_why_l4() {
    // [L4] Price policies of channels, places and customers are data in one place.
    let now = at("2026-11-23T10:00:00Z");
    let site = Scope { channels: names(&["site"]), ..Scope::default() };
    let vip = Scope { segments: names(&["vip"]), ..Scope::default() };
    let hers = Scope { customers: names(&["olena"]), ..Scope::default() };
    let lviv = Scope { stores: names(&["lviv-1", "lviv-2"]), channels: names(&["store"]), ..Scope::default() };
    let mut sale = list(5, 1, Scope { regions: names(&["west"]), ..Scope::default() });
    sale.kind = Kind::Sale;
    sale.reason = "autumn sale".into();
    let lists = Lists::new(vec![list(1, 10, site), list(2, 5, vip), list(3, 0, hers), list(4, 2, lviv), sale]);
    let entries = sorted(vec![
        entry(10, BASE, 0, 1000),
        entry(11, 1, 0, 950),
        entry(12, 2, 0, 900),
        entry(13, 3, 0, 850),
        entry(14, 4, 0, 980),
        entry(15, 4, 3000, 970),
        entry(16, 5, 0, 700),
    ]);
    let of = |change: &dyn Fn(&mut Ask)| {
        let mut ask = ask(1, "app", now);
        change(&mut ask);
        quote(&lists, &entries, &ask).map(|q| (q.minor, q.list, q.base_minor, q.reason))
    };
    let base = Some(1000);
    assert_eq!(of(&|_| ()), Some((1000, BASE, base, "base price".into())));
    assert_eq!(
        of(&|a| a.channel = Some("site".into())),
        Some((950, 1, base, "price list \"L1\" for channel site".into()))
    );
    let vip = |a: &mut Ask| (a.channel, a.segments) = (Some("site".into()), names(&["vip"]));
    assert_eq!(of(&vip), Some((900, 2, base, "price list \"L2\" for segment vip".into())));
    assert_eq!(
        of(&|a| a.customer = Some("olena".into())),
        Some((850, 3, base, "price list \"L3\" for this customer".into()))
    );
    let lviv = |a: &mut Ask| (a.channel, a.store) = (Some("store".into()), Some("lviv-1".into()));
    assert_eq!(of(&lviv), Some((980, 4, base, "price list \"L4\" for channel store, store lviv-1 and 1 more".into())));
    let three = |a: &mut Ask| {
        lviv(a);
        a.quantity = 3000;
    };
    let wanted = "price list \"L4\" for channel store, store lviv-1 and 1 more, from 3 pieces: ".trim_end_matches(": ");
    assert_eq!(of(&three), Some((970, 4, base, wanted.into())));
    let west = |a: &mut Ask| a.region = Some("west".into());
    assert_eq!(of(&west), Some((700, 5, base, "price list \"L5\" for region west: autumn sale".into())));
    assert_eq!(of(&|a| a.currency = "EUR".into()), None, "no price in the currency: not for sale");
    let online_in_the_store = |a: &mut Ask| a.store = Some("lviv-1".into());
    assert_eq!(of(&online_in_the_store).map(|q| q.1), Some(BASE), "all parts of a scope must fit");
    let personal =
        quote(&lists, &entries, &Ask { customer: Some("olena".into()), ..ask(1, "app", now) }).expect("a price");
    assert!(personal.personal && !personal.sale);
    let reduced = quote(&lists, &entries, &Ask { region: Some("west".into()), ..ask(1, "app", now) }).expect("a price");
    assert!(reduced.sale && !reduced.personal);
}

#[test]
fn a_list_and_an_entry_hold_in_their_time() {
    let (from, until) = (at("2026-12-01T00:00:00Z"), at("2026-12-02T00:00:00Z"));
    let mut holiday = list(1, 0, Scope::default());
    (holiday.starts_at, holiday.ends_at) = (from, until);
    let mut cheap = entry(11, BASE, 0, 900);
    (cheap.starts_at, cheap.ends_at) = (until, until.plus(DAY_US));
    let mut before = entry(10, BASE, 0, 1000);
    before.ends_at = until;
    let lists = Lists::new(vec![holiday]);
    let entries = sorted(vec![before, cheap, entry(12, 1, 0, 500)]);
    let of = |at: Timestamp| quote(&lists, &entries, &ask(1, "site", at)).map(|q| q.minor);
    assert_eq!(
        [of(from.plus(-1)), of(from), of(until.plus(-1)), of(until)],
        [Some(1000), Some(500), Some(500), Some(900)]
    );
    assert_eq!(of(until.plus(DAY_US)), None, "after its last price it is not for sale");
}

#[test]
fn a_reduction_names_the_lowest_price_of_thirty_days_before_it() {
    let day = |n: i64| Timestamp::from_micros(n * DAY_US);
    let mut entries = Vec::new();
    // 100 until day 50, then 80 for 5 days, 120 until day 70, 90 from then on.
    for (id, from, until, minor) in [(1, 0, 50, 100), (2, 50, 55, 80), (3, 55, 70, 120), (4, 70, 900, 90)] {
        let mut e = entry(id, BASE, 0, minor);
        (e.starts_at, e.ends_at) = (day(from), day(until));
        entries.push(e);
    }
    let lists = Lists::default();
    let of = |at: i64| {
        let found = reduction(&lists, &entries, &ask(1, "site", day(at)), 30);
        found.map(|r| (r.minor, r.since, r.previous, r.lowest))
    };
    assert_eq!(of(10), None, "a first price reduces nothing");
    assert_eq!(of(52), Some((80, day(50), 100, 100)));
    assert_eq!(of(60), None, "a rise is no reduction");
    assert_eq!(of(75), Some((90, day(70), 120, 80)), "80 was asked 15 days before");
    assert_eq!(of(400), Some((90, day(70), 120, 80)), "counted from the announcement, not from today");
    // A lower price that ended more than thirty days before does not count; one that still held then does.
    entries[1].ends_at = day(52);
    entries[2].starts_at = day(52);
    (entries[2].ends_at, entries[3].starts_at) = (day(82), day(82));
    let of = |at: i64, days: i64| reduction(&lists, &entries, &ask(1, "site", day(at)), days).map(|r| r.lowest);
    assert_eq!(of(90, 30), Some(120), "80 ended exactly thirty days before");
    assert_eq!(of(90, 31), Some(80));
    // Personal prices are nobody else's business.
    let lists = Lists::new(vec![list(7, 0, Scope { customers: names(&["olena"]), ..Scope::default() })]);
    entries.push(entry(9, 7, 0, 1));
    entries.sort_by(order);
    let hers = Ask { customer: Some("olena".into()), ..ask(1, "site", day(90)) };
    assert_eq!(reduction(&lists, &entries, &hers, 30).map(|r| (r.minor, r.lowest)), Some((90, 120)));
    let points: Vec<Option<i64>> = series(&lists, &entries, &hers, day(60)).iter().map(|p: &Point| p.minor).collect();
    assert_eq!(points, [Some(120), Some(90)]);
}

#[test]
fn every_unexplained_difference_between_channels_is_listed_l3() {
    // [L3] Prices are equal or explained.
    let now = at("2026-11-23T10:00:00Z");
    let place = |channel: &str, store: Option<&str>| Place {
        channel: channel.into(),
        region: None,
        store: store.map(str::to_string),
    };
    let places = [
        place("site", None),
        place("app", None),
        place("store", Some("lviv")),
        place("store", Some("kyiv")),
        place("marketplace", None),
    ];
    let mut online = list(1, 5, Scope { channels: names(&["app"]), ..Scope::default() });
    online.reason = "discount in the app".into();
    let lviv = list(2, 5, Scope { stores: names(&["lviv"]), ..Scope::default() });
    let lists = Lists::new(vec![online, lviv]);
    let entries = sorted(vec![entry(1, BASE, 0, 1000), entry(2, 1, 0, 900), entry(3, 2, 0, 1010)]);
    let found = of_variant(&lists, &entries, &ask(1, "", now), &places);
    let shown: Vec<_> = found
        .iter()
        .map(|d| {
            (
                d.place.channel.as_str(),
                d.quote.as_ref().map(|q| q.minor),
                d.usual_minor,
                d.usual_places,
                d.explained.as_deref(),
            )
        })
        .collect();
    assert_eq!(shown, [("app", Some(900), 1000, 3, Some("discount in the app")), ("store", Some(1010), 1000, 3, None)]);
    assert_eq!(of_variant(&lists, &[], &ask(1, "", now), &places), [], "what is sold nowhere differs nowhere");
    let only = sorted(vec![entry(2, 1, 0, 900)]);
    let missing = of_variant(&lists, &only, &ask(1, "", now), &places);
    assert_eq!(
        missing.iter().filter(|d| d.quote.is_none()).count(),
        4,
        "no price where others have one is a difference"
    );
}

fn span(from: i64, until: Option<i64>, minor: i64) -> Span {
    let time = Timestamp::from_micros;
    Span { minor: Some(minor), compare_at: None, from: time(from), until: until.map(time) }
}

/// Applies what [`set`] says.
fn apply(existing: &[Entry], span: &Span, next: &mut i64) -> Vec<Entry> {
    let set = set(existing, span);
    let mut out = existing.to_vec();
    for (id, from, until) in set.moved {
        let e = out.iter_mut().find(|e| e.id == id).expect("it is there");
        (e.starts_at, e.ends_at) = (from, until);
    }
    for span in set.new {
        *next += 1;
        let mut e = entry(*next, BASE, 0, 0);
        (e.minor, e.starts_at, e.ends_at) = (span.minor, span.from, span.until.unwrap_or(NEVER));
        out.push(e);
    }
    out.retain(|e| e.starts_at < e.ends_at);
    out
}

fn value(entries: &[Entry], t: i64) -> Option<i64> {
    let held: Vec<i64> =
        entries.iter().filter(|e| e.holds(Timestamp::from_micros(t))).filter_map(|e| e.minor).collect();
    assert!(held.len() <= 1, "two hold at {t}: {entries:?}");
    held.first().copied()
}

proptest! {
    #[test]
    fn a_price_holds_in_its_time_and_changes_no_other(spans in prop::collection::vec((0i64..40, prop::option::of(1i64..15), 1i64..1000), 1..12)) {
        let (mut entries, mut next) = (Vec::new(), 0);
        for (from, length, minor) in spans {
            let span = span(from, length.map(|l| from + l), minor);
            let until = span.until.map(|u| u.micros()).or_else(|| entries.iter().map(|e: &Entry| e.starts_at.micros()).filter(|at| *at > from).min()).unwrap_or(1000);
            let after = apply(&entries, &span, &mut next);
            for t in 0..80 {
                let wanted = if (from..until).contains(&t) { Some(minor) } else { value(&entries, t) };
                prop_assert_eq!(value(&after, t), wanted, "at {} after {:?}", t, span);
            }
            entries = after;
        }
    }

    #[test]
    fn the_index_of_lists_finds_what_a_look_at_each_finds(seed: u64) {
        let mut rng = base::Rng::new(seed);
        let mut some = |what: &str| -> Vec<String> {
            let mut out = Vec::new();
            for _ in 0..rng.below(3) {
                out.push(format!("{what}{}", rng.below(3)));
            }
            out
        };
        let lists: Vec<PriceList> = (1..20).map(|id| {
            let scope = Scope { channels: some("c"), regions: some("r"), stores: some("s"), segments: some("g"), customers: some("u") };
            list(id, id % 4, scope)
        }).collect();
        let compiled = Lists::new(lists.clone());
        let ask = Ask {
            channel: some("c").pop(), region: some("r").pop(), store: some("s").pop(), segments: some("g"), customer: some("u").pop(),
            ..ask(1, "", Timestamp::from_micros(5))
        };
        let mut wanted: Vec<(i64, i64)> = lists.iter().filter(|l| crate::prices::select::holds(l, &ask)).map(|l| (l.position, l.id)).collect();
        wanted.sort_unstable();
        let found: Vec<(i64, i64)> = compiled.asked(&ask).iter().map(|l| (l.position, l.id)).collect();
        prop_assert_eq!(found, wanted);
    }
}
