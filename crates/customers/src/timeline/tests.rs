//! Pages of timelines against a plain sort of everything, and what they cost.
use super::{Ask, CHUNKS_MAX, Work, counts, page};
use crate::commands::{TimelineEntry, timeline_entries};
use crate::model::Profile;
use crate::profiles::Profiles;
use crate::tests::harness::{Shop, day};
use base::{MINUTE_US, Timestamp};
use db::index::{self, CHUNK, Entry};
use proptest::prelude::*;

/// Times in minutes by profile, in the order in which the events came.
fn histories() -> impl Strategy<Value = Vec<Vec<(i64, u32)>>> {
    // Mostly in order, some late by hours, some by months; few names, so that filters leave much out.
    let step = prop_oneof![6 => 0..3i64, 2 => -200..200i64, 1 => -100_000..100_000i64];
    let one = proptest::collection::vec((step, 0..4u32), 0..400);
    proptest::collection::vec(one, 1..4).prop_map(|profiles| {
        let drift = |steps: Vec<(i64, u32)>| {
            steps.into_iter().zip(0..).map(|((by, name), n)| (n * 2 + by, 1 + name * 63 % 100)).collect()
        };
        profiles.into_iter().map(drift).collect()
    })
}

/// Profiles 1, 2, … with these events; some chunks as a store of before wrote them.
fn lay(shop: &Shop, histories: &[Vec<(i64, u32)>], forget: bool) -> Vec<i64> {
    let histories = histories.to_vec();
    shop.write(move |tx| {
        let mut seq = 0;
        let ids: Vec<i64> = (1..=histories.len() as i64).collect();
        for (id, history) in ids.iter().zip(&histories) {
            tx.execute("DELETE FROM profile_index WHERE profile_id = $1", &[(*id).into()])?;
            let mut profile = Profile::new(*id, day(0));
            for (minute, name) in history {
                seq += 1;
                profile.tail.push(Entry { seq, timestamp: day(0).plus(minute * MINUTE_US), name: *name });
                if profile.tail.len() >= CHUNK {
                    index::spill(tx, *id, &std::mem::take(&mut profile.tail).entries());
                }
            }
            tx.put::<Profiles>(*id, profile);
        }
        if forget {
            let sql = "UPDATE profile_index SET newest = $1, oldest = $2, names = -1 WHERE chunk % 128 = 1";
            tx.execute(sql, &[index::UNKNOWN.into(), (-index::UNKNOWN).into()])?;
        }
        Ok(ids)
    })
}

fn walk(
    shop: &Shop,
    ids: &[i64],
    ask: (Option<Timestamp>, Option<Timestamp>, Option<u32>),
    limit: usize,
    chunks_max: usize,
) -> (Vec<TimelineEntry>, Vec<Work>) {
    let (from, until, name) = ask;
    let ids = ids.to_vec();
    shop.read(move |tx| {
        let wanted = |n: u32| name.is_none_or(|name| n == name);
        let names = name.map_or(-1, index::name_bit);
        let (mut all, mut work, mut before) = (Vec::new(), Vec::new(), None);
        loop {
            let ask = Ask { before, from, until, wanted: &wanted, names, limit, chunks_max };
            let found = page(tx, &ids, &ask)?;
            assert!(found.entries.len() <= limit);
            all.extend(found.entries);
            work.push(found.work);
            assert!(found.next.is_none() || found.next != before, "it moves on");
            match found.next {
                Some(next) => before = Some(next),
                None => return Ok((all, work)),
            }
        }
    })
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 24, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// [A1] Pages put together are everything that passes, newest first, each once, whatever came late.
    #[test]
    fn pages_are_the_sorted_whole(histories in histories(), limit in 1..40usize, chunks_max in 1..6usize, window in proptest::option::of((-500..500i64, 0..2_000i64)), name in proptest::option::of(0..3u32), forget in any::<bool>()) {
        thread_local!(static SHOPS: Vec<Shop> = Shop::each());
        SHOPS.with(|shops| for shop in shops {
            let ids = lay(shop, &histories, forget);
            let name = name.map(|n| 1 + n * 63 % 100);
            let at = |minute: i64| day(0).plus(minute * MINUTE_US);
            let (from, until) = window.map_or((None, None), |(from, more)| (Some(at(from)), Some(at(from + more))));
            let asked = ids.clone();
            let mut whole = shop.read(move |tx| timeline_entries(tx, &asked));
            whole.retain(|e| from.is_none_or(|t| e.timestamp >= t) && until.is_none_or(|t| e.timestamp < t));
            whole.retain(|e| name.is_none_or(|n| e.name == n));
            whole.reverse();
            let (found, _) = walk(shop, &ids, (from, until, name), limit, chunks_max);
            assert_eq!(found, whole);
            let (counted, complete) = shop.read(move |tx| counts(tx, &ids, 1_000));
            assert!(complete);
            assert_eq!(counted.iter().map(|(_, n)| *n as usize).sum::<usize>(), histories.iter().map(Vec::len).sum::<usize>());
        });
    }
}

/// A hundred thousand views in order, an order among every ten thousand of them.
fn long() -> Vec<(i64, u32)> {
    (0..100_000).map(|n| (n, if n % 10_000 == 5_000 { 7 } else { 1 })).collect()
}

#[test]
fn the_first_page_of_a_long_timeline_reads_a_handful_of_chunks() {
    // [A1] Counts of work, not time: 100,000 events lie in 1,562 chunks.
    for shop in Shop::each() {
        let ids = lay(&shop, &[long()], false);
        let first = |before, name: Option<u32>| {
            let ids = ids.clone();
            shop.read(move |tx| {
                let wanted = |n: u32| name.is_none_or(|name| n == name);
                let names = name.map_or(-1, index::name_bit);
                page(tx, &ids, &Ask { before, wanted: &wanted, names, ..Ask::newest(50) })
            })
        };
        let newest = first(None, None);
        assert_eq!(newest.entries.len(), 50);
        assert!(newest.work.chunks <= 2 && newest.work.queries <= 1, "{:?}", newest.work);
        // In the middle as well.
        let middle = first(Some((day(0).plus(50_000 * MINUTE_US), 0)), None);
        assert_eq!(middle.entries[0].timestamp, day(0).plus(49_999 * MINUTE_US));
        assert!(middle.work.chunks <= 6, "{:?}", middle.work);
        // Ten orders among 100,000 views: only the chunks that hold one.
        let orders = first(None, Some(7));
        assert_eq!((orders.entries.len(), orders.next), (10, None));
        assert!(orders.work.chunks <= 10, "{:?}", orders.work);
        // A name that nobody used costs a question and no chunk.
        assert_eq!(first(None, Some(9)).work, Work { chunks: 0, queries: 1 });
    }
}

#[test]
fn a_filter_that_finds_nothing_ends_short_and_goes_on() {
    let shop = Shop::new();
    let ids = lay(&shop, &[long()], false);
    // Name 64 shares its bit with name 1, so no chunk can be left out.
    let (found, work) = walk(&shop, &ids, (None, None, Some(64)), 50, CHUNKS_MAX);
    assert_eq!(found, []);
    assert!(work.len() >= 4 && work.iter().all(|w| w.chunks <= CHUNKS_MAX + 64), "{work:?}");
}
