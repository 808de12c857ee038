//! Plans of sources: one meaning for many names, history read again, drift; and sources that are only observed.
use super::damage::rule;
use super::harness::*;
use crate::sources::learned::lists::{drift, learned};
use crate::sources::{PutError, observe, put, reread, versions};
use base::{DAY_US, HOUR_US};
use collect::SourceKind;
use db::DbError;
use serde_json::{Value, json};

const PLAN: &str = "alias \"kupivka\" = \"Order Completed\"\nalias \"povernennia\" = \"Order Refunded\"\n\
                    rename * nomer -> order_id\ndivide * total by 100\nset * currency = \"UAH\"\n";

fn write_plan(shop: &Shop, source: i64, text: &str) -> Option<i64> {
    let text = text.to_string();
    let put = shop.core().store.write(move |tx| match put(tx, source, &text, "a test", None) {
        Ok(put) => Ok(put),
        Err(PutError::Store(error)) => Err(error),
        Err(other) => Err(DbError::damaged("a test's plan", other)),
    });
    let preparer = shop.core().preparer.clone();
    shop.read(move |tx| preparer.follow(tx));
    put.expect("the plan is taken").job
}

fn until_read(shop: &Shop) {
    shop.until("history is read again", |s| {
        s.core().store.poke();
        s.read(|tx| Ok(reread::open(tx, 1)?.is_none()))
    });
}

fn order(n: usize) -> Value {
    let (user, event) = (format!("u{}", n % 9), if n % 7 == 6 { "povernennia" } else { "kupivka" });
    json!({"type": "track", "messageId": format!("m{n}"), "userId": user, "event": event,
        "timestamp": format!("2026-11-{:02}T{:02}:00:00Z", 1 + n % 20, n % 24),
        "properties": {"nomer": n, "total": 10_000 + n * 150}})
}

/// Everything that a plan has to do with, as one text.
fn digest(shop: &Shop, segments: &[i64]) -> String {
    let users: Vec<String> = (0..9).map(|n| format!("u{n}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut out = String::new();
    for segment in segments {
        out.push_str(&format!("{:?} {}\n", shop.members(*segment, &names), shop.count(*segment)));
    }
    for user in &names {
        let Some(person) = shop.person("user_id", user) else { continue };
        let line = shop.read(move |tx| {
            let counters = segments::runtime::definitions::current(tx)?.counters.clone();
            let view = customers::person(tx, person, &counters)?.expect("there");
            let names = db::names::all(tx.engine())?;
            let entries = customers::commands::timeline_entries(tx, &[person])?;
            let index: Vec<_> = entries.iter().map(|e| (e.timestamp.micros(), names[&e.name].to_string())).collect();
            Ok(format!("{:?} {:?} {index:?}\n", view.state.totals, view.state.counters))
        });
        out.push_str(&format!("{user} {line}"));
    }
    let hours = shop.read(|tx| crate::hours::since(tx.engine(), base::Timestamp::default()));
    out + &format!("{hours:?}")
}

// [A6]
#[test]
fn a_changed_plan_makes_history_what_it_would_have_been() {
    for (mut late, early) in shops().into_iter().zip(shops()) {
        let made = |shop: &Shop| {
            let buyers = shop.segment("Buyers", r#"count("Order Completed") >= 8"#).id;
            let much = shop.segment("Much", r#"sum("Order Completed".total) > 900"#).id;
            let seq = shop.segment("Returns", r#"seq("Order Completed" then "Order Refunded" within 30 days)"#).id;
            rule(shop, buyers);
            [buyers, much, seq]
        };
        write_plan(&early, 1, PLAN);
        until_read(&early);
        let (in_late, in_early) = (made(&late), made(&early));
        for part in (0..90).collect::<Vec<_>>().chunks(10) {
            let items: Vec<Value> = part.iter().map(|n| order(*n)).collect();
            late.events(&items);
            early.events(&items);
        }
        assert_eq!(late.count(in_late[0]), 0, "nobody has bought anything by the standard's names yet");
        let job = write_plan(&late, 1, PLAN).expect("the meaning changed");
        // A kill in the middle, and events meanwhile.
        late.events(&[order(90)]);
        late.crash();
        late.events(&[order(91)]);
        early.events(&[order(90), order(91)]);
        until_read(&late);
        let state = late.read(move |tx| Ok(db::jobs::find(tx, job)?.expect("there").state));
        assert_eq!(state, db::jobs::State::Done);
        assert_eq!(digest(&late, &in_late), digest(&early, &in_early));
        assert!(late.count(in_late[0]) > 0);
        // What history brought about triggers nothing; what came by itself did, in the other store.
        let messages = |shop: &Shop| {
            shop.read(|tx| tx.first("SELECT CAST(COUNT(*) AS BIGINT) FROM messages", &[])?.expect("a count").int(0))
        };
        assert!(messages(&late) < messages(&early), "{} {}", messages(&late), messages(&early));
        late.assert_clean();
        early.assert_clean();
        // Back again: as if there had never been a plan.
        write_plan(&late, 1, "");
        until_read(&late);
        assert_eq!(late.count(in_late[0]), 0);
        late.assert_clean();
        late.restart();
        late.assert_clean();
    }
}

#[test]
fn a_plan_that_means_the_same_reads_nothing_and_old_versions_stay() {
    for shop in shops() {
        shop.events(&[order(1)]);
        assert!(write_plan(&shop, 1, PLAN).is_some());
        until_read(&shop);
        assert_eq!(
            write_plan(&shop, 1, &format!("{PLAN}event \"Order Completed\" warn\n  total number required\n")),
            None
        );
        let refused = shop.core().store.write(|tx| match put(tx, 1, "", "x", Some(1)) {
            Err(PutError::Changed(version)) => Ok(version),
            other => Err(DbError::damaged("a test", format!("{other:?}"))),
        });
        assert_eq!(refused.expect("refused"), 2);
        let all = shop.read(|tx| versions(tx.engine(), 1, i64::MAX, 10));
        assert_eq!(all.iter().map(|v| v.version).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(all[1].text, PLAN);
        shop.assert_clean();
    }
}

#[test]
fn what_a_plan_blocks_is_kept_and_never_logged() {
    for shop in shops() {
        write_plan(&shop, 1, "unknown events block\nevent \"A\" block\n  size number required\n");
        let one = |id: &str, event: &str, properties: Value| json!({"type": "track", "messageId": id, "userId": "u", "event": event, "properties": properties});
        let done = shop.events(&[
            one("1", "A", json!({"size": 1})),
            one("2", "A", json!({"size": "1"})),
            one("3", "B", json!({})),
        ]);
        assert_eq!(done.kept, 1);
        let codes = shop.read(|tx| {
            let rows = tx.rows("SELECT code FROM rejects ORDER BY id", &[])?;
            rows.iter().map(|r| Ok(r.text(0)?.to_string())).collect::<Result<Vec<_>, DbError>>()
        });
        assert_eq!(codes, ["plan_wrong_kind", "plan_unknown_event"]);
        shop.assert_clean();
    }
}

fn would_have(shop: &Shop, source: i64) -> Vec<(i64, String)> {
    let all = shop.read(move |tx| observe::would_have(tx.engine(), source, 100));
    all.into_iter().map(|w| (w.count, w.message_id)).collect()
}

fn messages(shop: &Shop) -> i64 {
    shop.read(|tx| tx.first("SELECT CAST(COUNT(*) AS BIGINT) FROM messages", &[])?.expect("a count").int(0))
}

fn observe_source(shop: &Shop, source: i64, on: bool) {
    assert!(shop.core().store.write(move |tx| observe::set(tx, source, on)).expect("it is set"));
}

// [B7]
#[test]
fn nothing_reacts_to_an_observed_source_then_or_later() {
    for mut shop in shops() {
        let buyers = shop.segment("Buyers", r#"count("Order Completed") >= 1"#).id;
        let lapsed = r#"count("Cart Viewed") >= 1 and count("Cart Viewed" in last 1 hours) = 0"#;
        let lapsed = shop.segment("Left a cart", lapsed).id;
        rule(&shop, buyers);
        rule(&shop, lapsed);
        observe_source(&shop, 1, true);
        shop.restart();
        let send = |shop: &Shop, source: i64, id: &str, user: &str, event: &str| {
            let body =
                json!({"batch": [{"type": "track", "messageId": id, "userId": user, "event": event}]}).to_string();
            shop.send(source, SourceKind::Server, &body).expect("logged");
        };
        send(&shop, 1, "o1", "olena", "Order Completed");
        send(&shop, 1, "c1", "olena", "Cart Viewed");
        send(&shop, 1, "c2", "taras", "Cart Viewed");
        // Profiles and segments live as ever; another source makes things happen.
        assert_eq!(shop.members(buyers, &["olena"]), ["olena"]);
        assert_eq!((messages(&shop), would_have(&shop, 1)), (0, vec![(1, "o1".to_string())]));
        send(&shop, 2, "o2", "ivan", "Order Completed");
        assert_eq!(messages(&shop), 1);
        // Switched on: what was observed does not come back when its moment comes.
        shop.clock.advance(HOUR_US / 2);
        observe_source(&shop, 1, false);
        send(&shop, 1, "c3", "taras", "Cart Viewed");
        shop.pass(HOUR_US / 2);
        assert_eq!(shop.members(lapsed, &["olena"]), ["olena"]);
        assert_eq!(messages(&shop), 1, "olena's cart was only observed");
        // Taras looked at his cart again since: that is the cause of what the clock does now.
        shop.pass(HOUR_US);
        assert_eq!(shop.members(lapsed, &["taras"]), ["taras"]);
        assert_eq!(messages(&shop), 2);
        let counted: i64 = would_have(&shop, 1).iter().map(|(count, _)| count).sum();
        assert_eq!(counted, 2);
        shop.assert_clean();
    }
}

fn learn(shop: &Shop) {
    shop.clock.advance(crate::sources::learned::FLUSH_EVERY_US);
    shop.until("what was learned is written", |s| {
        s.core().store.poke();
        s.core().preparer.learner().due().is_none()
    });
    // The flush is committed before anything that is asked after it.
    shop.core().store.write(|_| Ok::<(), DbError>(())).expect("the writer answers");
}

#[test]
fn what_a_source_sends_is_learned_and_what_changes_is_told() {
    for shop in shops() {
        let one = |n: usize, properties: Value| json!({"type": "track", "messageId": format!("m{n}"), "userId": "u", "event": "Order Completed", "properties": properties});
        for part in (0..1200).collect::<Vec<_>>().chunks(200) {
            let items: Vec<Value> = part
                .iter()
                .map(|n| one(*n, json!({"total": 12.5, "email": "ann@example.com", "order_id": format!("A-{n}")})))
                .collect();
            shop.events(&items);
        }
        learn(&shop);
        let events = shop.read(|tx| learned(tx.engine(), 1));
        assert_eq!((events.len(), events[0].name.as_str(), events[0].count), (1, "Order Completed", 1200));
        let of = |name: &str| events[0].properties.iter().find(|p| p.name == name).expect("learned").clone();
        assert_eq!(
            (of("total").kinds.as_str(), of("email").shape.as_str(), of("order_id").shape.as_str()),
            ("number", "aaa@aaaaaaa.aaa", "A-9")
        );
        // A thousand one by one, then one in 64 for as many.
        assert_eq!(of("total").count, 1000 + 3 * 64);
        let found = |shop: &Shop| {
            let all = shop.read(|tx| drift(tx.engine(), 1, true, i64::MAX, 100));
            all.iter().map(|d| format!("{} {}.{}", d.kind, d.event, d.property)).collect::<Vec<_>>()
        };
        assert!(found(&shop).is_empty(), "everything is new to a source that is new");
        shop.clock.advance(DAY_US);
        shop.events(&[json!({"type": "track", "messageId": "n", "userId": "u", "event": "Brand New"})]);
        let items: Vec<Value> = (2000..2064).map(|n| one(n, json!({"total": "12,5", "gift": true}))).collect();
        shop.events(&items);
        learn(&shop);
        assert_eq!(
            found(&shop),
            ["type_change Order Completed.total", "new_property Order Completed.gift", "new_event Brand New."]
        );
        shop.assert_clean();
    }
}

#[test]
fn a_plan_that_warns_tells_what_does_not_fit() {
    for shop in shops() {
        write_plan(
            &shop,
            1,
            "unknown events warn\nrequired missing over 20 %\nevent \"A\" warn\n  size number required\n  name text\n",
        );
        let one = |n: usize, event: &str, properties: Value| json!({"type": "track", "messageId": format!("m{n}"), "userId": "u", "event": event, "properties": properties});
        let mut items: Vec<Value> =
            (0..40).map(|n| one(n, "A", if n % 4 == 0 { json!({}) } else { json!({"size": n}) })).collect();
        items.push(one(41, "A", json!({"size": 1, "name": 5})));
        items.push(one(42, "B", json!({})));
        assert_eq!(shop.events(&items).kept, 42);
        learn(&shop);
        let all = shop.read(|tx| drift(tx.engine(), 1, true, i64::MAX, 100));
        let mut told: Vec<(&str, &str, i64, &str)> =
            all.iter().map(|d| (d.kind.as_str(), d.property.as_str(), d.count, d.examples[0].as_str())).collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [
                ("missing_property", "size", 10, "m36"),
                ("unknown_event", "", 1, "m42"),
                ("wrong_kind", "name", 1, "m41")
            ]
        );
        // Resolved it is gone; the same again opens it anew.
        let id = all.iter().find(|d| d.kind == "unknown_event").expect("told").id;
        let done = shop.core().store.write(move |tx| crate::sources::learned::lists::resolve(tx, 1, id, "ann"));
        assert_eq!(done.expect("answers").expect("is there").resolved_by, "ann");
        assert_eq!(shop.read(|tx| drift(tx.engine(), 1, true, i64::MAX, 100)).len(), 2);
        shop.events(&[one(43, "B", json!({}))]);
        learn(&shop);
        let open = shop.read(|tx| drift(tx.engine(), 1, true, i64::MAX, 100));
        assert_eq!(open.iter().find(|d| d.id == id).map(|d| d.count), Some(2));
        shop.assert_clean();
    }
}
