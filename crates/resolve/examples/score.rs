//! Resolves a CSV file whose `rec_id` tells the truth (`rec-12-org`, `rec-12-dup-0`) and says how right it was.
//!
//! cargo run --release -p resolve --example score -- people.csv [--errors N]
use resolve::compare::compare;
use resolve::measure::pair_score;
use resolve::{Column, Options, Raw, Table, person, resolve};
use std::collections::HashMap;
use std::io::Read;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut text = String::new();
    std::fs::File::open(&args[1]).expect("the file opens").read_to_string(&mut text).expect("the file is text");
    let errors: usize =
        args.iter().position(|a| a == "--errors").map_or(0, |at| args[at + 1].parse().expect("a number"));
    let drop: Vec<&str> =
        args.iter().position(|a| a == "--drop").map_or(Vec::new(), |at| args[at + 1].split(',').collect());
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().expect("a header").split(',').map(str::trim).collect();
    let mut table = Table::default();
    let (mut truth, mut names, mut rows) = (Vec::new(), HashMap::new(), Vec::new());
    let started = std::time::Instant::now();
    for line in lines {
        let mut raw = Raw::default();
        for (name, cell) in columns.iter().zip(line.split(',')) {
            if *name == "rec_id" {
                let key = if cell.starts_with("rec-") { cell.split('-').nth(1) } else { cell.split('.').next() };
                let next = names.len() as u32;
                truth.push(*names.entry(key.expect("a number").trim().to_string()).or_insert(next));
            } else if let Some(column) = Column::find(name).filter(|_| !drop.contains(name)) {
                raw.put(column, cell.trim());
            }
        }
        table.push(&person::read(&raw, base::Country::find("UA")));
        rows.push(line);
    }
    let read = started.elapsed();
    let options = Options { rarity: !args.iter().any(|a| a == "--no-rarity"), ..Options::default() };
    let result = resolve(&mut table, &options, &|_, _, _| {});
    let score = pair_score(&result.entity, &truth);
    println!("{score:?}");
    println!("precision {:.5} recall {:.5} F1 {:.5}", score.precision(), score.recall(), score.f1());
    println!("{:?} read {read:?} all {:?}", result.figures, started.elapsed());
    let mut shown = 0;
    for a in 0..rows.len() {
        for b in a + 1..rows.len() {
            if errors == 0 {
                continue;
            }
            let (same, found) = (truth[a] == truth[b], result.entity[a] == result.entity[b]);
            if same != found && shown < errors {
                shown += 1;
                let compared = compare(&table.side(a as u32), &table.side(b as u32));
                println!(
                    "{} logit {:.2}\n  {}\n  {}",
                    if found { "WRONG" } else { "MISSED" },
                    result.model.logit(&compared),
                    rows[a],
                    rows[b]
                );
                for e in result.model.explain(&compared).evidence {
                    print!(" [{} {:.1}]", e.words, e.weight);
                }
                println!();
            }
        }
    }
}
