//! The whole way: block, compare, learn, score, group.
use crate::blocks::Blocks;
use crate::cluster::{Clusters, Link, cluster};
use crate::compare::compare;
use crate::defaults;
use crate::learn::{Learned, Sample, learn, random_pairs};
use crate::model::{Model, probability};
use crate::parallel;
use crate::table::Table;
use crate::text::mix;
use base::Rng;

/// What can be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Decides which pairs are drawn for learning.
    pub seed: u64,
    /// Threads; the result does not depend on them.
    pub threads: usize,
    /// Pairs that are compared at most, for each record.
    pub pairs_per_record: u64,
    /// Whether rare values count for more. Off only to see what it is worth.
    pub rarity: bool,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { seed: 1, threads, pairs_per_record: 90, rarity: true }
    }
}

/// What part of the work has begun: its name, pieces done and all pieces.
pub type Progress<'a> = &'a (dyn Fn(&'static str, u64, u64) + Sync);

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// The least record (in the order of the table) of each record's person.
    pub entity: Vec<u32>,
    /// Probability of the weakest link that made each record's person; 1 for records that stand alone.
    pub score: Vec<f32>,
    /// The weights that were learned.
    pub model: Model,
    pub figures: Figures,
}

/// Numbers for the report.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    pub records: u64,
    pub entities: u64,
    /// Biggest block of records with one key that was taken.
    pub block_cap: u64,
    /// Pairs that were compared.
    pub pairs: u64,
    /// Links above one half.
    pub links: u64,
    /// Links that were cut because the groups contradicted each other.
    pub cut: u64,
    /// Pairs of one person that the model expects in the list.
    pub expected_matches: f64,
    /// Rounds of learning.
    pub rounds: u64,
}

/// Links below these log odds in the first round are not looked at in the second.
const FORGET: f32 = -8.0;
/// Candidate pairs that are learned from.
const SAMPLE: usize = 600_000;
/// Random pairs that are looked at.
const RANDOM: usize = 250_000;
/// Records whose pairs are scored in one piece of work.
const PIECE: usize = 2_048;

/// Resolves a table. Memory is bounded: pairs are made and scored record by record and only likely ones kept.
pub fn resolve(table: &mut Table, options: &Options, progress: Progress<'_>) -> Resolution {
    table.seal();
    progress("blocking", 0, 1);
    let records = table.len();
    let budget = (options.pairs_per_record * records as u64).max(4_000_000);
    let blocks = Blocks::build(table, budget, options.threads);
    let mut start = defaults::model();
    let mut entities: Option<Vec<u32>> = None;
    let mut scored: Option<(Vec<Link>, u64)> = None;
    // Twice: the second time knowing who is who, so that a value's rarity is counted over people.
    for round in 0.. {
        table.count_shares(entities.as_deref());
        if !options.rarity {
            table.forget_shares();
        }
        progress("learning", 0, 1);
        let sample = sample(table, &blocks, options);
        let learned = learn(&sample, table.agree_ln, &start);
        drop(sample);
        let (links, pairs) = match scored.take() {
            None => score(table, &blocks, &learned.model, options, progress),
            Some((links, pairs)) => (again(table, links, &learned.model, options), pairs),
        };
        progress("grouping", 0, 1);
        let rate = |a: u32, b: u32| learned.model.logit(&compare(&table.side(a), &table.side(b)));
        let clusters = cluster(records, &links, rate);
        if round == 1 {
            let sure = links.iter().filter(|l| l.logit > 0.0).count();
            let figures = Figures { block_cap: blocks.cap as u64, pairs, links: sure as u64, ..Figures::default() };
            return finish(clusters, learned, figures);
        }
        start = learned.model;
        entities = Some(clusters.entity);
        scored = Some((links, pairs));
    }
    unreachable!("the second round returns")
}

fn finish(clusters: Clusters, learned: Learned, figures: Figures) -> Resolution {
    let alone = |entity: &u32| clusters.weakest.get(entity).map_or(1.0, |logit| probability(*logit));
    let score = clusters.entity.iter().map(alone).collect();
    let entities = clusters.entity.iter().zip(0u32..).filter(|(entity, record)| *entity == record).count();
    let figures = Figures {
        records: clusters.entity.len() as u64,
        entities: entities as u64,
        cut: clusters.refused,
        expected_matches: learned.matches,
        rounds: learned.rounds as u64,
        ..figures
    };
    Resolution { entity: clusters.entity, score, model: learned.model, figures }
}

fn pieces(records: usize) -> usize {
    records.div_ceil(PIECE)
}

fn range(piece: usize, records: usize) -> std::ops::Range<u32> {
    (piece * PIECE) as u32..((piece + 1) * PIECE).min(records) as u32
}

/// Draws candidate pairs by a hash of the pair, and random pairs.
fn sample(table: &Table, blocks: &Blocks, options: &Options) -> Sample {
    let records = table.len();
    let every = (blocks.pairs / SAMPLE as u64).max(1);
    let parts = parallel::map(pieces(records), options.threads, |piece| {
        let (mut out, mut scratch) = (Vec::new(), Vec::new());
        for a in range(piece, records) {
            blocks.partners(a, &mut scratch, |b| {
                if mix(options.seed ^ (u64::from(a) << 32 | u64::from(b))).is_multiple_of(every) {
                    out.push(compare(&table.side(a), &table.side(b)));
                }
            });
        }
        out
    });
    let pairs = records as f64 * (records as f64 - 1.0) / 2.0;
    let mut rng = Rng::new(options.seed);
    let count = RANDOM.min(pairs as usize);
    Sample {
        candidates: parts.into_iter().flatten().collect(),
        weight: every as f64,
        random: random_pairs(table, count, &mut rng),
        pairs: pairs.max(1.0),
        records: records as f64,
    }
}

fn score(table: &Table, blocks: &Blocks, model: &Model, options: &Options, progress: Progress<'_>) -> (Vec<Link>, u64) {
    let records = table.len();
    let done = std::sync::atomic::AtomicU64::new(0);
    let parts = parallel::map(pieces(records), options.threads, |piece| {
        let (mut links, mut scratch, mut pairs) = (Vec::new(), Vec::new(), 0u64);
        for a in range(piece, records) {
            let side = table.side(a);
            blocks.partners(a, &mut scratch, |b| {
                pairs += 1;
                let logit = model.logit(&compare(&side, &table.side(b)));
                if logit > FORGET {
                    links.push(Link { a, b, logit });
                }
            });
        }
        let so_far = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        progress("comparing", so_far, pieces(records) as u64);
        (links, pairs)
    });
    let pairs = parts.iter().map(|(_, pairs)| pairs).sum();
    (parts.into_iter().flat_map(|(links, _)| links).collect(), pairs)
}

/// Scores links anew.
fn again(table: &Table, links: Vec<Link>, model: &Model, options: &Options) -> Vec<Link> {
    let parts = parallel::map(links.len().div_ceil(PIECE), options.threads, |piece| {
        let rate = |link: &Link| {
            let logit = model.logit(&compare(&table.side(link.a), &table.side(link.b)));
            Link { logit, ..*link }
        };
        links[piece * PIECE..((piece + 1) * PIECE).min(links.len())].iter().map(rate).collect::<Vec<_>>()
    });
    parts.into_iter().flatten().collect()
}
