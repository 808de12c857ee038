//! Data out by the program itself: beside a server, through a kill, without a server; and in again.
use crate::braid::{Database, Shop, braid, run, until};
use crate::http::Client;
use serde_json::{Value, json};

fn taken(shop: &Shop, kind: &str, more: &[&str]) -> (Value, Vec<u8>) {
    let file = shop.beside(&format!("{kind}-out"));
    let said =
        run(braid(["export".as_ref(), kind.as_ref(), shop.folder.as_os_str(), "--out".as_ref(), file.as_os_str()])
            .arg("--json")
            .args(more));
    assert_eq!(said.code, 0, "{}", said.err);
    (serde_json::from_str(said.out.trim()).expect("one line of JSON"), std::fs::read(&file).expect("the file is there"))
}

fn story(shop: &Shop, other: &Shop) {
    let mut server = shop.serve();
    let mut site = Client::tracking(&server.url, &shop.write_key);
    for n in 0..300 {
        let body = json!({"messageId": format!("m{n}"), "userId": format!("u{n}"), "traits": {"email": format!("p{n}@example.com")}});
        assert_eq!(site.post_json("/v1/identify", &body).expect("an answer").status, 200);
    }
    let (made, beside) = taken(shop, "customers", &["--format", "ndjson"]);
    let text = String::from_utf8(beside).expect("UTF-8");
    // One more row is nobody.
    assert_eq!((&made["rows"], text.lines().count()), (&json!(300), 301));
    assert!(text.lines().all(|l| l.contains(made["mark"].as_str().expect("a mark"))));
    let left: Vec<_> = std::fs::read_dir(shop.folder.join("exports")).expect("a folder").flatten().collect();
    assert!(left.is_empty(), "what was handed out stays nowhere: {left:?}");
    // A kill in the middle: the next server goes on.
    let mut admin = server.admin(shop);
    let begun = admin.post_json("/api/v1/exports", &json!({"kind": "segments", "format": "csv"})).expect("an answer");
    assert_eq!(begun.status, 201, "{}", begun.json());
    server.child.kill();
    let server = shop.serve();
    let mut admin = server.admin(shop);
    until("the export is there after the kill", || {
        let list = admin.get("/api/v1/exports").expect("an answer").json();
        list["items"].as_array().is_some_and(|i| i.iter().any(|e| e["kind"] == "segments" && e["state"] == "ready"))
    });
    server.stop();
    // The same without a server, as Parquet, and into another shop.
    let (alone, parquet) = taken(shop, "events", &["--format", "parquet"]);
    assert_eq!((&alone["rows"], &parquet[..4]), (&json!(300), &b"PAR1"[..]));
    let file = shop.beside("events.parquet");
    std::fs::write(&file, &parquet).expect("written");
    let said =
        run(braid(["import".as_ref(), other.folder.as_os_str(), file.as_os_str()])
            .args(["--json", "--without-opt-outs"]));
    assert_eq!(said.code, 0, "{}", said.err);
    let tally: Value = serde_json::from_str(said.out.trim()).expect("one line of JSON");
    assert_eq!((&tally["events"], &tally["rejected_rows"]), (&json!(300), &json!(1)), "{tally}");
    assert_eq!(other.assert_clean("after the import"), 300);
    let (_, masked) = taken(other, "customers", &["--masked", "--columns", "person_id,email"]);
    let masked = String::from_utf8(masked).expect("UTF-8");
    assert!(
        masked.lines().count() == 301 && !masked.contains("p1@example.com") && masked.contains("@example.com"),
        "{masked}"
    );
    let (all, zip) = taken(shop, "everything", &["--format", "csv"]);
    assert!(all["rows"].as_u64() >= Some(600) && zip.starts_with(b"PK"), "{all}");
    shop.assert_clean("after the exports");
    let wrong =
        run(&mut braid(["export".as_ref(), "customers".as_ref(), shop.folder.as_os_str(), "--format=pdf".as_ref()]));
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert!(wrong.err.contains("csv, ndjson, parquet or xlsx"), "{}", wrong.err);
}

#[test]
fn data_goes_out_beside_a_server_and_without() {
    story(&Shop::sqlite(), &Shop::sqlite());
}

#[test]
fn data_goes_out_of_postgres() {
    let make = || Database::make("BRAID_TEST_POSTGRES");
    if let (Some(one), Some(two)) = (make(), make()) {
        story(&Shop::make(Some(one)), &Shop::make(Some(two)));
    }
}
