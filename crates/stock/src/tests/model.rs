//! A naive model beside the real thing: plain maps, no memory, no groups. It decides by the text of the rules, not by the code.
use super::world::{World, line, paper, q, want};
use crate::StockError;
use crate::choice::Wanted;
use crate::commands::{self, Request, Shortage};
use crate::model::{CUSTOMER, DocumentKind, EndedWhy, LocationKind, ReservationKind};
use base::{Quantity, Rng, SECOND_US, Timestamp};
use db::testing::Place;
use std::collections::BTreeMap;

const VARIANTS: [i64; 3] = [70, 71, 72];

#[derive(Default, Debug)]
struct Reached {
    reserved: usize,
    refused: usize,
    partial: usize,
    expired: usize,
    late_confirms: usize,
    broken: usize,
    found: usize,
    counts: usize,
    before_count: usize,
    replaced: usize,
    crashes: usize,
    split: usize,
}

#[derive(Debug, Clone)]
struct Claim {
    /// `None`: firm.
    ends: Option<Timestamp>,
    /// Line → (variant, place, what is claimed).
    lines: BTreeMap<usize, (i64, i64, Quantity)>,
}

#[derive(Default)]
struct Model {
    lies: BTreeMap<(i64, i64), Quantity>,
    counted: BTreeMap<(i64, i64), Timestamp>,
    /// (variant, place, moment, change) of sellable goods, for counts.
    moved: Vec<(i64, i64, Timestamp, Quantity)>,
    claims: BTreeMap<i64, Claim>,
}

impl Model {
    fn lies(&self, variant: i64, place: i64) -> Quantity {
        self.lies.get(&(variant, place)).copied().unwrap_or_default()
    }
    fn claimed(&self, variant: i64, place: i64, now: Timestamp) -> Quantity {
        let alive = self.claims.values().filter(|claim| claim.ends.is_none_or(|ends| ends > now));
        let lines = alive.flat_map(|claim| claim.lines.values());
        lines.filter(|(v, p, _)| (*v, *p) == (variant, place)).map(|(_, _, quantity)| *quantity).sum()
    }
    fn free(&self, variant: i64, place: i64, now: Timestamp) -> Quantity {
        (self.lies(variant, place) - self.claimed(variant, place, now)).or_none()
    }
    fn on_site(&self, variant: i64, places: &[i64], now: Timestamp) -> Quantity {
        places.iter().map(|place| self.free(variant, *place, now)).sum()
    }
    fn change(&mut self, variant: i64, place: i64, at: Timestamp, by: Quantity) {
        if self.counted.get(&(variant, place)).is_some_and(|counted| at < *counted) {
            // The count saw the goods without it: it stands.
            return;
        }
        *self.lies.entry((variant, place)).or_default() += by;
        self.moved.push((variant, place, at, by));
    }
}

struct Life {
    world: World,
    model: Model,
    places: Vec<i64>,
    rng: Rng,
    reached: Reached,
}

impl Life {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.below(from.len() as u64) as usize]
    }
    fn below(&mut self, n: u64) -> i64 {
        self.rng.below(n) as i64
    }
    fn some_claim(&mut self) -> Option<i64> {
        let numbers: Vec<i64> = self.model.claims.keys().rev().take(12).copied().collect();
        if numbers.is_empty() { None } else { Some(self.pick(&numbers)) }
    }

    fn step(&mut self) {
        match self.below(100) {
            0..=14 => self.receive(),
            15..=39 => self.reserve(),
            40..=49 => self.sell(),
            50..=56 => self.sell_late(),
            57..=66 => self.confirm(),
            67..=73 => self.give_back(),
            74..=79 => self.hand_over(),
            80..=84 => self.replace(),
            85..=89 => self.count(),
            90..=96 => {
                let seconds = self.below(700) + 1;
                self.world.pass(seconds);
                if self.below(2) == 0 {
                    let swept = self.world.write(|tx| Ok(commands::expire(tx, 3)?)).expect("it is swept");
                    self.reached.expired += swept.len();
                }
            }
            _ => {
                self.world.crash();
                self.reached.crashes += 1;
            }
        }
        let now = self.world.now();
        for variant in VARIANTS {
            assert_eq!(
                self.world.on_site(variant),
                self.model.on_site(variant, &self.places, now),
                "variant {variant}"
            );
            for place in &self.places {
                assert_eq!(self.world.sellable(variant, *place), self.model.lies(variant, *place));
                let claimed = self.model.claimed(variant, *place, now);
                assert!(claimed <= self.model.lies(variant, *place), "more is claimed than lies there");
            }
        }
    }

    fn receive(&mut self) {
        let (variant, place, units) = (self.pick(&VARIANTS), self.pick(&self.places.clone()), self.below(6) + 1);
        self.world.receive(variant, place, units);
        let now = self.world.now();
        self.model.change(variant, place, now, q(units));
    }

    fn reserve(&mut self) {
        let now = self.world.now();
        let mut lines = Vec::new();
        for _ in 0..=self.below(3) {
            let location_no = if self.below(4) == 0 { Some(self.pick(&self.places.clone())) } else { None };
            lines.push(Wanted { location_no, ..want(self.pick(&VARIANTS), self.below(4) + 1) });
        }
        let firm = self.below(4) == 0;
        let kind = if firm { ReservationKind::Order } else { ReservationKind::Cart };
        let (partial, seconds) = (self.below(3) == 0, Some(self.below(900) + 1));
        let request =
            Request { channel: "site".into(), kind, owner: "cart:1".into(), lines: lines.clone(), seconds, partial };
        let got = self.world.write(move |tx| commands::reserve(tx, &request));
        let enough = VARIANTS.iter().all(|v| {
            let all: Quantity = lines.iter().filter(|w| w.variant_no == *v).map(|w| w.quantity).sum();
            let named = self.places.iter().all(|p| {
                let there = lines.iter().filter(|w| w.variant_no == *v && w.location_no == Some(*p));
                there.map(|w| w.quantity).sum::<Quantity>() <= self.model.free(*v, *p, now)
            });
            all <= self.model.on_site(*v, &self.places, now) && named
        });
        match got {
            Ok(reserved) => {
                assert_eq!(reserved.short.is_empty(), enough, "{lines:?}");
                let mut of = BTreeMap::new();
                for (at, chosen) in reserved.lines.iter().enumerate() {
                    let wanted = &lines[chosen.line];
                    assert!(wanted.location_no.is_none_or(|no| no == chosen.location_no));
                    of.insert(at, (wanted.variant_no, chosen.location_no, chosen.quantity));
                }
                for (at, wanted) in lines.iter().enumerate() {
                    let parts = reserved.lines.iter().filter(|c| c.line == at);
                    let sum: Quantity = parts.map(|c| c.quantity).sum();
                    assert!(sum == wanted.quantity || !enough && sum < wanted.quantity);
                }
                self.reached.split += usize::from(of.len() > lines.len());
                self.reached.partial += usize::from(!enough);
                self.reached.reserved += 1;
                let ends = (!firm).then_some(reserved.expires_at);
                if let (Some(ends), Some(seconds)) = (ends, seconds) {
                    let asked = now.plus(seconds * SECOND_US);
                    assert!(ends >= asked && ends < asked.plus(SECOND_US));
                }
                self.model.claims.insert(reserved.no, Claim { ends, lines: of });
            }
            Err(StockError::NotEnough(short)) => {
                assert!(!enough && !short.is_empty(), "{lines:?}");
                assert!(short.iter().all(|s| s.available < s.wanted));
                self.reached.refused += 1;
            }
            Err(e) => panic!("{e}"),
        }
    }

    fn sell(&mut self) {
        let (variant, place, units) = (self.pick(&VARIANTS), self.pick(&self.places.clone()), self.below(3) + 1);
        let now = self.world.now();
        let document = paper(DocumentKind::Sale, now, vec![line(variant, place, CUSTOMER, units)]);
        let sold = self.world.write(move |tx| commands::post(tx, &document, Shortage::Refuse));
        assert_eq!(sold.is_ok(), q(units) <= self.model.free(variant, place, now));
        if sold.is_ok() {
            self.model.change(variant, place, now, -q(units));
        }
    }

    fn sell_late(&mut self) {
        let (variant, place, units) = (self.pick(&VARIANTS), self.pick(&self.places.clone()), self.below(4) + 1);
        let at = self.world.now().plus(-self.below(1500) * SECOND_US);
        let document = paper(DocumentKind::Sale, at, vec![line(variant, place, CUSTOMER, units)]);
        let posted =
            self.world.write(move |tx| commands::post(tx, &document, Shortage::Record)).expect("it has happened");
        let before_count = self.model.counted.get(&(variant, place)).is_some_and(|counted| at < *counted);
        self.reached.before_count += usize::from(before_count);
        let lies = self.model.lies(variant, place);
        if !before_count && q(units) > lies {
            self.model.change(variant, place, at, q(units) - lies);
            self.reached.found += 1;
            assert_eq!(posted.found.len(), 1);
        } else {
            assert!(posted.found.is_empty());
        }
        self.model.change(variant, place, at, -q(units));
        self.reached.broken += posted.broken.len();
        let over = self.model.claimed(variant, place, self.world.now()) - self.model.lies(variant, place);
        assert_eq!(over.is_positive(), !posted.broken.is_empty(), "claims are broken when they must be, and only then");
        for broken in posted.broken {
            let claim = self.model.claims.get_mut(&broken.reservation_no).expect("it was alive");
            assert_eq!(claim.lines.remove(&broken.line), Some((variant, place, broken.quantity)));
        }
    }

    fn confirm(&mut self) {
        let Some(no) = self.some_claim() else { return };
        let now = self.world.now();
        let out = self.world.write(move |tx| commands::confirm(tx, no, ReservationKind::Order, "order:1"));
        let claim = self.model.claims.get_mut(&no).expect("it was chosen");
        let alive = claim.ends.is_none_or(|ends| ends > now) && !claim.lines.is_empty();
        assert_eq!(out.is_ok(), alive);
        if alive {
            claim.ends = None;
        } else {
            self.reached.late_confirms += 1;
            self.model.claims.remove(&no);
        }
    }

    fn give_back(&mut self) {
        let Some(no) = self.some_claim() else { return };
        self.world.write(move |tx| commands::release(tx, no, EndedWhy::Released)).expect("giving back never fails");
        self.model.claims.remove(&no);
    }

    fn hand_over(&mut self) {
        let Some(no) = self.some_claim() else { return };
        let now = self.world.now();
        let claim = self.model.claims[&no].clone();
        let Some((at, (variant, place, quantity))) = claim.lines.first_key_value() else { return };
        let (at, variant, place, quantity) = (*at, *variant, *place, *quantity);
        let units = q(self.below((quantity.milli() / 1000) as u64) + 1);
        let mut leaves = line(variant, place, CUSTOMER, 1);
        leaves.quantity = units;
        let document = paper(DocumentKind::Sale, now, vec![leaves]);
        let out = self.world.write(move |tx| {
            commands::fulfil(tx, no, at, units)?;
            commands::post(tx, &document, Shortage::Claimed)
        });
        let alive = claim.ends.is_none_or(|ends| ends > now);
        assert_eq!(out.is_ok(), alive);
        if alive {
            self.model.change(variant, place, now, -units);
            let lines = &mut self.model.claims.get_mut(&no).expect("it was chosen").lines;
            if units == quantity {
                lines.remove(&at);
            } else {
                lines.insert(at, (variant, place, quantity - units));
            }
        }
    }

    fn replace(&mut self) {
        let Some(no) = self.some_claim() else { return };
        let now = self.world.now();
        let claim = self.model.claims[&no].clone();
        let Some((at, (variant, place, quantity))) = claim.lines.first_key_value() else { return };
        let (at, variant, place, quantity) = (*at, *variant, *place, *quantity);
        let to = self.pick(&self.places.clone());
        let parts = vec![commands::Replacement { line: at, location_no: to, quantity }];
        let out = self.world.write(move |tx| commands::replace(tx, no, &parts));
        let alive = claim.ends.is_none_or(|ends| ends > now);
        let back = if to == place { quantity } else { Quantity::ZERO };
        let fits = quantity <= self.model.free(variant, to, now) + back;
        assert_eq!(out.is_ok(), alive && fits);
        if out.is_ok() {
            self.reached.replaced += 1;
            let count = move |tx: &mut db::Tx| {
                let row = tx.get::<crate::ReservationTable>(no)?;
                Ok::<usize, StockError>(row.map_or(0, |r| r.lines.len()))
            };
            let last = self.world.write(count).expect("it is read") - 1;
            let lines = &mut self.model.claims.get_mut(&no).expect("it was chosen").lines;
            lines.remove(&at);
            lines.insert(last, (variant, to, quantity));
        }
    }

    fn count(&mut self) {
        let (variant, place) = (self.pick(&VARIANTS), self.pick(&self.places.clone()));
        let at = self.world.now().plus(-self.below(900) * SECOND_US);
        let counted = q(self.below(9));
        let document = paper(DocumentKind::Count, at, vec![]);
        let (posted, variance) =
            self.world.write(move |tx| commands::count(tx, &document, place, variant, counted)).expect("it is counted");
        if self.model.counted.get(&(variant, place)).is_some_and(|last| *last > at) {
            assert!(posted.is_none() && variance.is_zero(), "an older count is no news");
            return;
        }
        self.reached.counts += 1;
        let since: Quantity = self
            .model
            .moved
            .iter()
            .filter(|(v, p, moment, _)| (*v, *p) == (variant, place) && *moment > at)
            .map(|(.., by)| *by)
            .sum();
        // What was there then, made what was counted; what moved since then moved.
        let after = counted + since;
        let lies = self.model.lies(variant, place);
        assert_eq!(variance, after - lies);
        let found = if after.is_negative() { -after } else { Quantity::ZERO };
        self.model.lies.insert((variant, place), after + found);
        self.model.moved.push((variant, place, at, variance + found));
        self.model.counted.insert((variant, place), at);
        for broken in posted.into_iter().flat_map(|p| p.broken) {
            self.reached.broken += 1;
            let claim = self.model.claims.get_mut(&broken.reservation_no).expect("it was alive");
            assert!(claim.lines.remove(&broken.line).is_some());
        }
    }
}

fn live(place: Place, seed: u64, steps: usize) -> Reached {
    let world = World::new(place);
    let places = [("A", LocationKind::Store), ("B", LocationKind::Store), ("C", LocationKind::Warehouse)];
    let places = places.iter().map(|(id, kind)| world.location(id, *kind)).collect();
    let mut life = Life { world, model: Model::default(), places, rng: Rng::new(seed), reached: Reached::default() };
    for _ in 0..steps {
        life.step();
    }
    life.world.assert_sound();
    life.reached
}

#[test]
fn random_lives_agree_with_a_naive_model() {
    let first = std::env::var("BRAID_SEED").ok().and_then(|s| s.parse().ok());
    let mut all = Reached::default();
    let mut add = |r: Reached| {
        all.reserved += r.reserved;
        all.refused += r.refused;
        all.partial += r.partial;
        all.expired += r.expired;
        all.late_confirms += r.late_confirms;
        all.broken += r.broken;
        all.found += r.found;
        all.counts += r.counts;
        all.before_count += r.before_count;
        all.replaced += r.replaced;
        all.crashes += r.crashes;
        all.split += r.split;
    };
    if let Some(seed) = first {
        live(Place::sqlite(), seed, 400);
        return;
    }
    for seed in 1..=40 {
        println!("BRAID_SEED={seed}");
        add(live(Place::sqlite(), seed, 250));
    }
    if let Some(place) = Place::postgres() {
        println!("BRAID_SEED=9001 on PostgreSQL");
        add(live(place, 9001, 250));
    }
    println!("{all:?}");
    assert!(all.reserved > 500 && all.refused > 100 && all.partial > 20 && all.split > 5, "{all:?}");
    assert!(all.expired > 50 && all.late_confirms > 20 && all.broken > 20 && all.found > 20, "{all:?}");
    assert!(all.counts > 50 && all.before_count > 10 && all.replaced > 20 && all.crashes > 50, "{all:?}");
}
