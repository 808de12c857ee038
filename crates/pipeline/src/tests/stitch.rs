//! The stitch rate, and the alarm when a program stops sending who it was before.
use super::harness::*;
use base::{Clock, DAY_US, HOUR_US};
use customers::stitch::{self, Alarm};
use serde_json::json;

/// A day of visitors: each browses without a name; some sign in, with their browser's id as long as the program sends it.
fn day(shop: &Shop, day: usize, sends_anonymous_id: bool) {
    for hour in 0..6 {
        let mut batch = Vec::new();
        for n in 0..15 {
            let who = format!("d{day}-{hour}-{n}");
            for view in 0..6 {
                batch.push(json!({"type": "track", "messageId": format!("v{who}-{view}"), "anonymousId": who, "event": "Product Viewed"}));
            }
            if n % 3 == 0 {
                let mut call = json!({"type": "identify", "messageId": format!("i{who}"), "userId": format!("u{who}")});
                if sends_anonymous_id {
                    call["anonymousId"] = json!(who);
                }
                batch.push(call);
            }
        }
        shop.events(&batch);
        shop.clock.advance(4 * HOUR_US);
    }
}

fn alarms(shop: &Shop) -> Vec<Alarm> {
    let now = shop.clock.now();
    shop.read(move |tx| Ok(stitch::rates(tx.engine(), 2.0, now)?.2))
}

#[test]
fn a_program_that_stops_sending_anonymous_ids_is_noticed_within_a_day() {
    // LESSONS 12: noticed as a rise in users, months later.
    for shop in shops() {
        for n in 0..10 {
            day(&shop, n, true);
            assert_eq!(alarms(&shop), [], "day {n} is like the others");
        }
        let now = shop.clock.now();
        let (last, ..) = shop.read(move |tx| stitch::rates(tx.engine(), 2.0, now));
        assert_eq!((last.anonymous, last.stitched_share), (90, Some(1.0 / 3.0)));
        shop.pass(0);
        day(&shop, 10, false);
        let found = alarms(&shop);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].rate, found[0].now), ("stitched_share", 0.0));
        shop.until("it is told once, in order with joins and separations", |shop| {
            shop.core().store.poke();
            let told = shop.read(|tx| customers::changes::after(tx.engine(), 0, 10_000));
            told.iter().filter(|c| c.kind == "stitch_alarm").count() == 1
        });
        // The cohorts: who came in an hour, and how many of those became known.
        let hours = shop.read(move |tx| stitch::since(tx.engine(), now.plus(-30 * DAY_US)));
        assert_eq!(hours.iter().map(|(_, h)| h.anonymous).sum::<i64>(), 11 * 90);
        assert_eq!(hours.iter().map(|(_, h)| h.known).sum::<i64>(), 10 * 30);
        shop.assert_clean();
    }
}
