//! Jobs on both engines: in order, in turn, exactly once through kills, out of the way when they fail.
use super::harness::*;
use crate::jobs::{Kind, Step, StopError, resume, stop};
use base::{HOUR_US, Timestamp};
use db::jobs::{self, Job, JobError, New, Progress, State};
use db::settings;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Counts in a setting, one unit a piece, so that a piece done twice or not at all shows.
fn counting(name: &'static str, key: &'static str) -> Kind {
    Kind::stepping(name, move |tx, job, _| {
        let seen: i64 = settings::get(tx.engine(), key)?.and_then(|v| v.parse().ok()).unwrap_or(0);
        settings::set(tx.engine(), key, &(seen + 1).to_string())?;
        Ok(match job.position + 1 {
            end if end >= job.total => Step::Done(format!("{{\"counted\":{end}}}")),
            next => Step::More(Progress::to(next).noting("counting")),
        })
    })
}

fn shop_with(mut shop: Shop, kinds: Vec<Kind>) -> Shop {
    shop.kinds = kinds;
    shop.restart();
    shop
}

fn add(shop: &Shop, kind: &'static str, total: i64) -> i64 {
    let made = shop.core().store.write(move |tx| jobs::add(tx, &New { total, ..New::of(kind, "{}") }));
    made.expect("the job is added")
}

fn job(shop: &Shop, id: i64) -> Job {
    shop.read(move |tx| jobs::find(tx, id)).expect("the job is there")
}

fn setting(shop: &Shop, key: &'static str) -> i64 {
    shop.read(move |tx| settings::get(tx.engine(), key)).and_then(|v| v.parse().ok()).unwrap_or(0)
}

#[test]
fn a_job_that_is_killed_again_and_again_does_each_piece_once() {
    for shop in shops() {
        let mut shop = shop_with(shop, vec![counting("count", "test.pieces")]);
        let id = add(&shop, "count", 400);
        for at in [50, 120, 121, 300] {
            shop.until("it moves", |s| job(s, id).position >= at || job(s, id).state == State::Done);
            shop.crash();
        }
        shop.until("it is done", |s| job(s, id).state == State::Done);
        let done = job(&shop, id);
        assert_eq!((done.result.as_str(), done.pieces), ("{\"counted\":400}", 399));
        assert_eq!(setting(&shop, "test.pieces"), 400, "each piece once");
        shop.assert_clean();
    }
}

#[test]
fn kinds_take_turns_and_events_come_through() {
    for shop in shops() {
        let kinds = vec![counting("long", "test.long"), counting("short", "test.short")];
        let shop = shop_with(shop, kinds);
        let long = add(&shop, "long", 1_000_000);
        shop.until("the long one runs", |s| job(s, long).position > 3);
        let first = add(&shop, "short", 20);
        let second = add(&shop, "short", 20);
        shop.track("olena", "Product Viewed", serde_json::json!({}));
        shop.until("the short ones are done beside it", |s| job(s, second).state == State::Done);
        let (first, second) = (job(&shop, first), job(&shop, second));
        assert!(first.finished_at <= second.started_at || second.started_at == 0, "in order within a kind");
        assert_eq!(job(&shop, long).state, State::Running);
        assert_eq!(setting(&shop, "test.short"), 40);
        let stopped = shop.core().store.write(move |tx| {
            jobs::stop(tx, long, "enough").map_err(|e| match e {
                JobError::Store(e) => e,
                other => panic!("{other}"),
            })
        });
        stopped.expect("it stops");
        shop.assert_clean();
    }
}

#[test]
fn a_job_moves_while_the_queue_is_never_empty() {
    let shop = shop_with(Shop::open(db::testing::Place::sqlite(), std::time::Duration::from_millis(5)), {
        vec![counting("count", "test.busy")]
    });
    let id = add(&shop, "count", 1_000_000);
    shop.until("it runs", |s| job(s, id).position > 0);
    let before = job(&shop, id).position;
    let busy = Arc::new(AtomicI64::new(0));
    let store = shop.core().store.clone();
    let until = std::time::Instant::now() + std::time::Duration::from_millis(700);
    // Two hundred commands wait at every moment.
    while std::time::Instant::now() < until {
        while busy.load(Ordering::SeqCst) < 200 {
            busy.fetch_add(1, Ordering::SeqCst);
            let counted = busy.clone();
            store.write_with(
                |tx| settings::set(tx.engine(), "test.noise", "1"),
                move |_| {
                    counted.fetch_sub(1, Ordering::SeqCst);
                },
            );
        }
        std::thread::yield_now();
    }
    let moved = job(&shop, id).position - before;
    assert!(moved >= 3, "{moved} pieces under load");
}

#[test]
fn a_failing_job_is_failed_with_its_reason_and_holds_up_nobody() {
    for shop in shops() {
        let broken = Arc::new(AtomicI64::new(1));
        let switch = broken.clone();
        let failing = Kind::stepping("failing", move |tx, job, _| {
            settings::set(tx.engine(), "test.half", &job.position.to_string())?;
            match switch.load(Ordering::SeqCst) {
                1 => Err(db::DbError::damaged("a test", "it is broken")),
                2 => panic!("it panics"),
                _ => Ok(Step::Done(String::new())),
            }
        });
        let shop = shop_with(shop, vec![failing, counting("count", "test.other")]);
        let kinds = shop.core().jobs.clone();
        for (mode, says) in [(1, "it is broken"), (2, "the log says why")] {
            broken.store(mode, Ordering::SeqCst);
            let (bad, good) = (add(&shop, "failing", 5), add(&shop, "count", 10));
            shop.until("the good one is done", |s| job(s, good).state == State::Done);
            shop.until("the bad one has failed", |s| job(s, bad).state == State::Failed);
            let failed = job(&shop, bad);
            assert!(failed.retryable && failed.reason.contains(says), "{}", failed.reason);
            assert_eq!(shop.read(|tx| settings::get(tx.engine(), "test.half")), None, "its half piece is undone");
            let notes = shop.doctor().notes;
            assert!(notes.iter().any(|n| n.what == "failed_jobs" && n.count == 1), "{notes:?}");
            broken.store(0, Ordering::SeqCst);
            let known = kinds.clone();
            let again = shop.core().store.write(move |tx| Ok::<_, db::DbError>(resume(tx, &known, bad).is_ok()));
            assert!(again.expect("writes"), "it can be resumed");
            shop.until("it is done", |s| job(s, bad).state == State::Done);
            let sql = "DELETE FROM settings WHERE name = 'test.half'";
            shop.core().store.write(move |tx| tx.execute(sql, &[])).expect("the trace goes");
        }
        shop.assert_clean();
    }
}

#[test]
fn stop_and_resume_say_what_cannot_be() {
    for shop in shops() {
        let slow = Kind::stepping("slow", |tx, job, _| {
            let next = Progress { not_before: Some(tx.now().plus(HOUR_US)), ..Progress::to(job.position + 1) };
            Ok(if job.position >= 1 {
                Step::Failed { reason: "no such file".into(), retryable: false }
            } else {
                Step::More(next)
            })
        });
        let shop = shop_with(shop, vec![slow]);
        let kinds = shop.core().jobs.clone();
        let id = add(&shop, "slow", 0);
        shop.until("it waits for its moment", |s| job(s, id).position == 1);
        let ask = move |shop: &Shop, act: fn(&mut db::Tx, &[Kind], i64) -> Result<(), StopError>, id: i64| {
            let kinds = kinds.clone();
            let said =
                shop.core().store.write(move |tx| Ok::<_, db::DbError>(act(tx, &kinds, id).map_err(|e| e.to_string())));
            said.expect("the writer answers")
        };
        assert_eq!(ask(&shop, resume, id), Err("the job is running".into()));
        assert_eq!(ask(&shop, stop, id), Ok(()));
        assert_eq!(ask(&shop, stop, id), Err("the job is stopped".into()));
        assert_eq!(ask(&shop, stop, 999), Err("there is no job 999".into()));
        assert_eq!(ask(&shop, resume, id), Ok(()));
        shop.until("it has failed for good", |s| job(s, id).state == State::Failed);
        assert_eq!(ask(&shop, resume, id), Err("the job failed for good: no such file".into()));
        // What fills a segment follows the segment.
        shop.track("olena", "Product Viewed", serde_json::json!({}));
        let segment = shop.segment("Views", r#"count("Product Viewed") >= 1"#).id;
        let fill = shop.read(move |tx| jobs::newest(tx, "segment_fill", segment)).expect("a job filled it");
        assert_eq!(fill.state, State::Done);
        assert!(ask(&shop, stop, fill.id).is_err_and(|e| e.contains("follows what it belongs to")));
        shop.assert_clean();
    }
}

#[test]
fn pieces_brought_from_outside_end_when_the_job_is_stopped() {
    for shop in shops() {
        let shop = shop_with(shop, vec![Kind::brought("brought")]);
        let id = add(&shop, "brought", 3);
        let bring = |n: i64| {
            let brought = shop.core().store.write(move |tx| {
                Ok::<_, db::DbError>(match jobs::progress(tx, id, &Progress::to(n)) {
                    Ok(job) => Ok(job.state),
                    Err(JobError::State(state)) => Err(state),
                    Err(other) => panic!("{other}"),
                })
            });
            brought.expect("the writer answers")
        };
        assert_eq!(bring(1), Ok(State::Running));
        shop.clock.advance(2 * base::SECOND_US);
        assert_eq!(bring(3), Ok(State::Running));
        assert!((job(&shop, id).rate() - 1.0).abs() < 1e-9, "from 1 to 3 in 2 s: {}", job(&shop, id).rate());
        let kinds = shop.core().jobs.clone();
        shop.core().store.write(move |tx| Ok::<_, db::DbError>(stop(tx, &kinds, id).is_ok())).expect("it stops");
        assert_eq!(bring(4), Err(State::Stopped));
        assert!(job(&shop, id).finished_at > Timestamp::default().micros());
        shop.assert_clean();
    }
}

#[test]
fn the_doctor_sees_jobs_that_cannot_be() {
    let shop = Shop::open(db::testing::Place::sqlite(), std::time::Duration::from_millis(5));
    let id = add(&shop, "unknown", 10);
    shop.core().store.write(move |tx| tx.execute("UPDATE jobs SET position = 11", &[])).expect("it is damaged");
    shop.clock.advance(2 * base::DAY_US);
    let found = shop.doctor().findings;
    let checks: Vec<&str> = found.iter().map(|f| f.check.as_str()).collect();
    assert_eq!(checks, ["jobs.position", "jobs.still"], "{found:#?}");
    shop.core().store.write(move |tx| tx.execute("UPDATE jobs SET state = 'lost', position = 1", &[])).expect("again");
    let found = shop.doctor().findings;
    assert!(found.iter().any(|f| f.check == "jobs.state" && f.subject == format!("unknown {id}")), "{found:#?}");
}
