//! What must be true of the store, kept beside it by the plainest means.
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A body whose answer never came; it is sent again as a client would.
#[derive(Debug, Clone)]
pub struct Unanswered {
    pub body: String,
    pub import: bool,
    pub ids: Vec<String>,
    /// Addresses that it says something about.
    pub addresses: Vec<String>,
}

/// What is known about the store without asking it.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Ids that were acknowledged; each must be in the log once.
    pub acknowledged: BTreeSet<String>,
    /// Ids whose answer never came; each is in the log once or not at all.
    pub open: BTreeSet<String>,
    pub unanswered: Vec<Unanswered>,
    /// Views by customers who are known by one user id and nothing else, by acknowledged id.
    pub solo: BTreeMap<String, BTreeSet<String>>,
    /// Who sent which id, for ids that are open.
    solo_of: HashMap<String, String>,
    /// What became of a message that was handed over: how often, and whether it may be again.
    pub handed: BTreeMap<i64, Handed>,
    /// Addresses whose last word is "no", by a revocation that named the address.
    pub denied: BTreeSet<String>,
}

/// A message on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Handed {
    pub attempts: u32,
    /// It was refused for now, so it may be handed over again.
    pub again: bool,
}

impl Ledger {
    /// Remembers who an event is about, before it is sent.
    pub fn draw_solo(&mut self, user: &str, id: &str) {
        self.solo_of.insert(id.into(), user.into());
    }

    /// Ids of a request that was answered: all are in the log now.
    ///
    /// # Errors
    /// When what was said about repeats cannot be: a new id called a repeat, or an acknowledged one called new.
    pub fn acknowledge(&mut self, ids: &[String], duplicates: &[u32]) -> Result<u64, String> {
        let mut seen = BTreeSet::new();
        for (at, id) in ids.iter().enumerate() {
            let repeat = duplicates.contains(&(at as u32));
            let known = self.acknowledged.contains(id);
            let within = !seen.insert(id);
            if repeat && !known && !within && !self.open.contains(id) {
                return Err(format!("{id} was called a repeat and was never sent before"));
            }
            if !repeat && (known || within) {
                return Err(format!("{id} was taken twice"));
            }
        }
        for id in ids {
            self.open.remove(id);
            if self.acknowledged.insert(id.clone())
                && let Some(user) = self.solo_of.remove(id)
            {
                self.solo.entry(user).or_default().insert(id.clone());
            }
        }
        Ok(duplicates.len() as u64)
    }

    /// A request whose answer never came.
    pub fn lose(&mut self, lost: Unanswered) {
        for id in &lost.ids {
            if !self.acknowledged.contains(id) {
                self.open.insert(id.clone());
            }
        }
        self.unanswered.push(lost);
    }

    /// What an address said last is not known any more, or is "yes".
    pub fn forget_denial(&mut self, address: &str) {
        self.denied.remove(address);
    }

    /// A message is handed to the mail server.
    ///
    /// # Errors
    /// When it was handed over before and nobody said that it may be again, or when its address said no.
    pub fn hand_over(&mut self, message: i64, to: &str) -> Result<(), String> {
        if self.denied.contains(to) {
            return Err(format!("message {message} goes to {to}, who said no"));
        }
        let handed = self.handed.entry(message).or_default();
        if handed.attempts > 0 && !handed.again {
            return Err(format!("message {message} is handed over again without a reason"));
        }
        handed.attempts += 1;
        handed.again = false;
        Ok(())
    }

    /// The server refused it for now, and the store knows.
    pub fn may_repeat(&mut self, message: i64) {
        self.handed.entry(message).or_default().again = true;
    }
}
