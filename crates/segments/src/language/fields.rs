//! The part of the language after `where`: conditions on what one event carries.
use super::error::SyntaxError;
use super::parser::Parser;
use customers::counters::{FieldPath, Filter, Test};

impl Parser<'_> {
    /// `a or b`.
    pub(super) fn filter(&mut self) -> Result<Filter, SyntaxError> {
        let mut parts = vec![self.filter_and()?];
        while self.scan.eat_word("or") {
            parts.push(self.filter_and()?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn filter_and(&mut self) -> Result<Filter, SyntaxError> {
        let mut parts = vec![self.filter_not()?];
        while self.scan.eat_word("and") {
            parts.push(self.filter_not()?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn filter_not(&mut self) -> Result<Filter, SyntaxError> {
        if self.scan.eat_word("not") {
            return Ok(Filter::Not(Box::new(self.filter_atom()?)));
        }
        self.filter_atom()
    }

    fn filter_atom(&mut self) -> Result<Filter, SyntaxError> {
        if self.scan.sees('(') {
            self.open()?;
            let inner = self.filter()?;
            self.close()?;
            return Ok(inner);
        }
        self.count_atom()?;
        match self.scan.word() {
            "exists" => {
                self.scan.eat_word("exists");
                Ok(Filter::Exists(self.property()?))
            }
            "not" => Err(self.scan.expected("a condition").hint("put brackets around the second `not`")),
            _ => {
                let path = self.property()?;
                Ok(Filter::Field(path, self.test()?))
            }
        }
    }

    /// `properties.a.b` or `products[].a`.
    fn property(&mut self) -> Result<FieldPath, SyntaxError> {
        if self.scan.eat_word("properties") {
            return self.field();
        }
        if self.scan.eat_word("products") {
            if !self.scan.sees('[') {
                return Err(self.scan.expected("`[]`").hint("`products[].price` means the price of any product"));
            }
            self.list_mark()?;
            let inner = self.field()?;
            return Ok(FieldPath::new(std::iter::once("products".into()).chain(inner.names)));
        }
        let error = self.scan.expected_word(&["properties", "products[]", "exists", "not"]);
        let word = self.scan.word();
        let known = error.hint.is_some() || word.is_empty();
        Err(if known { error } else { error.hint(format!("a property of the event is written `properties.{word}`")) })
    }

    /// `.a.b`; `[]` after a name is allowed and says what holds anyway: a list stands for each of its elements.
    pub(super) fn field(&mut self) -> Result<FieldPath, SyntaxError> {
        let mut names = Vec::new();
        loop {
            self.scan.want('.')?;
            names.push(self.scan.name()?);
            if self.scan.sees('[') {
                self.list_mark()?;
            }
            if !self.scan.sees('.') {
                return Ok(FieldPath::new(names));
            }
        }
    }

    fn list_mark(&mut self) -> Result<(), SyntaxError> {
        self.scan.want('[')?;
        self.scan.want(']')
    }

    /// What follows a path: a comparison, a list, `contains`, `starts with`.
    pub(super) fn test(&mut self) -> Result<Test, SyntaxError> {
        match self.scan.word() {
            "in" => {
                self.scan.eat_word("in");
                self.scan.want('[')?;
                let mut values = vec![self.scan.value()?];
                while self.scan.eat(',') {
                    values.push(self.scan.value()?);
                }
                self.scan.want(']')?;
                Ok(Test::In(values))
            }
            "contains" => {
                self.scan.eat_word("contains");
                Ok(Test::Contains(self.scan.string()?))
            }
            "starts" => {
                self.scan.eat_word("starts");
                self.scan.want_word("with")?;
                Ok(Test::StartsWith(self.scan.string()?))
            }
            "" => {
                let op = self.scan.op()?;
                Ok(Test::Compare(op, self.scan.value()?))
            }
            _ => Err(self.scan.expected_word(&["=", "!=", "<", "<=", ">", ">=", "in", "contains", "starts with"])),
        }
    }
}

pub(super) fn one_or<T>(parts: Vec<T>, join: fn(Vec<T>) -> T) -> T {
    match <[T; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => join(parts),
    }
}
