//! Intervals and tests of shares.

/// Between two numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Wilson's score interval of `k` in `n` (Wilson 1927); `None` where n is nothing.
pub fn wilson(k: f64, n: f64, z: f64) -> Option<Interval> {
    if n <= 0.0 {
        return None;
    }
    let (p, z2) = (k / n, z * z);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).max(0.0).sqrt();
    Some(Interval { low: (middle - half).clamp(0.0, p), high: (middle + half).clamp(p, 1.0) })
}

/// The difference of two shares with its interval: Newcombe's hybrid of Wilson's (Newcombe 1998, method 10).
pub fn difference(a: (f64, f64), b: (f64, f64), z: f64) -> Option<(f64, Interval)> {
    let (of_a, of_b) = (wilson(a.0, a.1, z)?, wilson(b.0, b.1, z)?);
    let (p, q) = (a.0 / a.1, b.0 / b.1);
    let low = p - q - ((p - of_a.low).powi(2) + (of_b.high - q).powi(2)).sqrt();
    let high = p - q + ((of_a.high - p).powi(2) + (q - of_b.low).powi(2)).sqrt();
    Some((p - q, Interval { low, high }))
}

/// The chance of `k` or more of `n`, each with the chance `p`: exact, summed from the largest term's logarithm.
pub fn binomial_tail(k: i64, n: i64, p: f64) -> f64 {
    if k <= 0 {
        return 1.0;
    }
    if k > n || p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    let mut ln = ln_choose(n, k) + k as f64 * p.ln() + (n - k) as f64 * (1.0 - p).ln();
    let odds = (p / (1.0 - p)).ln();
    let mut sum = 0.0;
    for i in k..=n {
        let term = ln.exp();
        sum += term;
        // Terms fall from the mean on: what is too small for the sum adds nothing.
        if i as f64 > n as f64 * p && term < sum * 1e-17 {
            break;
        }
        ln += ((n - i) as f64).ln() - ((i + 1) as f64).ln() + odds;
    }
    sum.min(1.0)
}

fn ln_choose(n: i64, k: i64) -> f64 {
    let k = k.min(n - k);
    (1..=k).map(|i| ((n - k + i) as f64).ln() - (i as f64).ln()).sum()
}
