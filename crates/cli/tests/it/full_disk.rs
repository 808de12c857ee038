//! A disk that fills up under a running server.
use crate::braid::{Server, Shop, until};
use serde_json::{Value, json};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A small disk of its own; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None`, and a word about it, where disks cannot be made.
    fn make(mebibytes: usize) -> Option<(tempfile::TempDir, Self)> {
        let around = tempfile::tempdir().expect("a temporary folder");
        let folder = around.path().join("disk");
        std::fs::create_dir(&folder).expect("a folder");
        let text = |t: &[u8]| CString::new(t).expect("no null bytes");
        let (kind, at, options) =
            (text(b"tmpfs"), text(folder.as_os_str().as_bytes()), text(format!("size={mebibytes}m").as_bytes()));
        // SAFETY: all pointers are to texts that end with a null byte and live until the call returns.
        let made = unsafe { libc::mount(kind.as_ptr(), at.as_ptr(), kind.as_ptr(), 0, options.as_ptr().cast()) };
        if made != 0 {
            eprintln!("skipped: this user may not mount a small disk ({})", std::io::Error::last_os_error());
            return None;
        }
        Some((around, Self(folder)))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let at = CString::new(self.0.as_os_str().as_bytes()).expect("no null bytes");
        // SAFETY: the pointer is to a text that ends with a null byte.
        unsafe { libc::umount2(at.as_ptr(), libc::MNT_DETACH) };
    }
}

/// A body of some size that does not pack well, and its ids.
fn body(batch: usize) -> (Value, Vec<String>) {
    let ids: Vec<String> = (0..20).map(|n| format!("m-{batch}-{n}")).collect();
    let noise = || (0..24).map(|_| base::random_token()).collect::<String>();
    let items: Vec<Value> = ids
        .iter()
        .map(|id| {
            json!({"type": "track", "messageId": id, "userId": format!("u{}", batch % 50), "event": "Product Viewed",
                   "properties": {"noise": noise()}})
        })
        .collect();
    (json!({"batch": items}), ids)
}

/// Sends until the disk is full; gives what was acknowledged.
fn fill(server: &Server, shop: &Shop, from: usize, acknowledged: &mut Vec<String>) {
    let mut client = server.tracking(shop);
    let mut refused = 0;
    for batch in from..from + 5000 {
        let (body, ids) = body(batch);
        let answer = client.post_json("/v1/batch", &body).expect("an answer");
        if answer.status == 200 {
            acknowledged.extend(ids);
            continue;
        }
        let told = answer.json();
        assert_eq!((answer.status, answer.code().as_str()), (503, "disk_full"), "{told}");
        assert!(answer.header("retry-after").is_some());
        refused += 1;
        // Refused again and again, the server must neither end nor forget.
        if refused == 8 {
            return;
        }
    }
    panic!("the disk was never full");
}

fn assert_all_there(shop: &Shop, acknowledged: &[String], when: &str) {
    let events = shop.assert_clean(when);
    let exported = shop.exported();
    let lost: Vec<_> = acknowledged.iter().filter(|id| exported.get(*id) != Some(&1)).collect();
    assert!(lost.is_empty(), "{when}: {} of {} are lost or doubled: {lost:?}", lost.len(), acknowledged.len());
    assert_eq!(events, acknowledged.len() as i64, "{when}: what was refused is not counted");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the folder is read") {
        let entry = entry.expect("the folder is read");
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).expect("it is copied");
        }
    }
}

#[test]
fn a_full_disk_answers_503_and_loses_nothing() {
    let Some((around, disk)) = Disk::make(16) else { return };
    let ballast = disk.0.join("ballast");
    std::fs::write(&ballast, vec![1; 6 << 20]).expect("there is room");
    let shop = Shop::make_in(around, disk.0.join("shop"), None);
    let mut server = shop.serve();
    let answer = server.admin(&shop).post_json(
        "/api/v1/segments",
        &json!({"name": "Views", "expression": r#"count("Product Viewed" in last 1 minutes) >= 5"#}),
    );
    assert_eq!(answer.expect("an answer").status, 201);
    let mut acknowledged = Vec::new();
    fill(&server, &shop, 0, &mut acknowledged);
    assert!(server.child.is_running(), "{}", server.said());
    assert_all_there(&shop, &acknowledged, "beside a server on a full disk");
    // Room again: it goes on by itself.
    std::fs::remove_file(&ballast).expect("it is there");
    let (body, ids) = body(100_000);
    let mut client = server.tracking(&shop);
    until("the server takes events again", || client.post_json("/v1/batch", &body).is_ok_and(|a| a.status == 200));
    acknowledged.extend(ids);
    assert_all_there(&shop, &acknowledged, "after there was room again");
    // Full once more, and killed there; the folder goes to a larger disk.
    fill(&server, &shop, 10_000, &mut acknowledged);
    server.child.kill();
    let larger = tempfile::tempdir().expect("a temporary folder");
    let folder = larger.path().join("shop");
    copy(&shop.folder, &folder);
    let moved = shop.at(folder);
    assert_all_there(&moved, &acknowledged, "on another disk");
    let server = moved.serve();
    assert_all_there(&moved, &acknowledged, "beside a server on another disk");
    server.stop();
    assert_all_there(&moved, &acknowledged, "at the end");
    // The folder around it can go only when nothing is mounted in it.
    drop(disk);
}
