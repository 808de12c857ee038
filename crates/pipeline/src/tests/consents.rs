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

/// A story of people who share addresses, agree and refuse, as messages with ids and times; one moment apart.
fn story(rng: &mut base::Rng, round: u64) -> Vec<serde_json::Value> {
    let pick = |rng: &mut base::Rng, of: &[&str]| of[rng.below(of.len() as u64) as usize].to_string();
    let mut out = Vec::new();
    for n in 0..30 {
        let user = pick(rng, &["u1", "u2", "u3"]);
        let email = pick(rng, &["a@example.com", "b@example.com", "c@example.com", "d@example.com"]);
        let phone = pick(rng, &["+380671112233", "+380672223344"]);
        let mut message = json!({"messageId": format!("{round}-{n}"), "userId": user});
        match rng.below(14) {
            0..=3 => {
                message["type"] = "identify".into();
                message["traits"] = if rng.below(2) == 0 { json!({"email": email}) } else { json!({"phone": phone}) };
            }
            4 => {
                message["type"] = "track".into();
                message["event"] = "Unsubscribed".into();
                message["properties"] = json!({});
            }
            kind => {
                message["type"] = "track".into();
                message["event"] = if kind < 8 { "Consent Revoked" } else { "Consent Granted" }.into();
                let channel = pick(rng, &["email", "email", "sms", "sms", "*"]);
                let mut properties = json!({"channel": channel, "purpose": pick(rng, &["marketing", "marketing", "service", "*"]), "wording": "w"});
                if rng.below(2) == 0 {
                    properties["address"] = if channel == "sms" { phone.into() } else { email.into() };
                }
                message["properties"] = properties;
            }
        }
        out.push(message);
    }
    out
}

#[test]
fn a_file_and_a_shop_say_the_same_of_consents() {
    // [AB2] What was said on a form is honoured in the same way wherever it is asked for; BRAID_SEED repeats one.
    let seed = std::env::var("BRAID_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let users = ["u1", "u2", "u3"];
    let asked = ["email.marketing", "sms.marketing", "email.service"]
        .into_iter()
        .flat_map(|what| ["granted", "denied"].map(|said| format!(r#"consent.{what} = "{said}""#)))
        .collect::<Vec<_>>();
    let rounds = if cfg!(debug_assertions) { 12 } else { 40 };
    let mut met = [0usize; 6];
    for round in seed..seed + rounds {
        for shop in shops() {
            let segments: Vec<i64> =
                asked.iter().enumerate().map(|(n, e)| shop.segment(&format!("S{n}"), e).id).collect();
            let mut file = String::new();
            for mut message in story(&mut base::Rng::new(round), round) {
                shop.clock.advance(1_000);
                message["timestamp"] = base::Clock::now(&*shop.clock).to_string().into();
                shop.events(std::slice::from_ref(&message));
                file.push_str(&format!("{message}\n"));
            }
            let options = segments::offline::Options {
                at: None,
                zone: jiff::tz::TimeZone::UTC,
                country: crate::Settings::default().country,
                rules: customers::derived::Rules::default(),
            };
            for (n, expression) in asked.iter().enumerate() {
                let said = segments::offline::segment(expression, &mut file.as_bytes(), &options).expect("is read");
                let said: Vec<String> = said.customers.iter().map(ToString::to_string).collect();
                assert_eq!(shop.members(segments[n], &users), said, "seed {round}: {expression}\n{file}");
                met[n] += said.len();
            }
        }
    }
    assert!(met.iter().all(|n| *n > 0), "every answer was met: {met:?}");
}
