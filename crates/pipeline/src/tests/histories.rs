//! Random histories of joins, cuts, detaches, kept-apart pairs, changed rules and crashes: people, profiles and the log agree
//! at every look, and what was reached is counted, so that a story that reaches nothing fails.
use super::harness::*;
use super::kiosk::{external, rerun};
use crate::cuts::{Cut, cut};
use base::{HOUR_US, Rng};
use customers::cuts::CutError;
use customers::joins::JoinError;
use customers::rules::{self, LimitData, Mode};
use serde_json::{Value, json};

#[derive(Debug, Default, Clone, Copy)]
struct Reached {
    merges: usize,
    demotions: usize,
    cuts: usize,
    detaches: usize,
    rejoined: usize,
    refused: usize,
    equal_times: usize,
    reruns: usize,
    moved: usize,
    crashes: usize,
}

const KINDS: [&str; 4] = ["user_id", "email", "loyalty_card", "anonymous_id"];

fn value(kind: &str, n: u64) -> String {
    if kind == "email" { format!("v{n}@example.com") } else { format!("{kind}-{n}") }
}

fn event(rng: &mut Rng, number: usize, at: &str) -> Value {
    let mut item = json!({"type": "track", "messageId": format!("m{number}"), "timestamp": at, "event": "Order Completed", "properties": {"total": 1, "currency": "UAH"}});
    let mut cards: Vec<(&str, String)> = Vec::new();
    for _ in 0..=rng.below(3) {
        let kind = KINDS[rng.below(4) as usize];
        let value = value(kind, rng.below(7));
        match kind {
            "user_id" => item["userId"] = json!(value),
            "anonymous_id" => item["anonymousId"] = json!(value),
            _ => cards.push((kind, value)),
        }
    }
    let cards: Vec<(&str, &str)> = cards.iter().map(|(k, v)| (*k, v.as_str())).collect();
    item["context"] = external(&cards);
    if rng.below(12) == 0 && item.get("userId").is_some() {
        item["type"] = json!("alias");
        item["previousId"] = json!(value("user_id", rng.below(7)));
    }
    item
}

/// Somebody who is there.
fn anybody(shop: &Shop, rng: &mut Rng) -> Option<(String, String, i64)> {
    let kind = KINDS[rng.below(4) as usize];
    let value = value(kind, rng.below(7));
    shop.person(kind, &value).map(|person| (kind.to_string(), value, person))
}

fn take_apart(shop: &Shop, rng: &mut Rng, reached: &mut Reached) {
    let Some((kind, value, person)) = anybody(shop, rng) else { return };
    let preparer = shop.core().preparer.clone();
    let edges = shop.read(move |tx| {
        let members = customers::commands::members_of(tx, person)?;
        customers::cuts::edges_of(tx, &members)
    });
    let by_edge = rng.below(2) == 0 && !edges.is_empty();
    let what = if by_edge {
        Cut::Edges(vec![edges[rng.below(edges.len() as u64) as usize].id])
    } else {
        Cut::Detach(vec![(kind, value)])
    };
    if std::env::var("BRAID_STEP").is_ok() {
        eprintln!("person {person}: {what:?} {edges:?}");
    }
    match shop.core().store.write(move |tx| cut(tx, &preparer, person, &what, "olha")) {
        Ok(_) if by_edge => reached.cuts += 1,
        Ok(_) => reached.detaches += 1,
        Err(CutError::NothingElse) => {}
        Err(error) => panic!("{error}"),
    }
}

fn join(shop: &Shop, rng: &mut Rng, reached: &mut Reached) {
    let (Some((.., a)), Some((.., b))) = (anybody(shop, rng), anybody(shop, rng)) else { return };
    let preparer = shop.core().preparer.clone();
    match shop.core().store.write(move |tx| crate::joins::merge(tx, &preparer, a, b, "olha")) {
        Ok(joined) => reached.rejoined += usize::from(!joined.lifted.is_empty()),
        Err(JoinError::SamePerson) => {}
        Err(error) => panic!("{error}"),
    }
}

fn keep_apart(shop: &Shop, rng: &mut Rng) {
    let (Some((.., a)), Some((.., b))) = (anybody(shop, rng), anybody(shop, rng)) else { return };
    match shop.core().store.write(move |tx| customers::joins::keep_apart(tx, a, b, "olha")) {
        Ok(()) | Err(JoinError::SamePerson) => {}
        Err(error) => panic!("{error}"),
    }
}

fn change_rules(shop: &Shop, rng: &mut Rng) {
    let (what, count, n) = (rng.below(4), rng.below(4) as u32 + 1, rng.below(7));
    let country = base::Country::find("UA");
    let changed = shop.core().store.write(move |tx| -> Result<(), rules::ListError> {
        let card = value("loyalty_card", n);
        match what {
            0 => rules::block(tx, ("loyalty_card", &card), Mode::Block, "", "olha", country).map(drop),
            1 => rules::block(tx, ("anonymous_id", &value("anonymous_id", n)), Mode::Demote, "", "olha", country)
                .map(drop),
            2 => Ok(rules::unblock(tx, "loyalty_card", &card, country).map(drop)?),
            _ => {
                let mut data = rules::newest(tx.engine())?.rules;
                for kind in data.kinds.iter_mut().filter(|k| k.kind != "user_id") {
                    kind.limits = vec![LimitData { count, window_days: Some(365) }];
                }
                Ok(rules::set(tx, &data, "olha").map(drop)?)
            }
        }
    });
    changed.expect("the rules are changed");
}

fn look(shop: &Shop, seed: u64, step: usize) {
    let found = shop.doctor().findings;
    if !found.is_empty() {
        shop.read(|tx| {
            for sql in [
                "SELECT 'cut', seq, rule, a, b, kind, value FROM identity_cuts ORDER BY id",
                "SELECT 'apart', id, a, b FROM cannot_link",
                "SELECT 'edge', id, a, b, rule, kind, value, seq, removed_at FROM edges ORDER BY id",
                "SELECT 'own', kind, value, profile_id, seq FROM identifiers ORDER BY profile_id",
                "SELECT 'review', a, b, rule, kind, value, seq FROM review_items",
                "SELECT 'listed', kind, value, mode FROM blocked_values",
                "SELECT 'moved', seq, profile_id FROM moved_events ORDER BY seq",
            ] {
                for row in tx.rows(sql, &[])? {
                    let text: Vec<String> = (0..9)
                        .map_while(|n| {
                            row.text(n).map(str::to_string).or_else(|_| row.int(n).map(|i| i.to_string())).ok()
                        })
                        .collect();
                    eprintln!("{}", text.join(" "));
                }
            }
            Ok(())
        });
    }
    assert!(found.is_empty(), "seed {seed}, step {step}: {found:#?}");
}

fn story(mut shop: Shop, seed: u64, steps: usize) -> Reached {
    let mut rng = Rng::new(seed);
    let mut reached = Reached::default();
    shop.segment("Buyers", r#"count("Order Completed") >= 3"#);
    let mut number = 0;
    for step in 0..steps {
        let what = rng.below(24);
        if std::env::var("BRAID_STEP").is_ok() {
            eprintln!("step {step}: {what}");
        }
        match what {
            0 => {
                shop.crash();
                reached.crashes += 1;
            }
            1..=3 => take_apart(&shop, &mut rng, &mut reached),
            4 | 5 => join(&shop, &mut rng, &mut reached),
            6 => keep_apart(&shop, &mut rng),
            7 | 8 => {
                change_rules(&shop, &mut rng);
                if shop.read(crate::rerun::waiting).is_some() {
                    // New events follow the new rules on the old graph before the past is decided.
                    number += 1;
                    let at = base::Clock::now(&*shop.clock).to_string();
                    shop.events(&[event(&mut rng, number, &at)]);
                    reached.moved += rerun(&shop).moved_events;
                    reached.reruns += 1;
                }
            }
            _ => {
                shop.clock.advance(HOUR_US);
                let at = base::Clock::now(&*shop.clock).to_string();
                let items: Vec<Value> = (0..rng.below(4) + 1)
                    .map(|_| {
                        number += 1;
                        event(&mut rng, number, &at)
                    })
                    .collect();
                reached.equal_times += usize::from(items.len() > 1);
                let done = shop.events(&items);
                if std::env::var("BRAID_STEP").is_ok() {
                    eprintln!("{} {}", done.first_seq, serde_json::to_string(&items).unwrap_or_default());
                }
            }
        }
        if std::env::var("BRAID_STEP").is_ok() || step % 20 == 19 {
            look(&shop, seed, step);
        }
    }
    shop.crash();
    look(&shop, seed, steps);
    let (merges, refused, demotions) = shop.read(|tx| {
        let one = |tx: &mut db::Tx, sql: &str| tx.first(sql, &[])?.map_or(Ok(0), |r| r.int(0));
        Ok((
            one(tx, "SELECT CAST(COUNT(*) AS BIGINT) FROM identity_changes WHERE kind = 'merged'")?,
            one(tx, "SELECT CAST(COUNT(*) AS BIGINT) FROM review_items")?,
            one(tx, "SELECT CAST(COUNT(*) AS BIGINT) FROM identity_suspects")?,
        ))
    });
    (reached.merges, reached.refused, reached.demotions) = (merges as usize, refused as usize, demotions as usize);
    reached
}

#[test]
fn histories_agree_with_the_log() {
    // LESSONS 10, 11, 13: reversible, partial, and a view over immutable events.
    let seeds: Vec<u64> = match std::env::var("BRAID_SEED") {
        Ok(seed) => vec![seed.parse().expect("BRAID_SEED is a number")],
        Err(_) => (1..=8).collect(),
    };
    let mut all = Reached::default();
    for seed in &seeds {
        let one = story(Shop::open(db::testing::Place::sqlite(), std::time::Duration::from_millis(20)), *seed, 120);
        all.merges += one.merges;
        all.demotions += one.demotions;
        all.cuts += one.cuts;
        all.detaches += one.detaches;
        all.rejoined += one.rejoined;
        all.refused += one.refused;
        all.equal_times += one.equal_times;
        all.reruns += one.reruns;
        all.moved += one.moved;
        all.crashes += one.crashes;
    }
    eprintln!("{all:?}");
    let Reached { merges, demotions, cuts, detaches, rejoined, refused, equal_times, reruns, moved, crashes } = all;
    let counts = [merges, demotions, cuts, detaches, rejoined, refused, equal_times, reruns, moved, crashes];
    assert!(seeds.len() == 1 || counts.iter().all(|n| *n > 0), "the stories reached {all:?}");
}

#[test]
fn histories_agree_with_the_log_on_postgres() {
    let Some(place) = db::testing::Place::postgres() else { return };
    story(Shop::open(place, std::time::Duration::from_millis(20)), 3, 120);
}
