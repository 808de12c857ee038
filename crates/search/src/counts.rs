//! Counting facet values over everything that was found.
use std::collections::HashMap;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::StrColumn;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

/// Products of one part of the index over which values are counted: beyond it counts are of the first ones.
pub const COUNTED_MAX: u32 = 100_000;

/// Values from which on all terms are read in their order.
const STREAMED: usize = 200;

/// Counts the values of the facet field, and documents.
pub struct Counts;

/// What was counted in a part of the index: documents, and by term.
pub struct Counting {
    column: Option<StrColumn>,
    by_ord: Vec<u32>,
    docs: u32,
}

impl Collector for Counts {
    type Fruit = (u64, HashMap<String, u64>);
    type Child = Counting;
    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<Counting> {
        let column = segment.fast_fields().str("facet")?;
        let terms = column.as_ref().map_or(0, |c| c.num_terms());
        Ok(Counting { column, by_ord: vec![0; terms], docs: 0 })
    }
    fn requires_scoring(&self) -> bool {
        false
    }
    fn merge_fruits(&self, parts: Vec<(u64, HashMap<String, u64>)>) -> tantivy::Result<Self::Fruit> {
        let mut out = (0, HashMap::new());
        for (docs, counts) in parts {
            out.0 += docs;
            for (term, count) in counts {
                *out.1.entry(term).or_insert(0) += count;
            }
        }
        Ok(out)
    }
}

impl SegmentCollector for Counting {
    type Fruit = (u64, HashMap<String, u64>);
    fn collect(&mut self, doc: DocId, _: Score) {
        self.docs += 1;
        if self.docs > COUNTED_MAX {
            return;
        }
        if let Some(column) = &self.column {
            for ord in column.term_ords(doc) {
                if let Some(count) = self.by_ord.get_mut(ord as usize) {
                    *count += 1;
                }
            }
        }
    }
    fn harvest(self) -> Self::Fruit {
        let mut out = HashMap::new();
        let Some(column) = &self.column else { return (u64::from(self.docs), out) };
        let found: Vec<(u64, u32)> =
            self.by_ord.iter().enumerate().filter(|(_, n)| **n > 0).map(|(ord, n)| (ord as u64, *n)).collect();
        if found.len() > STREAMED {
            // Terms lie in order: reading them all is cheaper than looking many up one by one.
            if let Ok(mut terms) = column.dictionary().stream() {
                while terms.advance() {
                    let count = self.by_ord.get(terms.term_ord() as usize).copied().unwrap_or_default();
                    if count > 0 {
                        let term = String::from_utf8_lossy(terms.key()).into_owned();
                        out.insert(term, u64::from(count));
                    }
                }
                return (u64::from(self.docs), out);
            }
        }
        let mut term = String::new();
        for (ord, count) in found {
            term.clear();
            if matches!(column.ord_to_str(ord, &mut term), Ok(true)) {
                out.insert(term.clone(), u64::from(count));
            }
        }
        (u64::from(self.docs), out)
    }
}
