//! Packages that must not come in, and why.

use super::Finding;
use super::graph::Graph;

/// Nowhere in the graph, not even for tests; the second word is what is used instead.
const ANYWHERE: &[(&str, &str)] = &[
    ("actix-web", "axum"),
    ("async-std", "tokio"),
    ("aws-lc-rs", "ring, the only TLS provider"),
    ("aws-lc-sys", "ring, the only TLS provider"),
    ("bigdecimal", "integers in minor units"),
    ("config", "toml and a struct"),
    ("deadpool", "the store's own threads"),
    ("diesel", "SQL by hand"),
    ("figment", "toml and a struct"),
    ("native-tls", "rustls"),
    ("openssl", "rustls"),
    ("openssl-sys", "rustls"),
    ("refinery", "our own migrations"),
    ("rocket", "axum"),
    ("rstest", "tables in plain tests"),
    ("sea-orm", "SQL by hand"),
    ("sqlx", "SQL by hand"),
    ("testcontainers", "cargo xtask postgres"),
    ("tower-sessions", "a table of ours and a cookie"),
    ("wiremock", "a fake that listens on a real port"),
];

/// Not named by a crate of ours; others may need them.
const DIRECTLY: &[(&str, &str)] = &[
    ("async-trait", "plain async functions or sync traits"),
    ("color-eyre", "anyhow at the edges, thiserror inside"),
    ("env_logger", "tracing"),
    ("eyre", "anyhow at the edges, thiserror inside"),
    ("handlebars", "minijinja"),
    ("lazy_static", "std::sync::LazyLock"),
    ("log", "tracing"),
    ("miette", "anyhow at the edges, thiserror inside"),
    ("mockall", "a fake that listens on a real port"),
    ("once_cell", "std::sync::LazyLock and OnceLock"),
    ("prometheus", "metrics"),
    ("slog", "tracing"),
    ("snafu", "thiserror"),
    ("ureq", "reqwest, in connect"),
];

/// Allowed below the named crates only: ours, and `parquet`, which cannot do without (ADR 0024).
const ONLY_BELOW: &[(&str, &[&str], &str)] = &[
    ("chrono", &["lake", "lakehouse", "object_store", "parquet"], "jiff"),
    ("datafusion", &["lakehouse"], "our own streaming operators"),
];

/// A package with a feature that brings something banned.
const FEATURES: &[(&str, &str)] =
    &[("reqwest", "default-tls"), ("reqwest", "native-tls"), ("lettre", "native-tls"), ("tokio", "full")];

pub fn check(graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &graph.packages {
        if let Some((_, instead)) = ANYWHERE.iter().find(|(name, _)| *name == package.name) {
            findings.push(Finding::new(
                &package.name,
                format!("is banned (use {instead}){}", who_brings(graph, &package.name)),
            ));
        }
        for (_, feature) in FEATURES.iter().filter(|(name, _)| *name == package.name) {
            if package.features.iter().any(|on| on == feature) {
                let what = format!("feature `{feature}` is banned; name features one by one");
                findings.push(Finding::new(&package.name, what));
            }
        }
    }
    for (index, member) in graph.members() {
        for edge in &member.dependencies {
            let used = &graph.packages[edge.package].name;
            if let Some((_, instead)) = DIRECTLY.iter().find(|(name, _)| name == used) {
                let what = format!("must not name `{used}` (use {instead})");
                findings.push(Finding::new(&member.name, what));
            }
        }
        for (name, rooms, instead) in ONLY_BELOW {
            let way = graph.find_way(
                index,
                |_| true,
                |package| !rooms.contains(&package.name.as_str()),
                |package| package.name == *name,
            );
            if let Some(way) = way.filter(|_| !rooms.contains(&member.name.as_str())) {
                let what = format!("brings `{name}` (use {instead}): {}", way.join(" → "));
                findings.push(Finding::new(&member.name, what));
            }
        }
    }
    findings
}

fn who_brings(graph: &Graph, name: &str) -> String {
    let mut ways: Vec<Vec<&str>> = graph
        .members()
        .filter_map(|(index, _)| graph.find_way(index, |_| true, |_| true, |package| package.name == name))
        .collect();
    ways.sort_by_key(Vec::len);
    match ways.first() {
        Some(way) => format!(": {}", way.join(" → ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::graph::example::graph;

    fn check_one(lines: &str, expected: &str) {
        let findings = check(&graph(lines));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains(expected), "{findings:?}");
    }

    #[test]
    fn a_banned_package_is_found_with_its_way_in() {
        check_one("server*: client\nclient: openssl\nopenssl", "server → client → openssl");
    }

    #[test]
    fn some_are_banned_only_by_name() {
        check_one("db*: log\nlog", "use tracing");
        assert_eq!(check(&graph("db*: postgres\npostgres: log\nlog")), []);
    }

    #[test]
    fn chrono_lives_in_the_lake() {
        check_one("segments*: chrono\nchrono", "use jiff");
        assert_eq!(check(&graph("lake*: chrono\nserver*: lake\nchrono")), []);
        assert_eq!(check(&graph("exchange*: parquet\nparquet: chrono\nchrono")), []);
    }

    #[test]
    fn a_feature_can_be_banned() {
        let mut wrong = graph("connect*: reqwest\nreqwest");
        wrong.packages[1].features = vec!["default-tls".to_owned()];
        assert_eq!(check(&wrong).len(), 1);
    }
}
