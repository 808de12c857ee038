//! Signing in and out.
use base::{MINUTE_US, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Wrong passwords for one address, within [`WINDOW_US`].
const PER_ADDRESS: usize = 8;
/// Wrong passwords in all, within [`WINDOW_US`].
const IN_ALL: usize = 200;
const WINDOW_US: i64 = 5 * MINUTE_US;

/// Attempts that failed lately, by address.
#[derive(Debug, Default)]
pub struct Attempts(Mutex<HashMap<String, Vec<Timestamp>>>);

impl Attempts {
    /// Says how many seconds to wait before another attempt, if there were too many.
    pub fn check(&self, email: &str, now: Timestamp) -> Result<(), u32> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.plus(-WINDOW_US);
        all.retain(|_, times| {
            times.retain(|t| *t > since);
            !times.is_empty()
        });
        let own = all.get(email).map_or(&[][..], Vec::as_slice);
        let oldest = if own.len() >= PER_ADDRESS {
            own.first()
        } else if all.values().map(Vec::len).sum::<usize>() >= IN_ALL {
            all.values().filter_map(|t| t.first()).min()
        } else {
            None
        };
        match oldest {
            Some(oldest) => Err(((oldest.micros() - since.micros()) / base::SECOND_US + 1) as u32),
            None => Ok(()),
        }
    }
    /// Notes an attempt before its password is checked, so that many at once cannot slip through.
    pub fn note(&self, email: &str, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(email.to_string()).or_default().push(now);
    }
    /// Forgets the attempts of somebody who knew the password.
    pub fn forget(&self, email: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(email);
    }
}

/// The cookie of a session; `token` empty takes it away.
pub fn cookie(token: &str, secure: bool) -> String {
    let age = if token.is_empty() { 0 } else { crate::accounts::SESSION_US / base::SECOND_US };
    let secure = if secure { "; Secure" } else { "" };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", crate::caller::COOKIE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_slowed_down() {
        let attempts = Attempts::default();
        let at = |s: i64| Timestamp::from_micros(s * base::SECOND_US);
        for n in 0..PER_ADDRESS as i64 {
            assert_eq!(attempts.check("a@b.c", at(n)), Ok(()));
            attempts.note("a@b.c", at(n));
        }
        assert_eq!(attempts.check("a@b.c", at(10)), Err(291));
        assert_eq!(attempts.check("other@b.c", at(10)), Ok(()));
        assert_eq!(attempts.check("a@b.c", at(301)), Ok(()));
        attempts.forget("a@b.c");
        assert_eq!(attempts.check("a@b.c", at(10)), Ok(()));
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_other_sites() {
        assert_eq!(cookie("t", true), "braid_session=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=1209600; Secure");
        assert!(cookie("", false).contains("Max-Age=0"));
    }
}
