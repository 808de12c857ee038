//! Which pairs are compared at all: those that share a key whose block is small.
use crate::keys::keys;
use crate::parallel;
use crate::table::Table;

/// Records by key, and keys by record.
#[derive(Debug)]
pub struct Blocks {
    members: Vec<u32>,
    starts: Vec<u32>,
    /// Blocks of each record: `of[of_starts[r]..of_starts[r + 1]]`.
    of: Vec<u32>,
    of_starts: Vec<u64>,
    /// The biggest block that was taken.
    pub cap: usize,
    /// Pairs before repeats are taken out.
    pub pairs: u64,
}

/// No block is bigger: pairs grow with the square.
const BIGGEST: usize = 1_000;

impl Blocks {
    /// Takes blocks from the smallest up until they hold `budget` pairs.
    pub fn build(table: &Table, budget: u64, threads: usize) -> Blocks {
        // Parts of the space of keys, so that only a part of all keys is in memory at once.
        let parts = if table.len() < 50_000 { 1u64 } else { 4 };
        let lists: Vec<Vec<Vec<u32>>> = parallel::map(parts as usize, threads, |part| {
            let mut all: Vec<(u64, u32)> = Vec::new();
            for record in 0..table.len() as u32 {
                all.extend(
                    keys(&table.side(record)).into_iter().filter(|k| k % parts == part as u64).map(|k| (k, record)),
                );
            }
            all.sort_unstable();
            let mut groups: Vec<Vec<u32>> = Vec::new();
            for group in all.chunk_by(|a, b| a.0 == b.0).filter(|g| (2..=BIGGEST).contains(&g.len())) {
                groups.push(group.iter().map(|(_, record)| *record).collect());
            }
            groups
        });
        Self::choose(lists.into_iter().flatten().collect(), table.len(), budget)
    }

    fn choose(groups: Vec<Vec<u32>>, records: usize, budget: u64) -> Blocks {
        let mut by_size = vec![0u64; BIGGEST + 1];
        groups.iter().for_each(|g| by_size[g.len()] += 1);
        let (mut pairs, mut cap) = (0, 2);
        for (size, count) in by_size.iter().enumerate().skip(2) {
            let more = count * (size * (size - 1) / 2) as u64;
            if pairs + more > budget && size > 2 {
                break;
            }
            pairs += more;
            cap = size;
        }
        let mut blocks = Blocks {
            members: Vec::new(),
            starts: vec![0],
            of: Vec::new(),
            of_starts: vec![0; records + 1],
            cap,
            pairs,
        };
        for group in groups.iter().filter(|g| g.len() <= cap) {
            blocks.members.extend(group);
            blocks.starts.push(blocks.members.len() as u32);
            group.iter().for_each(|r| blocks.of_starts[*r as usize + 1] += 1);
        }
        for at in 1..blocks.of_starts.len() {
            blocks.of_starts[at] += blocks.of_starts[at - 1];
        }
        blocks.of = vec![0; blocks.members.len()];
        let mut next = blocks.of_starts.clone();
        for (block, range) in blocks.starts.windows(2).enumerate() {
            for record in &blocks.members[range[0] as usize..range[1] as usize] {
                blocks.of[next[*record as usize] as usize] = block as u32;
                next[*record as usize] += 1;
            }
        }
        blocks
    }

    /// Calls `with` for each record after `record` that shares a block with it, once each, in the order of records. `scratch` is
    /// reused between calls.
    pub fn partners(&self, record: u32, scratch: &mut Vec<u32>, mut with: impl FnMut(u32)) {
        scratch.clear();
        let range = self.of_starts[record as usize] as usize..self.of_starts[record as usize + 1] as usize;
        for block in &self.of[range] {
            let members =
                &self.members[self.starts[*block as usize] as usize..self.starts[*block as usize + 1] as usize];
            let after = members.partition_point(|m| *m <= record);
            scratch.extend_from_slice(&members[after..]);
        }
        scratch.sort_unstable();
        scratch.dedup();
        scratch.iter().for_each(|other| with(*other));
    }
}
