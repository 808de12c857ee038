//! The one place that writes to the terminal.
use crate::stop::Stop;
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, Stderr, Stdout, Write};

/// Writes data to stdout and everything else to stderr.
pub struct Printer {
    out: BufWriter<Stdout>,
    err: Stderr,
    quiet: bool,
}

impl Printer {
    /// A printer that says what it should.
    pub fn new(quiet: bool) -> Self {
        Self { out: BufWriter::new(std::io::stdout()), err: std::io::stderr(), quiet }
    }
    /// Where data goes.
    pub fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }
    /// A value as one line of JSON.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Stop> {
        serde_json::to_writer(&mut self.out, value).map_err(|e| Stop::failed(std::io::Error::from(e)))?;
        writeln!(self.out)?;
        self.out.flush()?;
        Ok(())
    }
    /// A line of data.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Stop> {
        writeln!(self.out, "{}", text.as_ref())?;
        Ok(())
    }
    /// A remark for whoever watches.
    pub fn note(&mut self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = self.out.flush();
            let _ = writeln!(self.err, "{}", text.as_ref());
        }
    }
    /// Whether progress can be drawn.
    pub fn draws(&self) -> bool {
        !self.quiet && self.err.is_terminal()
    }
    /// Whether anything is said on stderr.
    pub fn speaks(&self) -> bool {
        !self.quiet
    }
    /// Says why a command ended.
    pub fn stop(&mut self, stop: &Stop) {
        let _ = self.out.flush();
        if let Some(error) = &stop.error {
            let _ = writeln!(self.err, "error: {error}");
            for cause in error.chain().skip(1) {
                let _ = writeln!(self.err, "  caused by: {cause}");
            }
        }
        if let Some(hint) = &stop.hint {
            let _ = writeln!(self.err, "hint: {hint}");
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        let _ = self.out.flush();
    }
}
