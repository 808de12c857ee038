//! `braid price` from outside: the worked example, bad input with its place, files that are not there.
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn formats(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/examples").join(name)
}

fn price(basket: &Path, promotions: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_braid"));
    command.arg("price").arg(basket).arg(promotions).output().expect("braid runs")
}

#[test]
fn the_worked_example_comes_out_as_it_stands_in_the_docs() {
    let out = price(&formats("basket.json"), &formats("promotions.json"));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let wanted = std::fs::read_to_string(formats("priced.json")).expect("the example is read");
    assert_eq!(String::from_utf8_lossy(&out.stdout), wanted);
}

#[test]
fn bad_input_ends_with_two_and_says_file_and_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path
    };
    let refused = |basket: &Path, promotions: &Path| {
        let out = price(basket, promotions);
        assert_eq!(out.status.code(), Some(2));
        assert!(out.stdout.is_empty(), "a refusal prints no data");
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let cut = file("cut.json", "{\n  \"currency\": \"UAH\",\n  \"lines\": [");
    let said = refused(&cut, &formats("promotions.json"));
    assert!(said.contains("cut.json: line 3, column 12: EOF while parsing a list"), "{said}");
    let zero = r#"{"currency": "UAH", "lines": [{"id": "1", "sku": "a", "quantity": 0, "price_minor": 1}]}"#;
    let said = refused(&file("zero.json", zero), &formats("promotions.json"));
    assert!(said.contains("zero.json: at /lines/0/quantity: 0 is not above 0"), "{said}");
    let over = r#"{"promotions": [{"id": "p", "effects": [{"kind": "percent", "percent": 101}]}]}"#;
    let said = refused(&formats("basket.json"), &file("over.json", over));
    assert!(said.contains("over.json: at /promotions/0/effects/0/percent"), "{said}");
    let said = refused(&folder.path().join("gone.json"), &formats("promotions.json"));
    assert!(said.contains("gone.json"), "{said}");
}

#[test]
fn a_moment_may_be_given_for_a_basket_without_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let basket = folder.path().join("basket.json");
    let text = r#"{"currency": "UAH", "lines": [{"id": "1", "sku": "a", "quantity": 1, "price_minor": 1000}]}"#;
    std::fs::write(&basket, text).expect("it is written");
    let rules = folder.path().join("rules.json");
    let text = r#"{"promotions": [{"id": "p", "ends_at": "2026-01-01T00:00:00Z", "effects": [{"kind": "percent", "percent": 10}]}]}"#;
    std::fs::write(&rules, text).expect("it is written");
    let total = |at: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_braid"));
        let out = command.arg("price").arg(&basket).arg(&rules).args(["--at", at]).output().expect("braid runs");
        let priced: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        priced["totals"]["due_minor"].as_i64()
    };
    assert_eq!([total("2025-12-31T23:59:59Z"), total("2026-01-01T00:00:00Z")], [Some(900), Some(1000)]);
}
