//! Weights learned from the list itself, without labels (expectation and maximisation).
//!
//! The likelihood is that of *all* pairs of the list. Pairs that no key brings together count as two people, so that the part
//! of pairs that match, and with it the threshold of one half, is an estimate and not a setting. What strangers look like is counted over
//! random pairs (less those that look like one person); how often they agree exactly follows from how common values are.
use crate::compare::{Comparison, compare};
use crate::defaults;
use crate::field::{COUNT, FIELDS, Field, level};
use crate::model::{Chances, Model, kind, parent_state};
use crate::table::Table;
use base::Rng;

/// Comparisons that stand for all candidate pairs.
#[derive(Debug)]
pub struct Sample {
    /// A part of the candidate pairs.
    pub candidates: Vec<Comparison>,
    /// How many candidate pairs each of them stands for.
    pub weight: f64,
    /// Pairs drawn at random.
    pub random: Vec<Comparison>,
    /// All pairs of the list.
    pub pairs: f64,
    /// Records of the list.
    pub records: f64,
}

/// How the learning went.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    pub model: Model,
    /// Rounds until nothing changed.
    pub rounds: usize,
    /// Pairs of one person that the list is expected to hold.
    pub matches: f64,
}

/// Most rounds.
const ROUNDS: usize = 40;
/// Pairs that the beliefs of [`defaults`] count for.
const BELIEF: f64 = 15.0;
/// The same for homes, which are rarer and must not take in one person's worse records.
const HOME_BELIEF: f64 = 150.0;
/// Part of the pairs of one home that were born on one day.
const TWINS: f32 = 0.003;

/// Pairs at random, the same for a seed.
pub fn random_pairs(table: &Table, count: usize, rng: &mut Rng) -> Vec<Comparison> {
    let n = table.len() as u64;
    let mut out = Vec::with_capacity(count);
    while n >= 2 && out.len() < count {
        let (a, b) = (rng.below(n) as u32, rng.below(n) as u32);
        if a != b {
            out.push(compare(&table.side(a), &table.side(b)));
        }
    }
    out
}

/// Learns from a sample, beginning at `start`.
pub fn learn(sample: &Sample, agree_ln: [f32; COUNT], start: &Model) -> Learned {
    let beliefs = defaults::chances();
    let mut model =
        Model::new(start.chances, parts([0.05, 0.03, 0.005].map(|part| part * sample.records), sample.pairs), agree_ln);
    let (mut before, mut rounds, mut matches) = (0.0f64, 0, 0.0);
    while rounds < ROUNDS {
        rounds += 1;
        let mut counts = Counts::default();
        for compared in &sample.candidates {
            let parts = posterior(&model, compared);
            let [one, home, namesakes, _] = parts.map(|part| part * sample.weight);
            counts.add(compared, &[one, home, namesakes, 0.0]);
        }
        for compared in &sample.random {
            counts.add(compared, &[0.0, 0.0, 0.0, posterior(&model, compared)[kind::STRANGERS]]);
        }
        matches = counts.totals[kind::MATCH];
        let mut chances = [[[[0.0f32; level::COUNT]; 3]; COUNT]; kind::COUNT];
        for field in FIELDS {
            for state in 0..3 {
                counts.mix(&beliefs, &mut chances, field, state);
            }
        }
        agree_as_often_as_values_say(&mut chances[kind::STRANGERS], &agree_ln);
        for field in FIELDS {
            tie(&mut chances, field);
        }
        let counted = [matches, counts.totals[kind::HOME], counts.totals[kind::NAMESAKES]];
        model = Model::new(chances, parts(counted, sample.pairs), agree_ln);
        if (matches - before).abs() < 1e-3 * matches.max(1.0) && rounds > 5 {
            break;
        }
        before = matches;
    }
    Learned { model, rounds, matches }
}

/// The parts of all pairs that are of each kind; none is ever quite zero.
fn parts(counts: [f64; 3], pairs: f64) -> [f64; kind::COUNT] {
    let [one, home, namesakes] = counts.map(|count| (count.max(0.5) / pairs).min(0.3));
    [one, home, namesakes, 1.0 - one - home - namesakes]
}

/// What a home does not share is as among strangers, and so is what namesakes do not share; names of namesakes are as one person's.
fn tie(chances: &mut [Chances; kind::COUNT], field: Field) {
    let at = field as usize;
    let (one, strangers) = (chances[kind::MATCH][at], chances[kind::STRANGERS][at]);
    if field == Field::Order {
        chances[kind::HOME][at] = one;
    } else if !field.is_shared_at_home() {
        chances[kind::HOME][at] = strangers;
    }
    if field == Field::Birth {
        // Twins.
        for row in &mut chances[kind::HOME][at] {
            row.iter_mut().for_each(|chance| *chance *= 1.0 - TWINS);
            row[usize::from(level::SAME)] += TWINS;
        }
    }
    if field.is_name() {
        chances[kind::NAMESAKES][at] = one;
    } else if field != Field::Email {
        chances[kind::NAMESAKES][at] = strangers;
    }
}

fn posterior(model: &Model, compared: &Comparison) -> [f64; kind::COUNT] {
    let joint = model.joint_ln(compared);
    let top = joint.iter().fold(f32::MIN, |a, b| a.max(*b));
    let parts = joint.map(|j| f64::from((j - top).exp()));
    let sum: f64 = parts.iter().sum();
    parts.map(|p| p / sum)
}

#[derive(Default)]
struct Counts {
    levels: [[[[f64; level::COUNT]; 3]; COUNT]; kind::COUNT],
    totals: [f64; kind::COUNT],
}

impl Counts {
    fn add(&mut self, compared: &Comparison, parts: &[f64; kind::COUNT]) {
        for (kind, part) in parts.iter().enumerate().filter(|(_, part)| **part > 1e-6) {
            self.totals[kind] += part;
            for field in FIELDS {
                let level = compared.levels[field as usize];
                if level != level::MISSING {
                    self.levels[kind][field as usize][parent_state(&compared.levels, field)][usize::from(level)] +=
                        part;
                }
            }
        }
    }

    fn mix(&self, beliefs: &[Chances; kind::COUNT], chances: &mut [Chances; kind::COUNT], field: Field, state: usize) {
        for kind in 0..kind::COUNT {
            let belief = match kind {
                kind::MATCH => BELIEF,
                kind::HOME | kind::NAMESAKES => HOME_BELIEF,
                _ => 20.0,
            };
            let counts = &self.levels[kind][field as usize][state];
            let sum: f64 = counts.iter().sum::<f64>() + belief;
            for (level, count) in counts.iter().enumerate() {
                let believed = f64::from(beliefs[kind][field as usize][state][level]);
                // Strangers' rare levels are known from far more pairs than a small list has: belief in them is bounded.
                chances[kind][field as usize][state][level] = ((count + belief * believed) / sum) as f32;
            }
        }
    }
}

/// Strangers agree on a field as often as its values are common; how many random pairs happen to agree says less.
fn agree_as_often_as_values_say(strangers: &mut Chances, agree_ln: &[f32; COUNT]) {
    for field in FIELDS.into_iter().filter(|f| f.has_shares()) {
        for row in strangers[field as usize].iter_mut().take(if field.parent().is_some() { 2 } else { 3 }) {
            let agree = agree_ln[field as usize].exp().min(0.9);
            let equal = usize::from(level::VARIANT) + usize::from(field != Field::Surname && field != Field::Email);
            let (now, rest) = (row[..equal].iter().sum::<f32>().max(1e-9), row[equal..].iter().sum::<f32>().max(1e-9));
            for (at, chance) in row.iter_mut().enumerate() {
                *chance *= if at < equal { agree / now } else { (1.0 - agree) / rest };
            }
        }
    }
}
