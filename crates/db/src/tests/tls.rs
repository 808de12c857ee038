//! TLS to a real PostgreSQL: what each `sslmode` accepts and refuses, and that refusals say what to do.
use super::harness::*;
use crate::engine::tls::exposure;
use crate::store::Location;
use crate::testing::Place;
use crate::testing::cluster::{Cluster, End};
use crate::{DbError, Engine, Sync};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The certificate of the tests' fake servers: for `localhost` and `127.0.0.1`, made by `ca.pem`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../connect/src/fake").join(name)
}

/// A server that speaks TLS, and plainly not at all; the user `scram` needs a password.
fn guarded() -> Option<Cluster> {
    Cluster::start(&["ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key"], |data| {
        for name in ["server.pem", "server.key"] {
            std::fs::copy(file(name), data.join(name)).expect("it is copied");
            std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(0o600)).expect("it is ours");
        }
        let rules = "hostssl all scram 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 trust\n";
        std::fs::write(data.join("pg_hba.conf"), rules).expect("it is written");
    })
}

fn opened(cluster: &Cluster, host: &str, query: &str) -> Result<Engine, DbError> {
    let url = cluster.url().replace("127.0.0.1", host);
    Engine::open_postgres(&format!("{url}?{query}"), Sync::UnsafeFast)
}

fn encrypted(engine: &mut Engine) -> bool {
    let row = engine.first("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).expect("it answers");
    row.expect("a row").int(0).expect("a number") == 1
}

#[test]
fn each_mode_of_tls_on_postgres_accepts_what_it_should() {
    let Some(cluster) = guarded() else { return };
    let root = format!("sslrootcert={}", file("ca.pem").display());
    // A name that the certificate does not have, at the same address.
    let elsewhere = "hostaddr=127.0.0.1";
    let taken: [(&str, String); 7] = [
        ("localhost", "sslmode=prefer".into()),
        ("localhost", "sslmode=require".into()),
        ("localhost", format!("sslmode=require&{root}")),
        ("localhost", format!("sslmode=verify-ca&{root}")),
        ("db.example.com", format!("sslmode=verify-ca&{root}&{elsewhere}")),
        ("localhost", format!("sslmode=verify-full&{root}")),
        ("127.0.0.1", format!("sslmode=verify-full&{root}")),
    ];
    for (host, query) in taken {
        let mut engine = opened(&cluster, host, &query).unwrap_or_else(|e| panic!("{host} {query}: {e}"));
        assert!(encrypted(&mut engine), "{host} {query}");
    }
    // The fake server's own certificate is no authority; the public ones do not know it either.
    let wrong = format!("sslrootcert={}", file("server.pem").display());
    let missing = "sslrootcert=/nowhere/ca.pem";
    let key = format!("sslrootcert={}", file("server.key").display());
    let refused: [(&str, String, &str); 9] = [
        ("localhost", "sslmode=disable".into(), "write sslmode=verify-full"),
        ("localhost", "sslmode=verify-ca".into(), "sslrootcert=FILE"),
        ("localhost", "sslmode=verify-full".into(), "sslrootcert=FILE"),
        ("localhost", format!("sslmode=verify-ca&{wrong}"), "sslrootcert=FILE"),
        ("localhost", format!("sslmode=require&{wrong}"), "sslrootcert=FILE"),
        ("db.example.com", format!("sslmode=verify-full&{root}&{elsewhere}"), "sslmode=verify-ca"),
        ("localhost", format!("sslmode=verify-full&{missing}"), "/nowhere/ca.pem cannot be read"),
        ("localhost", format!("sslmode=verify-full&{key}"), "holds no certificate"),
        ("localhost", "sslmode=maybe".into(), "sslmode=maybe is unknown"),
    ];
    for (host, query, why) in refused {
        match opened(&cluster, host, &query) {
            Ok(_) => panic!("{host} {query} was taken"),
            Err(e) => {
                assert!(matches!(&e, DbError::Open { reason, .. } if reason.contains(why)), "{host} {query}: {e}")
            }
        }
    }
}

#[test]
fn a_password_is_bound_to_the_channel_on_postgres() {
    let Some(cluster) = guarded() else { return };
    let mut admin = opened(&cluster, "localhost", "sslmode=require").expect("it opens");
    admin.batch("CREATE ROLE scram LOGIN SUPERUSER PASSWORD 'long enough'").expect("a role");
    let root = format!("sslrootcert={}", file("ca.pem").display());
    let url = |password: &str| {
        let url = cluster.url().replace("braid@127.0.0.1", &format!("scram:{password}@localhost"));
        format!("{url}?sslmode=verify-full&{root}&channel_binding=require")
    };
    let mut engine = Engine::open_postgres(&url("long%20enough"), Sync::UnsafeFast).expect("the password is right");
    assert!(encrypted(&mut engine));
    let refused =
        Engine::open_postgres(&url("wrong"), Sync::UnsafeFast).map(drop).expect_err("it is wrong").to_string();
    assert!(refused.contains("password") && !refused.contains("scram:wrong"), "{refused}");
}

#[test]
fn a_plain_server_is_not_taken_for_a_guarded_one_on_postgres() {
    let Some(cluster) = Cluster::start(&["ssl=off"], |_| {}) else { return };
    for mode in ["require", "verify-ca", "verify-full"] {
        let refused = opened(&cluster, "localhost", &format!("sslmode={mode}")).map(drop).expect_err("no TLS there");
        assert!(refused.to_string().contains("ssl = on"), "{mode}: {refused}");
    }
    for query in ["sslmode=prefer", "sslmode=disable", ""] {
        assert!(!encrypted(&mut opened(&cluster, "localhost", query).expect("plain is allowed")), "{query}");
    }
}

#[test]
fn a_store_over_tls_on_postgres_lives_through_a_restart() {
    let Some(mut cluster) = guarded() else { return };
    let mut place = Place::sqlite();
    // Relative to the folder of the installation.
    std::fs::copy(file("ca.pem"), place.folder.join("ca.pem")).expect("it is copied");
    let url = format!("{}?sslmode=verify-full&sslrootcert=ca.pem", cluster.url());
    place.location = Location::parse(&url, &place.folder).expect("a location");
    let store = open(&place, &clock());
    assert!(store.write(|tx| tally(tx, 1, 1)).expect("it is logged"));
    cluster.end(End::Fast);
    cluster.run();
    assert!(store.write(|tx| tally(tx, 1, 2)).expect("it is logged"));
    assert_eq!((total(&store, 1), logged(&store)), (2, 2));
    let guarded = store.query(|db| Ok::<_, DbError>(encrypted(db))).expect("it answers");
    assert!(guarded);
}

#[test]
fn a_way_that_others_can_hear_is_told_on_postgres() {
    let Some(cluster) = guarded() else { return };
    let told = |host: &str, query: &str| {
        let url = format!("{}?{query}&hostaddr=127.0.0.1", cluster.url().replace("127.0.0.1", host));
        let mut engine = Engine::open_postgres(&url, Sync::UnsafeFast).expect("it opens");
        exposure(&Location::Postgres { url }, &mut engine).expect("it answers").unwrap_or_default()
    };
    let root = format!("sslrootcert={}", file("ca.pem").display());
    assert_eq!(told("localhost", "sslmode=require"), "");
    assert!(told("db.example.com", "sslmode=require").contains("nobody checks that it is db.example.com"));
    assert_eq!(told("db.example.com", &format!("sslmode=verify-ca&{root}")), "");
    let Some(plain) = Cluster::start(&["ssl=off"], |_| {}) else { return };
    let url = format!("{}?hostaddr=127.0.0.1", plain.url().replace("127.0.0.1", "db.example.com"));
    let mut engine = Engine::open_postgres(&url, Sync::UnsafeFast).expect("it opens");
    let told = exposure(&Location::Postgres { url }, &mut engine).expect("it answers").expect("it is in the open");
    assert!(told.contains("not encrypted") && told.contains("verify-full"), "{told}");
    assert_eq!(exposure(&Place::sqlite().location, &mut engine).expect("a file is no way"), None);
}
