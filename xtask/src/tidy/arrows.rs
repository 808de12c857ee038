//! Which crate of ours may use which: the map in ARCHITECTURE.md, as a table.

use std::collections::BTreeSet;

use super::Finding;
use super::graph::Graph;

/// What a crate may name. Arrows pass on: who may use a crate may use what that crate may use; all may use `base`.
/// The whole picture stands here, also the rooms that are not built yet, so that a new crate starts with its borders.
const ARROWS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("db", &["base"]),
    ("resolve", &["base"]),
    ("lake", &["db"]),
    ("lakehouse", &["lake"]),
    ("collect", &["db"]),
    ("customers", &["db", "resolve"]),
    ("segments", &["customers"]),
    ("catalog", &["db"]),
    ("search", &["catalog"]),
    ("stock", &["catalog"]),
    ("orders", &["stock", "customers", "loyalty"]),
    ("loyalty", &["catalog", "customers"]),
    ("messaging", &["segments"]),
    ("journeys", &["messaging", "segments"]),
    ("inbox", &["customers", "messaging"]),
    ("recommend", &["lake"]),
    (
        "pipeline",
        &[
            "collect",
            "customers",
            "segments",
            "catalog",
            "stock",
            "orders",
            "loyalty",
            "messaging",
            "journeys",
            "inbox",
        ],
    ),
    ("insight", &["lake"]),
    ("planning", &["stock", "orders", "lake"]),
    ("connect", &["db"]),
    ("exchange", &["base"]),
    ("server", &["*"]),
    ("cli", &["*"]),
    ("simulation", &["*"]),
    ("xtask", &[]),
];

/// Nobody names these, not even those who may use all.
const LEAVES: &[&str] = &["cli", "simulation", "xtask"];

/// These hold rules and SQL; they queue and answer, they do not wait.
const SYNC: &[&str] = &[
    "base",
    "resolve",
    "db",
    "collect",
    "customers",
    "segments",
    "catalog",
    "stock",
    "orders",
    "loyalty",
    "messaging",
    "journeys",
    "inbox",
    "pipeline",
    "exchange",
];

const RUNTIMES: &[&str] = &["tokio", "async-std", "smol", "async-executor", "monoio"];

/// Packages through which a runtime may come into a sync crate.
const RUNTIME_INSIDE: &[&str] = &[
    // The synchronous PostgreSQL client of `db` runs a private runtime on the calling thread; nothing of it shows.
    "postgres",
    // The TLS under it; the same runtime.
    "tokio-postgres-rustls",
    // Features are unified over the workspace in what cargo reports, so axum always seems to bring the runtime that only
    // `server` switches on. The routers of a domain crate name no runtime themselves.
    "axum",
    "utoipa-axum",
];

/// Normal and build dependencies follow the arrows. Dev-dependencies may not: a test may use what a crate must not.
pub fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, package) in graph.members() {
        let Some(allowed) = may_use(ARROWS, &package.name) else {
            findings.push(Finding::new(
                &package.name,
                "this crate has no arrows; give it a place in ARCHITECTURE.md and in xtask's arrows.rs",
            ));
            continue;
        };
        for edge in package.dependencies.iter().filter(|edge| edge.normal || edge.build) {
            let used = &graph.packages[edge.package];
            if used.member && !allowed.contains(used.name.as_str()) {
                findings.push(Finding::new(
                    &package.name,
                    format!("must not use `{}`: the arrows point the other way", used.name),
                ));
            }
        }
    }
    findings
}

/// No sync crate reaches an async runtime over normal dependencies.
pub fn check_runtimes(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, package) in graph.members() {
        if !SYNC.contains(&package.name.as_str()) {
            continue;
        }
        let way = graph.find_way(
            index,
            |edge| edge.normal,
            |package| !RUNTIME_INSIDE.contains(&package.name.as_str()),
            |package| RUNTIMES.contains(&package.name.as_str()),
        );
        if let Some(way) = way {
            findings
                .push(Finding::new(&package.name, format!("must not depend on an async runtime: {}", way.join(" → "))));
        }
    }
    findings
}

/// The closure of the arrows from `name`; none if it is not in the table.
fn may_use<'a>(arrows: &'a [(&'a str, &'a [&'a str])], name: &str) -> Option<BTreeSet<&'a str>> {
    let direct = |name: &str| arrows.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let mut reached = BTreeSet::new();
    let mut open = direct(name)?.to_vec();
    if name != "base" && name != "xtask" {
        open.push("base");
    }
    while let Some(next) = open.pop() {
        if next == "*" {
            open.extend(arrows.iter().map(|(from, _)| *from).filter(|from| *from != name && !LEAVES.contains(from)));
        } else if reached.insert(next) {
            open.extend(direct(next).unwrap_or_default().iter().filter(|to| **to != "*"));
        }
    }
    // Two crates that may use all: the program uses the server, never the other way.
    reached.remove(name);
    Some(reached)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::graph::example::graph;

    fn closure(name: &str) -> Vec<&str> {
        may_use(ARROWS, name).expect("is in the table").into_iter().collect()
    }

    #[test]
    fn arrows_pass_on() {
        assert_eq!(closure("base"), [""; 0]);
        assert_eq!(closure("db"), ["base"]);
        assert_eq!(closure("messaging"), ["base", "customers", "db", "resolve", "segments"]);
        assert_eq!(closure("connect"), ["base", "db"]);
        assert!(closure("pipeline").contains(&"db"));
        assert!(closure("cli").contains(&"server"));
        assert!(!closure("server").contains(&"cli"));
        assert!(!closure("cli").contains(&"xtask"));
        assert!(may_use(ARROWS, "misc").is_none());
    }

    #[test]
    fn the_table_has_no_circles() {
        for (name, _) in ARROWS.iter().filter(|(_, to)| !to.contains(&"*")) {
            for used in closure(name) {
                assert!(!closure(used).contains(name), "{name} and {used}");
            }
        }
    }

    #[test]
    fn an_arrow_upwards_is_found() {
        let wrong = graph("base*: db\ndb*: base");
        let findings = check(&wrong);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "base");
        let right = graph("base*\ndb*: base\nserver*: db\ncli*: server, base");
        assert_eq!(check(&right), []);
        let for_tests = graph("base*: db (dev)\ndb*: base");
        assert_eq!(check(&for_tests), []);
    }

    #[test]
    fn an_unknown_crate_is_found() {
        assert_eq!(check(&graph("utils*")).len(), 1);
    }

    #[test]
    fn a_runtime_below_a_sync_crate_is_found() {
        let wrong = graph("segments*: client\nclient: tokio\ntokio");
        let findings = check_runtimes(&wrong);
        assert!(findings[0].what.ends_with("segments → client → tokio"), "{findings:?}");
        let right = graph("db*: postgres\npostgres: tokio\nserver*: tokio\ntokio");
        assert_eq!(check_runtimes(&right), []);
    }
}
