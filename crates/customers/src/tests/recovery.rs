//! After a kill the rows are as if nothing had happened.
use super::harness::{Shop, day};
use crate::profiles::Profiles;
use base::DAY_US;

#[test]
fn a_kill_loses_nothing_of_what_was_placed() {
    for shop in Shop::each() {
        for n in 0..200 {
            let at = day(0).plus(n % 17 * DAY_US);
            let (user, anonymous) = (n % 7, n % 5);
            let text = match n % 4 {
                0 => format!(r#"{{"messageId":"{n}","userId":"u{user}","timestamp":"{at}"}}"#),
                1 => format!(
                    r#"{{"messageId":"{n}","type":"identify","userId":"u{user}","traits":{{"email":"u{user}@example.com","n":{n}}},"timestamp":"{at}"}}"#
                ),
                2 => format!(r#"{{"messageId":"{n}","anonymousId":"a{anonymous}","timestamp":"{at}"}}"#),
                _ => format!(r#"{{"messageId":"{n}","userId":"u{user}","anonymousId":"a{user}","timestamp":"{at}"}}"#),
            };
            shop.send(&text);
            if n == 90 {
                // Some rows are on disk, others are not.
                shop.write(|tx| tx.flush_keys::<Profiles>(&[1, 2, 3]));
            }
        }
        let before = rows(&shop);
        let shop = shop.kill();
        assert_eq!(rows(&shop), before);
        assert_eq!(shop.findings(), []);
        let again = shop.send(r#"{"messageId":"after","userId":"u1"}"#);
        assert!(!again.created);
        assert_eq!(shop.findings(), []);
    }
}

fn rows(shop: &Shop) -> Vec<(i64, Vec<u8>)> {
    shop.read(|tx| {
        let mut out = Vec::new();
        crate::doctor::each_profile(tx.engine(), &mut |id, profile| {
            let mut bytes = Vec::new();
            crate::codec::encode(&profile, &mut bytes);
            out.push((id, bytes));
            Ok(())
        })?;
        Ok(out)
    })
}
