//! A sample of real invoices is lived again on both engines, and its books balance.
use super::plan::{Act, Step, category, is_goods, plan};
use super::replay::{Begun, Tally, begun, replay};
use super::{Invoice, Line};
use base::{Clock, ManualClock, Timestamp};
use db::Sync;
use db::testing::Place;
use db::writer::Options;
use pipeline::{Core, Open, Settings, doctor};
use std::sync::Arc;

const SAMPLE: &str = include_str!("../../../../../examples/online_retail_ii/sample.csv");

fn invoices() -> Vec<Invoice> {
    let mut out: Vec<Invoice> = Vec::new();
    for row in SAMPLE.lines().skip(1) {
        let f: Vec<&str> = row.split(',').collect();
        let at = Timestamp::parse(&format!("{}Z", f[4].replace(' ', "T"))).expect("it is a time");
        let units: i64 = f[3].parse().expect("it is a number");
        let pence = base::Decimal::parse(f[5]).and_then(|d| d.to_minor(2)).expect("it is a price");
        let line = Line { code: f[1].into(), name: f[2].into(), units: units.abs(), unit_minor: pence };
        match out.iter_mut().find(|i| i.number == f[0]) {
            Some(invoice) => invoice.lines.push(line),
            None => out.push(Invoice {
                number: f[0].into(),
                customer: Some(f[6].to_string()).filter(|c| !c.is_empty()),
                at,
                back: f[0].starts_with('C'),
                lines: vec![line],
            }),
        }
    }
    out
}

fn now() -> Timestamp {
    Timestamp::from_civil(2026, 11, 22, 18, 0, 0)
}

fn open(place: &Place, clock: &Arc<ManualClock>) -> Core {
    Core::open(Open {
        location: place.location.clone(),
        sync: Sync::UnsafeFast,
        options: Options::default(),
        clock: clock.clone() as Arc<dyn Clock>,
        holder: "a test".into(),
        take_over: false,
        settings: Settings::default(),
        jobs: Vec::new(),
        sweeps: Vec::new(),
        migrations: Vec::new(),
        observer: None,
        readers: 1,
    })
    .expect("the store opens")
}

#[test]
fn a_sample_of_real_invoices_leaves_books_that_balance() {
    let all = invoices();
    let plan = plan(&all, all.len(), now());
    assert!(plan.invoices.len() > 30 && plan.goods.len() > 100, "{} of {}", plan.invoices.len(), plan.goods.len());
    for place in Place::all() {
        let clock = Arc::new(ManualClock::new(plan.steps[0].0));
        // It is stopped in the middle and goes on in another program, as if nothing had happened.
        let core = open(&place, &clock);
        let half = plan.steps.len() / 2;
        let first = replay(&core, &clock, (&plan, now()), &mut |at| at < half).expect("it is replayed");
        assert!(first.stopped);
        assert_eq!(begun(&core).expect("it is read"), Some(Begun { now: now(), done: half, of: plan.steps.len() }));
        core.store.close();
        let core = open(&place, &clock);
        let second = replay(&core, &clock, (&plan, now()), &mut |_| true).expect("it is replayed");
        assert!(!second.stopped);
        let sum = |what: &str| {
            let of = |tally: &Tally| tally.done.get(what).copied().unwrap_or(0);
            of(&first) + of(&second)
        };
        let placed = plan.steps.iter().filter(|(_, s)| matches!(s, Step::Order(_, Act::Place))).count() as u64;
        assert_eq!(sum("orders"), placed, "{:?} {:?}", first.refused, second.refused);
        assert!(sum("receipts") > 3 && sum("orders that the customer has") > 10, "{first:?} {second:?}");
        let states = core.store.query(|db| {
            let rows = db.rows("SELECT status, COUNT(*) FROM orders GROUP BY status ORDER BY status", &[])?;
            rows.iter().map(|row| Ok((row.text(0)?.to_string(), row.int(1)?))).collect::<Result<Vec<_>, db::DbError>>()
        });
        assert!(
            states.as_ref().is_ok_and(|s| s.len() >= 2),
            "orders of the last days are in different states: {states:?}"
        );
        core.store.close();
        let report = doctor::run(&place.location, &*clock, Settings::default()).expect("doctor reads");
        assert_eq!(report.findings, []);
    }
}

#[test]
fn goods_and_their_categories_are_told_by_rule() {
    assert!(is_goods("85048") && is_goods("79323P") && is_goods("15056BL"));
    assert!(!is_goods("POST") && !is_goods("D") && !is_goods("8504") && !is_goods("gift_0001_20"));
    for (name, of) in [
        ("15CM CHRISTMAS GLASS BALL 20 LIGHTS", "Різдво"),
        ("PINK CHERRY LIGHTS", "Світло"),
        ("STRAWBERRY CERAMIC TRINKET BOX", "Оселя"),
        ("JUMBO BAG RED RETROSPOT", "Сумки"),
        ("SAVE THE PLANET MUG", "Кухня"),
        ("SOMETHING ELSE", "Різне"),
    ] {
        assert_eq!(category(name), of, "{name}");
    }
}
