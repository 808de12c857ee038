//! How right a resolution is, where the truth is known.

/// Pairs found and missed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairScore {
    pub right: u64,
    pub wrong: u64,
    pub missed: u64,
}

impl PairScore {
    /// Part of the found pairs that is right.
    pub fn precision(&self) -> f64 {
        part(self.right, self.right + self.wrong)
    }
    /// Part of the true pairs that is found.
    pub fn recall(&self) -> f64 {
        part(self.right, self.right + self.missed)
    }
    /// Harmonic mean of the two.
    pub fn f1(&self) -> f64 {
        part(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

fn part(some: u64, all: u64) -> f64 {
    if all == 0 { 1.0 } else { some as f64 / all as f64 }
}

/// Compares two groupings of the same records.
pub fn pair_score(found: &[u32], truth: &[u32]) -> PairScore {
    let pairs = |labels: Vec<(u32, u32)>| {
        let mut labels = labels;
        labels.sort_unstable();
        labels.chunk_by(|a, b| a == b).map(|g| (g.len() * (g.len() - 1) / 2) as u64).sum::<u64>()
    };
    let right = pairs(found.iter().copied().zip(truth.iter().copied()).collect());
    let all_found = pairs(found.iter().map(|f| (*f, 0)).collect());
    let all_true = pairs(truth.iter().map(|t| (*t, 0)).collect());
    PairScore { right, wrong: all_found - right, missed: all_true - right }
}
