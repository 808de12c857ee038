//! What is believed before any list is seen, and mixed into what a list teaches, so that a hundred rows cannot teach nonsense.
use crate::field::{COUNT, FIELDS, Field, level};
use crate::model::{Chances, Model, kind};

/// Chances of levels for two records of one person, two people of one home, two strangers; in the order of [`level`].
type Row = [f32; level::COUNT];

fn rows(field: Field) -> [Row; 3] {
    match field {
        Field::Given => [
            [0.72, 0.08, 0.03, 0.05, 0.06, 0.02, 0.01, 0.03],
            [0.010, 0.001, 0.001, 0.006, 0.004, 0.010, 0.020, 0.948],
            [0.012, 0.001, 0.001, 0.006, 0.004, 0.012, 0.020, 0.944],
        ],
        Field::Surname => [
            [0.74, 0.08, 0.01, 0.01, 0.08, 0.03, 0.01, 0.04],
            [0.55, 0.05, 0.15, 0.01, 0.05, 0.02, 0.01, 0.16],
            [0.004, 0.0005, 0.001, 0.0005, 0.002, 0.008, 0.004, 0.98],
        ],
        Field::Patronymic => [
            [0.74, 0.06, 0.05, 0.01, 0.05, 0.02, 0.04, 0.03],
            [0.12, 0.02, 0.14, 0.01, 0.02, 0.02, 0.05, 0.62],
            [0.02, 0.001, 0.02, 0.001, 0.005, 0.02, 0.03, 0.90],
        ],
        Field::Birth => [
            [0.86, 0.001, 0.001, 0.02, 0.07, 0.03, 0.001, 0.017],
            [0.0005, 0.0001, 0.0001, 0.0001, 0.002, 0.02, 0.0001, 0.977],
            [0.0001, 0.0001, 0.0001, 0.00005, 0.0008, 0.015, 0.0001, 0.984],
        ],
        Field::Phone => [
            [0.70, 0.02, 0.001, 0.001, 0.07, 0.01, 0.001, 0.197],
            [0.35, 0.02, 0.001, 0.001, 0.01, 0.001, 0.001, 0.616],
            [0.00002, 0.00001, 0.00001, 0.00001, 0.00003, 0.0002, 0.00001, 0.9997],
        ],
        Field::Email => [
            [0.70, 0.001, 0.06, 0.001, 0.06, 0.02, 0.001, 0.157],
            [0.08, 0.001, 0.01, 0.001, 0.003, 0.003, 0.001, 0.901],
            [0.00002, 0.00001, 0.0003, 0.00001, 0.0001, 0.0003, 0.00001, 0.9993],
        ],
        Field::Id => [
            [0.88, 0.001, 0.001, 0.001, 0.08, 0.015, 0.001, 0.021],
            [0.00002, 0.00001, 0.00001, 0.00001, 0.0001, 0.0005, 0.00001, 0.9993],
            [0.00002, 0.00001, 0.00001, 0.00001, 0.0001, 0.0005, 0.00001, 0.9993],
        ],
        Field::Postcode => [
            [0.75, 0.001, 0.001, 0.001, 0.09, 0.001, 0.001, 0.155],
            [0.88, 0.001, 0.001, 0.001, 0.03, 0.001, 0.001, 0.085],
            [0.003, 0.0001, 0.0001, 0.0001, 0.01, 0.0001, 0.0001, 0.986],
        ],
        Field::City => [
            [0.70, 0.08, 0.03, 0.02, 0.06, 0.03, 0.001, 0.079],
            [0.74, 0.08, 0.03, 0.02, 0.04, 0.02, 0.001, 0.069],
            [0.02, 0.004, 0.002, 0.002, 0.002, 0.01, 0.001, 0.959],
        ],
        Field::Region => [
            [0.80, 0.06, 0.01, 0.01, 0.05, 0.02, 0.001, 0.049],
            [0.82, 0.06, 0.01, 0.01, 0.03, 0.02, 0.001, 0.049],
            [0.08, 0.01, 0.001, 0.001, 0.01, 0.03, 0.001, 0.867],
        ],
        Field::Street => [
            [0.64, 0.07, 0.001, 0.03, 0.08, 0.04, 0.001, 0.138],
            [0.76, 0.06, 0.001, 0.02, 0.05, 0.02, 0.001, 0.088],
            [0.005, 0.001, 0.0001, 0.003, 0.001, 0.01, 0.0005, 0.98],
        ],
        Field::House | Field::Flat => [
            [0.80, 0.001, 0.001, 0.001, 0.06, 0.001, 0.001, 0.135],
            [0.88, 0.001, 0.001, 0.001, 0.03, 0.001, 0.001, 0.085],
            [0.015, 0.0001, 0.0001, 0.0001, 0.12, 0.0001, 0.0001, 0.865],
        ],
        Field::Locality => [
            [0.68, 0.03, 0.001, 0.04, 0.08, 0.05, 0.001, 0.118],
            [0.74, 0.03, 0.001, 0.04, 0.06, 0.04, 0.001, 0.088],
            [0.003, 0.0005, 0.0001, 0.003, 0.001, 0.01, 0.0005, 0.98],
        ],
        Field::Order => [
            [0.975, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0245],
            [0.999, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0005],
            [0.999, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0005],
        ],
    }
}

/// How often two strangers have the same value of a field.
pub fn agreement(field: Field) -> f64 {
    let strangers = rows(field)[2];
    f64::from(strangers[..usize::from(level::PART)].iter().sum::<f32>() / strangers.iter().sum::<f32>())
}

/// The chances alone.
pub fn chances() -> [Chances; kind::COUNT] {
    let mut out: [Chances; kind::COUNT] = [[[[0.0; level::COUNT]; 3]; COUNT]; kind::COUNT];
    for field in FIELDS {
        let rows = rows(field);
        let namesakes = match field {
            // Addresses are made of names.
            Field::Email => [0.01, 0.001, 0.02, 0.001, 0.02, 0.02, 0.001, 0.927],
            _ if field.is_name() => rows[0],
            _ => rows[2],
        };
        for (kind, row) in [rows[0], rows[1], namesakes, rows[2]].iter().enumerate() {
            let sum: f32 = row.iter().sum();
            let row = row.map(|c| c / sum);
            out[kind][field as usize] = [row; 3];
            if field.parent().is_some() {
                condition(field, kind, &mut out[kind][field as usize]);
            }
        }
    }
    out
}

/// Who moved, moved wholly; who shares the parent part shares this one more often.
fn condition(field: Field, kind: usize, rows: &mut [Row; 3]) {
    let agree: f32 = match (kind, field) {
        (kind::STRANGERS | kind::NAMESAKES, Field::City | Field::Region) => 0.9,
        (kind::STRANGERS | kind::NAMESAKES, Field::Street) => 0.02,
        (kind::STRANGERS | kind::NAMESAKES, _) => return,
        (_, Field::House | Field::Flat) => 0.93,
        _ => 0.95,
    };
    let differ: f32 = if kind >= kind::NAMESAKES { 0.01 } else { 0.35 };
    for (state, part) in [(1, differ), (2, agree)] {
        let same: f32 = rows[state][..level::DIFFERENT as usize].iter().sum();
        let rest = 1.0 - same;
        for (at, chance) in rows[state].iter_mut().enumerate() {
            *chance *= if at == level::DIFFERENT as usize { (1.0 - part) / rest } else { part / same };
        }
    }
}

/// The model for two records alone, without a list to learn from: it takes one in ten thousand pairs that are worth a look for
/// one person.
pub fn model() -> Model {
    Model::new(chances(), [1e-4, 1e-4, 1e-5, 1.0 - 2.1e-4], [0.0; COUNT])
}
