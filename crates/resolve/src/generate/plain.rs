//! Lists in the style of the Febrl sets (Christen, "Probabilistic data generation for deduplication and data linkage", 2005): English names, an
//! Australian kind of address, a number of a document; several damages a record.
use super::damage::typo;
use super::data::ENGLISH;
use super::{Row, shuffle};
use crate::person::{Column, Raw};
use base::Rng;

/// What the list is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plain {
    pub people: u32,
    /// Repeated rows in all.
    pub repeats: u32,
    /// Most repeated rows of one person.
    pub repeats_max: u32,
    pub seed: u64,
}

impl Default for Plain {
    fn default() -> Self {
        Self { people: 2_000, repeats: 3_000, repeats_max: 5, seed: 1 }
    }
}

const COLUMNS: [Column; 10] = [
    Column::Given,
    Column::Surname,
    Column::House,
    Column::Address1,
    Column::Address2,
    Column::City,
    Column::Postcode,
    Column::Region,
    Column::Birth,
    Column::Id,
];

/// Makes the list.
pub fn plain(options: &Plain) -> Vec<Row> {
    let mut rng = Rng::new(options.seed);
    let originals: Vec<[String; 10]> = (0..options.people).map(|_| person(&mut rng)).collect();
    let mut rows: Vec<Row> = (0u32..).zip(&originals).map(|(person, cells)| row(cells, person)).collect();
    let mut counts = vec![0; originals.len()];
    let mut left = options.repeats.min(options.people * options.repeats_max);
    while left > 0 {
        let person = rng.below(u64::from(options.people)) as usize;
        if counts[person] < options.repeats_max {
            counts[person] += 1;
            left -= 1;
            rows.push(row(&damaged(&originals[person], &mut rng), person as u32));
        }
    }
    shuffle(&mut rows, &mut rng);
    rows
}

fn row(cells: &[String; 10], person: u32) -> Row {
    let mut raw = Raw::default();
    COLUMNS.iter().zip(cells).for_each(|(column, cell)| raw.put(*column, cell));
    Row { raw, person }
}

fn person(rng: &mut Rng) -> [String; 10] {
    let (given, surnames, streets, suburbs) = ENGLISH;
    let skewed = |words: &[&str], rng: &mut Rng| {
        let x = rng.unit();
        words[((x * x * words.len() as f64) as usize).min(words.len() - 1)].to_string()
    };
    let kind = *rng.pick(&["street", "place", "court", "crescent", "avenue", "circuit", "road"]);
    let rest = if rng.below(3) > 0 {
        format!("{} {}", rng.pick(suburbs), rng.pick(&["village", "park", "gardens", "lodge"]))
    } else {
        String::new()
    };
    [
        skewed(given, rng),
        format!("{}{}", skewed(surnames, rng), rng.pick(&["", "", "", "s", "son", "ton", "ley"])),
        (1 + rng.below(200)).to_string(),
        format!("{} {kind}", skewed(streets, rng)),
        rest,
        skewed(suburbs, rng),
        (2000 + rng.below(6000)).to_string(),
        (*rng.pick(&["nsw", "nsw", "vic", "vic", "qld", "wa", "sa", "tas"])).to_string(),
        format!("{}{:02}{:02}", 1900 + rng.below(100), 1 + rng.below(12), 1 + rng.below(28)),
        (1_000_000 + rng.below(9_000_000)).to_string(),
    ]
}

/// One to eight damages: mistakes, missing cells, names or streets in each other's place, another value.
fn damaged(cells: &[String; 10], rng: &mut Rng) -> [String; 10] {
    let mut out = cells.clone();
    for _ in 0..1 + rng.below(8) {
        let at = rng.below(10) as usize;
        match rng.below(20) {
            0..=11 => out[at] = typo(&out[at], rng),
            12..=14 => out[at].clear(),
            15 => out.swap(0, 1),
            16 => out.swap(3, 4),
            17 => out[at] = person(rng)[at].clone(),
            _ => {
                let words: Vec<&str> = out[at].split(' ').collect();
                out[at] = words.concat();
            }
        }
    }
    out
}
