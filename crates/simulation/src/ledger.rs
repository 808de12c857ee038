//! What must be true of the store, kept beside it by the plainest means.
use base::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A body whose answer never came; it is sent again as a client would.
#[derive(Debug, Clone, Default)]
pub struct Unanswered {
    pub body: String,
    pub import: bool,
    pub ids: Vec<String>,
    /// Positions of items that would bring back somebody who was erased.
    pub gone: Vec<u32>,
    /// Positions of views by customers who are known by a user id alone, with that.
    pub solo: Vec<(u32, String)>,
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
    /// Ids that were refused for the sake of an erased person, whose first answer never came: each is in the log once or not
    /// at all.
    pub limbo: BTreeSet<String>,
    /// Of [`Ledger::solo`], those of whom a view is in limbo.
    pub unsure: BTreeSet<String>,
    /// What became of a message that was handed over: how often, and whether it may be again.
    pub handed: BTreeMap<i64, Handed>,
    /// Addresses whose last word is "no", by a revocation that named the address.
    pub denied: BTreeSet<String>,
    /// Values that erased people owned: kind and value.
    pub erased: BTreeSet<(String, String)>,
    /// Erased people whom nobody else shared anything with.
    pub guests: Vec<Erased>,
}

/// An erased guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// What it owned: kind and value.
    pub values: Vec<(String, String)>,
    /// What happened up to here happened before the erasure.
    pub until: Timestamp,
    pub number: u64,
    /// Whether it was known by its name: what nobody connected with it is not looked for.
    pub named: bool,
}

impl Erased {
    /// Texts of which none may be found any more.
    pub fn traces(&self) -> Vec<String> {
        let written = self.values.iter().map(|(kind, value)| match kind.as_str() {
            "phone" => value[value.len().saturating_sub(9)..].to_string(),
            _ => value.clone(),
        });
        written.chain(self.named.then(|| crate::story::guest_name(self.number))).collect()
    }
}

/// Whether a text names a value, in the form in which the town writes it.
fn names(text: &str, (kind, value): &(String, String)) -> bool {
    match kind.as_str() {
        "phone" => text.contains(&value[value.len().saturating_sub(9)..]),
        _ => text.contains(&format!("{value:?}")),
    }
}

/// A message on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Handed {
    pub attempts: u32,
    /// It was refused for now, so it may be handed over again.
    pub again: bool,
}

impl Ledger {
    /// Ids of a request that was answered: all are in the log now, but for those that were refused because they would have
    /// brought an erased person back.
    ///
    /// # Errors
    /// When what was said about repeats cannot be: a new id called a repeat, or an acknowledged one called new.
    pub fn acknowledge(
        &mut self,
        ids: &[String],
        solo: &[(u32, String)],
        duplicates: &[u32],
        erased: &[u32],
    ) -> Result<u64, String> {
        let mut seen = BTreeSet::new();
        let user = |at: usize| solo.iter().find(|(solo, _)| *solo as usize == at).map(|(_, user)| user.clone());
        for (at, id) in ids.iter().enumerate() {
            if erased.contains(&(at as u32)) {
                if self.open.contains(id) {
                    self.limbo.insert(id.clone());
                    self.unsure.extend(user(at));
                }
                continue;
            }
            let repeat = duplicates.contains(&(at as u32));
            let known = self.acknowledged.contains(id);
            let within = !seen.insert(id);
            let perhaps = self.open.contains(id) || self.limbo.contains(id);
            if repeat && !known && !within && !perhaps {
                return Err(format!("{id} was called a repeat and was never sent before"));
            }
            if !repeat && (known || within) {
                return Err(format!("{id} was taken twice"));
            }
            if known || within {
                continue;
            }
            if let Some(user) = user(at) {
                self.solo.entry(user).or_default().insert(id.clone());
            }
        }
        self.limbo.retain(|id| !seen.contains(id));
        self.acknowledged.extend(seen.into_iter().cloned());
        self.open.retain(|id| !ids.contains(id));
        Ok(duplicates.len() as u64)
    }

    /// What was refused for the sake of erased people names one, and what had to be refused was.
    ///
    /// # Errors
    /// When somebody is brought back, or an event is refused that names nobody who was erased.
    pub fn check_erased(&self, body: &str, gone: &[u32], erased: &[u32]) -> Result<(), String> {
        if let Some(back) = gone.iter().find(|at| !erased.contains(at)) {
            return Err(format!("item {back} brings back a person who was erased: {body}"));
        }
        if erased.is_empty() {
            return Ok(());
        }
        let read: serde_json::Value = serde_json::from_str(body).map_err(|e| e.to_string())?;
        for at in erased {
            let text = read["batch"][*at as usize].to_string();
            if !self.erased.iter().any(|value| names(&text, value)) {
                return Err(format!("an event is refused that names nobody who was erased: {text}"));
            }
        }
        Ok(())
    }

    /// Somebody who owned these values is erased: what they did is theirs no more.
    pub fn erase(&mut self, values: &[(String, String)]) {
        for (_, user) in values.iter().filter(|(kind, _)| kind == "user_id") {
            self.solo.remove(user);
            self.unsure.remove(user);
        }
        self.erased.extend(values.iter().cloned());
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
