//! Two systems side by side: the old one's numbers, Braid's, and why they differ.
//!
//! [`there`] reads the old system's numbers from its own export or from a file of daily totals, [`module`] says what is compared,
//! [`compare()`] pairs both sides and names a cause for each difference, [`ready`] says whether the switch may be made.
pub mod module;
pub mod ready;
#[cfg(test)]
mod tests;
pub mod there;

use jiff::civil::Date;
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
    /// Both have it, on different days, by as much as all times of the file are off: the file is written in another zone.
    ZoneShift,
    /// Both have it, on neighbouring days: the border of a day.
    DayBorder,
    /// The file has it more than once.
    DuplicateThere,
    /// Braid has it more than once: two sources tell of it.
    DuplicateHere,
    /// The file's row could not be read, and Braid lacks it.
    RejectedRow,
}

impl Cause {
    /// All causes, in the order of reports.
    pub const ALL: [Cause; 8] = [
        Self::MissingInBraid,
        Self::MissingThere,
        Self::DifferentValue,
        Self::ZoneShift,
        Self::DayBorder,
        Self::DuplicateThere,
        Self::DuplicateHere,
        Self::RejectedRow,
    ];
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingInBraid => "missing_in_braid",
            Self::MissingThere => "missing_there",
            Self::DifferentValue => "different_value",
            Self::ZoneShift => "zone_shift",
            Self::DayBorder => "day_border",
            Self::DuplicateThere => "duplicate_there",
            Self::DuplicateHere => "duplicate_here",
            Self::RejectedRow => "rejected_row",
        }
    }
    /// The inverse of [`Cause::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == text)
    }
    /// Whether both systems agree on the thing itself and only on its day not.
    pub fn is_of_days(self) -> bool {
        matches!(self, Self::ZoneShift | Self::DayBorder)
    }
}

/// One thing that both systems should know: an order, a customer, a day's number of sends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Item {
    /// The order's number, the customer's contact, the segment's name, the day of a total.
    pub key: String,
    /// The shop's day, `YYYY-MM-DD`; empty where it has none.
    pub day: String,
    /// When, in microseconds since 1970; 0 = only the day is known.
    #[serde(default)]
    pub at_us: i64,
    /// An amount in minor units or a count.
    pub value: i64,
    /// Where it stands: a line of the file, a source of events.
    #[serde(default)]
    pub place: String,
}

/// A row of the file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// What it is about, where that could be read; else empty.
    pub key: String,
    pub day: String,
    pub line: u64,
    pub reason: String,
}

/// A difference, with both values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub key: String,
    /// The old system's day where it has one, else Braid's.
    pub day: String,
    pub cause: Cause,
    pub there: Option<Item>,
    pub here: Option<Item>,
    /// One sentence with the data.
    pub why: String,
}

/// How many differences are still fine, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Differing items in a thousand, at most.
    pub items_permille: u64,
    /// Difference of the sums in a thousand, at most.
    pub sum_permille: u64,
    /// Whether things on a neighbouring day, or in another zone, count as differing.
    #[serde(default)]
    pub day_border_counts: bool,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { items_permille: 5, sum_permille: 2, day_border_counts: false }
    }
}

/// Whether the switch may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Go,
    NoGo,
    /// Neither side has anything to compare.
    Nothing,
}

impl Verdict {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::NoGo => "no_go",
            Self::Nothing => "nothing",
        }
    }
    /// The inverse of [`Verdict::as_str`]; what is not known is no go.
    pub fn parse(text: &str) -> Self {
        match text {
            "go" => Self::Go,
            "nothing" => Self::Nothing,
            _ => Self::NoGo,
        }
    }
}

/// Both systems' numbers of one day, or of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Sums {
    pub there: u64,
    pub here: u64,
    pub same: u64,
    pub sum_there: i64,
    pub sum_here: i64,
    pub causes: BTreeMap<Cause, u64>,
}

impl Sums {
    /// Differences that count by these thresholds.
    pub fn counted(&self, thresholds: Thresholds) -> u64 {
        let counts = |cause: &Cause| thresholds.day_border_counts || !cause.is_of_days();
        self.causes.iter().filter(|(cause, _)| counts(cause)).map(|(_, n)| n).sum()
    }
    /// The verdict, and the verdict in words.
    pub fn judge(&self, thresholds: Thresholds) -> (Verdict, String) {
        if self.there == 0 && self.here == 0 && self.causes.is_empty() {
            return (Verdict::Nothing, "there is nothing to compare".into());
        }
        let differing = self.counted(thresholds);
        let all = self.there.max(self.here).max(1);
        let items = differing.saturating_mul(1000).div_ceil(all);
        let gap = self.sum_there.abs_diff(self.sum_here);
        let base = u128::from(self.sum_there.unsigned_abs().max(self.sum_here.unsigned_abs()).max(1));
        let sum = u64::try_from((u128::from(gap) * 1000).div_ceil(base)).unwrap_or(u64::MAX);
        let fine = items <= thresholds.items_permille && sum <= thresholds.sum_permille;
        let why = format!(
            "{differing} of {all} differ ({items} in a thousand, {} allowed); the sums differ by {sum} in a thousand, {} allowed",
            thresholds.items_permille, thresholds.sum_permille
        );
        (if fine { Verdict::Go } else { Verdict::NoGo }, why)
    }
    fn add(&mut self, cause: Cause) {
        *self.causes.entry(cause).or_default() += 1;
    }
}

/// Two systems compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    pub all: Sums,
    /// By the shop's day; things without a day stand under the empty one.
    pub days: BTreeMap<String, Sums>,
    /// By how many minutes all times of the file are off; 0 = they are not.
    pub shift_minutes: i64,
    /// Every difference, by key.
    pub differences: Vec<Difference>,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sides {
    pub there: Vec<Item>,
    pub rejected: Vec<Rejected>,
    pub here: Vec<Item>,
    /// The first and the last day that the file is about; what Braid has outside of them is no difference.
    pub window: Option<(String, String)>,
    /// Each item is a day's total, not a thing: what one day lacks and the next has too much was put on another day.
    pub totals: bool,
}

/// A day of the form `YYYY-MM-DD`.
pub fn day(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// Days between two days.
fn apart(a: &str, b: &str) -> Option<i32> {
    Some((day(a)? - day(b)?).get_days().abs())
}

const MINUTE_US: i64 = 60_000_000;

/// By how many minutes most times of the file are off, if by a quarter of an hour or more, all by the same, as a zone is.
fn shift(pairs: &[(Item, Item)]) -> i64 {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    let mut timed = 0;
    for (there, here) in pairs.iter().filter(|(there, here)| there.at_us != 0 && here.at_us != 0) {
        timed += 1;
        let minutes = (there.at_us - here.at_us + MINUTE_US / 2).div_euclid(MINUTE_US);
        *counts.entry(minutes).or_default() += 1;
    }
    let Some((minutes, times)) = counts.into_iter().max_by_key(|(_, times)| *times) else { return 0 };
    let zone = minutes != 0 && minutes % 15 == 0 && minutes.abs() <= 14 * 60;
    if zone && timed >= 3 && times * 10 >= timed * 6 { minutes } else { 0 }
}

/// Compares. Both lists are held in memory and sorted by key; the order in which they come does not matter for what is found.
pub fn compare(sides: Sides) -> Comparison {
    let mut out = Comparison::default();
    let Sides { there, mut rejected, here, window, totals } = sides;
    let inside =
        |day: &str| window.as_ref().is_none_or(|(from, to)| day.is_empty() || (&**from <= day && day <= &**to));
    let mut old = once(there, &mut |again, first| {
        let why = format!("the file has it more than once: {} and {}", first.place, again.place);
        out.note(Cause::DuplicateThere, Some(again), Some(first.clone()), why);
    });
    let mut twice = Vec::new();
    let mut braid = once(here, &mut |again, first| twice.push((again, first.clone())));
    let mut pairs: Vec<(Item, Item)> = Vec::new();
    for key in old.keys().cloned().collect::<Vec<_>>() {
        if let Some(own) = braid.remove(&key)
            && let Some(item) = old.remove(&key)
        {
            pairs.push((item, own));
        }
    }
    out.shift_minutes = shift(&pairs);
    for (item, own) in pairs {
        out.pair(item, own);
    }
    // Whatever Braid knows from elsewhere, it does not lack.
    rejected.retain(|row| row.key.is_empty() || !braid.contains_key(&row.key));
    for item in old.into_values() {
        let why = "the old system has it, Braid does not".to_string();
        out.missing(Cause::MissingInBraid, Some(item), None, why);
    }
    for row in rejected {
        let why = format!("line {} could not be read: {}", row.line, row.reason);
        let key = if row.key.is_empty() { format!("line {}", row.line) } else { row.key };
        let item = Item { key, day: row.day, place: format!("line {}", row.line), ..Item::default() };
        out.missing(Cause::RejectedRow, Some(item), None, why);
    }
    for own in braid.into_values().filter(|own| inside(&own.day)) {
        let why = match own.place.as_str() {
            "" => "Braid has it, the old system does not".to_string(),
            place => format!("Braid has it from {place}, the old system does not"),
        };
        out.missing(Cause::MissingThere, None, Some(own), why);
    }
    for (again, first) in twice.into_iter().filter(|(again, _)| inside(&again.day)) {
        let why = format!("Braid has it more than once: from {} and from {}", first.place, again.place);
        out.note(Cause::DuplicateHere, None, Some(again), why);
    }
    if totals {
        out.put_on_other_days();
    }
    out.differences.sort_by(|a, b| (&a.day, &a.key, a.cause).cmp(&(&b.day, &b.key, b.cause)));
    out
}

/// Items by key, the first of each; `again` hears of the others.
fn once(items: Vec<Item>, again: &mut dyn FnMut(Item, &Item)) -> BTreeMap<String, Item> {
    let mut out: BTreeMap<String, Item> = BTreeMap::new();
    for item in items {
        match out.get(&item.key) {
            Some(first) => again(item, first),
            None => drop(out.insert(item.key.clone(), item)),
        }
    }
    out
}

impl Comparison {
    /// The first and the last day with something to compare.
    pub fn span(&self) -> Option<(&str, &str)> {
        let mut days = self.days.keys().filter(|d| !d.is_empty());
        let first = days.next()?;
        Some((first, days.next_back().unwrap_or(first)))
    }

    fn at(&mut self, day: &str) -> [&mut Sums; 2] {
        [&mut self.all, self.days.entry(day.to_string()).or_default()]
    }

    fn pair(&mut self, item: Item, own: Item) {
        // A pair stands on the old system's day on both sides: what is on another day is told once, not as two gaps.
        let day = if item.day.is_empty() { own.day.clone() } else { item.day.clone() };
        for sums in self.at(&day) {
            sums.there += 1;
            sums.here += 1;
            sums.sum_there += item.value;
            sums.sum_here += own.value;
        }
        let moved = !item.day.is_empty() && item.day != own.day;
        let off = (item.at_us - own.at_us + MINUTE_US / 2).div_euclid(MINUTE_US);
        let shifted =
            self.shift_minutes != 0 && item.at_us != 0 && own.at_us != 0 && (off - self.shift_minutes).abs() <= 1;
        if item.value != own.value {
            let why = format!("{} there, {} in Braid", item.value, own.value);
            self.note(Cause::DifferentValue, Some(item), Some(own), why);
        } else if moved && shifted {
            let why =
                format!("all times of the file are {} off, so it falls on another day", hours(self.shift_minutes));
            self.note(Cause::ZoneShift, Some(item), Some(own), why);
        } else if moved && apart(&item.day, &own.day) == Some(1) {
            let why = format!("{} there, {} in Braid: a neighbouring day", item.day, own.day);
            self.note(Cause::DayBorder, Some(item), Some(own), why);
        } else if moved {
            let why = format!("{} there, {} in Braid: another day", item.day, own.day);
            self.note(Cause::DifferentValue, Some(item), Some(own), why);
        } else {
            self.at(&day).into_iter().for_each(|sums| sums.same += 1);
        }
    }

    fn missing(&mut self, cause: Cause, there: Option<Item>, here: Option<Item>, why: String) {
        let day = there.as_ref().or(here.as_ref()).map(|i| i.day.clone()).unwrap_or_default();
        let rejected = cause == Cause::RejectedRow;
        for sums in self.at(&day) {
            if let Some(item) = &there {
                sums.there += 1;
                sums.sum_there += if rejected { 0 } else { item.value };
            }
            if let Some(own) = &here {
                sums.here += 1;
                sums.sum_here += own.value;
            }
        }
        self.note(cause, there, here, why);
    }

    fn note(&mut self, cause: Cause, there: Option<Item>, here: Option<Item>, why: String) {
        let named = there.as_ref().or(here.as_ref());
        let (key, day) = named.map(|i| (i.key.clone(), i.day.clone())).unwrap_or_default();
        self.at(&day).into_iter().for_each(|sums| sums.add(cause));
        self.differences.push(Difference { key, day, cause, there, here, why });
    }

    /// Totals of neighbouring days that are off by the same in opposite ways were cut at another hour.
    fn put_on_other_days(&mut self) {
        let gaps: BTreeMap<Date, (usize, i64)> = self
            .differences
            .iter()
            .enumerate()
            .filter(|(_, d)| d.cause == Cause::DifferentValue)
            .filter_map(|(at, d)| {
                let (there, here) = (d.there.as_ref()?, d.here.as_ref()?);
                Some((day(&d.day)?, (at, there.value - here.value)))
            })
            .collect();
        let mut done: Vec<usize> = Vec::new();
        for (today, (at, gap)) in &gaps {
            let Ok(next) = today.tomorrow() else { continue };
            let Some((other, back)) = gaps.get(&next) else { continue };
            if *gap == -back && !done.contains(at) {
                done.extend([*at, *other]);
            }
        }
        for at in done {
            let (day, cause) = (self.differences[at].day.clone(), Cause::DayBorder);
            self.differences[at].cause = cause;
            self.differences[at].why.push_str("; the neighbouring day is off by the same the other way");
            let here = self.differences[at].here.as_ref().map_or(0, |i| i.value);
            let there = self.differences[at].there.as_ref().map_or(0, |i| i.value);
            for sums in self.at(&day) {
                match sums.causes.get_mut(&Cause::DifferentValue) {
                    Some(1) | None => drop(sums.causes.remove(&Cause::DifferentValue)),
                    Some(count) => *count -= 1,
                }
                sums.add(cause);
            }
            // On its own day the gap is explained; over all days it has cancelled itself.
            if let Some(sums) = self.days.get_mut(&day) {
                sums.sum_here += there - here;
            }
        }
    }
}

/// `+3 h`, `-45 min`.
fn hours(minutes: i64) -> String {
    if minutes % 60 == 0 { format!("{:+} h", minutes / 60) } else { format!("{minutes:+} min") }
}
