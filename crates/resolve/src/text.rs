//! Distances between short texts.

/// One byte a letter: Latin letters and digits as they are, Cyrillic letters in the upper half. What does not fit becomes `~`.
pub fn compact(text: &str) -> Box<[u8]> {
    let byte = |c: char| match u32::from(c) {
        code @ 0..=0x7f => code as u8,
        code @ 0x430..=0x45f => (code - 0x430 + 0x80) as u8,
        0x491 => 0xb1,
        code @ 0xe0..=0xff => (code - 0xe0 + 0xc0) as u8,
        _ => b'~',
    };
    text.chars().map(byte).collect()
}

/// Edits between two texts: letters put in, left out, changed, or neighbours swapped (optimal string alignment); any number above
/// `most` is given as `most + 1`.
///
/// Source: Hyyrö, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003, for the first 64 letters;
/// longer texts are cut.
pub fn edits(a: &[u8], b: &[u8], most: usize) -> usize {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if b.len() - a.len() > most {
        return most + 1;
    }
    let same_start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same_start..], &b[same_start..]);
    let same_end = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - same_end], &b[..b.len() - same_end]);
    let (a, b) = (&a[..a.len().min(64)], &b[..b.len().min(64)]);
    if a.is_empty() {
        return b.len().min(most + 1);
    }
    bit_vectors(a, b).min(most + 1)
}

fn bit_vectors(a: &[u8], b: &[u8]) -> usize {
    let places = |c: u8| a.iter().enumerate().fold(0u64, |bits, (at, x)| bits | (u64::from(*x == c) << at));
    let last = 1u64 << (a.len() - 1);
    let (mut up, mut down) = (u64::MAX, 0u64);
    let (mut before, mut diagonal) = (0u64, 0u64);
    let mut distance = a.len();
    for &c in b {
        let here = places(c);
        let swapped = (((!diagonal) & here) << 1) & before;
        diagonal = (((here & up).wrapping_add(up)) ^ up) | here | down | swapped;
        let mut right = down | !(diagonal | up);
        let left = diagonal & up;
        if right & last != 0 {
            distance += 1;
        }
        if left & last != 0 {
            distance -= 1;
        }
        right = (right << 1) | 1;
        up = (left << 1) | !(diagonal | right);
        down = right & diagonal;
        before = here;
    }
    distance
}

/// Jaro's similarity with Winkler's credit for a common beginning, 0 to 1; of the first 64 letters.
///
/// Source: Winkler, "String comparator metrics and enhanced decision rules in the Fellegi-Sunter model", 1990.
pub fn jaro_winkler(a: &[u8], b: &[u8]) -> f32 {
    let (a, b) = (&a[..a.len().min(64)], &b[..b.len().min(64)]);
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut in_a, mut in_b) = (0u64, 0u64);
    for (i, x) in a.iter().enumerate() {
        let near = i.saturating_sub(reach)..(i + reach + 1).min(b.len());
        for (j, y) in near.clone().zip(&b[near.start.min(b.len())..]) {
            if in_b >> j & 1 == 0 && y == x {
                in_a |= 1 << i;
                in_b |= 1 << j;
                break;
            }
        }
    }
    let common = in_a.count_ones();
    if common == 0 {
        return 0.0;
    }
    let of = |bits: u64, text: &'_ [u8]| {
        text.iter().enumerate().filter(move |(i, _)| bits >> i & 1 == 1).map(|(_, c)| *c).collect::<Vec<_>>()
    };
    let crossed = of(in_a, a).iter().zip(of(in_b, b)).filter(|(x, y)| **x != *y).count();
    let m = common as f32;
    let jaro = (m / a.len() as f32 + m / b.len() as f32 + (m - crossed as f32 / 2.0) / m) / 3.0;
    let start = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + start as f32 * 0.1 * (1.0 - jaro)
}

/// A hash that is the same on every machine and in every release: keys of it may be stored.
///
/// Source: FNV-1a, 64 bit, its end mixed as in SplitMix64.
pub fn stable_hash(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    mix(hash)
}

/// Spreads a number over 64 bits (SplitMix64's end).
pub fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
