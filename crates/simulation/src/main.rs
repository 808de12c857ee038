//! `simulate`: many lives, on all cores; prints what was reached, and the seeds that failed.
use db::testing::Place;
use db::testing::prepared::Prepared;
use simulation::reached::{Reached, SQLITE_ONLY, WANTED, WANTED_OF_TRADE};
use simulation::run::{Life, run};
use simulation::trade::{self, Trading};
use simulation::world::prepare;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

const HELP: &str = "simulate [--seeds FROM..TO | --seed N] [--commands N] [--threads N] [--postgres] [--trade] [--verbose]
Lives lives of a store, one a seed, and checks each. --trade lives lives of orders. --postgres needs BRAID_TEST_POSTGRES.
A nightly million: simulate --seeds 1..1000001";

/// As the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Options {
    from: u64,
    to: u64,
    commands: usize,
    threads: usize,
    postgres: bool,
    trade: bool,
    verbose: bool,
}

fn options() -> Result<Options, String> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut out =
        Options { from: 1, to: 101, commands: 300, threads: cores, postgres: false, trade: false, verbose: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
            text.parse().map_err(|_| format!("{text} is no number"))
        }
        match word.as_str() {
            "--seeds" => {
                let range = value()?;
                let (from, to) = range.split_once("..").ok_or("--seeds wants FROM..TO")?;
                (out.from, out.to) = (number(from)?, number(to)?);
            }
            "--seed" => {
                out.from = number(&value()?)?;
                out.to = out.from + 1;
            }
            "--commands" => out.commands = number(&value()?)?,
            "--threads" => out.threads = number(&value()?)?,
            "--postgres" => out.postgres = true,
            "--trade" => out.trade = true,
            "--verbose" => out.verbose = true,
            _ => return Err(format!("there is no {word}\n{HELP}")),
        }
    }
    Ok(out)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
    };
    // A panic of a command is part of the simulation and not worth a page each.
    std::panic::set_hook(Box::new(|info| {
        if info.payload().downcast_ref::<&str>().is_none_or(|text| *text != "a bug of a command") {
            eprintln!("{info}");
        }
    }));
    let started = Instant::now();
    let (next, failed) = (AtomicU64::new(options.from), AtomicUsize::new(0));
    let reached = Mutex::new(Reached::default());
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                // A thread's lives are lived one after the other, each in a store as new.
                let prepared = match prepared(options.postgres) {
                    Ok(prepared) => prepared,
                    Err(why) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        return eprintln!("error: {why}");
                    }
                };
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.to || failed.load(Ordering::Relaxed) >= 5 {
                        return;
                    }
                    match live(&prepared, seed, &options) {
                        Ok(one) => reached.lock().unwrap_or_else(PoisonError::into_inner).merge(&one),
                        Err(why) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            let engine = if options.postgres { " --postgres" } else { "" };
                            let kind = if options.trade { " --trade" } else { "" };
                            eprintln!("seed {seed} failed: {why}\nrepeat it: simulate --seed {seed} --commands {}{engine}{kind} --verbose", options.commands);
                        }
                    }
                }
            });
        }
    });
    let reached = reached.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lives = options.to - options.from;
    let kind = if options.trade { " of trade" } else { "" };
    let engine = if options.postgres { "PostgreSQL" } else { "SQLite" };
    let mut report: Vec<String> = reached.0.iter().map(|(what, times)| format!("{what} {times}")).collect();
    report.insert(
        0,
        format!(
            "{lives} lives of {} commands{kind} on {engine} in {:.0} s",
            options.commands,
            started.elapsed().as_secs_f64()
        ),
    );
    print(&report.join("\n  "));
    let missing: Vec<&str> = reached
        .missing(if options.trade { WANTED_OF_TRADE } else { WANTED })
        .into_iter()
        .filter(|w| !(options.postgres && SQLITE_ONLY.contains(w)))
        .collect();
    if lives >= 100 && !missing.is_empty() {
        eprintln!("error: never reached: {}", missing.join(", "));
        return ExitCode::FAILURE;
    }
    match failed.into_inner() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn prepared(postgres: bool) -> Result<Prepared, String> {
    let place = match postgres {
        true => Place::postgres().ok_or("BRAID_TEST_POSTGRES names no cluster: use cargo xtask postgres --exec")?,
        false => Place::sqlite(),
    };
    prepare(place).map_err(|e| format!("a store cannot be prepared: {e}"))
}

fn live(prepared: &Prepared, seed: u64, options: &Options) -> Result<Reached, String> {
    let life = Life { seed, commands: options.commands, bug: None, verbose: options.verbose, hashed: false };
    let trading = Trading { seed, commands: options.commands, defect: None, verbose: options.verbose, hashed: false };
    let live = || if options.trade { trade::run(prepared, trading) } else { run(prepared, life) };
    let lived = std::panic::catch_unwind(live).unwrap_or_else(|_| Err("it panicked".into()));
    lived.map(|lived| lived.reached)
}

#[allow(clippy::print_stdout, reason = "this is what the program says")]
fn print(text: &str) {
    println!("{text}");
}
