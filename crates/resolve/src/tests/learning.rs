//! What is learned is what the list was made with; groups do not contradict themselves.
use crate::cluster::{Link, cluster};
use crate::compare::Comparison;
use crate::defaults;
use crate::field::{COUNT, Field, level};
use crate::learn::{Sample, learn};
use crate::model::kind;
use crate::text::{edits, jaro_winkler};
use base::Rng;
use proptest::prelude::*;

/// Pairs of two kinds with known chances on four fields.
#[test]
fn learning_finds_the_chances_that_pairs_were_drawn_with() {
    let fields = [Field::Given, Field::Surname, Field::Birth, Field::Id];
    let one = [[0.80, 0.10], [0.75, 0.15], [0.90, 0.06], [0.85, 0.10]];
    let two = [[0.02, 0.01], [0.01, 0.01], [0.0005, 0.001], [0.0001, 0.0002]];
    let mut rng = Rng::new(7);
    let mut draw = |chances: &[[f64; 2]; 4]| {
        let mut compared = Comparison { levels: [level::MISSING; COUNT], share_ln: [0.0; COUNT] };
        for (field, [same, close]) in fields.iter().zip(chances) {
            let x = rng.unit();
            compared.levels[*field as usize] = if x < *same {
                level::SAME
            } else if x < same + close {
                level::CLOSE
            } else {
                level::DIFFERENT
            };
        }
        compared
    };
    let mut candidates: Vec<Comparison> = (0..5_000).map(|_| draw(&one)).collect();
    candidates.extend((0..50_000).map(|_| draw(&two)));
    let random: Vec<Comparison> = (0..200_000).map(|_| draw(&two)).collect();
    let mut agree_ln = [0.0f32; COUNT];
    fields.iter().zip(&two).for_each(|(field, [same, _])| agree_ln[*field as usize] = (*same as f32).ln());
    let sample = Sample { candidates, weight: 1.0, random, pairs: 5e7, records: 1e4 };
    let learned = learn(&sample, agree_ln, &defaults::model());
    // Those of which only the names agree may as well be namesakes.
    assert!((learned.matches - 5_000.0).abs() < 200.0, "{} matches", learned.matches);
    for (field, [same, close]) in fields.iter().zip(&one) {
        let found = learned.model.chances[kind::MATCH][*field as usize][0];
        assert!((f64::from(found[0]) - same).abs() < 0.03, "{field:?}: {} for {same}", found[0]);
        assert!((f64::from(found[usize::from(level::CLOSE)]) - close).abs() < 0.02, "{field:?}");
    }
    for (field, [same, _]) in fields.iter().zip(&two) {
        let found = f64::from(learned.model.chances[kind::STRANGERS][*field as usize][0][0]);
        assert!((found / same).ln().abs() < 0.4, "{field:?}: {found} for {same}");
    }
}

#[test]
fn a_chain_does_not_join_ends_that_contradict_each_other() {
    let links = [Link { a: 0, b: 1, logit: 6.0 }, Link { a: 1, b: 2, logit: 3.0 }];
    let score = |ends: f32| {
        move |a: u32, b: u32| match (a.min(b), a.max(b)) {
            (0, 1) => 6.0,
            (1, 2) => 3.0,
            _ => ends,
        }
    };
    let apart = cluster(4, &links, score(-9.0));
    assert_eq!((apart.entity, apart.refused), (vec![0, 0, 2, 3], 1));
    let joined = cluster(4, &links, score(-1.0));
    assert_eq!(joined.entity, [0, 0, 0, 3]);
    assert_eq!(joined.weakest.get(&0), Some(&3.0));
}

#[test]
fn distances_as_published() {
    let of = |a: &str, b: &str| edits(a.as_bytes(), b.as_bytes(), 10);
    assert_eq!(
        [of("kitten", "sitting"), of("ca", "abc"), of("ab", "ba"), of("", "abc"), of("same", "same")],
        [3, 3, 1, 3, 0]
    );
    assert_eq!(edits(b"abcdefgh", b"stuvwxyz", 2), 3);
    // Winkler 1990, table 1.
    for (a, b, wanted) in [("martha", "marhta", 0.9611), ("dixon", "dicksonx", 0.8133), ("dwayne", "duane", 0.84)] {
        let found = jaro_winkler(a.as_bytes(), b.as_bytes());
        assert!((found - wanted).abs() < 1e-3, "{a} {b}: {found}");
    }
}

/// The textbook table, cell by cell.
fn slow_edits(a: &[u8], b: &[u8]) -> usize {
    let mut d = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            d[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = d[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = change.min(d[i - 1][j] + 1).min(d[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(d[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    d[a.len()][b.len()]
}

proptest! {
    #[test]
    fn edits_are_those_of_the_table(a in "[abc]{0,12}", b in "[abc]{0,12}") {
        prop_assert_eq!(edits(a.as_bytes(), b.as_bytes(), 20), slow_edits(a.as_bytes(), b.as_bytes()));
    }
}
