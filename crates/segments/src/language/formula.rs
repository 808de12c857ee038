//! What a computed trait is: functions of chosen events, numbers, and arithmetic over them.
use super::ast::{Aggregate, Function};
use super::error::{Problem, SyntaxError};
use super::parser::Parser;
use super::{ATOMS_MAX, TEXT_MAX};
use base::Decimal;
use db::event::Scalar;
use std::fmt;

/// An arithmetic sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    Plus,
    Minus,
    Times,
    By,
}

impl Arithmetic {
    const ALL: [(char, Arithmetic); 4] =
        [('+', Arithmetic::Plus), ('-', Arithmetic::Minus), ('*', Arithmetic::Times), ('/', Arithmetic::By)];

    /// As it is written.
    pub fn as_char(self) -> char {
        Self::ALL.into_iter().find(|(_, sign)| *sign == self).map_or('+', |(c, _)| c)
    }
    fn binds_tightly(self) -> bool {
        matches!(self, Arithmetic::Times | Arithmetic::By)
    }
}

/// `sum("Order Completed".total in last 90 days) / count("Order Completed" in last 90 days)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    Number(Decimal),
    Of(Box<Aggregate>),
    Pair(Box<Formula>, Arithmetic, Box<Formula>),
}

impl Formula {
    /// Its functions, from the left.
    pub fn aggregates(&self, out: &mut Vec<Aggregate>) {
        match self {
            Formula::Number(_) => {}
            Formula::Of(aggregate) => out.push((**aggregate).clone()),
            Formula::Pair(a, _, b) => {
                a.aggregates(out);
                b.aggregates(out);
            }
        }
    }
}

/// Reads what a computed trait is. Errors say where, what was expected, and mostly what to write instead.
pub fn parse_formula(text: &str) -> Result<Formula, SyntaxError> {
    if text.len() > TEXT_MAX {
        return Err(SyntaxError::new(TEXT_MAX, Problem::TooLong { bytes: text.len() }));
    }
    let mut parser = Parser::new(text);
    let formula = parser.sum()?;
    if !parser.scan.is_end() {
        return Err(parser
            .scan
            .expected("`+`, `-`, `*`, `/` or the end")
            .hint("a computed trait has no comparison: a segment asks for it, such as trait.my_trait >= 3"));
    }
    let mut functions = Vec::new();
    formula.aggregates(&mut functions);
    if functions.is_empty() {
        return Err(SyntaxError::new(
            0,
            Problem::Expected { expected: FUNCTIONS.into(), found: "a number alone".into() },
        ));
    }
    Ok(formula)
}

const FUNCTIONS: &str = "a function such as `count(…)`, `sum(…)`, `min`, `max`, `first`, `last` or `distinct`";

impl Parser<'_> {
    fn sum(&mut self) -> Result<Formula, SyntaxError> {
        let mut left = self.product()?;
        while let Some(sign) = self.sign(false) {
            left = Formula::Pair(Box::new(left), sign, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Formula, SyntaxError> {
        let mut left = self.part()?;
        while let Some(sign) = self.sign(true) {
            left = Formula::Pair(Box::new(left), sign, Box::new(self.part()?));
        }
        Ok(left)
    }

    fn sign(&mut self, tight: bool) -> Option<Arithmetic> {
        let found =
            Arithmetic::ALL.into_iter().find(|(c, sign)| sign.binds_tightly() == tight && self.scan.sees(*c))?;
        self.scan.eat(found.0);
        Some(found.1)
    }

    fn part(&mut self) -> Result<Formula, SyntaxError> {
        if self.scan.sees('(') {
            self.open()?;
            let inner = self.sum()?;
            self.close()?;
            return Ok(inner);
        }
        self.count_atom()?;
        let word = self.scan.word();
        if let Some(function) = Function::ALL.into_iter().find(|f| f.as_str() == word) {
            return Ok(Formula::Of(Box::new(self.chosen(function)?)));
        }
        if matches!(word, "true" | "false") || !word.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
            let hint = format!("at most {ATOMS_MAX} of them, joined by + - * /");
            return Err(self.scan.expected(&format!("{FUNCTIONS}, or a number")).hint(hint));
        }
        match self.scan.value()? {
            Scalar::Number(number) => Ok(Formula::Number(number)),
            _ => Err(self.scan.expected("a number")),
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Formula::Number(number) => write!(f, "{number}"),
            Formula::Of(aggregate) => aggregate.fmt(f),
            Formula::Pair(a, sign, b) => {
                let loose = |part: &Formula, right: bool| match part {
                    Formula::Pair(_, inner, _) => {
                        inner.binds_tightly() != sign.binds_tightly() && sign.binds_tightly()
                            || right && inner.binds_tightly() == sign.binds_tightly()
                    }
                    _ => false,
                };
                let write = |f: &mut fmt::Formatter<'_>, part: &Formula, loose: bool| {
                    if loose { write!(f, "({part})") } else { write!(f, "{part}") }
                };
                write(f, a, loose(a, false))?;
                write!(f, " {} ", sign.as_char())?;
                write(f, b, loose(b, true))
            }
        }
    }
}
