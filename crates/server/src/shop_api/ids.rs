//! Ids that leave for customers' devices: a number with a seal of this store's secret, so that nobody finds another's cart or order
//! by counting. Whoever has the id may see what it names.
//!
//! The seal is 64 bits of SipHash-2-4 (Aumasson and Bernstein, 2012), a function made to be one that nobody can foretell without
//! the key; guessing one takes 2⁶³ requests.
use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cart,
    Order,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Kind::Cart => 'c',
            Kind::Order => 'o',
        }
    }
}

fn seal(key: (u64, u64), kind: Kind, no: i64) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(key.0, key.1);
    hasher.write(b"shop_id");
    hasher.write_u8(kind.letter() as u8);
    hasher.write_i64(no);
    hasher.finish()
}

/// The id of a cart or an order.
pub fn id(key: (u64, u64), kind: Kind, no: i64) -> String {
    format!("{}{no}-{:016x}", kind.letter(), seal(key, kind, no))
}

/// The number in an id; `None` for one that this store did not give.
pub fn number(key: (u64, u64), kind: Kind, id: &str) -> Option<i64> {
    let (no, sealed) = id.strip_prefix(kind.letter())?.split_once('-')?;
    let no: i64 = no.parse().ok().filter(|no| *no > 0)?;
    let sealed = u64::from_str_radix(sealed, 16).ok().filter(|_| sealed.len() == 16)?;
    // All bits are compared at once: time tells nothing of where they differ.
    (sealed ^ seal(key, kind, no) == 0).then_some(no)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_is_taken() {
        let key = (1, 2);
        let mine = id(key, Kind::Cart, 7);
        assert_eq!(number(key, Kind::Cart, &mine), Some(7));
        assert_eq!(number(key, Kind::Order, &mine), None);
        assert_eq!(number((1, 3), Kind::Cart, &mine), None, "another store's");
        assert_eq!(number(key, Kind::Cart, &mine.replace("c7", "c8")), None);
        for bad in ["", "c", "c7", "c7-", "c-7", "7", "c7-zz", "c7-+0000000000000001"] {
            assert_eq!(number(key, Kind::Cart, bad), None, "{bad}");
        }
    }
}
