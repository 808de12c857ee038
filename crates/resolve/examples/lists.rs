//! Resolves made-up lists and says how right it was, and how fast.
//!
//! cargo run --release -p resolve --example lists -- ukraine PEOPLE SEED [--errors N] [--only COLUMNS] [--no-rarity]
use resolve::compare::compare;
use resolve::generate::{Plain, Ukraine, plain, ukraine};
use resolve::measure::pair_score;
use resolve::{Column, Options, Raw, Table, person, resolve};
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |at: usize, or: u64| args.get(at).and_then(|a| a.parse().ok()).unwrap_or(or);
    let after = |flag: &str| args.iter().position(|a| a == flag).and_then(|at| args.get(at + 1));
    let errors: usize = after("--errors").map_or(0, |n| n.parse().expect("a number"));
    let only: Option<Vec<Column>> = after("--only").map(|list| list.split(',').filter_map(Column::find).collect());
    let rows = if args[1] == "ukraine" {
        let damage = after("--damage").map_or(1.0, |n| n.parse().expect("a number"));
        ukraine(&Ukraine { people: number(2, 5_000) as u32, seed: number(3, 1), damage, ..Ukraine::default() })
    } else {
        let people = number(2, 2_000) as u32;
        plain(&Plain { people, repeats: people * 3 / 2, seed: number(3, 1), ..Plain::default() })
    };
    let started = Instant::now();
    let mut table = Table::default();
    let mut shown = Vec::new();
    for row in &rows {
        let mut raw = Raw::default();
        for (column, _) in Column::KNOWN {
            if only.as_ref().is_none_or(|o| o.contains(&column)) {
                raw.put(column, row.raw.get(column));
            }
        }
        table.push(&person::read(&raw, base::Country::find("UA")));
        if errors > 0 {
            shown.push(raw);
        }
    }
    let read = started.elapsed();
    let truth: Vec<u32> = rows.iter().map(|r| r.person).collect();
    let last = std::sync::Mutex::new(("", Instant::now()));
    let mut options = Options { rarity: !args.iter().any(|a| a == "--no-rarity"), ..Options::default() };
    options.threads = options.threads.min(2);
    let result = resolve(&mut table, &options, &|what, _, _| {
        let mut last = last.lock().expect("not poisoned");
        if last.0 != what {
            eprintln!("  {} took {:?}", last.0, last.1.elapsed());
            *last = (what, Instant::now());
        }
    });
    let score = pair_score(&result.entity, &truth);
    println!("{score:?}");
    println!("precision {:.5} recall {:.5} F1 {:.5}", score.precision(), score.recall(), score.f1());
    println!("{} rows, {:?} read {read:?} all {:?}", rows.len(), result.figures, started.elapsed());
    let mut by_truth: std::collections::HashMap<u32, Vec<u32>> = Default::default();
    let mut by_found: std::collections::HashMap<u32, Vec<u32>> = Default::default();
    for at in 0..truth.len() as u32 {
        by_truth.entry(truth[at as usize]).or_default().push(at);
        by_found.entry(result.entity[at as usize]).or_default().push(at);
    }
    let mut left = errors;
    for (groups, other, what) in [(&by_found, &truth, "WRONG"), (&by_truth, &result.entity, "MISSED")] {
        left = left.max(errors);
        let mut groups: Vec<&Vec<u32>> = groups.values().collect();
        groups.sort();
        for group in groups {
            for (i, a) in group.iter().enumerate() {
                for b in &group[i + 1..] {
                    if other[*a as usize] != other[*b as usize] && left > 0 {
                        left -= 1;
                        let compared = compare(&table.side(*a), &table.side(*b));
                        println!(
                            "{what} logit {:.2}\n  {:?}\n  {:?}",
                            result.model.logit(&compared),
                            shown[*a as usize],
                            shown[*b as usize]
                        );
                        for e in result.model.explain(&compared).evidence {
                            print!(" [{} {:.1}]", e.words, e.weight);
                        }
                        println!();
                    }
                }
            }
        }
    }
}
