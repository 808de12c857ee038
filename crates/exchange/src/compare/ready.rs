//! Whether a module may be switched over: green days in a row, open differences, freshness.
use super::{Verdict, day};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What must hold before the switch, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    /// Days in a row that must be green.
    pub green_days: u32,
    /// Differences that nobody has explained, at most.
    pub open_differences: u64,
    /// How many days ago the newest compared day may lie.
    pub stale_days: u32,
}

impl Default for Bar {
    fn default() -> Self {
        Self { green_days: 14, open_differences: 0, stale_days: 3 }
    }
}

/// How a module stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Green days in a row, up to the newest compared one.
    pub green_days: u32,
    /// The newest compared day.
    pub newest: Option<String>,
    pub open_differences: u64,
    pub verdict: Verdict,
    /// What is lacking; empty for go.
    pub lacking: Vec<String>,
}

/// Green days in a row that end at the newest compared day. A day on which neither side has anything counts neither way; a
/// day that was not compared ends the row.
pub fn streak(days: &BTreeMap<String, Verdict>) -> u32 {
    let (mut count, mut expected) = (0, None);
    for (text, verdict) in days.iter().rev() {
        let Some(today) = day(text) else { continue };
        if expected.is_some_and(|e| e != today) || *verdict == Verdict::NoGo {
            break;
        }
        count += u32::from(*verdict == Verdict::Go);
        expected = today.yesterday().ok();
    }
    count
}

/// Judges a module by its compared days. `today` is the shop's day.
pub fn standing(days: &BTreeMap<String, Verdict>, open_differences: u64, bar: Bar, today: &str) -> Standing {
    let green_days = streak(days);
    let newest = days.iter().rev().find(|(_, v)| **v != Verdict::Nothing).map(|(d, _)| d.clone());
    let mut lacking = Vec::new();
    if green_days < bar.green_days {
        lacking.push(format!("{green_days} green days in a row, {} wanted", bar.green_days));
    }
    if open_differences > bar.open_differences {
        lacking.push(format!("{open_differences} differences are open, {} allowed", bar.open_differences));
    }
    let age = newest.as_deref().and_then(|n| Some((day(today)? - day(n)?).get_days()));
    if let Some(age) = age.filter(|age| *age > i64::from(bar.stale_days) as i32) {
        lacking.push(format!("the newest compared day is {age} days ago, at most {} allowed", bar.stale_days));
    }
    let verdict = match (&newest, lacking.is_empty()) {
        (None, _) => Verdict::Nothing,
        (Some(_), true) => Verdict::Go,
        (Some(_), false) => Verdict::NoGo,
    };
    Standing { green_days, newest, open_differences, verdict, lacking }
}
