//! Rows that belong together: the lines of one order stand one after the other.
use crate::mapping::{Kind, Plan};
use crate::rows::{Bad, Row, Rows};
use hashbrown::HashSet;
use std::hash::{BuildHasher, Hash};
use std::io;

/// Most rows of one order; more are a mistake of the mapping.
const ROWS_MAX: usize = 2_000;

/// What comes next in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Rows that are converted together.
    Group(Vec<Row>),
    /// A row that cannot be taken.
    Bad(Bad),
}

/// Groups of rows, with how many rows were read.
pub struct Groups<'a> {
    rows: Box<dyn Rows + 'a>,
    key: Option<usize>,
    /// A row of the next group, that was read to see that it is none of this one.
    ahead: Option<Row>,
    bad: Option<Bad>,
    /// Hashes of the keys that are done: an order whose rows stand apart would be counted wrong.
    done: HashSet<u64>,
    hasher: hashbrown::DefaultHashBuilder,
    /// Rows read so far, bad ones too.
    pub read: u64,
}

impl<'a> Groups<'a> {
    /// The groups of a file's rows.
    pub fn new(rows: Box<dyn Rows + 'a>, plan: &Plan) -> Self {
        let key = (plan.mapping.kind == Kind::Orders).then(|| plan.column("order_id")).flatten();
        Self { rows, key, ahead: None, bad: None, done: HashSet::new(), hasher: Default::default(), read: 0 }
    }

    fn row(&mut self) -> io::Result<Option<Result<Row, Bad>>> {
        if let Some(row) = self.ahead.take() {
            return Ok(Some(Ok(row)));
        }
        if let Some(bad) = self.bad.take() {
            return Ok(Some(Err(bad)));
        }
        let found = self.rows.next_row()?;
        self.read += u64::from(found.is_some());
        Ok(found)
    }

    /// The next group; `None` at the end.
    pub fn next_group(&mut self) -> io::Result<Option<Next>> {
        let first = match self.row()? {
            None => return Ok(None),
            Some(Err(bad)) => return Ok(Some(Next::Bad(bad))),
            Some(Ok(row)) => row,
        };
        let Some(key) = self.key else { return Ok(Some(Next::Group(vec![first]))) };
        let own = first.get(key).to_string();
        if own.is_empty() {
            return Ok(Some(Next::Group(vec![first])));
        }
        let mut hash = self.hasher.build_hasher();
        own.hash(&mut hash);
        if !self.done.insert(std::hash::Hasher::finish(&hash)) {
            let reason = "rows of this order stand apart in the file; sort it by the order's number";
            return Ok(Some(Next::Bad(Bad::row(first.line, reason, &own))));
        }
        let mut group = vec![first];
        while group.len() < ROWS_MAX {
            match self.rows.next_row()? {
                Some(Ok(row)) => {
                    self.read += 1;
                    if row.get(key) != own {
                        self.ahead = Some(row);
                        break;
                    }
                    group.push(row);
                }
                // A bad row ends the group: whose it was cannot be known.
                Some(Err(bad)) => {
                    self.read += 1;
                    self.bad = Some(bad);
                    break;
                }
                None => break,
            }
        }
        Ok(Some(Next::Group(group)))
    }
}
