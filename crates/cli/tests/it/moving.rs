//! Moving in from the command line: an old tool's file is compared beside a server and without one, and the way back is a file.
use crate::braid::{Shop, braid, run};
use serde_json::{Value, json};

fn written(shop: &Shop, name: &str, text: &str) -> String {
    let path = shop.beside(name);
    std::fs::write(&path, text).expect("the file can be written");
    path.display().to_string()
}

fn line(out: &str) -> Value {
    serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("no JSON: {out}"))
}

#[test]
fn an_old_tools_file_is_compared_with_and_without_a_server_and_goes_back() {
    // [AD2] the same comparison from a night's script, whoever holds the store.
    let shop = Shop::sqlite();
    let folder = shop.folder.display().to_string();
    let file = written(
        &shop,
        "orders.csv",
        "order_id,date,email,total,status\n1,2026-10-01 10:00,a@example.com,10,paid\n2,2026-10-01 11:00,b@example.com,20,paid\n",
    );
    let words = ["compare", &folder, &file, "--module", "orders", "--imported", "--json"];
    let empty = run(&mut braid(words));
    assert_eq!(empty.code, 0, "{}", empty.err);
    assert_eq!(line(&empty.out)["figures"]["causes"], json!({"missing_in_braid": 2}), "{}", empty.out);
    assert_eq!(run(braid(words).arg("--check")).code, 1, "no go");
    let imported = run(&mut braid(["import", &folder, &file, "--kind", "orders", "--json"]));
    assert_eq!(imported.code, 0, "{}", imported.err);
    let alone = run(braid(words).arg("--check"));
    assert_eq!((alone.code, line(&alone.out)["verdict"].as_str()), (0, Some("go")), "{} {}", alone.out, alone.err);
    let mut server = shop.serve();
    let beside = run(&mut braid(words));
    assert_eq!((beside.code, &line(&beside.out)["figures"]["same"]), (0, &json!(2)), "{} {}", beside.out, beside.err);
    assert!(server.child.is_running());
    server.stop();
    let bad = run(&mut braid(["compare", &folder, &file, "--module", "stock"]));
    assert_eq!((bad.code, bad.err.contains("opt_ins")), (2, true), "{}", bad.err);
    let out = shop.beside("back.csv").display().to_string();
    let back = run(&mut braid(["back", &folder, "--preset", "generic-orders", "--out", &out, "--json"]));
    assert_eq!((back.code, &line(&back.out)["rows"]), (0, &json!(2)), "{}", back.err);
    // What comes back is what went there: another import of it brings nothing new.
    let again =
        run(&mut braid(["compare", &folder, &out, "--module", "orders", "--name", "back", "--imported", "--json"]));
    assert_eq!((again.code, line(&again.out)["verdict"].as_str()), (0, Some("go")), "{} {}", again.out, again.err);
    shop.assert_clean("after moving");
}
