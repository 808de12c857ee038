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
