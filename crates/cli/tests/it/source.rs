//! `braid source` from outside: the worked example, stdin, gzip, and what is refused.
use crate::braid::{braid, run};
use std::path::{Path, PathBuf};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/formats/examples/{name}.json"))
}

#[test]
fn the_worked_example_comes_out_and_mistakes_end_with_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, report) = (folder.path().join("plan.json"), folder.path().join("report.json"));
    let said = run(braid([Path::new("source"), &example("network"), &example("orders")])
        .arg("--out")
        .arg(&out)
        .arg("--report")
        .arg(&report));
    assert_eq!(said.code, 0, "{}", said.err);
    let read = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
    };
    assert_eq!(read(&out), read(&example("plan")));
    assert_eq!(read(&report)["metrics"]["proven_optimal"], true);
    let bad = folder.path().join("orders.json");
    std::fs::write(&bad, "{\"orders\": [\n  {\"id\": \"1\", \"zone\": \"lviv\", \"lines\": []}\n]}").expect("written");
    let said = run(&mut braid([Path::new("source"), &example("network"), &bad]));
    assert_eq!(said.code, 2);
    let place = format!("error: {}: line 2, column 40: /orders/0/lines: an order has at least one line", bad.display());
    assert!(said.err.contains(&place), "{}", said.err);
    let said = run(&mut braid([Path::new("source"), &example("network"), Path::new("/no/such/file")]));
    assert_eq!(said.code, 2, "{}", said.err);
    let said = run(&mut braid(["source", "-", "-"]));
    assert_eq!(said.code, 2, "{}", said.err);
}
