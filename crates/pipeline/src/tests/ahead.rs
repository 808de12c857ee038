//! People are read together before a group runs, and ahead after a start.
use super::harness::*;
use customers::profiles::{IdentifierTable, Profiles};
use segments::runtime::Memberships;
use serde_json::json;

fn people(count: usize) -> Vec<serde_json::Value> {
    let one = |n| json!({"type": "track", "messageId": base::random_token(), "userId": format!("u{n}"), "event": "Product Viewed"});
    (0..count).map(one).collect()
}

#[test]
fn a_group_of_known_people_takes_few_statements_and_nobody_is_forgotten() {
    for mut shop in shops() {
        let views = shop.segment("Views", r#"count("Product Viewed" in last 2 days) >= 2"#).id;
        shop.events(&people(200));
        shop.restart();
        let before = shop.core().store.figures().statements;
        shop.events(&people(200));
        let statements = shop.core().store.figures().statements - before;
        // One by one they would be eight hundred.
        assert!(statements < 150, "{statements} statements");
        assert_eq!(shop.count(views), 200);
        shop.assert_clean();
        // Out again: two hundred rows go in one statement or few.
        shop.pass(3 * base::DAY_US);
        assert_eq!(shop.count(views), 0);
        shop.crash();
        shop.assert_clean();
    }
}

#[test]
fn after_a_start_people_are_read_ahead_with_all_that_placing_asks_for() {
    for mut shop in shops() {
        shop.segment("Views", r#"count("Product Viewed" in last 2 days) >= 1"#);
        shop.events(&people(30));
        shop.events(&[
            json!({"type": "identify", "messageId": "both", "userId": "u1", "anonymousId": "a1", "traits": {"email": "One@example.com"}}),
        ]);
        shop.restart();
        shop.until("everybody is in memory", |shop| {
            shop.read(|tx| Ok((1..=30).all(|id| tx.holds::<Profiles>(id) && tx.holds::<Memberships>(id))))
        });
        let found = shop.read(|tx| {
            let key = tx.hash_key();
            let owner = |tx: &mut db::Tx, kind: &str, value: &str| {
                let hash = customers::identifier::hash(key, kind, value);
                tx.peek::<IdentifierTable>(hash).copied()
            };
            let known =
                [owner(tx, "user_id", "u1"), owner(tx, "anonymous_id", "a1"), owner(tx, "email", "one@example.com")];
            // The same as the table says.
            for (kind, value, owner) in [("user_id", "u1", known[0]), ("anonymous_id", "a1", known[1])] {
                let sql = "SELECT profile_id, seq FROM identifiers WHERE kind = $1 AND value = $2";
                let row = tx.first(sql, &[kind.into(), value.into()])?.expect("the identifier has a row");
                let owner = owner.expect("the identifier is in memory");
                assert_eq!((owner.profile_id, owner.seq), (row.int(0)?, row.int(1)?));
            }
            Ok(known.iter().all(Option::is_some))
        });
        assert!(found);
        shop.events(&people(30));
        shop.assert_clean();
    }
}
