//! Two systems side by side: the old one's numbers, Braid's, and why they differ.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a number differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The old system has it, Braid does not.
    MissingInBraid,
    /// Braid has it, the old system does not.
    MissingThere,
    /// Both have it, with other values.
    DifferentValue,
    /// Both have it, on neighbouring days: the border of a day or a zone.
    DayBorder,
    /// The file has it more than once.
    DuplicateThere,
}

/// One thing that both systems should know: an order, a customer, a day's number of sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The order's number, the customer's contact, the segment's name, the day.
    pub key: String,
    /// The shop's day, `YYYY-MM-DD`; empty where it has none.
    pub day: String,
    /// An amount in minor units or a count.
    pub value: i64,
}

/// A difference, with both values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub key: String,
    pub cause: Cause,
    pub there: Option<Item>,
    pub here: Option<Item>,
}

/// How many differences are still fine, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Differing items in a thousand, at most.
    pub items_permille: u64,
    /// Difference of the sums in a thousand, at most.
    pub sum_permille: u64,
    /// Whether orders on a neighbouring day count as differing.
    #[serde(default)]
    pub day_border_counts: bool,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { items_permille: 5, sum_permille: 2, day_border_counts: false }
    }
}

/// Whether the switch may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Go,
    NoGo,
    /// The file holds nothing to compare.
    Nothing,
}

/// Two systems compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub there: u64,
    pub here: u64,
    pub same: u64,
    pub sum_there: i64,
    pub sum_here: i64,
    pub causes: BTreeMap<Cause, u64>,
    /// The first differences; `causes` counts all.
    pub differences: Vec<Difference>,
    pub verdict: Verdict,
    /// The verdict in words.
    pub why: String,
}

/// Days between two days of the form `YYYY-MM-DD`.
fn apart(a: &str, b: &str) -> Option<i32> {
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok();
    Some((day(a)? - day(b)?).get_days().abs())
}

/// Compares; `shown` differences are listed at most. Both lists are read in memory, sorted by key.
pub fn compare(there: Vec<Item>, here: Vec<Item>, thresholds: Thresholds, shown: usize) -> Comparison {
    let mut out = Comparison {
        there: there.len() as u64,
        here: here.len() as u64,
        same: 0,
        sum_there: there.iter().map(|i| i.value).sum(),
        sum_here: here.iter().map(|i| i.value).sum(),
        causes: BTreeMap::new(),
        differences: Vec::new(),
        verdict: Verdict::Nothing,
        why: String::new(),
    };
    let mut braid: BTreeMap<String, Item> = here.into_iter().map(|i| (i.key.clone(), i)).collect();
    let mut old: BTreeMap<String, Item> = BTreeMap::new();
    for item in there {
        match old.get(&item.key) {
            Some(first) => {
                let first = first.clone();
                note(&mut out, shown, Cause::DuplicateThere, Some(item), Some(first));
            }
            None => drop(old.insert(item.key.clone(), item)),
        }
    }
    for (key, item) in old {
        match braid.remove(&key) {
            None => note(&mut out, shown, Cause::MissingInBraid, Some(item), None),
            Some(own) if own.value != item.value => note(&mut out, shown, Cause::DifferentValue, Some(item), Some(own)),
            Some(own) if own.day != item.day && !item.day.is_empty() => {
                let cause =
                    if apart(&own.day, &item.day) == Some(1) { Cause::DayBorder } else { Cause::DifferentValue };
                note(&mut out, shown, cause, Some(item), Some(own));
            }
            Some(_) => out.same += 1,
        }
    }
    for own in braid.into_values() {
        note(&mut out, shown, Cause::MissingThere, None, Some(own));
    }
    judge(&mut out, thresholds);
    out
}

fn note(out: &mut Comparison, shown: usize, cause: Cause, there: Option<Item>, here: Option<Item>) {
    *out.causes.entry(cause).or_default() += 1;
    if out.differences.len() < shown {
        let key = there.as_ref().or(here.as_ref()).map(|i| i.key.clone()).unwrap_or_default();
        out.differences.push(Difference { key, cause, there, here });
    }
}

fn judge(out: &mut Comparison, thresholds: Thresholds) {
    if out.there == 0 {
        out.why = "the file holds nothing to compare".into();
        return;
    }
    let counts = |cause: &Cause| thresholds.day_border_counts || *cause != Cause::DayBorder;
    let differing: u64 = out.causes.iter().filter(|(c, _)| counts(c)).map(|(_, n)| n).sum();
    let items = differing * 1000 / out.there;
    let gap = out.sum_there.abs_diff(out.sum_here);
    let sum = (u128::from(gap) * 1000 / u128::from(out.sum_there.unsigned_abs().max(1))) as u64;
    let fine = items <= thresholds.items_permille && sum <= thresholds.sum_permille;
    out.verdict = if fine { Verdict::Go } else { Verdict::NoGo };
    out.why = format!(
        "{differing} of {} differ ({items} in a thousand, {} allowed); the sums differ by {sum} in a thousand, {} allowed",
        out.there, thresholds.items_permille, thresholds.sum_permille
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str, day: &str, value: i64) -> Item {
        Item { key: key.into(), day: day.into(), value }
    }

    #[test]
    fn each_difference_has_its_cause() {
        // [AD2] each difference between the old tool and Braid is listed with why.
        let there = vec![
            item("1", "2026-11-01", 100),
            item("2", "2026-11-01", 200),
            item("3", "2026-11-01", 300),
            item("4", "2026-11-30", 400),
            item("4", "2026-11-30", 400),
            item("6", "2026-11-01", 600),
        ];
        let here = vec![
            item("1", "2026-11-01", 100),
            item("2", "2026-11-01", 250),
            item("4", "2026-12-01", 400),
            item("5", "2026-11-02", 500),
            item("6", "2026-11-05", 600),
        ];
        let out = compare(there, here, Thresholds::default(), 100);
        let told: Vec<(&str, Cause)> = out.differences.iter().map(|d| (d.key.as_str(), d.cause)).collect();
        assert_eq!(
            told,
            [
                ("4", Cause::DuplicateThere),
                ("2", Cause::DifferentValue),
                ("3", Cause::MissingInBraid),
                ("4", Cause::DayBorder),
                ("6", Cause::DifferentValue),
                ("5", Cause::MissingThere),
            ]
        );
        assert_eq!((out.same, out.verdict), (1, Verdict::NoGo));
    }

    #[test]
    fn the_verdict_follows_the_thresholds() {
        let many = |shift: i64| -> Vec<Item> {
            (0..1000).map(|n| item(&n.to_string(), "2026-11-01", 1000 + if n < shift { 1 } else { 0 })).collect()
        };
        assert_eq!(compare(many(0), many(0), Thresholds::default(), 10).verdict, Verdict::Go);
        assert_eq!(compare(many(0), many(5), Thresholds::default(), 10).verdict, Verdict::Go);
        let six = compare(many(0), many(6), Thresholds::default(), 2);
        assert_eq!((six.verdict, six.differences.len(), six.causes[&Cause::DifferentValue]), (Verdict::NoGo, 2, 6));
        assert_eq!(compare(Vec::new(), many(1), Thresholds::default(), 2).verdict, Verdict::Nothing);
        let border = Thresholds { day_border_counts: true, ..Thresholds::default() };
        let moved: Vec<Item> = many(0).into_iter().map(|i| Item { day: "2026-11-02".into(), ..i }).collect();
        assert_eq!(compare(many(0), moved.clone(), Thresholds::default(), 0).verdict, Verdict::Go);
        assert_eq!(compare(many(0), moved, border, 0).verdict, Verdict::NoGo);
    }
}
