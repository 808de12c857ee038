//! A group that fails, at any point of its commit or by a command of its own, leaves memory as a fresh load has it.
use super::harness::*;
use crate::{Ingest, Ingested};
use base::{Clock, HOUR_US, Rng};
use collect::{Call, Source, SourceKind};
use customers::Profile;
use customers::profiles::Profiles;
use db::testing::{Place, vfs};
use db::{DbError, Location, Sync};
use segments::runtime::{Membership, Memberships};
use serde_json::{Value, json};
use std::sync::mpsc;
use std::time::Duration;

/// What goes wrong in a group.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The connection is lost before COMMIT reaches the database.
    BeforeCommit,
    /// The answer to COMMIT is lost; the commit had happened.
    AfterCommit,
    /// The disk does not sync: COMMIT itself fails.
    InCommit,
    /// A command panics after it wrote.
    Panic,
    /// A command refuses after it wrote and made lazy rows be written.
    Refusal,
    /// A statement of a command fails.
    Statement,
}

/// What the writer's memory says of everybody.
#[derive(Debug, PartialEq)]
struct Everything {
    profiles: Vec<(i64, Option<Profile>)>,
    memberships: Vec<(i64, Vec<Membership>)>,
    counts: Vec<(i64, i64)>,
    next: (i64, i64, i64),
}

fn everything(shop: &Shop) -> Everything {
    shop.read(|tx| {
        let compiled = segments::runtime::definitions::current(tx)?;
        let mut out = Everything {
            profiles: Vec::new(),
            memberships: Vec::new(),
            counts: Vec::new(),
            next: (tx.next_seq(), tx.last_profile_id(), tx.writer_row().next_id),
        };
        for id in 1..=tx.last_profile_id() {
            // When a row was flushed is no part of what it says.
            let profile = tx.get::<Profiles>(id)?.cloned().map(|p| Profile { folded_to: 0, ..p });
            out.profiles.push((id, profile));
            out.memberships.push((id, tx.get::<Memberships>(id)?.map(|p| p.list.clone()).unwrap_or_default()));
        }
        for segment in &compiled.segments {
            out.counts.push((segment.id, segments::runtime::count(tx, segment.id)?));
        }
        Ok(out)
    })
}

fn body(rng: &mut Rng, now: base::Timestamp, number: &mut u64) -> String {
    let items: Vec<Value> = (0..1 + rng.below(6))
        .map(|_| {
            *number += 1;
            let mut item = json!({"type": "track", "messageId": format!("m{number}"), "timestamp": now.plus(-(rng.below(60) as i64) * HOUR_US).to_string()});
            item["event"] = json!(*rng.pick(&["Product Viewed", "Order Completed"]));
            if rng.below(2) == 0 {
                item["userId"] = json!(format!("u{}", rng.below(8)));
            }
            if rng.below(2) == 0 || item.get("userId").is_none() {
                item["anonymousId"] = json!(format!("a{}", rng.below(12)));
            }
            item["context"] = json!({"traits": {"city": *rng.pick(&["Lviv", "Kyiv"])}});
            item
        })
        .collect();
    json!({ "batch": items }).to_string()
}

/// Puts batches and the fault into one group; gives the answers about the batches.
fn group(shop: &Shop, fault: Fault, bodies: &[String]) -> Vec<Result<Ingested, DbError>> {
    let core = shop.core();
    // The first command holds the writer until the others are queued, so that they share a group.
    let (go, wait) = mpsc::channel::<()>();
    core.store.write_with(
        move |_| {
            let _ = wait.recv_timeout(Duration::from_secs(5));
            Ok::<_, DbError>(())
        },
        |_| {},
    );
    let (sender, receiver) = mpsc::channel();
    let folder = shop.place.folder.clone();
    let mut first = true;
    for (at, body) in bodies.iter().enumerate() {
        let source = Source { id: 1, kind: SourceKind::Server };
        let received = core
            .preparer
            .receive(Call::Batch, source, collect::Client::default(), body.clone().into(), shop.clock.now())
            .expect("the body is taken");
        let sender = sender.clone();
        let reply = Box::new(move |answer| drop(sender.send(answer)));
        core.store.push(Ingest::command(core.preparer.clone(), received.batch, received.rejects, reply));
        if at > 0 {
            continue;
        }
        // Between two batches, so that one of each side shares its fate.
        let folder = folder.clone();
        core.store.write_with(
            move |tx| {
                let first = std::mem::take(&mut first);
                match fault {
                    Fault::BeforeCommit if first => tx.fail_at("before-commit"),
                    Fault::AfterCommit if first => tx.fail_at("after-commit"),
                    Fault::InCommit if first => vfs::fail_syncs(&folder, true),
                    // The group was undone and its commands run one by one: the disk syncs again.
                    Fault::InCommit => vfs::fail_syncs(&folder, false),
                    Fault::BeforeCommit | Fault::AfterCommit => {}
                    Fault::Panic | Fault::Refusal | Fault::Statement => {
                        if let Some(profile) = tx.get_mut::<Profiles>(1)? {
                            profile.state.totals.events += 1000;
                        }
                        if let Some(person) = tx.get_mut::<Memberships>(1)? {
                            person.remove(person.list.first().map_or(0, |m| m.segment_id));
                        }
                        tx.flush_table::<Memberships>()?;
                        match fault {
                            Fault::Panic => panic!("a bug of a command"),
                            Fault::Statement => {
                                return tx.execute("INSERT INTO no_such_table VALUES (1)", &[]).map(drop);
                            }
                            _ => return Err(DbError::Busy("refused after writing".into())),
                        }
                    }
                }
                Ok(())
            },
            |_: Result<(), DbError>| {},
        );
    }
    drop(sender);
    // Closed rather than told: the command may run twice.
    drop(go);
    receiver.iter().collect()
}

fn faults(mut shop: Shop, seed: u64, rounds: usize, kinds: &[Fault]) {
    let (mut rng, mut number, mut logged) = (Rng::new(seed), 0, 0);
    shop.segment("Views", r#"count("Product Viewed" in last 2 days) >= 2"#);
    shop.segment("In Lviv", r#"trait.city = "Lviv""#);
    for round in 0..rounds {
        let fault = kinds[round % kinds.len()];
        let now = shop.clock.now();
        let bodies: Vec<String> = (0..4).map(|_| body(&mut rng, now, &mut number)).collect();
        for answer in group(&shop, fault, &bodies) {
            match answer {
                Ok(ingested) => logged += i64::from(ingested.kept),
                // The batch whose own COMMIT did not reach the disk, before the disk syncs again.
                Err(e) => assert!(matches!(fault, Fault::InCommit), "round {round}, {fault:?}: {e}"),
            }
        }
        if let Fault::InCommit = fault {
            vfs::fail_syncs(&shop.place.folder, false);
        }
        let found = everything(&shop);
        let report = shop.doctor();
        assert!(report.findings.is_empty(), "seed {seed}, round {round}, {fault:?}: {:#?}", report.findings);
        assert_eq!(report.counts.events, logged, "seed {seed}, round {round}, {fault:?}");
        shop.crash();
        assert_eq!(
            found,
            everything(&shop),
            "seed {seed}, round {round}, {fault:?}: memory is not as a fresh load has it"
        );
        shop.clock.advance(rng.below(3) as i64 * HOUR_US);
    }
    shop.stop();
    assert!(shop.doctor().findings.is_empty(), "seed {seed}: {:#?}", shop.doctor().findings);
}

const EVERYWHERE: &[Fault] = &[Fault::BeforeCommit, Fault::AfterCommit, Fault::Panic, Fault::Refusal, Fault::Statement];

#[test]
fn after_a_fault_memory_is_as_a_fresh_load_has_it() {
    for place in Place::all() {
        faults(Shop::open(place, Duration::from_millis(30)), 3, 30, EVERYWHERE);
    }
}

#[test]
fn a_commit_that_fails_inside_leaves_memory_as_a_fresh_load_has_it() {
    vfs::register();
    let mut place = Place::sqlite();
    if let Location::Sqlite { vfs, .. } = &mut place.location {
        *vfs = Some(vfs::NAME.into());
    }
    let mut shop = Shop::open(place, Duration::from_millis(30));
    shop.stop();
    // Only a store that syncs can fail to.
    shop.sync = Sync::Full;
    shop.start();
    faults(shop, 5, 12, &[Fault::InCommit]);
}
