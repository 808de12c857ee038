//! What leads from a file that got out back to who took it: a mark in every row, one row that is nobody, and the order of
//! the rows.
//!
//! The order costs nothing and changes no value: rows come in pairs, and in the nth pair the one with the greater number
//! stands first where the nth bit of the mark is set. Somebody who deletes the column with the mark and the row that is
//! nobody still gives it away. It is read back by [`read`].
use super::spool::Row;

/// Bits of a mark.
const BITS: usize = 64;

/// A mark as a number.
pub fn number(mark: &str) -> u64 {
    u64::from_str_radix(mark, 16).unwrap_or(0)
}

/// After how many rows the row that is nobody comes: somewhere in the first thousand, where nobody looks first.
pub fn place(mark: u64, rows: u64) -> u64 {
    if rows == 0 { 0 } else { mark % rows.min(1000) }
}

/// Puts rows into the order that carries a mark, as they come.
#[derive(Debug, Default)]
pub struct Pairs {
    held: Option<Row>,
    pairs: usize,
}

impl Pairs {
    /// Takes a row; gives a pair when there is one, in its order.
    pub fn take(&mut self, mark: u64, row: Row) -> Option<[Row; 2]> {
        let Some(first) = self.held.take() else {
            self.held = Some(row);
            return None;
        };
        let bit = mark >> (self.pairs % BITS) & 1;
        self.pairs += 1;
        Some(if bit == 1 { [row, first] } else { [first, row] })
    }
    /// The last row, when their number is odd.
    pub fn rest(&mut self) -> Option<Row> {
        self.held.take()
    }
}

/// Reads a mark off the order of rows by their numbers; `None` when there are too few rows for all of it.
pub fn read(numbers: &[i64]) -> Option<u64> {
    let mut votes = [0i64; BITS];
    let pairs: Vec<&[i64]> = numbers.chunks_exact(2).collect();
    if pairs.len() < BITS {
        return None;
    }
    for (at, pair) in pairs.iter().enumerate() {
        votes[at % BITS] += if pair[0] > pair[1] { 1 } else { -1 };
    }
    Some(votes.iter().enumerate().fold(0, |mark, (at, vote)| mark | u64::from(*vote > 0) << at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// [issue 3, 8] The mark comes back from the order alone, and every row is there once.
        #[test]
        fn the_order_gives_the_mark_away(mark in any::<u64>(), rows in 128i64..600) {
            let mut pairs = Pairs::default();
            let mut out = Vec::new();
            for n in 1..=rows {
                out.extend(pairs.take(mark, Row::of(&[n], Vec::new())).into_iter().flatten().map(|r| r.people[0]));
            }
            out.extend(pairs.rest().map(|r| r.people[0]));
            prop_assert_eq!(read(&out), Some(mark));
            out.sort_unstable();
            prop_assert_eq!(out, (1..=rows).collect::<Vec<_>>());
        }
    }

    #[test]
    fn too_few_rows_say_nothing() {
        assert_eq!(read(&[1, 2, 3]), None);
        assert_eq!((place(5, 0), place(5, 2), place(12_345, 5_000)), (0, 1, 345));
    }
}
