use super::harness::*;
use base::{DAY_US, HOUR_US};
use segments::runtime::{Filling, definitions};
use serde_json::json;

#[test]
fn an_event_moves_the_person_into_the_segment_and_time_moves_them_out() {
    // [C3] "viewed category 'face care' in the last 14 days" holds exactly those people.
    for shop in shops() {
        let expression = r#"count("Product Viewed" where properties.category = "face care" in last 14 days) >= 1"#;
        let segment = shop.segment("Face care", expression).id;
        shop.track("olena", "Product Viewed", json!({"category": "face care"}));
        shop.track("taras", "Product Viewed", json!({"category": "garden"}));
        assert_eq!(shop.members(segment, &["olena", "taras"]), ["olena"]);
        assert_eq!(shop.count(segment), 1);
        shop.clock.advance(14 * DAY_US - 1);
        assert_eq!(shop.members(segment, &["olena"]), ["olena"], "the last microsecond still counts");
        shop.clock.advance(1);
        assert!(shop.members(segment, &["olena"]).is_empty(), "at its moment it is over, timer or not");
        shop.core().store.poke();
        shop.until("the timer works it off", |s| s.count(segment) == 0);
        shop.assert_clean();
    }
}

#[test]
fn a_new_segment_knows_the_past() {
    for shop in shops() {
        for n in 0..30 {
            shop.track(&format!("u{}", n % 10), "Order Completed", json!({"total": 100 + n, "currency": "UAH"}));
        }
        let often = shop.segment("Often", r#"count("Order Completed" in last 30 days) >= 3"#).id;
        let much = shop.segment("Much", r#"sum("Order Completed".total) >= 345"#).id;
        assert_eq!(shop.count(often), 10);
        // u0 bought for 100, 110 and 120; u5 for 105, 115, 125 = 345.
        assert_eq!(shop.count(much), 5);
        shop.track("u0", "Order Completed", json!({"total": 15, "currency": "UAH"}));
        assert_eq!(shop.count(much), 6);
        shop.assert_clean();
    }
}

#[test]
fn a_segment_that_is_filled_while_events_come_counts_each_once() {
    for shop in shops() {
        for n in 0..200 {
            shop.track(&format!("u{}", n % 7), "Order Completed", json!({"total": 1, "currency": "UAH"}));
        }
        let made = shop
            .core()
            .store
            .write(|tx| segments::runtime::commands::create(tx, "Buys", r#"count("Order Completed") >= 30"#));
        let id = made.expect("it is made").id;
        for n in 0..40 {
            shop.track(&format!("u{}", n % 7), "Order Completed", json!({"total": 1, "currency": "UAH"}));
        }
        shop.until("it is live", |s| {
            s.core().store.poke();
            s.read(move |tx| Ok(segments::runtime::commands::progress(tx, id)? >= 1.0))
        });
        assert_eq!(shop.count(id), 7);
        shop.assert_clean();
    }
}

#[test]
fn repeats_are_dropped_and_told() {
    for mut shop in shops() {
        let item = json!({"type": "track", "messageId": "m-1", "userId": "olena", "event": "Product Viewed"});
        assert!(shop.events(std::slice::from_ref(&item)).duplicates.is_empty());
        assert_eq!(shop.events(std::slice::from_ref(&item)).duplicates, [0]);
        shop.crash();
        assert_eq!(shop.events(std::slice::from_ref(&item)).duplicates, [0]);
        shop.restart();
        assert_eq!(shop.events(&[item]).duplicates, [0]);
        // Without an id and without a time of its own: the same content is a repeat for ten minutes.
        let bare = json!({"type": "track", "userId": "olena", "event": "Product Viewed"});
        assert!(shop.events(std::slice::from_ref(&bare)).duplicates.is_empty());
        assert_eq!(shop.events(std::slice::from_ref(&bare)).duplicates, [0]);
        shop.clock.advance(HOUR_US);
        assert!(shop.events(&[bare]).duplicates.is_empty());
        assert_eq!(shop.doctor().counts.events, 3);
        shop.assert_clean();
    }
}

#[test]
fn a_segment_may_name_another() {
    for shop in shops() {
        let buyers = shop.segment("Buyers", r#"count("Order Completed") >= 1"#).id;
        let silent = shop.segment("Silent buyers", r#"in segment("Buyers") and not count("Product Viewed") >= 1"#).id;
        shop.track("olena", "Order Completed", json!({"total": 5, "currency": "UAH"}));
        assert_eq!((shop.count(buyers), shop.count(silent)), (1, 1));
        shop.track("olena", "Product Viewed", json!({}));
        assert_eq!((shop.count(buyers), shop.count(silent)), (1, 0));
        shop.assert_clean();
    }
}

#[test]
fn an_event_without_an_id_of_its_own_is_the_same_when_it_is_read_back() {
    for mut shop in shops() {
        shop.segment("In Lviv", r#"trait.city = "Lviv""#);
        shop.events(&[json!({"type": "identify", "userId": "olena", "traits": {"city": "Lviv"}})]);
        let track = json!({"type": "track", "anonymousId": "phone-1", "userId": "taras", "event": "Product Viewed"});
        shop.events(&[track.clone(), json!({"type": "track", "userId": "taras", "event": "Consent Revoked", "properties": {"channel": "email", "purpose": "marketing"}})]);
        shop.crash();
        assert_eq!(shop.events(&[track]).duplicates, [0]);
        shop.assert_clean();
        shop.stop();
        let report = shop.doctor();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}

#[test]
fn a_segment_that_is_edited_or_archived_while_it_counts_leaves_nobody_half_counted() {
    for mut shop in shops() {
        for n in 0..30 {
            shop.track(&format!("u{}", n % 10), "Order Completed", json!({"total": 100 + n, "currency": "UAH"}));
        }
        let (two, three, four) = (
            r#"count("Order Completed") >= 2"#,
            r#"count("Order Completed") >= 3"#,
            r#"count("Order Completed") >= 4"#,
        );
        // In one transaction, so that nothing of the past is counted between.
        let made = shop.core().store.write(move |tx| {
            let edited = segments::runtime::commands::create(tx, "Edited", two)?.id;
            segments::runtime::commands::update(tx, edited, "Edited", three)?;
            let archived =
                segments::runtime::commands::create(tx, "Archived", r#"sum("Order Completed".total) > 1"#)?.id;
            let sharing =
                segments::runtime::commands::create(tx, "Sharing", r#"sum("Order Completed".total) > 345"#)?.id;
            let later = segments::runtime::commands::create(
                tx,
                "Later",
                r#"sum("Order Completed".total) > 350 or exists trait.city"#,
            )?
            .id;
            segments::runtime::commands::archive(tx, archived)?;
            Ok::<_, segments::runtime::commands::SegmentError>([edited, sharing, later])
        });
        let [edited, sharing, later] = made.expect("they are made");
        shop.until("they are live", |s| {
            s.core().store.poke();
            s.read(move |tx| {
                let compiled = definitions::current(tx)?;
                Ok([edited, sharing, later]
                    .iter()
                    .all(|id| compiled.find(*id).is_some_and(|s| s.filling == Filling::Live)))
            })
        });
        // u5 bought for 105, 115 and 125 = 345; those after them for more.
        assert_eq!((shop.count(edited), shop.count(sharing), shop.count(later)), (10, 4, 3));
        shop.assert_clean();
        shop.crash();
        shop.assert_clean();
        assert_eq!(shop.segment("Four", four).filling, Filling::Counting);
    }
}
