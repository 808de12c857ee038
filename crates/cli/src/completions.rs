//! `braid completions`: what a shell needs to complete commands.
use crate::printer::Printer;
use crate::stop::Outcome;
use clap::CommandFactory;

/// Prints a completion script.
///
/// Example: braid completions bash > /etc/bash_completion.d/braid
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// Which shell.
    shell: clap_complete::Shell,
}

/// Prints it.
pub fn run(completions: &Completions, printer: &mut Printer) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut crate::Cli::command(), "braid", &mut script);
    printer.out().write_all(&script)?;
    Ok(())
}
