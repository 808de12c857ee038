//! Whether an order goes on by itself: no call is needed where the customer is known, the money is there or the sum is small.
use crate::settings::Policy;

/// What is known when an order is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    pub total_minor: i64,
    /// Paid, authorised or prepaid so far.
    pub covered_minor: i64,
    /// Orders of this customer that they took.
    pub taken: i64,
    /// Orders that they never came for.
    pub unclaimed: i64,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Confirmed { why: &'static str },
    /// A colleague, or the customer by a button, confirms it.
    Ask { why: String },
    /// So much is asked for first.
    Prepay { minor: i64, why: String },
}

/// The word under which an order is held until it is confirmed.
pub const UNCONFIRMED: &str = "unconfirmed";
/// The word under which it is held until it is prepaid.
pub const PREPAYMENT: &str = "prepayment";
/// Paid, ready, and nobody came: refund it or move it.
pub const NOT_COLLECTED: &str = "not_collected";

/// Decides by the policy.
pub fn decide(facts: Facts, policy: &Policy) -> Verdict {
    if facts.covered_minor >= facts.total_minor {
        return Verdict::Confirmed { why: "it is paid" };
    }
    let risky = policy.prepay_after_unclaimed > 0 && facts.unclaimed >= i64::from(policy.prepay_after_unclaimed);
    if risky && policy.prepay_percent > 0 {
        // Rounded up: a share of a kopeck is a kopeck.
        let share = i128::from(facts.total_minor) * i128::from(policy.prepay_percent);
        let minor = i64::try_from((share + 99) / 100).unwrap_or(i64::MAX);
        if facts.covered_minor < minor {
            let why = format!("{} orders of this customer were never collected", facts.unclaimed);
            return Verdict::Prepay { minor, why };
        }
    }
    if policy.confirm_above_minor > 0 && facts.total_minor > policy.confirm_above_minor {
        if facts.taken > 0 {
            return Verdict::Confirmed { why: "the customer is known" };
        }
        return Verdict::Ask { why: "a new customer orders for more than goes on unasked".into() };
    }
    Verdict::Confirmed { why: "nothing speaks against it" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_known_or_paid_is_not_called() {
        let policy = Policy { confirm_above_minor: 500_000, ..Policy::default() };
        let facts = Facts { total_minor: 600_000, ..Facts::default() };
        assert!(matches!(decide(facts, &policy), Verdict::Ask { .. }));
        for facts in [
            Facts { taken: 1, ..facts },
            Facts { covered_minor: 600_000, unclaimed: 9, ..facts },
            Facts { total_minor: 500_000, ..facts },
        ] {
            assert!(matches!(decide(facts, &policy), Verdict::Confirmed { .. }), "{facts:?}");
        }
    }

    #[test]
    fn who_left_parcels_pays_a_share_first() {
        let policy = Policy::default();
        let facts = Facts { total_minor: 99_999, unclaimed: 2, taken: 5, ..Facts::default() };
        let Verdict::Prepay { minor, .. } = decide(facts, &policy) else { panic!("it is asked for") };
        assert_eq!(minor, 20_000, "20 % of 999.99 is 199.998, rounded up");
        assert!(matches!(decide(Facts { covered_minor: 20_000, ..facts }, &policy), Verdict::Confirmed { .. }));
        assert!(matches!(decide(Facts { unclaimed: 1, ..facts }, &policy), Verdict::Confirmed { .. }));
    }
}
