//! docs/roles.md: printed from the table of rights and from the routes that the matrix has walked.
use crate::access::{Act, Area, Role, allows};
use std::fmt::Write;

const INTRO: &str = "# Who may do what

This page is printed from the program (`BRAID_BLESS=1 cargo nextest run -p server -E 'test(every_documented_route)'`) and compared
with it by the tests: a right that is not here does not exist. `r` reads, `w` reads and changes, `x` may, `-` may not.

A shop assistant sees the customers of their own stores only, and anybody whose exact phone, e-mail or card they type in
(docs/security.md). API keys have a role too, and may be narrowed to some of its rights.

";

fn page(routes: &[(String, String, Act)]) -> String {
    let mut out = String::from(INTRO);
    let names = Role::ALL.map(Role::as_str);
    let _ = writeln!(out, "## Areas\n\n| area | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    for area in Area::ALL {
        let marks = Role::ALL.map(|r| match (allows(r, Act::Read(area)), allows(r, Act::Write(area))) {
            (_, true) => "w",
            (true, false) => "r",
            (false, false) => "-",
        });
        let _ = writeln!(out, "| {} | {} |", area.as_str(), marks.join(" | "));
    }
    for act in Act::all().into_iter().filter(|a| !matches!(a, Act::Read(_) | Act::Write(_))) {
        let marks = Role::ALL.map(|r| if allows(r, act) { "x" } else { "-" });
        let _ = writeln!(out, "| {} | {} |", act.name(), marks.join(" | "));
    }
    let _ = writeln!(
        out,
        "\n## Routes\n\n| route | right | {} |\n|---|---|{}",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    let mut routes = routes.to_vec();
    routes.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    for (method, path, act) in routes {
        let marks = Role::ALL.map(|r| if allows(r, act) { "x" } else { "-" });
        let _ = writeln!(out, "| {method} {path} | {} | {} |", act.name(), marks.join(" | "));
    }
    out
}

/// Compares the committed page with what the program says now.
pub fn check(routes: &[(String, String, Act)]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/roles.md");
    let fresh = page(routes);
    if std::env::var_os("BRAID_BLESS").is_some() {
        std::fs::write(path, &fresh).expect("docs/roles.md can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let differs = committed.lines().zip(fresh.lines()).position(|(a, b)| a != b);
    assert!(
        committed == fresh,
        "docs/roles.md differs, first in line {:?}; run: BRAID_BLESS=1 cargo nextest run -p server -E 'test(every_documented_route)'",
        differs.map(|n| n + 1)
    );
}
