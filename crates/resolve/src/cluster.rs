//! From pairs to people.
//!
//! Links are followed from the surest down, and two groups become one only if all that is known of their members speaks for it: the sum
//! of the log odds over pairs across, each bounded, must be positive. So a chain of likenesses does not join two people whose ends
//! contradict each other, a weak bridge between two firm groups is cut, and a record that is unlike one member but like three still comes in.
use std::collections::BTreeMap;

/// A pair that may be one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    pub a: u32,
    pub b: u32,
    /// Natural logarithm of the odds.
    pub logit: f32,
}

/// Who is who.
#[derive(Debug, Clone, PartialEq)]
pub struct Clusters {
    /// The least record of each record's group.
    pub entity: Vec<u32>,
    /// By group: log odds of the weakest link that made it; groups of one are missing.
    pub weakest: BTreeMap<u32, f32>,
    /// Links that were refused because the groups contradict each other.
    pub refused: u64,
}

/// No pair across counts for more than this. What speaks against is bounded more tightly: one bad row of a person contradicts all
/// the others.
const FOR: f32 = 8.0;
/// See [`FOR`].
const AGAINST: f32 = 4.0;
/// Members of a group that are asked.
const ASKED: usize = 12;

/// Makes groups. `score` gives the log odds of any two records.
pub fn cluster(records: usize, links: &[Link], score: impl Fn(u32, u32) -> f32) -> Clusters {
    let mut order: Vec<&Link> = links.iter().filter(|l| l.logit > 0.0).collect();
    order.sort_by(|x, y| y.logit.total_cmp(&x.logit).then((x.a, x.b).cmp(&(y.a, y.b))));
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut group_of = vec![u32::MAX; records];
    let mut weakest: Vec<f32> = Vec::new();
    let mut refused = 0;
    for link in order {
        for record in [link.a, link.b] {
            if group_of[record as usize] == u32::MAX {
                group_of[record as usize] = groups.len() as u32;
                groups.push(vec![record]);
                weakest.push(f32::INFINITY);
            }
        }
        let (x, y) = (group_of[link.a as usize] as usize, group_of[link.b as usize] as usize);
        if x == y {
            continue;
        }
        if groups[x].len() + groups[y].len() > 2 && !compatible(&groups[x], &groups[y], &score) {
            refused += 1;
            continue;
        }
        let (into, from) = if groups[x].len() >= groups[y].len() { (x, y) } else { (y, x) };
        let moved = std::mem::take(&mut groups[from]);
        moved.iter().for_each(|r| group_of[*r as usize] = into as u32);
        groups[into].extend(moved);
        weakest[into] = weakest[into].min(weakest[from]).min(link.logit);
    }
    let mut out = Clusters { entity: (0..records as u32).collect(), weakest: BTreeMap::new(), refused };
    for (group, logit) in groups.iter().zip(weakest).filter(|(g, _)| g.len() > 1) {
        let least = group.iter().copied().min().unwrap_or_default();
        group.iter().for_each(|r| out.entity[*r as usize] = least);
        out.weakest.insert(least, logit);
    }
    out
}

/// Whether what is known across two groups speaks for one person.
fn compatible(x: &[u32], y: &[u32], score: &impl Fn(u32, u32) -> f32) -> bool {
    let asked = |group: &[u32]| {
        let step = group.len().div_ceil(ASKED).max(1);
        group.iter().copied().step_by(step).collect::<Vec<_>>()
    };
    let (x, y) = (asked(x), asked(y));
    let sum: f32 =
        x.iter().flat_map(|a| y.iter().map(move |b| (*a, *b))).map(|(a, b)| score(a, b).clamp(-AGAINST, FOR)).sum();
    sum > 0.0
}
