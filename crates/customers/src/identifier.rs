//! Identifier values: one written form, values that identify nobody, order of priority, and the key of the cache.
use base::{Country, normalise_email, normalise_phone};
use db::event::Identifier;
use db::{Bulk, DbError, Engine, Memory, Notice, Tx};
use hashbrown::HashSet;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::borrow::Cow;
use std::hash::Hasher;
use std::sync::Arc;

/// Characters of an identifier's value, at most; a longer text identifies nobody.
pub const VALUE_MAX: usize = 500;
/// Characters of a kind, at most.
pub const KIND_MAX: usize = 64;

/// Values that the shop knows to be nobody's own, by kind; `*` stands for every kind.
#[derive(Debug, Clone, Default)]
pub struct Blocked(HashSet<(Box<str>, Box<str>)>);

impl Blocked {
    /// Only the values that are blocked everywhere.
    pub fn new(values: impl IntoIterator<Item = (Box<str>, Box<str>)>) -> Self {
        Self(values.into_iter().collect())
    }
    /// Whether a normalised value identifies nobody.
    pub fn contains(&self, kind: &str, value: &str) -> bool {
        if is_placeholder(value) {
            return true;
        }
        if self.0.is_empty() {
            return false;
        }
        let listed = |kind: &str| self.0.contains(&(Box::from(kind), Box::from(value)));
        listed(kind) || listed("*")
    }
}

/// The shop's blocked values as the writer knows them, with those of before the running group.
struct Held {
    now: Arc<Blocked>,
    committed: Arc<Blocked>,
}

impl Memory for Held {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let rows = db.rows("SELECT kind, value FROM blocked_values", &[])?;
        let pairs: Result<Vec<_>, DbError> = rows.iter().map(|r| Ok((r.text(0)?.into(), r.text(1)?.into()))).collect();
        let now = Arc::new(Blocked::new(pairs?));
        Ok(Self { committed: now.clone(), now })
    }
    fn commit(&mut self) {
        self.committed = self.now.clone();
    }
    fn rollback(&mut self) {
        self.now = self.committed.clone();
    }
}

/// The shop's blocked values; the same pointer until they change.
pub fn blocked(tx: &mut Tx) -> Result<Arc<Blocked>, DbError> {
    Ok(tx.memory::<Held>()?.now.clone())
}

static BLOCKED: Bulk =
    Bulk { table: "blocked_values", columns: &[("kind", 't'), ("value", 't')], key: 2, insert_only: true };

/// Blocks a value from now on: it attaches to nobody and joins nobody. `kind` may be `*`. What it joined before stays, for a
/// person to take apart.
pub fn block(tx: &mut Tx, kind: &str, value: &str, country: Country) -> Result<(), DbError> {
    let value = normalise(kind, value, country).map_or_else(|| value.trim().to_string(), Cow::into_owned);
    let held = tx.memory::<Held>()?;
    let mut fresh = (*held.now).clone();
    fresh.0.insert((kind.into(), value.as_str().into()));
    held.now = Arc::new(fresh);
    tx.append(&BLOCKED, vec![kind.into(), value.into()]);
    tx.notify(Notice::Changed { what: "blocked_values" });
    Ok(())
}

/// Values that programs send where they have none: `^[0-]*$`, `-1`, `null`, `anonymous`, `undefined`, `test`, `none`, nothing.
pub fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 6] = ["-1", "null", "anonymous", "undefined", "test", "none"];
    value.bytes().all(|b| b == b'0' || b == b'-')
        || (value.len() <= 9 && WORDS.iter().any(|word| value.eq_ignore_ascii_case(word)))
}

/// The one form in which a value is stored and compared; `None` when it cannot be a value of its kind.
pub fn normalise<'a>(kind: &str, value: &'a str, country: Country) -> Option<Cow<'a, str>> {
    let value = value.trim();
    let value = match kind {
        "email" => Cow::Owned(normalise_email(value)?),
        "phone" => Cow::Owned(normalise_phone(value, country)?),
        _ if value.contains('\0') => Cow::Owned(value.replace('\0', "\u{fffd}")),
        _ => Cow::Borrowed(value),
    };
    // Bytes bound characters from above, so the usual short value is not counted.
    (value.len() <= VALUE_MAX || value.chars().count() <= VALUE_MAX).then_some(value)
}

/// The key of the identifier cache: SipHash-1-3-128 with the store's own key, so that nobody can make two values collide.
pub fn hash(key: (u64, u64), kind: &str, value: &str) -> u128 {
    let mut hasher = SipHasher13::new_with_keys(key.0, key.1);
    hasher.write(kind.as_bytes());
    hasher.write_u8(0);
    hasher.write(value.as_bytes());
    hasher.finish128().as_u128()
}

/// Highest first: user_id, email, phone, others by name, anonymous_id.
pub fn priority(kind: &str) -> (u8, &str) {
    match kind {
        "user_id" => (0, ""),
        "email" => (1, ""),
        "phone" => (2, ""),
        "anonymous_id" => (4, ""),
        other => (3, other),
    }
}

/// Gathers an event's identifiers: normalised, without blocked ones and repetitions, in order of priority.
pub struct Gather<'a> {
    pub country: Country,
    pub key: (u64, u64),
    pub blocked: &'a Blocked,
    pub out: &'a mut Vec<Identifier>,
}

impl Gather<'_> {
    /// Adds a value as it was sent.
    pub fn add(&mut self, kind: &str, value: &str) {
        let Some(value) = normalise(kind, value, self.country) else { return };
        if self.blocked.contains(kind, &value) || self.out.iter().any(|i| *i.value == *value && *i.kind == *kind) {
            return;
        }
        let hash = hash(self.key, kind, &value);
        self.out.push(Identifier { kind: kind.into(), value: value.into(), hash });
    }
    /// Adds a value of a kind that somebody made up.
    pub fn add_external(&mut self, kind: &str, value: &str) {
        let kind = kind.trim();
        if !kind.is_empty() && kind.len() <= KIND_MAX && !kind.contains('\0') {
            self.add(kind, value);
        }
    }
    /// Brings them into order; values of one kind stay as they were found.
    pub fn finish(self) {
        if !self.out.is_sorted_by(|a, b| priority(&a.kind) <= priority(&b.kind)) {
            self.out.sort_by(|a, b| priority(&a.kind).cmp(&priority(&b.kind)));
        }
    }
}
