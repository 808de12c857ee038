//! Which lot leaves first: pure (DOMAIN 4.7, removal order).
use base::{Quantity, Timestamp};

/// How lots leave a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// What expires first, then what came first.
    Fefo,
    /// What came first.
    Fifo,
    /// What came last.
    Lifo,
}

impl Removal {
    /// The order that is used where nobody names a lot: by expiry where a lot has one, else by age.
    pub fn usual(held: &[Held]) -> Removal {
        if held.iter().any(|lot| lot.expires_at.is_some()) { Removal::Fefo } else { Removal::Fifo }
    }
}

/// Goods of one lot that lie together. Goods without a lot have an empty one, and came at the beginning of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub lot: Box<str>,
    pub quantity: Quantity,
    /// From this moment on it must not be sold.
    pub expires_at: Option<Timestamp>,
    pub first_at: Timestamp,
}

impl Held {
    /// Whether it may still be sold.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

/// Sorts what leaves first to the front. Ties go by name, so that two programs agree.
pub fn sort(held: &mut [Held], removal: Removal) {
    held.sort_by(|a, b| {
        let age = a.first_at.cmp(&b.first_at);
        let order = match removal {
            Removal::Fefo => {
                let end = |lot: &Held| lot.expires_at.map_or(i64::MAX, Timestamp::micros);
                end(a).cmp(&end(b)).then(age)
            }
            Removal::Fifo => age,
            Removal::Lifo => age.reverse(),
        };
        order.then_with(|| a.lot.cmp(&b.lot))
    });
}

/// From which lots so much is taken, in this order, and what is missing. What has expired is not taken.
pub fn take(
    held: &[Held],
    wanted: Quantity,
    removal: Removal,
    now: Timestamp,
) -> (Vec<(Box<str>, Quantity)>, Quantity) {
    let mut fresh: Vec<Held> =
        held.iter().filter(|lot| lot.is_fresh(now) && lot.quantity.is_positive()).cloned().collect();
    sort(&mut fresh, removal);
    let mut left = wanted;
    let mut out = Vec::new();
    for lot in fresh {
        if !left.is_positive() {
            break;
        }
        let part = lot.quantity.min(left);
        left -= part;
        out.push((lot.lot, part));
    }
    (out, left)
}
