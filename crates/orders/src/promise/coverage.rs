//! What a zone can get at all, and what a new shop, locker or carrier adds (U5).
use super::book::Book;
use super::model::WayKind;
use std::collections::BTreeMap;

/// For each zone and kind of way: from where, and in what time, reckoned from the moment that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage(pub BTreeMap<(String, WayKind), (u32, i64)>);

/// What a change of the network does to one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gain {
    /// The zone.
    pub zone: String,
    /// The way.
    pub kind: WayKind,
    /// How long it took before; `None` when it was not served so.
    pub before_us: Option<i64>,
    /// How long it takes now; `None` when it is not served so any more.
    pub after_us: Option<i64>,
}

impl Book {
    /// What every zone could get if an order came at `at_us` and goods lay everywhere.
    pub fn coverage(&self, at_us: i64) -> Coverage {
        let zones = self.zones.keys();
        let of = |zone: &String| {
            let zone = zone.clone();
            self.reach(&zone, at_us)
                .into_iter()
                .map(move |(kind, (from, by))| ((zone.clone(), kind), (from, by - at_us)))
        };
        Coverage(zones.flat_map(of).collect())
    }
}

/// What differs between two networks, by zone and kind; what stays the same is left out.
pub fn gained(before: &Coverage, after: &Coverage) -> Vec<Gain> {
    let keys: std::collections::BTreeSet<&(String, WayKind)> = before.0.keys().chain(after.0.keys()).collect();
    keys.into_iter()
        .map(|key| {
            let time = |coverage: &Coverage| coverage.0.get(key).map(|(_, us)| *us);
            Gain { zone: key.0.clone(), kind: key.1, before_us: time(before), after_us: time(after) }
        })
        .filter(|gain| gain.before_us != gain.after_us)
        .collect()
}
