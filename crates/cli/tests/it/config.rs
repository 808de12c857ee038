//! Settings as files: pulled from one shop, compared, edited, pushed to it and to another.
use crate::braid::{Said, Server, Shop, braid, run};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn config(shop: &Shop, what: &str, folder: &Path, more: &[&str]) -> Said {
    let flag = if what == "pull" { "--to" } else { "--from" };
    let mut command = braid(["config".as_ref(), what.as_ref(), shop.folder.as_os_str()]);
    run(command.arg(flag).arg(folder).args(more))
}

fn furnish(shop: &Shop, server: &Server) {
    let mut admin = server.admin(shop);
    let mut send = |method: &str, path: &str, body: Value| {
        let answer = admin.request(method, path, &[], body.to_string().as_bytes()).expect("an answer");
        assert!(matches!(answer.status, 200 | 201), "{path}: {:?}", answer.json());
        answer.json()
    };
    let views = json!({"name": "Дивилися двічі", "expression": "count(\"Product Viewed\") >= 2"});
    let segment = send("POST", "/api/v1/segments", views);
    send("POST", "/api/v1/segments", json!({"name": "A", "expression": "not in segment (\"Дивилися двічі\")"}));
    let template = json!({"name": "Thanks", "channel": "email", "subject": "Дякуємо", "body_html": "<p>\n  Так\n</p>", "body_text": "Так"});
    let template = send("POST", "/api/v1/templates", template);
    send(
        "POST",
        "/api/v1/message-rules",
        json!({"segment_id": segment["id"], "template_id": template["id"], "channel": "email", "purpose": "marketing"}),
    );
    send("PUT", "/api/v1/settings/shop", json!({"name": "Дім", "stores": [{"id": "lviv", "name": "Львів"}]}));
}

fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut out = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("a text");
                out.push((path.strip_prefix(folder).expect("inside").to_path_buf(), text));
            }
        }
    }
    out.sort();
    out
}

#[test]
fn settings_go_from_one_shop_to_another_by_files() {
    let (a, b) = (Shop::sqlite(), Shop::sqlite());
    let (first, second) = (a.serve(), b.serve());
    furnish(&a, &first);
    let folder = a.beside("settings");
    let said = config(&a, "pull", &folder, &[]);
    assert_eq!(said.code, 0, "{said:?}");
    let pulled = files(&folder);
    let text = |name: &str| pulled.iter().find(|(p, _)| p == Path::new(name)).map(|(_, t)| t.as_str());
    assert!(
        text("segments/дивилися-двічі.toml").is_some_and(|t| t.contains("name = \"Дивилися двічі\"")),
        "{pulled:#?}"
    );
    assert!(text("templates/thanks.toml").is_some_and(|t| t.contains("<p>\n  Так\n</p>")), "{pulled:#?}");
    assert!(!pulled.iter().any(|(_, t)| t.contains(&a.write_key) || t.contains(&a.api_key)), "no secrets");
    // Again: the same bytes.
    assert_eq!(config(&a, "pull", &folder, &[]).code, 0);
    assert_eq!(files(&folder), pulled);
    assert_eq!(config(&a, "diff", &folder, &[]).code, 0);
    // The other shop differs, until the folder is pushed.
    let told = config(&b, "diff", &folder, &[]);
    assert_eq!(told.code, 1, "{told:?}");
    assert!(told.out.contains("+ segment \"A\" (segments/a.toml)"), "{}", told.out);
    let tried = config(&b, "push", &folder, &["--dry-run"]);
    assert!(tried.code == 0 && tried.out.contains("create template \"Thanks\""), "{tried:?}");
    assert_eq!(config(&b, "diff", &folder, &[]).out, told.out, "a dry run changes nothing");
    let done = config(&b, "push", &folder, &[]);
    assert_eq!(done.code, 0, "{done:?}");
    let after = config(&b, "diff", &folder, &[]);
    assert_eq!((after.code, after.out.as_str()), (0, ""), "{after:?}");
    assert!(config(&b, "push", &folder, &[]).out.contains("as the folder says"));
    // By key over the network, as a machine that deploys does it.
    let mut command = braid(["config", "diff", "--server", &second.url, "--from"]);
    assert_eq!(run(command.arg(&folder).env("BRAID_API_KEY", &b.api_key)).code, 0);
    first.stop();
    second.stop();
    a.assert_clean("the first shop");
    b.assert_clean("the second shop");
}

#[test]
fn files_and_pages_do_not_write_over_each_other() {
    let shop = Shop::sqlite();
    let server = shop.serve();
    furnish(&shop, &server);
    let folder = shop.beside("settings");
    assert_eq!(config(&shop, "pull", &folder, &[]).code, 0);
    let file = folder.join("segments/a.toml");
    let edit = |from: &str, to: &str| {
        let text = std::fs::read_to_string(&file).expect("a text").replace(from, to);
        std::fs::write(&file, text).expect("it is written");
    };
    // An edit goes in, and is seen as one line.
    edit("not in segment", "exists identifier.user_id and not in segment");
    let told = config(&shop, "diff", &folder, &[]);
    assert!(
        told.code == 1 && told.out.contains("~ segment \"A\"") && told.out.contains("    + expression"),
        "{told:?}"
    );
    // A pull would lose it.
    let refused = config(&shop, "pull", &folder, &[]);
    assert!(refused.code == 1 && refused.err.contains("segments/a.toml"), "{refused:?}");
    assert_eq!(config(&shop, "push", &folder, &[]).code, 0);
    // Somebody changes it on the page; an edit of the old file is a conflict, and tells which file.
    let mut admin = server.admin(&shop);
    let list = admin.get("/api/v1/segments").expect("an answer").json();
    let a = list["items"].as_array().expect("items").iter().find(|s| s["name"] == "A").expect("there");
    let path = format!("/api/v1/segments/{}", a["id"].as_str().expect("an id"));
    let body = json!({"name": "A", "expression": "count(\"Order Completed\") >= 7"}).to_string();
    assert_eq!(admin.request("PUT", &path, &[], body.as_bytes()).expect("an answer").status, 200);
    edit("identifier.user_id", "identifier.email");
    let conflict = config(&shop, "push", &folder, &[]);
    assert!(
        conflict.code == 1 && conflict.err.contains("segments/a.toml") && conflict.err.contains("--force"),
        "{conflict:?}"
    );
    let told = config(&shop, "diff", &folder, &[]);
    assert!(told.out.contains("changed in the shop since the pull"), "{}", told.out);
    assert_eq!(config(&shop, "push", &folder, &["--force"]).code, 0);
    assert_eq!(config(&shop, "diff", &folder, &[]).code, 0);
    // Files that cannot be understood are named with their line, and nothing is sent.
    edit("expression = ", "expression ");
    let wrong = config(&shop, "push", &folder, &[]);
    assert!(wrong.code == 2 && wrong.err.contains("segments/a.toml") && wrong.err.contains("line 1"), "{wrong:?}");
    std::fs::write(&file, "name = \"A\"\nexpression = \"count(\"\n").expect("it is written");
    let wrong = config(&shop, "push", &folder, &[]);
    assert!(wrong.code == 2 && wrong.err.contains("segments/a.toml: expression"), "{wrong:?}");
    std::fs::write(&file, "expression = \"true\"\n").expect("it is written");
    assert!(config(&shop, "push", &folder, &[]).err.contains("it has no name"));
    // The command without a word after it still shows the effective settings.
    let said = run(braid(["config".as_ref(), shop.folder.as_os_str()]).arg("--json"));
    assert!(said.code == 0 && said.out.contains("\"cache_mib\""), "{said:?}");
    assert_eq!(run(&mut braid(["config"])).code, 2);
    server.stop();
    // Without a server there is nobody to ask.
    let away = config(&shop, "diff", &folder, &[]);
    assert!(away.code == 2 || away.err.contains("braid serve"), "{away:?}");
}

/// `--prune` makes the folder all that there is: it says what goes, goes on only when told, and spares what somebody made since.
#[test]
fn what_the_folder_does_not_hold_goes_when_told() {
    let shop = Shop::sqlite();
    let server = shop.serve();
    furnish(&shop, &server);
    let folder = shop.beside("settings");
    assert_eq!(config(&shop, "pull", &folder, &[]).code, 0);
    std::fs::remove_dir_all(folder.join("segments")).expect("it is removed");
    let rules = std::fs::read_dir(folder.join("message-rules")).expect("a folder").next().expect("a rule");
    std::fs::remove_file(rules.expect("an entry").path()).expect("it is removed");
    // Without the word nothing goes, and without an answer neither.
    let kept = config(&shop, "push", &folder, &[]);
    assert!(kept.code == 0 && kept.out.contains("as the folder says"), "{kept:?}");
    let planned = ["archive segment \"A\"", "archive segment \"Дивилися двічі\"", "archive message_rule"];
    let asked = config(&shop, "push", &folder, &["--prune"]);
    assert!(asked.code == 1 && asked.err.contains("3 would be archived") && asked.err.contains("--yes"), "{asked:?}");
    assert!(planned.iter().all(|line| asked.out.contains(line)), "{asked:?}");
    let tried = config(&shop, "push", &folder, &["--prune", "--dry-run"]);
    assert!(tried.code == 0 && tried.out.contains("3 would change; nothing was changed"), "{tried:?}");
    // A segment that somebody made since the pull is nobody's to throw away.
    let mut admin = server.admin(&shop);
    let fresh = json!({"name": "Fresh", "expression": "count(\"Order Completed\") >= 3"}).to_string();
    assert_eq!(admin.request("POST", "/api/v1/segments", &[], fresh.as_bytes()).expect("an answer").status, 201);
    let refused = config(&shop, "push", &folder, &["--prune", "--yes"]);
    assert!(
        refused.code == 1 && refused.err.contains("Fresh") && refused.err.contains("made or changed"),
        "{refused:?}"
    );
    let done = config(&shop, "push", &folder, &["--prune", "--yes", "--force"]);
    assert!(done.code == 0 && done.out.contains("archive segment \"Fresh\""), "{done:?}");
    let left = admin.get("/api/v1/segments").expect("an answer").json();
    assert_eq!(left["items"].as_array().map(Vec::len), Some(0), "{left}");
    assert_eq!(config(&shop, "diff", &folder, &[]).code, 0);
    server.stop();
    shop.assert_clean("the shop");
}

/// Over TLS: a certificate that nobody vouches for ends the command before the key is said.
#[test]
fn settings_go_by_tls() {
    let shop = Shop::sqlite();
    let fake = |name: &str| format!("{}/../connect/src/fake/{name}", env!("CARGO_MANIFEST_DIR"));
    let file = shop.folder.join("braid.toml");
    let settings = std::fs::read_to_string(&file).expect("the settings are there");
    let tls = format!("tls_cert_file = {:?}\ntls_key_file = {:?}\n", fake("server.pem"), fake("server.key"));
    let with = match settings.contains("[http]\n") {
        true => settings.replacen("[http]\n", &format!("[http]\n{tls}"), 1),
        false => format!("{settings}\n[http]\n{tls}"),
    };
    std::fs::write(&file, with).expect("it is written");
    let server = shop.begin(&[]);
    let started = std::time::Instant::now();
    let told = loop {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "not ready: {}", server.said());
        match std::fs::read_to_string(&server.ready) {
            Ok(text) if text.ends_with('\n') => break text,
            _ => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    assert!(told.starts_with("https://"), "{told}");
    let port = told.trim().rsplit(':').next().expect("a port");
    let (url, folder) = (format!("https://localhost:{port}"), shop.beside("settings"));
    let pull = |ca: Option<&str>| {
        let mut command = braid(["config", "pull", "--server", &url]);
        if let Some(ca) = ca {
            command.args(["--ca", ca]);
        }
        run(command.arg("--to").arg(&folder).env("BRAID_API_KEY", &shop.api_key))
    };
    let strange = pull(None);
    assert!(strange.code == 1 && strange.err.contains("no TLS with localhost"), "{strange:?}");
    let wrong = pull(Some(&fake("server.key")));
    assert!(wrong.code == 2 && wrong.err.contains("holds no certificate"), "{wrong:?}");
    let done = pull(Some(&fake("ca.pem")));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(folder.join(".pulled.json").exists());
    server.stop();
}
