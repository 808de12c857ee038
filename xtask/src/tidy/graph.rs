//! The crate graph as plain values, from `cargo metadata`.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::cargo;

/// One platform for everybody, so that the committed lists do not depend on who runs the check.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub packages: Vec<Package>,
}

#[derive(Clone, Debug, Default)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub licence: Option<String>,
    /// One of our own crates.
    pub member: bool,
    pub features: Vec<String>,
    pub dependencies: Vec<Dependency>,
}

/// An edge, for at least one of the three reasons.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dependency {
    /// Index into [`Graph::packages`].
    pub package: usize,
    pub normal: bool,
    pub build: bool,
    pub dev: bool,
}

impl Graph {
    pub fn members(&self) -> impl Iterator<Item = (usize, &Package)> {
        self.packages.iter().enumerate().filter(|(_, package)| package.member)
    }

    /// The shortest way from `start` to a package that `wanted` accepts, over edges that `follow` accepts; `pass` says
    /// which packages may be walked through. Names, start first.
    pub fn find_way(
        &self,
        start: usize,
        follow: impl Fn(&Dependency) -> bool,
        pass: impl Fn(&Package) -> bool,
        wanted: impl Fn(&Package) -> bool,
    ) -> Option<Vec<&str>> {
        let mut came_from = BTreeMap::from([(start, start)]);
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            let package = &self.packages[at];
            if at != start && wanted(package) {
                return Some(self.way_back(&came_from, at));
            }
            if at != start && !pass(package) {
                continue;
            }
            for dependency in package.dependencies.iter().filter(|edge| follow(edge)) {
                came_from.entry(dependency.package).or_insert_with(|| {
                    queue.push_back(dependency.package);
                    at
                });
            }
        }
        None
    }

    fn way_back(&self, came_from: &BTreeMap<usize, usize>, end: usize) -> Vec<&str> {
        let mut way = vec![self.packages[end].name.as_str()];
        let mut at = end;
        while let Some(before) = came_from.get(&at).copied().filter(|before| *before != at) {
            way.push(&self.packages[before].name);
            at = before;
        }
        way.reverse();
        way
    }

    /// Everything that ends up in a program of ours: reachable from a member over normal edges.
    pub fn shipped(&self) -> Vec<bool> {
        let mut shipped = vec![false; self.packages.len()];
        let mut queue: VecDeque<usize> = self.members().map(|(index, _)| index).collect();
        while let Some(at) = queue.pop_front() {
            if !std::mem::replace(&mut shipped[at], true) {
                let edges = self.packages[at].dependencies.iter();
                queue.extend(edges.filter(|edge| edge.normal).map(|edge| edge.package));
            }
        }
        shipped
    }
}

/// Asks cargo; without the network if that is enough.
pub fn load(root: &Path) -> Result<Graph> {
    let mut last = String::new();
    for offline in [true, false] {
        let mut command = cargo(root);
        command.args(["metadata", "--format-version", "1"]);
        command.args(["--filter-platform", PLATFORM]);
        if offline {
            command.arg("--offline");
        }
        let output = command.output().context("cannot run cargo")?;
        if output.status.success() {
            let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
            return parse(&metadata).context("cargo metadata is not as expected");
        }
        last = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    }
    bail!("cargo metadata failed: {last}")
}

fn parse(metadata: &Value) -> Result<Graph> {
    let members: Vec<&str> = array(metadata, "workspace_members")?.iter().filter_map(Value::as_str).collect();
    let nodes = array(&metadata["resolve"], "nodes")?;
    let mut described = BTreeMap::new();
    for package in array(metadata, "packages")? {
        described.insert(text(package, "id")?, package);
    }
    let mut index_of = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        index_of.insert(text(node, "id")?, index);
    }
    let mut graph = Graph::default();
    for node in nodes {
        let id = text(node, "id")?;
        let package = described.get(id).with_context(|| format!("{id} is not described"))?;
        let mut dependencies = Vec::new();
        for edge in array(node, "deps")? {
            let target = text(edge, "pkg")?;
            let target = index_of.get(target).with_context(|| format!("{target} has no node"))?;
            dependencies.push(parse_edge(*target, edge)?);
        }
        graph.packages.push(Package {
            name: text(package, "name")?.to_owned(),
            version: text(package, "version")?.to_owned(),
            licence: package["license"].as_str().map(str::to_owned),
            member: members.contains(&id),
            features: array(node, "features")?
                .iter()
                .filter_map(|feature| feature.as_str().map(str::to_owned))
                .collect(),
            dependencies,
        });
    }
    Ok(graph)
}

fn parse_edge(package: usize, edge: &Value) -> Result<Dependency> {
    let mut dependency = Dependency { package, ..Dependency::default() };
    for kind in array(edge, "dep_kinds")? {
        match kind["kind"].as_str() {
            None => dependency.normal = true,
            Some("build") => dependency.build = true,
            Some("dev") => dependency.dev = true,
            Some(other) => bail!("a dependency of kind `{other}`"),
        }
    }
    Ok(dependency)
}

fn array<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    value[name].as_array().with_context(|| format!("{name} is not a list"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("{name} is not a text"))
}

#[cfg(test)]
pub mod example {
    use super::*;

    /// A graph from lines `name version: dependency, dependency (dev), …`; a name with `*` is a crate of ours. Each
    /// dependency is named with its version if there are several.
    pub fn graph(lines: &str) -> Graph {
        let mut graph = Graph::default();
        let mut edges = Vec::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (head, tail) = line.split_once(':').unwrap_or((line, ""));
            let (name, version) = head.trim().split_once(' ').unwrap_or((head.trim(), "1.0.0"));
            graph.packages.push(Package {
                name: name.trim_end_matches('*').to_owned(),
                version: version.to_owned(),
                licence: Some("MIT".to_owned()),
                member: name.ends_with('*'),
                ..Package::default()
            });
            edges.push(tail.to_owned());
        }
        for (index, tail) in edges.iter().enumerate() {
            for word in tail.split(',').map(str::trim).filter(|word| !word.is_empty()) {
                let (dev, name) = match word.strip_suffix(" (dev)") {
                    Some(name) => (true, name),
                    None => (false, word),
                };
                let package = position(&graph, name);
                graph.packages[index].dependencies.push(Dependency { package, normal: !dev, dev, build: false });
            }
        }
        graph
    }

    fn position(graph: &Graph, name: &str) -> usize {
        graph
            .packages
            .iter()
            .position(|package| package.name == name || format!("{} {}", package.name, package.version) == name)
            .unwrap_or_else(|| panic!("no package {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_becomes_a_graph() {
        let metadata = json!({
            "workspace_members": ["ours"],
            "packages": [
                {"id": "ours", "name": "base", "version": "0.0.0", "license": "Apache-2.0"},
                {"id": "theirs", "name": "serde", "version": "1.0.1", "license": null}
            ],
            "resolve": {"nodes": [
                {"id": "ours", "features": [], "deps": [
                    {"pkg": "theirs", "dep_kinds": [{"kind": null}, {"kind": "dev"}]}
                ]},
                {"id": "theirs", "features": ["derive"], "deps": []}
            ]}
        });
        let graph = parse(&metadata).expect("parses");
        assert!(graph.packages[0].member && !graph.packages[1].member);
        let edge = graph.packages[0].dependencies[0];
        assert!(edge.package == 1 && edge.normal && edge.dev && !edge.build);
        assert_eq!(graph.packages[1].features, ["derive"]);
        assert!(parse(&json!({})).is_err());
    }

    #[test]
    fn the_shortest_way_is_found() {
        let graph = example::graph("a*: b, c\nb: d\nc\nd: c");
        let way = graph.find_way(0, |_| true, |_| true, |package| package.name == "d");
        assert_eq!(way.expect("a way"), ["a", "b", "d"]);
        let way = graph.find_way(0, |_| true, |package| package.name != "b", |p| p.name == "d");
        assert_eq!(way, None);
    }

    #[test]
    fn only_normal_edges_are_shipped() {
        let graph = example::graph("a*: b, c (dev)\nb: d\nc\nd");
        assert_eq!(graph.shipped(), [true, true, false, true]);
    }
}
