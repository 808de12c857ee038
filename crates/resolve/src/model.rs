//! The weights: how likely each level is for two records of one person, of two people of one home, and of two strangers.
//!
//! Fellegi and Sunter ("A theory for record linkage", 1969) know two kinds of pairs. Two more are needed: namesakes, who agree on their
//! names and on nothing else more often than chance has it, and people who share a home,
//! where families stand in one list: they agree on surname, address and phone as one person's records do, so that only given name, date of
//! birth and the like may tell them apart. Parts of an address are conditioned on the part above them ([`Field::parent`]), because
//! strangers of one city agree on its region too. Agreement on a value counts by how rare the value is.
use crate::compare::Comparison;
use crate::field::{COUNT, FIELDS, Field, level};

/// Chances of each level by field and by what became of the field's parent ([`parent_state`]).
pub type Chances = [[[f32; level::COUNT]; 3]; COUNT];

/// The kinds of pairs, as places in arrays.
pub mod kind {
    pub const MATCH: usize = 0;
    pub const HOME: usize = 1;
    /// Two people of one name: popular names go together more often than chance has it.
    pub const NAMESAKES: usize = 2;
    pub const STRANGERS: usize = 3;
    pub const COUNT: usize = 4;
}

/// What is known of the three kinds of pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Chances of levels, by [`kind`].
    pub chances: [Chances; kind::COUNT],
    /// The part of all pairs that is of each kind, as natural logarithms.
    pub parts_ln: [f32; kind::COUNT],
    /// Chance that two strangers agree on a field, as a natural logarithm; what a value's share is measured against.
    pub agree_ln: [f32; COUNT],
    /// Logarithms of `chances`, for scoring.
    logs: Box<[Chances; kind::COUNT]>,
}

/// What one field says of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub field: Field,
    /// A [`level`].
    pub level: u8,
    /// Natural logarithm of how much likelier this is for one person than for two: positive speaks for one.
    pub weight: f32,
    /// The same in words: `surname: the same, spelt differently`.
    pub words: String,
}

/// How sure it is that two records are one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// 0 to 1.
    pub probability: f32,
    /// Field by field, the weightiest first; fields that one side lacks are left out.
    pub evidence: Vec<Evidence>,
}

/// 0: the parent is not known; 1: it differs; 2: it agrees. Fields without a parent are always in 0.
pub fn parent_state(levels: &[u8; COUNT], field: Field) -> usize {
    let at = |field: Field| levels[field as usize];
    match field.parent().map(at) {
        None | Some(level::MISSING) => 0,
        // A street of the same name in another city is another street.
        Some(found) if found <= level::NEAR => {
            if matches!(field, Field::House | Field::Flat) && at(Field::City) == level::DIFFERENT { 1 } else { 2 }
        }
        Some(_) => 1,
    }
}

impl Model {
    /// A model of these chances.
    pub fn new(chances: [Chances; kind::COUNT], parts: [f64; kind::COUNT], agree_ln: [f32; COUNT]) -> Model {
        let mut model =
            Model { logs: Box::new(chances), chances, parts_ln: parts.map(|p| p.max(1e-15).ln() as f32), agree_ln };
        model
            .logs
            .as_flattened_mut()
            .as_flattened_mut()
            .as_flattened_mut()
            .iter_mut()
            .for_each(|c| *c = c.max(1e-9).ln());
        model
    }

    /// How much rarer or commoner than usual the value is that a field agrees on; natural logarithm, 0 where it does not count.
    pub fn share_weight(&self, compared: &Comparison, field: Field) -> f32 {
        let at = field as usize;
        let (found, share) = (compared.levels[at], compared.share_ln[at]);
        if share == 0.0 || found > level::NEAR {
            return 0.0;
        }
        // Who lives at one postcode lives in its city, however big that is.
        if parent_state(&compared.levels, field) == 2 && field != Field::Street {
            return 0.0;
        }
        let weight = share - self.agree_ln[at];
        if found <= level::VARIANT { weight } else { (0.5 * weight).clamp(-2.0, 2.0) }
    }

    /// Natural logarithms of the joint chances of a comparison and each kind.
    pub fn joint_ln(&self, compared: &Comparison) -> [f32; kind::COUNT] {
        let mut out = self.parts_ln;
        for field in FIELDS {
            let level = compared.levels[field as usize];
            if level == level::MISSING {
                continue;
            }
            let state = parent_state(&compared.levels, field);
            for (sum, logs) in out.iter_mut().zip(self.logs.iter()) {
                *sum += logs[field as usize][state][usize::from(level)];
            }
            if field.has_shares() {
                let share = self.share_weight(compared, field);
                out[kind::STRANGERS] += share;
                if !field.is_shared_at_home() {
                    out[kind::HOME] += share;
                }
                if !field.is_name() {
                    out[kind::NAMESAKES] += share;
                }
            }
        }
        out
    }

    /// Natural logarithm of the odds that a comparison is of one person.
    pub fn logit(&self, compared: &Comparison) -> f32 {
        let joint = self.joint_ln(compared);
        let two = &joint[kind::HOME..];
        let top = two.iter().fold(f32::MIN, |a, b| a.max(*b));
        joint[kind::MATCH] - (top + two.iter().map(|j| (j - top).exp()).sum::<f32>().ln())
    }

    /// The answer with its reasons.
    pub fn explain(&self, compared: &Comparison) -> Scored {
        let joint = self.joint_ln(compared);
        let top = joint[kind::HOME..].iter().fold(f32::MIN, |a, b| a.max(*b));
        let parts: Vec<f32> = joint[kind::HOME..].iter().map(|j| (j - top).exp()).collect();
        let sum: f32 = parts.iter().sum();
        let mut evidence = Vec::new();
        for field in FIELDS {
            let level = compared.levels[field as usize];
            if level == level::MISSING || field == Field::Order && level == level::SAME {
                continue;
            }
            let state = parent_state(&compared.levels, field);
            let log = |kind: usize| self.logs[kind][field as usize][state][usize::from(level)];
            let share = self.share_weight(compared, field);
            let unless = |shared: bool| if shared { 0.0 } else { share };
            let two = [
                log(kind::HOME) + unless(field.is_shared_at_home()),
                log(kind::NAMESAKES) + unless(field.is_name()),
                log(kind::STRANGERS) + share,
            ];
            // Against the kinds of two people that the pair as a whole looks like.
            let against: f32 = two.iter().zip(&parts).map(|(log, part)| log * part / sum).sum();
            let weight = log(kind::MATCH) - against;
            let mut words = format!("{}: {}", field.word(), field.level_word(level));
            if level <= level::VARIANT && share <= -1.5 {
                words.push_str(", and rare");
            } else if level <= level::VARIANT && share >= 1.0 {
                words.push_str(", but common");
            }
            evidence.push(Evidence { field, level, weight, words });
        }
        evidence.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        Scored { probability: probability(self.logit(compared)), evidence }
    }
}

/// The probability of log odds.
pub fn probability(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}
