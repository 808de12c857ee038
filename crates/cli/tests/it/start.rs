//! The scripted start (CONTRACTS 1): what programs around Braid rely on, and what it says when it cannot start.
use crate::braid::{Database, Guard, Said, Shop, braid, run, sql, until};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A shop on each engine that is there.
fn shops() -> Vec<Shop> {
    let postgres = Database::make("BRAID_TEST_POSTGRES").map(|database| Shop::make(Some(database)));
    [Some(Shop::sqlite()), postgres].into_iter().flatten().collect()
}

/// A refusal as people read it: why, then what to do, without a back-trace or a debug print.
fn assert_told(said: &Said, code: i32, why: &str, hint: Option<&str>) {
    assert_eq!(said.code, code, "{said:?}");
    assert_eq!(said.out, "", "what went wrong does not stand among the data");
    let lines: Vec<&str> = said.err.lines().filter(|l| !l.contains(" WARN ") && !l.contains(" INFO ")).collect();
    assert!(lines.first().is_some_and(|l| l.starts_with("error: ")), "{said:?}");
    let known = |l: &str| l.starts_with("error: ") || l.starts_with("  caused by: ") || l.starts_with("hint: ");
    assert!(lines.iter().copied().all(known), "{said:?}");
    assert!(said.err.contains(why), "expected {why:?} in {said:?}");
    match hint {
        Some(hint) => assert!(
            lines.iter().any(|l| l.starts_with("hint: ") && l.contains(hint)),
            "expected the hint {hint:?} in {said:?}"
        ),
        None => assert!(!lines.iter().any(|l| l.starts_with("hint: ")), "{said:?}"),
    }
}

/// `serve` that is expected to end by itself.
fn serve(shop: &Shop, more: &[&str]) -> Said {
    run(braid(["serve".as_ref(), shop.folder.as_os_str()]).args(["--listen", "127.0.0.1:0"]).args(more))
}

fn one_event(shop: &Shop, url: &str, id: &str) {
    let body = json!({"batch": [{"type": "track", "messageId": id, "userId": "olena", "event": "Product Viewed"}]});
    let answer = crate::http::Client::tracking(url, &shop.write_key).post_json("/v1/batch", &body).expect("an answer");
    assert_eq!(answer.status, 200, "{:?}", answer.json());
}

#[test]
fn init_takes_an_empty_folder_and_no_other() {
    let around = tempfile::tempdir().expect("a temporary folder");
    let folder = around.path().join("shop");
    std::fs::create_dir(&folder).expect("it is made");
    assert_eq!(run(braid(["init".as_ref(), folder.as_os_str()]).arg("--json")).code, 0, "an empty folder will do");
    let before = std::fs::read(folder.join("braid.toml")).expect("the settings are there");
    let again = run(braid(["init".as_ref(), folder.as_os_str()]).arg("--json"));
    assert_told(&again, 2, "is not empty", Some("a folder that does not exist yet"));
    assert_eq!(std::fs::read(folder.join("braid.toml")).expect("the settings are there"), before);
    let file = around.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let at_file = run(&mut braid(["init".as_ref(), file.as_os_str()]));
    assert!(at_file.code == 1 || at_file.code == 2, "{at_file:?}");
    assert!(at_file.err.starts_with("error: "), "{at_file:?}");
}

#[test]
fn init_refuses_a_database_that_holds_a_shop() {
    let Some(shop) = Database::make("BRAID_TEST_POSTGRES").map(|database| Shop::make(Some(database))) else { return };
    let other = shop.beside("other");
    let said = run(braid(["init".as_ref(), other.as_os_str()]).args(["--database", &shop.database_url(), "--json"]));
    assert_told(&said, 2, "holds a shop already", Some(""));
    assert_eq!(shop.assert_clean("the first shop is unharmed"), 0);
}

#[test]
fn the_ready_file_comes_whole_and_goes_with_the_server() {
    for shop in shops() {
        let mut server = shop.begin(&[]);
        // Read as often as possible: `is_ready` fails on a file that is only partly there.
        let started = Instant::now();
        while !server.is_ready() {
            assert!(started.elapsed() < Duration::from_secs(30) && server.child.is_running(), "{}", server.said());
            std::hint::spin_loop();
        }
        let ready = server.ready.clone();
        one_event(&shop, &server.url, "a");
        assert_eq!(shop.assert_clean("beside the server"), 1);
        assert_eq!(shop.exported().len(), 1);
        let stopped = Instant::now();
        server.stop();
        assert!(stopped.elapsed() < Duration::from_secs(30));
        assert!(!ready.exists());
        let left: Vec<_> =
            std::fs::read_dir(shop.beside("")).expect("the folder is read").flatten().map(|e| e.file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("tmp")), "{left:?}");
        assert_eq!(shop.assert_clean("without a server"), 1);
        assert_eq!(shop.exported().len(), 1);
    }
}

#[test]
fn sigterm_lets_open_requests_end() {
    for shop in shops() {
        let server = shop.serve();
        let mut clients: Vec<_> = (0..4).map(|_| server.tracking(&shop)).collect();
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let mut client = clients.pop().expect("there are four");
                std::thread::spawn(move || {
                    let mut acknowledged = Vec::new();
                    for m in 0.. {
                        let id = format!("m-{n}-{m}");
                        let body = json!({"type": "track", "messageId": id, "userId": format!("u{m}"), "event": "Product Viewed"});
                        match client.post_json("/v1/track", &body) {
                            Ok(answer) if answer.status == 200 => acknowledged.push(id),
                            Ok(answer) => {
                                assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
                                break;
                            }
                            // The connection closes between two requests.
                            Err(_) => break,
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        until("some events are in", || shop.doctor().1["counts"]["events"].as_i64() > Some(40));
        server.stop();
        let acknowledged: Vec<String> = threads.into_iter().flat_map(|t| t.join().expect("no panic")).collect();
        let exported = shop.exported();
        assert!(acknowledged.iter().all(|id| exported.get(id) == Some(&1)), "an acknowledged event is lost");
        assert!(shop.assert_clean("after the stop") >= acknowledged.len() as i64);
    }
}

#[test]
fn a_second_server_is_refused_and_the_first_unharmed() {
    for shop in shops() {
        let server = shop.serve();
        let second = serve(&shop, &[]);
        assert_told(&second, 1, "in use by braid serve (process", Some("--take-over"));
        assert!(second.err.contains(&server.url), "it names where the first one listens: {second:?}");
        one_event(&shop, &server.url, "a");
        assert!(server.ready.exists());
        assert_eq!(shop.assert_clean("beside the first"), 1);
        server.stop();
    }
}

#[test]
fn take_over_ends_the_old_server_and_loses_nothing() {
    for shop in shops() {
        let mut old = shop.serve();
        one_event(&shop, &old.url, "a");
        let mut new = shop.begin(&["--take-over"]);
        new.wait_ready();
        one_event(&shop, &new.url, "b");
        // The old one learns it at its next commit, and ends by itself.
        let body = json!({"type": "track", "messageId": "c", "userId": "olena", "event": "Product Viewed"});
        if let Ok(answer) = old.tracking(&shop).post_json("/v1/track", &body) {
            assert_ne!(answer.status, 200, "the old server took an event");
        }
        let status = old.child.wait(Duration::from_secs(30)).expect("the old server ends");
        assert_eq!(status.code(), Some(1), "{}", old.said());
        assert!(old.said().contains("error: "), "{}", old.said());
        one_event(&shop, &new.url, "d");
        new.stop();
        assert_eq!(shop.assert_clean("after the hand-over"), 3);
        let exported = shop.exported();
        assert!(["a", "b", "d"].iter().all(|id| exported.get(*id) == Some(&1)), "{exported:?}");
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let shop = Shop::sqlite();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it has an address").to_string();
    let said = run(braid(["serve".as_ref(), shop.folder.as_os_str()]).args(["--listen", &address]));
    assert_told(&said, 1, &format!("cannot listen on {address}"), Some("--listen"));
    shop.serve().stop();
}

#[test]
fn a_folder_without_a_shop_is_told() {
    let around = tempfile::tempdir().expect("a temporary folder");
    let nowhere = around.path().join("nowhere");
    for words in [&["serve"][..], &["doctor"], &["export", "events"]] {
        let said = run(braid(words).arg(&nowhere));
        assert_told(&said, 2, "braid.toml", Some("braid init"));
    }
    assert!(!nowhere.exists(), "asking makes nothing");
}

#[test]
fn a_missing_database_file_is_told_and_not_made_by_asking() {
    let shop = Shop::sqlite();
    let file = shop.folder.join("braid.db");
    std::fs::remove_file(&file).expect("it is there");
    for words in [&["doctor"][..], &["export", "events"]] {
        assert_told(&run(braid(words).arg(&shop.folder)), 2, "cannot open the database at sqlite:", Some(""));
        assert!(!file.exists(), "{words:?} made a file");
    }
}

#[test]
fn a_database_that_is_away_is_told() {
    let shop = Shop::sqlite();
    // Nobody listens on the port of a listener that was closed.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let url = format!("postgres://somebody:secret@127.0.0.1:{port}/braid");
    for (words, code) in [(&["serve"][..], 1), (&["doctor"], 2), (&["export", "events"], 2)] {
        let said = run(braid(words).arg(&shop.folder).args(["--database", &url]));
        assert_told(&said, code, "cannot open the database at postgres://somebody:…@127.0.0.1", Some("braid config"));
        assert!(!said.err.contains("secret"), "a password is shown: {said:?}");
    }
    let said = run(braid(["doctor".as_ref(), shop.folder.as_os_str()]).args(["--database", "mysql://x/y"]));
    assert_told(&said, 2, "is not sqlite:FILE or postgres://", None);
}

/// What every command that opens a store says of one that it cannot read.
fn assert_unreadable(shop: &Shop, why: &str) {
    assert_told(&serve(shop, &[]), 1, why, Some(""));
    for words in [&["doctor"][..], &["export", "events"]] {
        assert_told(&run(braid(words).arg(&shop.folder)), 2, why, Some(""));
    }
}

#[test]
fn a_corrupted_database_is_told() {
    let shop = Shop::sqlite();
    let file = shop.folder.join("braid.db");
    let size = std::fs::metadata(&file).expect("it is there").len() as usize;
    std::fs::write(&file, vec![b'x'; size]).expect("it is overwritten");
    assert_unreadable(&shop, "damaged data in the database file");
    assert_eq!(std::fs::read(&file).expect("it is there"), vec![b'x'; size], "nobody makes it worse");
}

#[test]
fn a_database_that_may_not_be_read_is_told() {
    // SAFETY: reads a number of the process.
    if unsafe { libc::geteuid() } == 0 {
        eprintln!("root may read everything: a folder stands where the file should be");
    }
    let shop = Shop::sqlite();
    let file = shop.folder.join("braid.db");
    let kept = shop.beside("kept.db");
    std::fs::rename(&file, &kept).expect("it is moved");
    // Neither root nor anybody else can read a folder as a file.
    std::fs::create_dir(&file).expect("a folder is made");
    assert_unreadable(&shop, "cannot open the database at sqlite:");
    std::fs::remove_dir(&file).expect("it goes");
    std::fs::rename(&kept, &file).expect("it is moved back");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).expect("rights are taken");
    // SAFETY: as above.
    if unsafe { libc::geteuid() } != 0 {
        assert_unreadable(&shop, "cannot open the database at sqlite:");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("rights are given");
    shop.serve().stop();
}

#[test]
fn a_database_that_another_program_locks_is_told() {
    let shop = Shop::sqlite();
    let location = db::Location::parse(&shop.database_url(), Path::new("/")).expect("a location");
    let mut holder = location.open(db::Sync::Full, false).expect("it opens");
    holder.batch("BEGIN IMMEDIATE").expect("it is locked");
    assert_told(&serve(&shop, &[]), 1, "busy or locked", Some(""));
    // Who only reads is not in the way.
    assert_eq!(shop.assert_clean("beside a program that writes"), 0);
    holder.batch("ROLLBACK").expect("it is free");
    shop.serve().stop();
}

#[test]
fn a_newer_schema_is_refused_by_all() {
    for shop in shops() {
        sql(
            &shop.database_url(),
            "INSERT INTO migrations (owner, step, name, applied_at) VALUES ('db', 99, 'later', 0)",
        );
        assert_unreadable(&shop, "use a newer program");
    }
}

#[test]
fn settings_that_cannot_be_used_are_named_with_their_line() {
    let shop = Shop::sqlite();
    let file = shop.folder.join("braid.toml");
    let good = std::fs::read_to_string(&file).expect("the settings");
    for (line, why) in [
        ("[collect]\nmax_bdy = \"1MiB\"\n", "max_bdy is not a key that Braid knows"),
        ("[collect]\nmax_body = 12\n", "a size with its unit"),
        ("[http\n", "braid.toml line"),
    ] {
        std::fs::write(&file, format!("{good}\n{line}")).expect("they are written");
        for words in [&["serve"][..], &["doctor"]] {
            assert_told(&run(braid(words).arg(&shop.folder)), 2, why, None);
        }
    }
}

#[test]
fn a_ready_file_that_cannot_be_written_ends_the_start() {
    let shop = Shop::sqlite();
    let nowhere = shop.beside("no-such-folder").join("ready");
    let said = serve(&shop, &["--ready-file", nowhere.to_str().expect("a path")]);
    assert_told(&said, 1, "cannot write", None);
    shop.serve().stop();
}

#[test]
fn ctrl_c_is_told_apart_from_a_stop() {
    let shop = Shop::sqlite();
    let mut server = shop.serve();
    server.child.signal(libc::SIGINT);
    let status = server.child.wait(Duration::from_secs(30)).expect("it ends");
    assert_eq!(status.code(), Some(130));
    assert!(!server.ready.exists());
    assert!(server.said().contains("everything acknowledged is stored"), "{}", server.said());
}

#[test]
fn output_that_nobody_reads_ends_an_export_quietly() {
    let shop = Shop::sqlite();
    let server = shop.serve();
    let items: Vec<_> = (0..2000)
        .map(|n| json!({"type": "track", "messageId": format!("m{n}"), "userId": "olena", "event": "Product Viewed", "properties": {"n": n}}))
        .collect();
    let answer = server.tracking(&shop).post_json("/v1/batch", &json!({"batch": items})).expect("an answer");
    assert_eq!(answer.status, 200);
    let mut command = braid(["export".as_ref(), "events".as_ref(), shop.folder.as_os_str()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let mut errors = child.stderr.take().expect("it is a pipe");
    let mut guard = Guard::new(child);
    let status = guard.wait(Duration::from_secs(30)).expect("it ends");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut errors, &mut said).expect("it is text");
    assert_eq!((status.code(), said.as_str()), (Some(0), ""));
    server.stop();
}
