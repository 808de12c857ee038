//! A filter of about nine bits an id that says "not here" or "perhaps": a binary fuse filter (Graf, Lemire: "Binary fuse
//! filters: fast and smaller than xor filters", ACM JEA 27, 2022), three places and one byte an id. One answer in 256 about
//! an absent id is wrong, and costs a page read. It is made of all ids at once and never changed.
use crate::DbError;
use crate::event::EventId;

/// A filter over the ids of a part of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fuse {
    seed: u64,
    segment: u32,
    /// Length of the range in which the first of the three places lies.
    first_range: u32,
    /// Empty: whatever is asked may be here.
    bytes: Box<[u8]>,
}

/// Places of an id and its byte.
struct Spot {
    at: [usize; 3],
    byte: u8,
}

/// Ids are hashes already; their low half is mixed with the seed so that another seed gives other places.
fn mix(id: EventId, seed: u64) -> u64 {
    let mut h = (id as u64).wrapping_add(seed);
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

impl Fuse {
    /// Makes a filter of distinct ids.
    pub(crate) fn make(ids: &[EventId]) -> Self {
        let n = ids.len().max(2) as f64;
        // The sizes that the paper found by experiment for three places.
        let segment = 1u32 << ((n.ln() / 3.33f64.ln() + 2.25).floor() as u32).min(18);
        let room = (n * (0.875 + 0.25 * 1e6f64.ln() / n.ln()).max(1.125)).round() as u32;
        let segments = room.div_ceil(segment).saturating_sub(2).max(1);
        let mut out = Self { seed: 0, segment, first_range: segments * segment, bytes: Box::default() };
        let size = (segments as usize + 2) * segment as usize;
        // One seed in a few fails; that a hundred do means two ids with one low half, which no filter can tell apart.
        for seed in 1..=100u64 {
            out.seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            if let Some(bytes) = out.try_make(ids, size) {
                out.bytes = bytes;
                break;
            }
        }
        out
    }

    /// Peels ids that are alone in a place, last first, and then gives each the byte that its own place lacks.
    fn try_make(&self, ids: &[EventId], size: usize) -> Option<Box<[u8]>> {
        let mut count = vec![0u8; size];
        let mut sums = vec![0u64; size];
        for id in ids {
            let hash = mix(*id, self.seed);
            for at in self.spot(hash).at {
                count[at] = count[at].checked_add(1)?;
                sums[at] ^= hash;
            }
        }
        let mut alone: Vec<u32> = (0..size as u32).filter(|at| count[*at as usize] == 1).collect();
        let mut order: Vec<(u64, u32)> = Vec::with_capacity(ids.len());
        while let Some(at) = alone.pop() {
            if count[at as usize] != 1 {
                continue;
            }
            let hash = sums[at as usize];
            order.push((hash, at));
            for other in self.spot(hash).at {
                count[other] -= 1;
                sums[other] ^= hash;
                if count[other] == 1 {
                    alone.push(other as u32);
                }
            }
        }
        if order.len() != ids.len() {
            return None;
        }
        let mut bytes = vec![0u8; size];
        for (hash, own) in order.into_iter().rev() {
            let spot = self.spot(hash);
            let others = spot.at.iter().filter(|at| **at != own as usize).fold(0, |sum, at| sum ^ bytes[*at]);
            bytes[own as usize] = spot.byte ^ others;
        }
        Some(bytes.into())
    }

    fn spot(&self, hash: u64) -> Spot {
        let first = ((u128::from(hash) * u128::from(self.first_range)) >> 64) as u32;
        let mask = self.segment - 1;
        let second = (first + self.segment) ^ ((hash >> 18) as u32 & mask);
        let third = (first + 2 * self.segment) ^ (hash as u32 & mask);
        Spot { at: [first as usize, second as usize, third as usize], byte: (hash ^ (hash >> 32)) as u8 }
    }

    /// Whether the id may be among those of the filter; `false` is certain.
    pub(crate) fn may_hold(&self, id: EventId) -> bool {
        if self.bytes.is_empty() {
            return true;
        }
        let spot = self.spot(mix(id, self.seed));
        spot.at.iter().fold(spot.byte, |sum, at| sum ^ self.bytes[*at]) == 0
    }

    /// Bytes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }

    /// As it is stored: seed, segment, range, bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 16);
        out.extend_from_slice(&self.seed.to_le_bytes());
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&self.first_range.to_le_bytes());
        out.extend_from_slice(&self.bytes);
        out
    }

    /// The inverse of [`Fuse::encode`].
    pub(crate) fn decode(stored: &[u8]) -> Result<Self, DbError> {
        let damaged = || DbError::damaged("dedup_filters", "a filter has a wrong size");
        let (head, bytes) = stored.split_at_checked(16).ok_or_else(damaged)?;
        let number = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
        let seed = head.get(..8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        let (Some(seed), Some(segment), Some(first_range)) = (seed, number(8), number(12)) else {
            return Err(damaged());
        };
        let size = u64::from(first_range) + 2 * u64::from(segment);
        if !segment.is_power_of_two() || (!bytes.is_empty() && bytes.len() as u64 != size) {
            return Err(damaged());
        }
        Ok(Self { seed, segment, first_range, bytes: bytes.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: usize, seed: u64) -> Vec<EventId> {
        let mut rng = base::Rng::new(seed);
        (0..count).map(|_| u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())).collect()
    }

    #[test]
    fn what_is_in_is_never_denied_and_of_the_rest_one_in_256_is_not() {
        for count in [0, 1, 2, 3, 10, 100, 1_000, 65_537, 262_144] {
            let held = ids(count, 7);
            let filter = Fuse::decode(&Fuse::make(&held).encode()).expect("what was written is read");
            assert!(held.iter().all(|id| filter.may_hold(*id)), "{count}");
            let wrong = ids(100_000, 8).iter().filter(|id| filter.may_hold(**id)).count();
            assert!(wrong < 600, "{wrong} of 100,000 with {count} ids");
            if count >= 65_537 {
                let bits = filter.weight() as f64 * 8.0 / count as f64;
                assert!(bits < 9.6, "{bits} bits an id");
            }
        }
    }

    #[test]
    fn two_ids_with_one_low_half_make_a_filter_that_denies_nothing() {
        let mut twins = ids(50, 3);
        twins.push(twins[0] ^ 1 << 100);
        let filter = Fuse::make(&twins);
        assert!(twins.iter().all(|id| filter.may_hold(*id)) && filter.may_hold(12345));
        assert_eq!(Fuse::decode(&filter.encode()).expect("it is read"), filter);
    }

    #[test]
    fn a_damaged_filter_is_refused() {
        let good = Fuse::make(&ids(1000, 1)).encode();
        assert!(Fuse::decode(&good[..10]).is_err());
        assert!(Fuse::decode(&good[..good.len() - 1]).is_err());
    }
}
