//! `simulate`: many lives, on all cores; prints what was reached, and the seeds that failed.
use db::testing::Place;
use simulation::reached::{Reached, WANTED};
use simulation::run::{Life, run};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

const HELP: &str = "simulate [--seeds FROM..TO | --seed N] [--commands N] [--threads N] [--postgres] [--verbose]
Lives lives of a store, one a seed, and checks each. --postgres needs BRAID_TEST_POSTGRES.
A nightly million: simulate --seeds 1..1000001";

struct Options {
    from: u64,
    to: u64,
    commands: usize,
    threads: usize,
    postgres: bool,
    verbose: bool,
}

fn options() -> Result<Options, String> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let mut out = Options { from: 1, to: 101, commands: 300, threads: cores, postgres: false, verbose: false };
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
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= options.to || failed.load(Ordering::Relaxed) >= 5 {
                        return;
                    }
                    match live(seed, &options) {
                        Ok(one) => reached.lock().unwrap_or_else(PoisonError::into_inner).merge(&one),
                        Err(why) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            let engine = if options.postgres { " --postgres" } else { "" };
                            eprintln!("seed {seed} failed: {why}\nrepeat it: simulate --seed {seed} --commands {}{engine} --verbose", options.commands);
                        }
                    }
                }
            });
        }
    });
    let reached = reached.into_inner().unwrap_or_else(PoisonError::into_inner);
    let lives = options.to - options.from;
    let engine = if options.postgres { "PostgreSQL" } else { "SQLite" };
    let mut report: Vec<String> = reached.0.iter().map(|(what, times)| format!("{what} {times}")).collect();
    report.insert(
        0,
        format!(
            "{lives} lives of {} commands on {engine} in {:.0} s",
            options.commands,
            started.elapsed().as_secs_f64()
        ),
    );
    print(&report.join("\n  "));
    // Power cuts need a file system of our own, which only SQLite writes through.
    let missing: Vec<&str> =
        reached.missing(WANTED).into_iter().filter(|w| !(options.postgres && *w == "power cuts")).collect();
    if lives >= 100 && !missing.is_empty() {
        eprintln!("error: never reached: {}", missing.join(", "));
        return ExitCode::FAILURE;
    }
    match failed.into_inner() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn live(seed: u64, options: &Options) -> Result<Reached, String> {
    let place = match options.postgres {
        true => Place::postgres().ok_or("BRAID_TEST_POSTGRES names no cluster: use cargo xtask postgres --exec")?,
        false => Place::sqlite(),
    };
    let life = Life { seed, commands: options.commands, bug: None, verbose: options.verbose };
    std::panic::catch_unwind(|| run(place, life)).unwrap_or_else(|_| Err("it panicked".into()))
}

#[allow(clippy::print_stdout, reason = "this is what the program says")]
fn print(text: &str) {
    println!("{text}");
}
