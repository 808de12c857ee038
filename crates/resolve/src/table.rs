//! Many people in little memory: each distinct value once, a person as numbers of values.
use crate::compare::Side;
use crate::defaults;
use crate::field::{COUNT, FIELDS, Field, VALUES};
use crate::person::{Texts, field_of};
use crate::value::{Meaning, Value};
use hashbrown::HashMap;

/// Records that the belief in usual shares counts for.
const BELIEF: f64 = 50.0;
const NONE: u32 = u32::MAX;

/// The records that are to be resolved. A record's number is its place.
#[derive(Debug)]
pub struct Table {
    values: Vec<Vec<Value>>,
    rows: Vec<[u32; VALUES]>,
    known: Vec<HashMap<Box<str>, u32>>,
    /// Chance that two people agree on a field, as a natural logarithm.
    pub agree_ln: [f32; COUNT],
}

impl Default for Table {
    fn default() -> Self {
        Self {
            values: vec![Vec::new(); COUNT],
            rows: Vec::new(),
            known: vec![HashMap::new(); COUNT],
            agree_ln: [0.0; COUNT],
        }
    }
}

impl Table {
    /// Adds a record.
    pub fn push(&mut self, texts: &Texts) {
        let mut row = [NONE; VALUES];
        for (at, text) in texts.iter().enumerate() {
            let Some(text) = text else { continue };
            let field = field_of(at);
            let values = &mut self.values[field as usize];
            row[at] = match self.known[field as usize].get(text.as_str()) {
                Some(number) => *number,
                None => {
                    let number = values.len() as u32;
                    values.push(Value::new(field, text));
                    self.known[field as usize].insert(text.as_str().into(), number);
                    number
                }
            };
        }
        self.rows.push(row);
    }
    /// Number of records.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// A record's values.
    pub fn side(&self, record: u32) -> Side<'_> {
        let row = &self.rows[record as usize];
        std::array::from_fn(|at| {
            if row[at] == NONE { None } else { Some(&self.values[field_of(at) as usize][row[at] as usize]) }
        })
    }
    /// Frees what only [`Table::push`] needs.
    pub fn seal(&mut self) {
        self.known = vec![HashMap::new(); COUNT];
    }

    /// Counts how common each value is: among records, or among people where `entities` says whose each record is, so that somebody
    /// with six records does not make their own name common.
    pub fn count_shares(&mut self, entities: Option<&[u32]>) {
        for field in FIELDS.iter().copied().filter(|f| f.has_shares()) {
            let (meanings, count) = self.meanings(field);
            let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(self.rows.len());
            for (record, row) in self.rows.iter().enumerate() {
                let entity = entities.map_or(record as u32, |e| e[record]);
                let places = (0..VALUES).filter(|at| field_of(*at) == field && row[*at] != NONE);
                pairs.extend(places.map(|at| (meanings[row[at] as usize], entity)));
            }
            pairs.sort_unstable();
            pairs.dedup();
            let mut counts = vec![0u32; count];
            pairs.iter().for_each(|(meaning, _)| counts[*meaning as usize] += 1);
            let all = pairs.len() as f64 + BELIEF;
            // Whoever else has the value, and a little for those whom the list does not show: in a short list nothing is common.
            let unseen = (BELIEF * defaults::agreement(field)).max(0.3);
            let share = |count: u32| (f64::from(count.max(1) - 1) + unseen) / all;
            // In the order of size, so that the sum does not depend on the order of records.
            let mut sizes = counts.clone();
            sizes.sort_unstable();
            let agree: f64 = sizes.iter().map(|count| share(*count).powi(2)).sum();
            self.agree_ln[field as usize] = agree.clamp(1e-12, 0.9).ln() as f32;
            for (value, meaning) in self.values[field as usize].iter_mut().zip(&meanings) {
                value.share_ln = share(counts[*meaning as usize]).ln() as f32;
            }
        }
    }

    /// Puts records into another order: `order[i]` is the present place of the record that comes to stand at `i`.
    pub fn reorder(&mut self, order: &[u32]) {
        self.rows = order.iter().map(|from| self.rows[*from as usize]).collect();
    }

    /// Makes all values alike rare.
    pub fn forget_shares(&mut self) {
        self.values.iter_mut().flatten().for_each(|value| value.share_ln = 0.0);
    }

    /// Numbers values so that those which mean the same have the same number.
    fn meanings(&self, field: Field) -> (Vec<u32>, usize) {
        let mut seen: HashMap<Meaning<'_>, u32> = HashMap::new();
        let numbers = self.values[field as usize].iter().map(|value| {
            let next = seen.len() as u32;
            *seen.entry(value.meaning(field)).or_insert(next)
        });
        let numbers = numbers.collect();
        (numbers, seen.len())
    }
}
