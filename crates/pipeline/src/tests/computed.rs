//! Computed traits in a store: their past, their windows, segments and templates that ask for them.
use super::harness::*;
use base::DAY_US;
use customers::counters::Kind;
use segments::runtime::computed::{self, ComputedError, Wanted};
use segments::runtime::definitions::{self, ComputedTrait};
use serde_json::{Value, json};

fn wanted(name: &str, expression: &str, kind: Kind) -> Wanted {
    Wanted { name: name.into(), title: String::new(), expression: expression.into(), kind }
}

impl Shop {
    fn make(&self, name: &str, expression: &str, kind: Kind) -> ComputedTrait {
        let wanted = wanted(name, expression, kind);
        self.core().store.write(move |tx| computed::create(tx, &wanted)).expect("the trait is made")
    }
    fn live(&self, id: i64) {
        self.until("the trait is live", |shop| {
            shop.core().store.poke();
            shop.read(move |tx| Ok(definitions::current(tx)?.find_computed(id).is_some_and(|c| c.live)))
        });
    }
    /// What the live traits are of a person, as JSON.
    fn computed(&self, user: &str) -> Vec<(String, Option<Value>)> {
        let person = self.person("user_id", user).expect("the person is there");
        self.read(move |tx| {
            let compiled = definitions::current(tx)?;
            let counters = compiled.counters.clone();
            let view = customers::person(tx, person, &counters)?.expect("the person is there");
            let values = computed::values(&compiled, &view.state, tx.now());
            Ok(values.iter().map(|(c, a)| (c.name.clone(), segments::computed::json(&a.values))).collect())
        })
    }
}

fn order(shop: &Shop, user: &str, total: i64) {
    shop.track(user, "Order Completed", json!({"total": total, "currency": "UAH", "store_id": "lviv-1"}));
}

#[test]
fn a_computed_trait_knows_the_past_and_follows_every_event() {
    for shop in shops() {
        for n in 0..30 {
            order(&shop, &format!("u{}", n % 10), 100 + n);
        }
        let total = shop.make("spent_90_days", r#"sum("Order Completed".total in last 90 days)"#, Kind::Number).id;
        let mean = r#"sum("Order Completed".total) / count("Order Completed")"#;
        let mean = shop.make("mean_order", mean, Kind::Number).id;
        let place = shop.make("last_store", r#"last("Order Completed".store_id)"#, Kind::Text).id;
        // While the past is being counted events go on.
        order(&shop, "u0", 1_000);
        for id in [total, mean, place] {
            shop.live(id);
        }
        let found = shop.computed("u0");
        // 100, 110, 120 and 1,000.
        assert_eq!(found[0], ("last_store".into(), Some(json!("lviv-1"))));
        assert_eq!(found[1], ("mean_order".into(), Some(json!(332.5))));
        assert_eq!(found[2], ("spent_90_days".into(), Some(json!(1330))));
        order(&shop, "new", 5);
        assert_eq!(shop.computed("new")[2].1, Some(json!(5)));
        // Exact to the microsecond: what was bought 90 days ago is out at that moment.
        shop.clock.advance(90 * DAY_US - 1);
        assert_eq!(shop.computed("new")[2].1, Some(json!(5)));
        shop.clock.advance(1);
        assert_eq!(shop.computed("new")[2].1, Some(json!(0)));
        shop.assert_clean();
    }
}

#[test]
fn a_segment_on_a_computed_trait_counts_nothing_more_and_moves_with_time() {
    // [C3] Membership follows the trait's window by timers.
    for shop in shops() {
        order(&shop, "olena", 400);
        order(&shop, "taras", 90);
        let id = shop.make("spent_week", r#"sum("Order Completed".total in last 7 days)"#, Kind::Number).id;
        shop.live(id);
        let before = shop.read(|tx| Ok(definitions::current(tx)?.counters.definitions().len()));
        let segment = shop.segment("Big spenders", "trait.spent_week >= 300").id;
        assert_eq!(shop.read(|tx| Ok(definitions::current(tx)?.counters.definitions().len())), before);
        assert_eq!(shop.members(segment, &["olena", "taras"]), ["olena"]);
        order(&shop, "taras", 210);
        assert_eq!(shop.count(segment), 2);
        shop.clock.advance(7 * DAY_US);
        assert!(shop.members(segment, &["olena", "taras"]).is_empty());
        shop.core().store.poke();
        shop.until("the timers work it off", |s| s.count(segment) == 0);
        shop.assert_clean();
    }
}

#[test]
fn a_changed_trait_moves_the_segments_that_ask_for_it() {
    for mut shop in shops() {
        for n in 0..6 {
            order(&shop, "olena", n);
        }
        order(&shop, "taras", 1_000);
        let id = shop.make("worth", r#"count("Order Completed")"#, Kind::Number).id;
        let segment = shop.segment("Worth it", "trait.worth >= 5").id;
        assert_eq!(shop.members(segment, &["olena", "taras"]), ["olena"]);
        let changed = wanted("worth", r#"sum("Order Completed".total)"#, Kind::Number);
        let changed = shop.core().store.write(move |tx| computed::update(tx, id, &changed)).expect("changes");
        assert_eq!(changed.version, 2);
        // Killed in the middle, it goes on.
        shop.crash();
        shop.live(id);
        shop.until("the segment is live", |s| {
            s.core().store.poke();
            s.read(move |tx| Ok(segments::runtime::commands::progress(tx, segment)? >= 1.0))
        });
        assert_eq!(shop.members(segment, &["olena", "taras"]), ["olena", "taras"], "15 and 1000");
        let past = shop.read(move |tx| computed::versions(tx, id));
        assert_eq!(past.iter().map(|v| v.0).collect::<Vec<_>>(), [2, 1]);
        shop.assert_clean();
    }
}

#[test]
fn what_would_change_a_meaning_unseen_is_refused() {
    for shop in shops() {
        order(&shop, "olena", 1);
        shop.segment("Tier", r#"trait.tier = "gold""#);
        let count = r#"count("Order Completed")"#;
        let id = shop.make("orders", count, Kind::Number).id;
        shop.live(id);
        let segment = shop.segment("Some", "trait.orders >= 1").id;
        let refuse = |name: &str, expression: &str, kind| {
            let wanted = wanted(name, expression, kind);
            shop.core().store.write(move |tx| computed::create(tx, &wanted)).expect_err("it is refused")
        };
        assert!(matches!(refuse("tier", count, Kind::Number), ComputedError::Sent(name) if name == "Tier"));
        assert!(matches!(refuse("orders", count, Kind::Number), ComputedError::Taken(_)));
        assert!(matches!(refuse("lifecycle_stage", count, Kind::Number), ComputedError::Taken(_)));
        assert!(matches!(refuse("Orders 2", count, Kind::Number), ComputedError::Name));
        assert!(matches!(refuse("x", count, Kind::Text), ComputedError::Type(_)));
        assert!(matches!(refuse("x", "count(", Kind::Number), ComputedError::Expression(_)));
        let archive = || shop.core().store.write(move |tx| computed::archive(tx, id));
        assert!(matches!(archive(), Err(ComputedError::Needed(name)) if name == "Some"));
        let archived = shop.core().store.write(move |tx| segments::runtime::commands::archive(tx, segment));
        archived.expect("nobody needs the segment");
        archive().expect("nobody needs the trait");
        assert_eq!(shop.read(|tx| Ok(definitions::current(tx)?.counters.definitions().len())), 0, "nothing is counted");
        shop.assert_clean();
    }
}

#[test]
fn a_trait_goes_on_when_the_segment_that_counted_for_it_goes() {
    for shop in shops() {
        for n in 0..200 {
            order(&shop, &format!("u{}", n % 7), 1);
        }
        let text = r#"sum("Order Completed".total in last 30 days) >= 3"#;
        let made = shop.core().store.write(move |tx| segments::runtime::commands::create(tx, "S", text)).expect("made");
        let id = shop.make("month", r#"sum("Order Completed".total in last 30 days)"#, Kind::Number).id;
        let gone = shop.core().store.write(move |tx| segments::runtime::commands::archive(tx, made.id));
        gone.expect("it is archived");
        shop.live(id);
        // 200 orders by seven people: four of them have 29.
        assert_eq!(shop.computed("u0")[0].1, Some(json!(29)));
        shop.assert_clean();
    }
}
