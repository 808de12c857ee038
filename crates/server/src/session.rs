//! Signing in and out.
use base::{DAY_US, MINUTE_US, SECOND_US, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Wrong attempts that are free, and the longest wait after them: for a user from an address, for an address, for a user
/// from everywhere. The last is gentle, or anybody could lock anybody out.
const OWN: (u32, i64) = (5, 15 * MINUTE_US);
const ADDRESS: (u32, i64) = (20, 15 * MINUTE_US);
const USER: (u32, i64) = (50, MINUTE_US);
/// The wait after the first attempt that is not free; each further one doubles it.
const FIRST_US: i64 = 15 * SECOND_US;
/// After so long a rest everything is forgotten.
const FORGOTTEN_US: i64 = DAY_US;
/// Addresses and users that are remembered, at most.
const KNOWN_MAX: usize = 100_000;
/// Passwords that are checked in all within a minute: each costs tens of milliseconds and 19 MiB.
const IN_ALL: u32 = 300;

/// How long to wait after a number of wrong attempts.
pub fn wait_us(failures: u32, (free, longest): (u32, i64)) -> i64 {
    match failures.checked_sub(free) {
        None => 0,
        Some(0) => FIRST_US.min(longest),
        Some(more) => FIRST_US.saturating_mul(1 << more.min(20)).min(longest),
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

#[derive(Debug, Default)]
struct Inner {
    by_name: HashMap<String, Failures>,
    minute: i64,
    in_minute: u32,
}

/// Attempts that failed lately.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<Inner>);

fn names(email: &str, from: &str) -> [(String, (u32, i64)); 3] {
    [(format!("both/{email}/{from}"), OWN), (format!("address/{from}"), ADDRESS), (format!("user/{email}"), USER)]
}

impl Attempts {
    /// Says how many seconds to wait before another attempt, if there were too many.
    pub fn check(&self, email: &str, from: &str, now: Timestamp) -> Result<(), u32> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = names(email, from).into_iter().filter_map(|(name, rule)| {
            let failures = inner.by_name.get(&name)?;
            Some(failures.last.micros() + wait_us(failures.count, rule) - now.micros())
        });
        let minute = now.micros().div_euclid(MINUTE_US);
        let crowd = if inner.minute == minute && inner.in_minute >= IN_ALL { 60 * SECOND_US } else { 0 };
        match own.max().unwrap_or(0).max(crowd) {
            wait if wait > 0 => Err((wait / SECOND_US + 1) as u32),
            _ => Ok(()),
        }
    }
    /// Notes an attempt before its password is checked, so that many at once cannot slip through.
    pub fn note(&self, email: &str, from: &str, now: Timestamp) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.by_name.len() >= KNOWN_MAX {
            inner.by_name.retain(|_, f| f.last.plus(FORGOTTEN_US / 24) > now);
        }
        for (name, _) in names(email, from) {
            let own = inner.by_name.entry(name).or_insert(Failures { count: 0, last: now });
            let rested = own.last.plus(FORGOTTEN_US) <= now;
            *own = Failures { count: if rested { 1 } else { own.count.saturating_add(1) }, last: now };
        }
        let minute = now.micros().div_euclid(MINUTE_US);
        if inner.minute != minute {
            (inner.minute, inner.in_minute) = (minute, 0);
        }
        inner.in_minute += 1;
    }
    /// Forgets the attempts of somebody who knew the password. What others tried at the same user stays.
    pub fn forget(&self, email: &str, from: &str) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [(both, _), (address, _), _] = names(email, from);
        inner.by_name.remove(&both);
        if let Some(failures) = inner.by_name.get_mut(&address) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

/// The cookie of a session; `token` empty takes it away.
pub fn cookie(token: &str, days: i64, secure: bool) -> String {
    let age = if token.is_empty() { 0 } else { days * DAY_US / SECOND_US };
    let secure = if secure { "; Secure" } else { "" };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", crate::caller::COOKIE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_further_attempt_waits_twice_as_long() {
        let waits: Vec<i64> = (4..14).map(|n| wait_us(n, OWN) / SECOND_US).collect();
        assert_eq!(waits, [0, 15, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(wait_us(u32::MAX, ADDRESS), ADDRESS.1);
    }

    #[test]
    fn guessing_is_slowed_down() {
        let attempts = Attempts::default();
        let at = |s: i64| Timestamp::from_micros(s * SECOND_US);
        for n in 0..5 {
            assert_eq!(attempts.check("a@b.c", "1", at(n)), Ok(()));
            attempts.note("a@b.c", "1", at(n));
        }
        assert_eq!(attempts.check("a@b.c", "1", at(5)), Err(15));
        assert_eq!(attempts.check("other@b.c", "1", at(5)), Ok(()));
        assert_eq!(attempts.check("a@b.c", "2", at(5)), Ok(()), "the user is not locked out from elsewhere");
        assert_eq!(attempts.check("a@b.c", "1", at(19)), Ok(()));
        attempts.note("a@b.c", "1", at(19));
        assert_eq!(attempts.check("a@b.c", "1", at(20)), Err(30));
        attempts.forget("a@b.c", "1");
        assert_eq!(attempts.check("a@b.c", "1", at(20)), Ok(()));
    }

    #[test]
    fn one_address_cannot_try_many_users_nor_many_addresses_one() {
        let at = |s: i64| Timestamp::from_micros(s * SECOND_US);
        let attempts = Attempts::default();
        (0..20).for_each(|n| attempts.note(&format!("u{n}@b.c"), "1", at(0)));
        assert!(attempts.check("new@b.c", "1", at(1)).is_err());
        assert!(attempts.check("new@b.c", "2", at(1)).is_ok());
        let attempts = Attempts::default();
        (0..50).for_each(|n| attempts.note("a@b.c", &n.to_string(), at(0)));
        assert!(attempts.check("a@b.c", "new", at(1)).is_err());
        assert!(attempts.check("a@b.c", "new", at(62)).is_ok(), "but never for long");
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_other_sites() {
        assert_eq!(
            cookie("t", 14, true),
            "braid_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=1209600; Secure"
        );
        assert!(cookie("", 14, false).contains("Max-Age=0"));
    }
}
