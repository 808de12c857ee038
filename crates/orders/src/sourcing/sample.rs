//! A retailer to measure on: places over a country, lanes priced by distance, stock with holes.
use super::model::{Component, Lane, Line, Location, Network, Order};
use base::Rng;

/// What the sample is made of.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Places; one in a hundred is a warehouse.
    pub locations: usize,
    /// Zones that orders go to.
    pub zones: usize,
    /// Articles.
    pub skus: usize,
    /// Orders, of one day.
    pub orders: usize,
    /// Lines of each.
    pub lines: usize,
    /// Little stock and capacity, so that orders get into each other's way.
    pub scarce: bool,
    /// Decides everything.
    pub seed: u64,
}

impl Default for Sample {
    fn default() -> Self {
        Self { locations: 300, zones: 24, skus: 2_000, orders: 1_000, lines: 10, scarce: false, seed: 1 }
    }
}

/// Makes it.
pub fn sample(wanted: &Sample) -> (Network, Vec<Order>) {
    let mut rng = Rng::new(wanted.seed);
    let mut network = Network { currency: "UAH".into(), ..Network::default() };
    let point = |rng: &mut Rng| (46.0 + rng.unit() * 5.0, 23.0 + rng.unit() * 15.0);
    let zones: Vec<(f64, f64)> = (0..wanted.zones).map(|_| point(&mut rng)).collect();
    for sku in 0..wanted.skus {
        network.intern(&format!("sku-{sku}"));
    }
    let per_day = (wanted.orders * wanted.lines * 25 / 10 / wanted.locations.max(1)) as i64;
    for at in 0..wanted.locations {
        let warehouse = at % 100 == 0;
        network.locations.push(Location {
            id: format!("place-{at:03}"),
            kind: if warehouse { "warehouse" } else { "store" }.into(),
            position: Some(point(&mut rng)),
            capacity_per_day: match (wanted.scarce, warehouse) {
                (true, true) => Some(per_day * 20),
                (true, false) => Some(per_day.max(8)),
                _ => Some(100_000),
            },
            handling_minor: if warehouse { 700 } else { 900 + rng.below(600) as i64 },
            ..Location::default()
        });
        for sku in 0..wanted.skus {
            let here = if warehouse { rng.below(10) < 8 } else { rng.below(10) < 3 };
            let most = if warehouse { if wanted.scarce { 30 } else { 400 } } else { 4 };
            if here {
                network.stock[sku].push((at as u32, 1 + rng.below(most) as i64));
            }
        }
    }
    for (zone, centre) in zones.iter().enumerate() {
        let mut lanes = Vec::new();
        for (at, location) in network.locations.iter().enumerate() {
            let (lat, lon) = location.position.unwrap_or_default();
            let km = ((lat - centre.0).powi(2) * 12_300.0 + (lon - centre.1).powi(2) * 5_200.0).sqrt();
            let lane = |carrier: &str, first: i64, per_kg: i64, days: u32| Lane {
                from: at as u32,
                carrier: carrier.into(),
                first_parcel_minor: first,
                per_kg_minor: per_kg,
                days,
                co2_g: 200 + km as i64,
            };
            if km < 60.0 {
                lanes.push(lane("courier", 6_500 + (km * 40.0) as i64, 500, 0));
            }
            lanes.push(lane("express", 9_000 + (km * 6.0) as i64, 1_500, 1 + u32::from(km > 400.0)));
            lanes.push(lane("post", 5_500 + (km * 3.0) as i64, 900, 2 + (km / 300.0) as u32));
        }
        network.zones.insert(format!("zone-{zone}"), lanes);
    }
    let orders = (0..wanted.orders).map(|order| one_order(&mut rng, wanted, &network, order)).collect();
    (network, orders)
}

fn one_order(rng: &mut Rng, wanted: &Sample, network: &Network, order: usize) -> Order {
    let zone = rng.below(wanted.zones as u64);
    let lines = (0..wanted.lines).map(|line| {
        // Few articles sell most.
        let sku = (rng.unit() * rng.unit() * wanted.skus as f64) as usize;
        let name = format!("sku-{sku}");
        let component = Component { sku: network.skus.get(&name).copied(), name: name.clone(), quantity: 1 };
        Line {
            id: format!("{line}"),
            sku: name,
            categories: vec![],
            quantity: 1 + i64::from(rng.below(4) == 0),
            weight_g: 50 + rng.below(1_500) as i64,
            price_minor: 10_000 + rng.below(200_000) as i64,
            components: vec![component],
        }
    });
    Order {
        id: format!("order-{order:06}"),
        zone: format!("zone-{zone}"),
        day: "2026-11-23".into(),
        hour: Some(10),
        promised_days: 1,
        split_penalty_minor: 2_500,
        late_penalty_minor_per_day: 1_500,
        lines: lines.collect(),
        ..Order::default()
    }
}
