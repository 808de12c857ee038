//! Backups beside a running server: whole or nothing, to either engine, and nobody who was erased comes back by one.
use crate::braid::{Database, Shop, braid, run, until};
use crate::http::Client;
use serde_json::{Value, json};
use std::path::Path;

fn identify(client: &mut Client, user: &str, email: &str) {
    let body = json!({"messageId": format!("m-{user}"), "userId": user, "traits": {"email": email, "name": format!("{user} Surname")}});
    assert_eq!(client.post_json("/v1/identify", &body).expect("an answer").status, 200);
}

fn restore(file: &Path, to: &Path, more: &[&str]) -> (i32, Value) {
    let said =
        run(braid(["restore".as_ref(), file.as_os_str(), "--to".as_ref(), to.as_os_str()]).arg("--json").args(more));
    (said.code, serde_json::from_str(said.out.trim()).unwrap_or_else(|_| json!(said.err)))
}

fn story(shop: &Shop) {
    let mut server = shop.serve();
    let mut site = Client::tracking(&server.url, &shop.write_key);
    for n in 0..50 {
        identify(&mut site, &format!("user-{n}"), &format!("user{n}@example.com"));
    }
    let file = shop.beside("one.braid");
    let said =
        run(braid(["backup".as_ref(), shop.folder.as_os_str(), "--to".as_ref(), file.as_os_str()]).arg("--json"));
    assert_eq!(said.code, 0, "{}", said.err);
    // Erased after the backup was made.
    let erased = run(braid(["erase".as_ref(), shop.folder.as_os_str()]).args([
        "--email",
        "user7@example.com",
        "--yes",
        "--json",
    ]));
    assert_eq!(erased.code, 0, "{}", erased.err);
    let manifest = shop.folder.join("erasures.ndjson");
    until("the manifest is written", || manifest.exists());
    server.child.signal(libc::SIGTERM);
    server.child.wait(std::time::Duration::from_secs(30)).expect("the server stops");

    let verified = run(&mut braid(["backup".as_ref(), "verify".as_ref(), file.as_os_str()]));
    assert_eq!(verified.code, 0, "{} {}", verified.out, verified.err);
    let again = shop.beside("again");
    let (code, report) =
        restore(&file, &again, &["--database", "sqlite:braid.db", "--erasures", &manifest.display().to_string()]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["doctor"]["counts"]["events"], 50);
    assert_eq!(report["doctor"]["counts"]["people"], 49, "who was erased after the backup stays erased");
    for end in ["braid.db", "braid.db-wal"] {
        let bytes = std::fs::read(again.join(end)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("user7@example.com"), "{end}");
    }
    assert_eq!(restore(&file, &again, &[]).0, 2, "a folder with something in it is refused");
    if let Some(database) = Database::make("BRAID_TEST_POSTGRES") {
        let (code, report) = restore(&file, &shop.beside("other"), &["--database", &database.url]);
        assert_eq!((code, &report["doctor"]["counts"]["people"]), (0, &json!(50)), "{report}");
    }
    let whole = std::fs::read(&file).expect("the backup is read");
    for (what, bytes) in
        [("cut", whole[..whole.len() / 2].to_vec()), ("changed", changed(&whole)), ("none", b"hello".to_vec())]
    {
        let broken = shop.beside(what);
        std::fs::write(&broken, bytes).expect("written");
        let target = shop.beside(&format!("{what}-shop"));
        let (code, said) = restore(&broken, &target, &[]);
        assert_eq!(code, 2, "{what}: {said}");
        assert!(!target.exists(), "{what}: nothing is made of a broken backup");
    }
}

fn changed(whole: &[u8]) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    bytes
}

#[test]
fn a_backup_is_whole_and_brings_nobody_back() {
    story(&Shop::sqlite());
}

#[test]
fn a_backup_of_postgres_reads_on_sqlite() {
    if let Some(database) = Database::make("BRAID_TEST_POSTGRES") {
        story(&Shop::make(Some(database)));
    }
}
