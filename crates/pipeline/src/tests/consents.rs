use super::harness::*;
use serde_json::json;

#[test]
fn a_consent_about_another_ones_address_moves_that_person() {
    for shop in shops() {
        let willing = shop.segment("Willing", r#"consent.email.marketing = "granted""#).id;
        let email = |user: &str, id: &str| json!({"type": "identify", "messageId": id, "userId": user, "context": {"traits": {"email": format!("{user}@example.com")}}});
        shop.events(&[email("olena", "a"), email("taras", "b")]);
        let says = |id: &str, event: &str| {
            let properties =
                json!({"channel": "email", "purpose": "marketing", "address": "taras@example.com", "wording": "w"});
            json!({"type": "track", "messageId": id, "userId": "olena", "event": event, "properties": properties})
        };
        shop.events(&[says("c", "Consent Granted")]);
        assert_eq!((shop.members(willing, &["olena", "taras"]), shop.count(willing)), (vec!["taras".to_string()], 1));
        shop.assert_clean();
        shop.events(&[says("d", "Consent Revoked")]);
        assert_eq!(shop.count(willing), 0);
        shop.assert_clean();
    }
}
