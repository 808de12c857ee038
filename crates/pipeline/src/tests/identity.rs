use super::harness::*;
use crate::cuts::{Cut, cut};
use serde_json::json;

#[test]
fn a_wrong_phone_is_taken_off_a_card() {
    // [A2] [A3]
    for shop in shops() {
        let buyer = shop.segment("Buyers", r#"count("Order Completed") >= 2"#).id;
        let event = |id: &str, who: serde_json::Value, name: &str| json!({"type": "track", "messageId": id, "event": name, "properties": {"total": 10, "currency": "UAH"}, "context": who});
        let card = json!({"externalIds": [{"id": "card-1", "type": "loyalty_card", "collection": "users", "encoding": "none"}]});
        let phone = json!({"traits": {"phone": "067 123 45 67"}});
        let both = json!({
            "externalIds": [{"id": "card-1", "type": "loyalty_card", "collection": "users", "encoding": "none"}],
            "traits": {"phone": "067 123 45 67"}
        });
        shop.events(&[event("a", card.clone(), "Order Completed")]);
        shop.events(&[event("b", both, "Order Completed")]);
        shop.events(&[event("c", phone.clone(), "Order Completed")]);
        let person = shop.person("loyalty_card", "card-1").expect("the card is known");
        assert_eq!(shop.person("phone", "+380671234567"), Some(person));
        assert_eq!(shop.count(buyer), 1);
        let preparer = shop.core().preparer.clone();
        let pieces = shop.core().store.write(move |tx| {
            cut(tx, &preparer, person, &Cut::Detach(vec![("phone".into(), "+380671234567".into())]), "a test")
        });
        assert_eq!(pieces.expect("it is cut").len(), 2);
        let other = shop.person("phone", "+380671234567").expect("the phone is known");
        assert_ne!(other, person);
        // The next event with both stays with the higher priority and joins nothing.
        let again = json!({
            "externalIds": [{"id": "card-1", "type": "loyalty_card", "collection": "users", "encoding": "none"}],
            "traits": {"phone": "067 123 45 67"}
        });
        shop.events(&[event("d", again, "Order Completed")]);
        assert_ne!(shop.person("phone", "067 123-45-67"), shop.person("loyalty_card", "card-1"));
        shop.assert_clean();
        assert_eq!(shop.doctor().counts.people, 2);
    }
}

#[test]
fn joined_people_keep_the_earliest_beginning() {
    for shop in shops() {
        let viewers = shop.segment("Viewers", r#"count("Product Viewed") >= 1"#).id;
        let twice = shop.segment("Twice", r#"count("Product Viewed") >= 2"#).id;
        let view = |id: &str, who: (&str, &str)| json!({"type": "track", "messageId": id, who.0: who.1, "event": "Product Viewed"});
        shop.events(&[view("a", ("anonymousId", "phone-1"))]);
        let since = shop.clock.now_us();
        shop.clock.advance(1000);
        shop.events(&[view("b", ("userId", "olena"))]);
        assert_eq!((shop.count(viewers), shop.count(twice)), (2, 0));
        shop.events(&[json!({"type": "identify", "messageId": "c", "userId": "olena", "anonymousId": "phone-1", "traits": {"name": "Олена"}})]);
        assert_eq!((shop.count(viewers), shop.count(twice)), (1, 1));
        let person = shop.person("user_id", "olena").expect("she is known");
        let found = shop.read(move |tx| segments::runtime::read_person(tx, person));
        assert_eq!(found.iter().find(|m| m.segment_id == viewers).map(|m| m.since_us), Some(since));
        shop.assert_clean();
    }
}

trait NowUs {
    fn now_us(&self) -> i64;
}
impl NowUs for base::ManualClock {
    fn now_us(&self) -> i64 {
        base::Clock::now(self).micros()
    }
}
