//! What lives came across: a simulation that never reaches a merge proves nothing about merges.
use std::collections::BTreeMap;

/// How often each thing happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached(pub BTreeMap<&'static str, u64>);

impl Reached {
    /// Notes that something happened.
    pub fn note(&mut self, what: &'static str) {
        self.add(what, 1);
    }
    /// Notes that something happened `times` times.
    pub fn add(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }
    /// How often it happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
    /// Adds what another life came across.
    pub fn merge(&mut self, other: &Reached) {
        for (what, times) in &other.0 {
            self.add(what, *times);
        }
    }
    /// What of `wanted` never happened.
    pub fn missing<'a>(&self, wanted: &[&'a str]) -> Vec<&'a str> {
        wanted.iter().copied().filter(|what| self.of(what) == 0).collect()
    }
}

/// What a run of a few hundred lives must come across.
pub const WANTED: &[&str] = &[
    "events accepted",
    "events repeated",
    "events late",
    "events of one moment",
    "events of a skewed clock",
    "answers lost",
    "requests sent again",
    "imports",
    "merges",
    "edges removed",
    "values detached",
    "crashes at rest",
    "crashes after the body",
    "crashes before COMMIT",
    "crashes after COMMIT",
    "connections lost before COMMIT",
    "connections lost after COMMIT",
    "panics of a command",
    "power cuts",
    "clean restarts",
    "clock jumps",
    "segments made",
    "segments changed",
    "segments archived",
    "timers worked off",
    "identities decided again",
    "messages handed over",
    "messages unknown",
    "consents revoked",
    "checks by doctor",
    "pieces read ahead",
    "rules of identity changed",
    "traits made",
    "traits changed",
    "traits archived",
    "traits compared",
    "people erased",
    "guests erased",
    "crashes while somebody is erased",
    "events of erased people refused",
    "searches for erased people",
    "cuts after an erasure",
    "backups restored",
    "goods received",
    "goods found",
    "sales",
    "sales told late",
    "sales refused",
    "papers told twice",
    "papers without an answer",
    "papers that had arrived",
    "faults amid goods",
    "claims made",
    "claims refused",
    "claims confirmed",
    "claims that had ended",
    "claims given back",
    "claims handed over",
    "claims broken",
    "transfers",
    "transfers settled",
    "counts",
    "stock compared",
];

/// Of [`WANTED`], what only SQLite comes across: power cuts need a file system of our own, and PostgreSQL restores a backup
/// into a database of its own.
pub const SQLITE_ONLY: &[&str] = &["power cuts", "backups restored"];

/// What some hundred lives of trade must come across.
pub const WANTED_OF_TRADE: &[&str] = &[
    "receipts",
    "carts",
    "carts that hold goods",
    "carts ordered twice",
    "checkouts refused",
    "orders to try on",
    "orders to fetch",
    "orders by courier",
    "orders to a branch",
    "orders with goods brought to the shop",
    "orders from several places",
    "orders that wait for a word or a prepayment",
    "payments captured",
    "payments authorised",
    "payments agreed at hand-over",
    "payments declined",
    "payments refunded",
    "accepted",
    "declined",
    "pieces that a place misses",
    "ready",
    "held",
    "released",
    "collected",
    "tried on and some kept",
    "tried on and nothing kept",
    "sent",
    "handed over all at once",
    "delivered",
    "brought back",
    "orders changed",
    "orders cancelled",
    "parts of orders cancelled",
    "orders parked",
    "orders sourced again",
    "customers who did not come",
    "places that did not answer",
    "places that went down",
    "orders of places that went down",
    "transfers asked for",
    "transfers that left",
    "transfers that came",
    "transfers that came in part",
    "sales at a till",
    "sales refused at a till",
    "sales told late",
    "papers of tills told twice",
    "goods sold that nobody had on the books",
    "claims of orders broken",
    "counts of goods",
    "goods written off",
    "returns asked for",
    "goods that came back",
    "goods graded later",
    "returns paid back",
    "returns paid as credit",
    "returns closed short",
    "returns called off",
    "exchanges asked for",
    "exchanged goods that came back",
    "exchanges fulfilled",
    "complaints",
    "complaints paid",
    "complaints denied",
    "refunds settled",
    "refunds that failed",
    "refunds asked for again",
    "refunds taken as credit",
    "steps refused by a rule",
    "requests repeated",
    "faults amid orders",
    "orders' answers lost",
    "crashes between orders",
    "restarts between orders",
    "clock jumps between orders",
    "orders that ended delivered",
    "orders that ended cancelled",
    "orders that ended returned",
    "orders that ended partly returned",
    "logs replayed in the middle of a life",
    "logs replayed at the end",
];
