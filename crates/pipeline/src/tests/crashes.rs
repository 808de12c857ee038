use super::harness::*;
use base::{Clock, HOUR_US, Rng};
use serde_json::{Value, json};

/// Random messages about a few people: identities that meet, late events, repeats, traits that come and go, consents.
fn random_item(rng: &mut Rng, now: base::Timestamp, ids: &mut Vec<String>) -> Value {
    let id = if !ids.is_empty() && rng.below(10) == 0 { rng.pick(ids).clone() } else { format!("m{}", rng.next_u64()) };
    ids.push(id.clone());
    let mut item = json!({"messageId": id});
    let people = rng.below(12);
    match rng.below(6) {
        0 => item["userId"] = json!(format!("u{people}")),
        1 => item["anonymousId"] = json!(format!("a{}", rng.below(20))),
        2 => {
            item["userId"] = json!(format!("u{people}"));
            item["anonymousId"] = json!(format!("a{}", rng.below(20)));
        }
        3 => item["context"] = json!({"traits": {"email": format!("p{people}@example.com")}}),
        4 => {
            item["context"] = json!({"traits": {"email": format!("p{people}@example.com"), "phone": format!("06712345{:02}", rng.below(12))}})
        }
        _ => {
            item["userId"] = json!(format!("u{people}"));
            item["context"] = json!({"traits": {"email": format!("p{}@example.com", rng.below(12))}});
        }
    }
    if rng.below(3) > 0 {
        item["timestamp"] = json!(now.plus(-(rng.below(72) as i64) * HOUR_US).to_string());
    }
    match rng.below(10) {
        0 | 1 => {
            item["type"] = json!("identify");
            let city = [json!("Lviv"), json!("Kyiv"), Value::Null][rng.below(3) as usize].clone();
            item["traits"] = json!({"city": city, "name": format!("Person {people}")});
        }
        2 => {
            item["type"] = json!("page");
            item["name"] = json!("Home");
        }
        n => {
            item["type"] = json!("track");
            item["event"] = json!(["Product Viewed", "Product Added", "Order Completed"][n as usize % 3]);
            let category = *rng.pick(&["garden", "toys"]);
            item["properties"] = json!({"category": category, "total": rng.below(500), "currency": "UAH"});
        }
    }
    item
}

/// A day in the life of a store: batches, crashes at random moments, clean stops, the clock moving, segments made and
/// changed meanwhile. After each crash memory equals a fresh fold, which `doctor` decides.
fn story(mut shop: Shop, seed: u64, steps: usize) -> [usize; 4] {
    let mut rng = Rng::new(seed);
    let (mut ids, mut reached) = (Vec::new(), [0usize; 4]);
    shop.segment("Views", r#"count("Product Viewed" in last 2 days) >= 2"#);
    shop.segment("In Lviv, buys", r#"trait.city = "Lviv" and count("Order Completed" in last 1 days) >= 1"#);
    shop.segment("Spends", r#"sum("Order Completed".total in last 36 hours) > 300"#);
    shop.segment("Never bought", r#"not count("Order Completed") >= 1"#);
    shop.segment("Has mail", "exists identifier.email");
    for step in 0..steps {
        let what = rng.below(20);
        if std::env::var("BRAID_STEP").is_ok() {
            eprintln!("step {step}: {what}");
        }
        match what {
            0 => {
                shop.crash();
                reached[0] += 1;
            }
            1 => {
                shop.restart();
                reached[1] += 1;
            }
            2 | 3 => {
                shop.pass(rng.below(20) as i64 * HOUR_US);
            }
            4 if step % 3 == 0 => {
                shop.segment(
                    &format!("Late {step}"),
                    &format!("count(\"Product Added\" in last {} hours) >= 2", rng.below(60) + 1),
                );
                reached[2] += 1;
            }
            _ => {
                let now = shop.clock.now();
                let count = rng.below(12) + 1;
                let items: Vec<Value> = (0..count).map(|_| random_item(&mut rng, now, &mut ids)).collect();
                reached[3] += shop.events(&items).duplicates.len();
            }
        }
        if std::env::var("BRAID_STEP").is_ok() || step % 25 == 24 {
            let found = shop.doctor().findings;
            assert!(found.is_empty(), "seed {seed}, step {step}: {found:#?}");
        }
    }
    shop.crash();
    shop.assert_clean();
    shop.stop();
    let report = shop.doctor();
    assert!(report.findings.is_empty(), "seed {seed}: {:#?}", report.findings);
    assert!(report.counts.people < report.counts.profiles, "seed {seed}: no people were joined");
    reached
}

#[test]
fn stories_with_crashes_on_sqlite() {
    let seeds: Vec<u64> = match std::env::var("BRAID_SEED") {
        Ok(seed) => vec![seed.parse().expect("BRAID_SEED is a number")],
        Err(_) => (1..=4).collect(),
    };
    let mut reached = [0; 4];
    for seed in &seeds {
        let turn = std::time::Duration::from_millis(seed * 40);
        let one = story(Shop::open(db::testing::Place::sqlite(), turn), *seed, 120);
        reached.iter_mut().zip(one).for_each(|(all, n)| *all += n);
    }
    // Crashes, clean stops, segments made late, repeats.
    assert!(seeds.len() == 1 || reached.iter().all(|n| *n > 0), "the stories reached {reached:?}");
}

#[test]
fn stories_with_crashes_on_postgres() {
    let Some(place) = db::testing::Place::postgres() else { return };
    story(Shop::open(place, std::time::Duration::from_millis(60)), 11, 120);
}

/// Rows of a file make bodies of several megabytes; they are read back like any other.
#[test]
fn a_large_body_of_a_file_is_folded_again_after_a_kill() {
    for mut shop in shops() {
        let key = shop.core().store.hash_key();
        let (mut items, mut ids) = (Vec::new(), Vec::new());
        for n in 0..40 {
            let id = format!("row-{n}");
            ids.push(collect::event_id(key, 2, &id));
            let text: String = (0..9_000).map(|at| char::from(b'a' + ((at * 7 + n * 13) % 26) as u8)).collect();
            items.push(serde_json::json!({"type": "track", "messageId": id, "userId": format!("u{n}"), "event": "Order Completed",
                "timestamp": noon().to_string(), "properties": {"total": n, "currency": "UAH", "notes": [&text, &text, &text, &text]}}));
        }
        let body = serde_json::json!({ "batch": items }).to_string();
        assert!(body.len() > 1 << 20, "{} bytes", body.len());
        let times = vec![noon(); ids.len()];
        let core = shop.core();
        let batch = core.preparer.import_batch(2, body, &ids, &times, noon()).expect("the rows are taken");
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let reply = Box::new(move |answer| drop(sender.send(answer)));
        core.store.push(crate::Ingest::command(core.preparer.clone(), batch, Vec::new(), reply));
        assert_eq!(receiver.recv().expect("an answer").expect("it is logged").kept, 40);
        shop.crash();
        shop.assert_clean();
        assert!(shop.person("user_id", "u7").is_some());
    }
}
