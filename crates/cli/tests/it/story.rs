//! The program as a script sees it: exit codes, lines of JSON, the ready file.
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const INVOICES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/invoices.csv");

fn braid(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_braid"));
    // What the machine says about place and language is not part of a test.
    command.env_clear().env("TZ", "UTC").args(words).stdin(Stdio::null());
    command.output().expect("the program starts")
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.lines().count(), 1, "one line of JSON: {text}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

struct Server {
    child: Child,
    ready: PathBuf,
    url: String,
}

impl Server {
    fn start(shop: &str, ready: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_braid"));
        command.args(["serve", shop, "--listen", "127.0.0.1:0", "--unsafe-fast", "--ready-file"]).arg(ready);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        // Made at once, so that a start that fails leaves no process behind.
        let mut server = Self { child, ready: ready.into(), url: String::new() };
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Ok(url) = std::fs::read_to_string(ready) {
                server.url = url.trim_end().to_string();
                return server;
            }
            assert!(Instant::now() < until, "the server did not become ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    fn request(&self, head: &str, body: &str) -> u16 {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("it listens");
        let text = format!("{head}host: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes()).expect("writes");
        let mut line = String::new();
        let mut reader = BufReader::new(stream);
        reader.read_line(&mut line).expect("answers");
        let _ = reader.read_to_end(&mut Vec::new());
        line.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status")
    }
    fn terminate(mut self) -> Option<i32> {
        let id = i32::try_from(self.child.id()).expect("fits");
        // SAFETY: a signal to our own child, which was not waited for yet, so its number is still its.
        unsafe { libc::kill(id, libc::SIGTERM) };
        let status = self.child.wait().expect("ends");
        assert!(!self.ready.exists(), "the ready file is gone");
        status.code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_shop_is_made_served_filled_checked_and_exported() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = folder.path().join("shop");
    let shop = shop.to_str().expect("plain");
    let made = braid(&["init", shop, "--json"]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let keys = json(&made);
    assert!(keys["owner"]["password"].is_string() && keys["api_key"].is_string());
    let again = braid(&["init", shop]);
    assert_eq!(again.status.code(), Some(2));
    assert!(said(&again).starts_with("error: ") && said(&again).contains("\nhint: "), "{}", said(&again));
    let config = json(&braid(&["config", shop, "--json"]));
    let zone = serde_json::json!({"value": "Europe/Kyiv", "origin": "braid.toml line 4"});
    assert_eq!(config["shop"]["time_zone"], zone);

    let server = Server::start(shop, &folder.path().join("ready"));
    assert!(server.url.starts_with("http://127.0.0.1:"));
    let second = braid(&["serve", shop, "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains("in use by braid serve"), "{}", said(&second));
    let key = keys["write_key"].as_str().expect("a key");
    let head = format!("POST /v1/track HTTP/1.1\r\nauthorization: Bearer {key}\r\n");
    assert_eq!(server.request(&head, r#"{"userId":"13085","event":"A","messageId":"m"}"#), 200);

    let report = folder.path().join("bad.csv");
    let report = report.to_str().expect("plain");
    let import = ["import", shop, INVOICES, "--preset", "online-retail-ii", "--json"];
    let dry = json(&braid(&[&import[..], &["--dry-run", "--report", report]].concat()));
    assert_eq!((&dry["rows"], &dry["events"], &dry["rejected_rows"]), (&9.into(), &3.into(), &5.into()));
    let bad = std::fs::read_to_string(report).expect("written");
    assert!(bad.starts_with("line,reason\n4,the price is not above zero\n"), "{bad}");
    let first = json(&braid(&import));
    assert_eq!((&first["events"], &first["duplicates"]), (&3.into(), &0.into()));

    let doctor = braid(&["doctor", shop, "--json"]);
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    let doctor = json(&doctor);
    assert_eq!((&doctor["counts"]["events"], &doctor["findings"]), (&4.into(), &serde_json::json!([])));
    // [AB1] What is held of a person, by the server and without one.
    let person = braid(&["export", "person", shop, "--user-id", "13085"]);
    let person: Value = serde_json::from_slice(&person.stdout).expect("JSON");
    assert_eq!((&person["format"], &person["events"][1]["message_id"]), (&"braid.person".into(), &"m".into()));
    assert_eq!(person["imports"][0]["events"], 1, "{}", person["imports"]);
    assert_eq!(server.terminate(), Some(0));
    let page = folder.path().join("person.html");
    let page = page.to_str().expect("plain");
    let id = person["person"]["person_id"].as_str().expect("an id");
    let made = braid(&["export", "person", shop, id, "--html", "--language", "uk", "--out", page, "--unsafe-fast"]);
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let page = std::fs::read_to_string(page).expect("written");
    assert!(page.contains("Ідентифікатори") && page.ends_with("</html>\n"));
    let nobody = braid(&["export", "person", shop, "--email", "x@example.com", "--unsafe-fast"]);
    assert_eq!(nobody.status.code(), Some(2), "{}", said(&nobody));

    // Without a server the same commands take the store themselves.
    let repeat = json(&braid(&[&import[..], &["--unsafe-fast"]].concat()));
    assert_eq!((&repeat["events"], &repeat["duplicates"]), (&0.into(), &3.into()));
    let export = braid(&["export", "events", shop]);
    let text = String::from_utf8_lossy(&export.stdout).into_owned();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|l| l.get("profile_id").is_some() && l["receivedAt"].is_string()));
    let nobody = lines.iter().find(|l| l["messageId"] == "import:online-retail-ii:489500").expect("it was imported");
    assert!(nobody["profile_id"].is_null() && nobody["person_id"].is_null());
}

#[test]
fn bad_input_ends_with_two_and_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("plain").to_string();
    let missing = braid(&["doctor", &path("nowhere"), "--json"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(said(&missing).contains("hint: braid init"), "{}", said(&missing));
    std::fs::write(path("braid.toml"), "[http]\nlisten = \"here\"\n").expect("writes");
    let config = braid(&["config", folder.path().to_str().expect("plain")]);
    assert_eq!(config.status.code(), Some(2));
    assert!(said(&config).contains("braid.toml line 2: http.listen"), "{}", said(&config));
    let good = r#"{"type":"track","event":"A","userId":"u","messageId":"1","timestamp":"2026-01-01"}"#;
    std::fs::write(path("events.ndjson"), format!("{good}\n{{\n")).expect("writes");
    let broken = braid(&["segment", "eval", "count(\"A\") >= 1", &path("events.ndjson")]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(said(&broken).contains("line 2"), "{}", said(&broken));
    let expression = braid(&["segment", "eval", "count(\"A\" >= 1", &path("events.ndjson")]);
    assert_eq!(expression.status.code(), Some(2));
    assert!(said(&expression).contains("character"), "{}", said(&expression));
    assert_eq!(braid(&["nonsense"]).status.code(), Some(2));
}

#[test]
fn a_condition_is_evaluated_over_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("events.ndjson");
    let line = |user: &str, id: &str, day: &str| {
        let time = format!("2026-01-{day}T00:00:00Z");
        serde_json::json!({"type": "track", "event": "A", "userId": user, "messageId": id, "timestamp": time})
            .to_string()
    };
    let lines = [line("b", "1", "01"), line("a", "2", "20"), line("a", "2", "21"), line("c", "3", "21")];
    std::fs::write(&file, lines.join("\n")).expect("writes");
    let file = file.to_str().expect("plain");
    let run = |words: &[&str]| {
        let output = braid(&[&["segment", "eval", "count(\"A\" in last 5 days) >= 1", file], words].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(run(&[]), "customer_id\na\nc\n");
    assert_eq!(run(&["--at", "2026-01-02T00:00:00Z"]), "customer_id\nb\n");
    let document = braid(&["openapi"]);
    let document: Value = serde_json::from_slice(&document.stdout).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    assert!(braid(&["completions", "bash"]).status.success());
}
