//! Text to tree, by recursive descent over the grammar of CONTRACTS 5.
use super::ast::{Aggregate, Calendar, Date, Expr, Function, Path, Sequence, Unit, Window};
use super::error::{Problem, SyntaxError};
use super::fields::one_or;
use super::scan::Scanner;
use super::{ATOMS_MAX, DEPTH_MAX, TEXT_MAX, THRESHOLD_MAX, WINDOW_DAYS_MAX};
use base::{DAY_US, Decimal};
use customers::counters::{FieldPath, Occurrence, Op};
use db::event::Scalar;

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
    if text.len() > TEXT_MAX {
        return Err(SyntaxError::new(TEXT_MAX, Problem::TooLong { bytes: text.len() }));
    }
    let mut parser = Parser::new(text);
    let expr = parser.expr()?;
    if parser.scan.is_end() {
        return Ok(expr);
    }
    if parser.scan.sees(')') {
        return Err(parser.scan.expected("the end").hint("there is no opening bracket for this one"));
    }
    Err(parser.scan.expected_word(&["and", "or"]))
}

/// The state of a reading.
pub(super) struct Parser<'a> {
    pub scan: Scanner<'a>,
    depth: u32,
    atoms: u32,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { scan: Scanner::new(text), depth: 0, atoms: 0 }
    }
}

/// Words with which a condition can begin.
const ATOMS: [&str; 15] = [
    "trait",
    "context",
    "consent",
    "identifier",
    "exists",
    "count",
    "sum",
    "min",
    "max",
    "first",
    "last",
    "distinct",
    "seq",
    "in",
    "not",
];

const UNITS: [(&str, Unit); 3] = [("minutes", Unit::Minutes), ("hours", Unit::Hours), ("days", Unit::Days)];

impl Parser<'_> {
    fn expr(&mut self) -> Result<Expr, SyntaxError> {
        let mut parts = vec![self.and()?];
        while self.scan.eat_word("or") {
            parts.push(self.and()?);
        }
        Ok(one_or(parts, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, SyntaxError> {
        let mut parts = vec![self.not()?];
        while self.scan.eat_word("and") {
            parts.push(self.not()?);
        }
        Ok(one_or(parts, Expr::And))
    }

    fn not(&mut self) -> Result<Expr, SyntaxError> {
        if self.scan.eat_word("not") {
            return Ok(Expr::Not(Box::new(self.atom()?)));
        }
        self.atom()
    }

    /// Takes an opening bracket.
    pub(super) fn open(&mut self) -> Result<(), SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(SyntaxError::new(self.scan.offset(), Problem::TooDeep));
        }
        self.depth += 1;
        self.scan.want('(')
    }

    /// Takes the closing bracket of [`Parser::open`].
    pub(super) fn close(&mut self) -> Result<(), SyntaxError> {
        self.depth -= 1;
        self.scan.want(')')
    }

    pub(super) fn count_atom(&mut self) -> Result<(), SyntaxError> {
        self.atoms += 1;
        if self.atoms > ATOMS_MAX {
            return Err(SyntaxError::new(self.scan.offset(), Problem::TooMany));
        }
        Ok(())
    }

    fn atom(&mut self) -> Result<Expr, SyntaxError> {
        if self.scan.sees('(') {
            self.open()?;
            let inner = self.expr()?;
            self.close()?;
            return Ok(inner);
        }
        self.count_atom()?;
        let word = self.scan.word();
        if let Some(function) = Function::ALL.into_iter().find(|f| f.as_str() == word) {
            return self.aggregate(function);
        }
        match word {
            "trait" | "context" | "consent" | "identifier" => {
                let path = self.path()?;
                Ok(Expr::Value(path, self.test()?))
            }
            "exists" => {
                self.scan.eat_word("exists");
                Ok(Expr::Exists(self.path()?))
            }
            "in" => {
                self.scan.eat_word("in");
                self.scan.want_word("segment")?;
                self.scan.want('(')?;
                let name = self.scan.string()?;
                self.scan.want(')')?;
                Ok(Expr::InSegment(name))
            }
            "seq" => self.sequence(),
            _ => Err(self.unknown_atom(word)),
        }
    }

    fn unknown_atom(&self, word: &str) -> SyntaxError {
        let not_yet = |what| SyntaxError::new(self.scan.offset(), Problem::NotYet(what));
        match word {
            "not" => self.scan.expected("a condition").hint("put brackets around the second `not`"),
            "within" | "near" => not_yet("geography"),
            "predict" | "prediction" | "predicted" | "probability" => not_yet("a predictive score"),
            "properties" | "products" => {
                let error = self.scan.expected("a condition");
                error.hint(
                    "properties belong to an event: count(\"Product Viewed\" where properties.category = \"…\") >= 1",
                )
            }
            "" => self.scan.expected("a condition"),
            // Letters in capitals, slips of the finger.
            _ => {
                let list = "a condition such as `trait.…`, `count(…)`, `exists …` or `(`";
                let error = self.scan.expected(list);
                match super::error::nearest(word, &ATOMS) {
                    Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                    None => error.hint(format!("a trait of the person is written `trait.{word}`")),
                }
            }
        }
    }

    fn path(&mut self) -> Result<Path, SyntaxError> {
        let roots = [("trait", 0), ("context", 1), ("consent", 2), ("identifier", 3)];
        let root = self.scan.want_word_of(&roots)?;
        let mut names = Vec::new();
        while names.is_empty() || (root != 2 && self.scan.sees('.')) {
            self.scan.want('.')?;
            names.push(self.scan.name()?);
        }
        match root {
            0 => Ok(Path::Trait(FieldPath::new(names))),
            1 => Ok(Path::Context(FieldPath::new(names))),
            3 => Ok(Path::Identifier(names.join(".").into())),
            _ => {
                if !self.scan.sees('.') {
                    let error = self.scan.expected("`.` and a purpose");
                    return Err(error.hint("a consent has a channel and a purpose: consent.email.marketing"));
                }
                self.scan.want('.')?;
                let purpose = self.scan.name()?;
                Ok(Path::Consent { channel: names.swap_remove(0), purpose })
            }
        }
    }

    fn aggregate(&mut self, function: Function) -> Result<Expr, SyntaxError> {
        let aggregate = self.chosen(function)?;
        let op = self.scan.op()?;
        let place = self.scan.offset();
        let value = self.scan.value()?;
        // The number itself may be the limit, whatever the sign: then one entry more is kept.
        if aggregate.threshold(op, &value) > 0 && is_above(&value, THRESHOLD_MAX) {
            let what = "what a windowed count or a count of distinct values compares with";
            return Err(SyntaxError::new(place, Problem::Limit { what, max: THRESHOLD_MAX }));
        }
        Ok(Expr::Aggregate(Box::new(aggregate), op, value))
    }

    /// A function of chosen events, without what it is compared with.
    pub(super) fn chosen(&mut self, function: Function) -> Result<Aggregate, SyntaxError> {
        let start = self.scan.offset();
        self.scan.eat_word(function.as_str());
        self.scan.want('(')?;
        let event = self.scan.string()?;
        let field = if self.scan.sees('.') { Some(self.field()?) } else { None };
        if field.is_none() && function != Function::Count {
            let hint = format!("such as {}(\"{event}\".total)", function.as_str());
            return Err(SyntaxError::new(start, Problem::NeedsField(function.as_str())).hint(hint));
        }
        let filter = if self.scan.eat_word("where") { Some(self.filter()?) } else { None };
        let window = self.window()?;
        if !self.scan.sees(')') {
            let mut words = vec!["and", "or", "in last", "between", "in calendar", ")"];
            if filter.is_none() {
                words[..2].copy_from_slice(&["where", "."]);
            }
            return Err(self.scan.expected_word(if window.is_some() { &[")"] } else { &words }));
        }
        self.scan.want(')')?;
        Ok(Aggregate { function, event, field, filter, window })
    }

    fn window(&mut self) -> Result<Option<Window>, SyntaxError> {
        if self.scan.eat_word("between") {
            let from = self.date()?;
            self.scan.want_word("and")?;
            return Ok(Some(Window::Between { from, to: self.date()? }));
        }
        if !self.scan.eat_word("in") {
            return Ok(None);
        }
        if self.scan.want_word_of(&[("last", true), ("calendar", false)])? {
            let (amount, unit) = self.span()?;
            return Ok(Some(Window::Last { amount, unit }));
        }
        let periods = [("day", Calendar::Day), ("week", Calendar::Week), ("month", Calendar::Month)];
        Ok(Some(Window::Calendar(self.scan.want_word_of(&periods)?)))
    }

    fn span(&mut self) -> Result<(u32, Unit), SyntaxError> {
        let place = self.scan.offset();
        let amount = self.scan.whole("the length of a window", u32::MAX)?;
        let word = self.scan.word();
        let unit = self.scan.want_word_of(&UNITS).map_err(|error| match word {
            "minute" | "hour" | "day" => error.hint(format!("write {amount} {word}s")),
            "week" | "weeks" => error.hint(format!("write {} days", u64::from(amount) * 7)),
            "month" | "months" => error.hint(format!("write {} days, or `in calendar month`", u64::from(amount) * 30)),
            "year" | "years" => error.hint(format!("write {} days", u64::from(amount) * 365)),
            "second" | "seconds" => error.hint("the shortest unit is minutes"),
            _ => error,
        })?;
        let max = i64::from(WINDOW_DAYS_MAX) * DAY_US / unit.micros();
        if i64::from(amount) > max {
            let max = u32::try_from(max).unwrap_or(u32::MAX);
            return Err(SyntaxError::new(place, Problem::Limit { what: "the length of a window", max }));
        }
        Ok((amount, unit))
    }

    fn date(&mut self) -> Result<Date, SyntaxError> {
        let (moment, is_day) = self.scan.date()?;
        if !is_day {
            return Ok(Date::Moment(moment));
        }
        // A date alone was read as midnight in UTC; its text in that zone is the date again.
        let text = moment.to_string();
        let part = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        Ok(Date::Day { year: part(0, 4), month: part(5, 7) as u8, day: part(8, 10) as u8 })
    }

    fn sequence(&mut self) -> Result<Expr, SyntaxError> {
        self.scan.eat_word("seq");
        self.scan.want('(')?;
        let first = self.occurrence()?;
        self.scan.want_word("then")?;
        let negated = self.scan.eat_word("not");
        let then = self.occurrence()?;
        self.scan.want_word("within")?;
        let (amount, unit) = self.span()?;
        self.scan.want(')')?;
        Ok(Expr::Sequence(Box::new(Sequence { first, negated, then, amount, unit })))
    }

    fn occurrence(&mut self) -> Result<Occurrence, SyntaxError> {
        let event = self.scan.string()?;
        let filter = if self.scan.eat_word("where") { Some(self.filter()?) } else { None };
        Ok(Occurrence { event, filter })
    }
}

fn is_above(value: &Scalar, max: u32) -> bool {
    matches!(value, Scalar::Number(n) if *n > Decimal::from_int(i64::from(max)))
}

impl Aggregate {
    /// How many entries must be kept to answer the comparison: with so many known, more make no difference. 0 where
    /// nothing is kept per entry.
    pub(crate) fn threshold(&self, op: Op, value: &Scalar) -> i128 {
        let listed = match self.function {
            Function::Distinct => true,
            Function::Count => matches!(self.window, Some(Window::Last { .. } | Window::Calendar(_))),
            _ => false,
        };
        let Scalar::Number(number) = value else { return i128::from(listed) };
        if !listed {
            return 0;
        }
        let billion = 1_000_000_000;
        let (floor, whole) = (number.billionths().div_euclid(billion), number.billionths() % billion == 0);
        let needed = match op {
            Op::Ge | Op::Lt => floor + i128::from(!whole),
            Op::Gt | Op::Le => floor + 1,
            Op::Eq | Op::Ne if whole => floor + 1,
            Op::Eq | Op::Ne => 1,
        };
        needed.max(1)
    }
}
