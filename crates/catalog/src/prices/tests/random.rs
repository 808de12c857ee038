//! Random lives of prices: the past never changes, a roll-back brings back what was, the books are sound after every step.
use super::shop::{Shop, ask, price};
use crate::prices::commands::{self, NewPrice};
use crate::prices::model::BASE;
use base::{MINUTE_US, Rng, Timestamp};
use db::testing::Place;

fn life(shop: &Shop, seed: u64, steps: usize) {
    let mut rng = Rng::new(seed);
    let mut seen: Vec<(i64, Timestamp, Option<i64>)> = Vec::new();
    let moments = |shop: &Shop| -> Vec<Timestamp> { (0..40).map(|n| shop.now().plus(n * 7 * MINUTE_US)).collect() };
    for step in 0..steps {
        let random = |rng: &mut Rng| {
            let from = (rng.below(2) == 0).then(|| shop.now().plus(rng.below(100) as i64 * MINUTE_US));
            let start = from.unwrap_or(shop.now());
            NewPrice {
                min_quantity: if rng.below(4) == 0 { 3000 } else { 0 },
                minor: (rng.below(6) > 0).then(|| 1 + rng.below(1000) as i64),
                until: (rng.below(2) == 0).then(|| start.plus((1 + rng.below(60) as i64) * MINUTE_US)),
                from,
                ..price(1 + rng.below(3) as i64, 0)
            }
        };
        let prices: Vec<NewPrice> = (0..1 + rng.below(3)).map(|_| random(&mut rng)).collect();
        let future = |shop: &Shop| -> Vec<Option<i64>> {
            let all = (1..4).flat_map(|v| moments(shop).into_iter().map(move |t| (v, t)));
            all.map(|(v, t)| shop.quote(ask(v, "site", t)).map(|q| q.minor)).collect()
        };
        let before = (rng.below(3) == 0).then(|| future(shop));
        let applied = shop.try_set(BASE, &format!("{seed}-{step}"), prices).expect("it is done");
        if let Some(before) = before {
            let change = applied.change;
            let key = format!("undo-{seed}-{step}");
            shop.write(move |tx| commands::roll_back(tx, change, &key, "taras")).expect("it goes back");
            assert_eq!(future(shop), before, "a roll-back at once is as if nothing was (seed {seed}, step {step})");
        }
        for variant in 1..4 {
            let now = shop.now();
            seen.push((variant, now, shop.quote(ask(variant, "site", now)).map(|q| q.minor)));
        }
        shop.clock.advance(rng.below(30) as i64 * MINUTE_US + 1);
        if step > 2 && rng.below(5) == 0 {
            // An older change, or one that is a roll-back: the books stay sound, whatever it can undo.
            let change = applied.change;
            let key = format!("late-{seed}-{step}");
            let _ = shop.write(move |tx| commands::roll_back(tx, change, &key, "taras"));
        }
        shop.assert_clean();
    }
    for (variant, at, minor) in seen {
        let now = shop.quote(ask(variant, "site", at)).map(|q| q.minor);
        assert_eq!(now, minor, "the past changed: variant {variant} at {at} (seed {seed})");
    }
}

#[test]
fn the_past_never_changes_and_a_roll_back_brings_back_what_was() {
    for seed in 0..25 {
        life(&Shop::at(Place::sqlite()), seed, 12);
    }
    for (nth, place) in Place::postgres().into_iter().enumerate() {
        life(&Shop::at(place), 100 + nth as u64, 25);
    }
}
