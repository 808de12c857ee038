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
