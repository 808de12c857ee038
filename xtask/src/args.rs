//! Command lines of a few flags, read by hand: a parser crate would double what `cargo xtask` builds.

use std::collections::VecDeque;

use crate::stop::BadInput;

/// What is left of the command line. Ask for each known flag, then call [`Args::finish`].
pub struct Args {
    rest: VecDeque<String>,
}

impl Args {
    pub fn new(words: impl Iterator<Item = String>) -> Args {
        Args { rest: words.collect() }
    }

    /// Takes the first word.
    pub fn command(&mut self) -> Option<String> {
        self.rest.pop_front()
    }

    /// Takes `name` wherever it stands; true if it was there.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.rest.iter().position(|word| word == name) {
            Some(index) => self.rest.remove(index).is_some(),
            None => false,
        }
    }

    /// Takes `name VALUE` or `name=VALUE`.
    pub fn value(&mut self, name: &str) -> Result<Option<String>, BadInput> {
        let with_equals = format!("{name}=");
        let found = self.rest.iter().position(|word| word == name || word.starts_with(&with_equals));
        let Some(index) = found else { return Ok(None) };
        let word = self.rest.remove(index).unwrap_or_default();
        if let Some(value) = word.strip_prefix(&with_equals) {
            return Ok(Some(value.to_owned()));
        }
        match self.rest.remove(index) {
            Some(value) => Ok(Some(value)),
            None => Err(BadInput(format!("{name} wants a value"))),
        }
    }

    /// Takes `name` and all words after it.
    pub fn tail(&mut self, name: &str) -> Option<Vec<String>> {
        let index = self.rest.iter().position(|word| word == name)?;
        let tail = self.rest.split_off(index);
        Some(tail.into_iter().skip(1).collect())
    }

    /// Refuses whatever nobody asked for.
    pub fn finish(self) -> Result<(), BadInput> {
        match self.rest.front() {
            Some(word) => Err(BadInput(format!("`{word}` is not understood here; see `cargo xtask help`"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_and_values_stand_anywhere() {
        let mut line = args("test --quick --only fmt,tidy");
        assert_eq!(line.command().as_deref(), Some("test"));
        assert_eq!(line.value("--only").expect("has a value").as_deref(), Some("fmt,tidy"));
        assert!(line.flag("--quick"));
        assert!(!line.flag("--quick"));
        assert!(line.finish().is_ok());
    }

    #[test]
    fn a_value_may_follow_an_equals_sign() {
        let mut line = args("--port=8800");
        assert_eq!(line.value("--port").expect("has a value").as_deref(), Some("8800"));
    }

    #[test]
    fn leftovers_and_missing_values_are_refused() {
        assert!(args("--nonsense").finish().is_err());
        assert!(args("--only").value("--only").is_err());
    }

    #[test]
    fn the_tail_keeps_flags_of_the_other_command() {
        let mut line = args("--exec cargo test --quick");
        assert_eq!(line.tail("--exec").expect("is there"), ["cargo", "test", "--quick"]);
        assert!(line.finish().is_ok());
    }
}
