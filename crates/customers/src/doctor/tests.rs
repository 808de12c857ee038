//! Damage is found, each kind by its own check.
use crate::cuts::detach;
use crate::profiles::Profiles;
use crate::tests::harness::{Remembered, Shop, counters};
use db::DbError;

fn shop() -> Shop {
    let shop = Shop::new();
    for n in 0..70 {
        shop.send(&format!(r#"{{"messageId":"a{n}","userId":"u","anonymousId":"a"}}"#));
    }
    shop.send(r#"{"messageId":"b","type":"identify","anonymousId":"b","traits":{"city":"Lviv"}}"#);
    shop.send(r#"{"messageId":"c","userId":"u","anonymousId":"b"}"#);
    assert_eq!(shop.findings(), []);
    shop
}

fn damaged(sql: &'static str) -> Vec<&'static str> {
    let shop = shop();
    shop.write(move |tx| {
        tx.flush_table::<Profiles>()?;
        tx.execute(sql, &[]).map(drop)
    });
    checks(&shop)
}

fn checks(shop: &Shop) -> Vec<&'static str> {
    let mut out: Vec<&str> = shop.findings().iter().map(|f| f.check).collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[test]
fn damage_to_facts_is_found() {
    assert_eq!(
        damaged("UPDATE identifiers SET profile_id = 1 WHERE value = 'b'"),
        ["identifiers", "identity.owner", "state"]
    );
    assert_eq!(damaged("DELETE FROM identifiers WHERE value = 'b'"), ["identifiers", "identity.owner", "state"]);
    assert_eq!(damaged("DELETE FROM profile_index"), ["index"]);
    assert_eq!(
        damaged(
            "INSERT INTO identity_cuts (id, seq, rule, a, b, kind, value, at, actor) VALUES (999, 73, 'edge', 1, 2, '', '', 0, '')"
        ),
        ["identity.edge", "identity.person"]
    );
}

#[test]
fn damage_to_rows_is_found() {
    type Change = fn(&mut crate::Profile);
    let cases: [(Change, &[&str]); 6] = [
        (|p| p.state.totals.events += 1, &["state"]),
        (|p| p.state.counters = Default::default(), &["state"]),
        (|p| p.state.traits = Default::default(), &["state"]),
        (
            |p| p.tail = p.tail.entries().split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default().into(),
            &["index"],
        ),
        (
            |p| {
                let mut entries = p.tail.entries();
                entries[0].name += 1;
                p.tail = entries.into();
            },
            &["index"],
        ),
        (|p| p.person = 2, &["identity.person"]),
    ];
    for (at, (change, wanted)) in cases.into_iter().enumerate() {
        let shop = shop();
        let id = if at == 2 { 2 } else { 1 };
        shop.write(move |tx| -> Result<(), DbError> {
            if let Some(row) = tx.get_mut::<Profiles>(id)? {
                change(row);
            }
            Ok(())
        });
        assert_eq!(checks(&shop), wanted, "case {at}");
    }
}

#[test]
fn a_replay_makes_the_cuts_where_they_were_made() {
    let shop = shop();
    let log = shop.log.clone();
    shop.store
        .write(move |tx| detach(tx, 1, &[("anonymous_id", "a")], &mut Remembered(log.clone()), &counters(), "x"))
        .expect("it can be detached");
    shop.send(r#"{"messageId":"d","anonymousId":"a"}"#);
    shop.send(r#"{"messageId":"e","userId":"u","anonymousId":"a"}"#);
    assert_eq!(checks(&shop), Vec::<&str>::new());
    shop.write(|tx| tx.execute("DELETE FROM identity_cuts", &[]).map(drop));
    let found = checks(&shop);
    assert!(found.contains(&"identity.edge") && found.contains(&"identity.owner"), "{found:?}");
}
