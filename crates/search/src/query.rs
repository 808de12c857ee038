//! What is asked and what is found.
use crate::counts::Counts;
use crate::document::{MARK, term};
use crate::index::{Index, SearchError, channel_path};
use crate::text::{article, other_layout, sound, stem, words};
use std::collections::{BTreeMap, HashMap};
use tantivy::collector::sort_key::NaturalComparator;
use tantivy::collector::{SegmentSortKeyComputer, SortKeyComputer, TopDocs};
use tantivy::columnar::{Column, MonotonicallyMappableToU64};
use tantivy::query::{AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Value};
use tantivy::{DocAddress, DocId, Order, Score, Searcher, SegmentReader, TantivyDocument, Term};

/// Words of a question that are looked at.
const WORDS_MAX: usize = 12;
/// Values shown of one facet.
const VALUES_MAX: usize = 50;
/// Facets shown.
const FACETS_MAX: usize = 40;

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// What fits best first; without words, the newest.
    #[default]
    Best,
    Newest,
    Cheapest,
    Dearest,
}

/// A question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub text: String,
    /// Values by facet: one of each facet's has to be there.
    pub filters: BTreeMap<String, Vec<String>>,
    pub sort: Sort,
    /// Whose prices it is sorted by; without one, those of no channel.
    pub channel_no: Option<i64>,
    pub offset: usize,
    pub limit: usize,
    /// Whether values are counted too.
    pub facets: bool,
}

/// How often a value occurs among what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCount {
    pub value: String,
    pub count: u64,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Numbers of products, in order.
    pub nos: Vec<i64>,
    pub total: u64,
    /// Values by facet, the most frequent first. A facet that is filtered by counts as if it were not.
    pub facets: BTreeMap<String, Vec<FacetCount>>,
    /// The words as they were understood, where that is not what was typed: another keyboard layout, a typing mistake.
    pub understood: Option<String>,
}

type Boxed = Box<dyn Query>;

fn is(field: Field, text: &str) -> Boxed {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

fn boosted(query: Boxed, boost: f32) -> Boxed {
    Box::new(BoostQuery::new(query, boost))
}

fn any(list: Vec<Boxed>) -> Boxed {
    Box::new(BooleanQuery::new(list.into_iter().map(|q| (Occur::Should, q)).collect()))
}

fn all(list: Vec<Boxed>) -> Boxed {
    Box::new(BooleanQuery::new(list.into_iter().map(|q| (Occur::Must, q)).collect()))
}

impl Index {
    /// Answers a question.
    pub fn search(&self, asked: &Asked) -> Result<Found, SearchError> {
        let searcher = self.reader.searcher();
        let (words, understood) = self.words(&searcher, &asked.text)?;
        let filters: Vec<(&str, Boxed)> = asked
            .filters
            .iter()
            .filter(|(_, v)| !v.is_empty())
            .map(|(kind, v)| (kind.as_str(), self.filter(kind, v)))
            .collect();
        let query = |without: Option<&str>, words: &Boxed| -> Boxed {
            let mut parts = vec![words.box_clone()];
            parts.extend(filters.iter().filter(|(kind, _)| Some(*kind) != without).map(|(_, q)| q.box_clone()));
            if parts.len() == 1 { words.box_clone() } else { all(parts) }
        };
        let whole = query(None, &words);
        let top = self.top(&searcher, &whole, asked)?;
        let mut nos = Vec::with_capacity(top.len());
        for address in top {
            let doc: TantivyDocument = searcher.doc(address)?;
            nos.extend(doc.get_first(self.fields.no).and_then(|v| v.as_i64()));
        }
        let mut out = Found { nos, understood, ..Found::default() };
        if !asked.facets {
            out.total = searcher.search(&*whole, &tantivy::collector::Count)? as u64;
            return Ok(out);
        }
        let (total, counts) = searcher.search(&*whole, &Counts)?;
        out.total = total;
        let mut facets = by_kind(counts);
        for (kind, _) in &filters {
            let (_, counts) = searcher.search(&*query(Some(kind), &words), &Counts)?;
            let own = counts.into_iter().filter(|(t, _)| t.split(MARK).next() == Some(kind)).collect();
            facets.extend(by_kind(own));
        }
        out.facets = shown(facets);
        Ok(out)
    }

    fn top(&self, searcher: &Searcher, query: &Boxed, asked: &Asked) -> Result<Vec<DocAddress>, SearchError> {
        let limit = asked.limit.clamp(1, 500);
        let docs = || TopDocs::with_limit(limit).and_offset(asked.offset);
        let by = |field: &str, order: Order| -> Result<Vec<DocAddress>, SearchError> {
            let found = searcher.search(&**query, &docs().order_by_fast_field::<i64>(field, order))?;
            Ok(found.into_iter().map(|(_, address)| address).collect())
        };
        let by_price = |order: Order| -> Result<Vec<DocAddress>, SearchError> {
            let Some(no) = asked.channel_no else { return by("price", order) };
            let sort = ByPrice { path: format!("prices.{}", channel_path(no)) };
            let found = searcher.search(&**query, &docs().order_by((sort, order)))?;
            Ok(found.into_iter().map(|(_, address)| address).collect())
        };
        match asked.sort {
            Sort::Best if !asked.text.trim().is_empty() => {
                let found = searcher.search(&**query, &docs().order_by_score())?;
                Ok(found.into_iter().map(|(_, address)| address).collect())
            }
            Sort::Best | Sort::Newest => by("made", Order::Desc),
            Sort::Cheapest => by_price(Order::Asc),
            Sort::Dearest => by_price(Order::Desc),
        }
    }

    fn filter(&self, kind: &str, values: &[String]) -> Boxed {
        let terms = values.iter().map(|v| Term::from_field_text(self.fields.facet, &term(kind, v)));
        Box::new(ConstScoreQuery::new(Box::new(BooleanQuery::new_multiterms_query(terms.collect())), 0.0))
    }

    /// What a text asks for: an id, SKU or GTIN first, then all of its words.
    fn words(&self, searcher: &Searcher, text: &str) -> Result<(Boxed, Option<String>), SearchError> {
        let typed: Vec<String> = words(text).into_iter().take(WORDS_MAX).collect();
        if typed.is_empty() {
            return Ok((Box::new(AllQuery), None));
        }
        let mut meant: Vec<String> = Vec::new();
        let mut parts: Vec<Boxed> = Vec::new();
        // A keyboard layout is wrong for the whole text or not at all: letters such as `;` and `[` are part of words there.
        let layouts = other_layout(text);
        let known = |this: &Self, word: &str| -> Result<bool, SearchError> { this.is_known(searcher, &stem(word)) };
        let mut read = typed.clone();
        let mut nothing = true;
        for word in &typed {
            nothing &= !known(self, word)? && !self.sounds(searcher, word)?;
        }
        if nothing && !text.chars().any(|c| c.is_ascii_digit()) {
            for layout in &layouts {
                let other: Vec<String> = words(layout).into_iter().take(WORDS_MAX).collect();
                let mut hits = 0;
                for word in &other {
                    hits += usize::from(known(self, word)? || self.sounds(searcher, word)?);
                }
                if hits > 0 && hits == other.len() {
                    read = other;
                    meant = vec![read.join(" ")];
                    break;
                }
            }
        }
        let last = read.len() - 1;
        for (at, word) in read.iter().enumerate() {
            parts.push(self.word(searcher, word, at == last && !text.ends_with(' '))?);
        }
        let words = all(parts);
        let exact = article(text);
        let number = is(self.fields.exact, &exact);
        let query = any(vec![Box::new(ConstScoreQuery::new(number, 1_000_000.0)), words]);
        Ok((query, meant.pop()))
    }

    fn is_known(&self, searcher: &Searcher, stem: &str) -> Result<bool, SearchError> {
        for field in [self.fields.title, self.fields.body] {
            if searcher.doc_freq(&Term::from_field_text(field, stem))? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn sounds(&self, searcher: &Searcher, word: &str) -> Result<bool, SearchError> {
        Ok(searcher.doc_freq(&Term::from_field_text(self.fields.sound, &sound(word)))? > 0)
    }

    /// A word: as it is; as the beginning of one, if it is still being typed; by its sound; with mistakes if nothing else fits.
    fn word(&self, searcher: &Searcher, word: &str, typing: bool) -> Result<Boxed, SearchError> {
        let stem = stem(word);
        let (length, sound) = (stem.chars().count(), sound(word));
        let mut ways = vec![boosted(is(self.fields.title, &stem), 4.0), is(self.fields.body, &stem)];
        let known = self.is_known(searcher, &stem)?;
        let begin = |field, text: &str| -> Boxed {
            Box::new(FuzzyTermQuery::new_prefix(Term::from_field_text(field, text), 0, true))
        };
        if typing && length >= 2 && !(known && length >= 5) {
            ways.push(boosted(begin(self.fields.title, &stem), 1.5));
        }
        if !known {
            let heard = self.sounds(searcher, word)?;
            if heard {
                ways.push(boosted(is(self.fields.sound, &sound), 2.0));
            }
            // Digits are not misheard: 42 is not 43.
            if !heard && length >= 4 && !stem.chars().any(|c| c.is_ascii_digit()) {
                let distance = if length >= 8 { 2 } else { 1 };
                let near = |field, text: &str, distance| -> Boxed {
                    Box::new(FuzzyTermQuery::new(Term::from_field_text(field, text), distance, true))
                };
                ways.push(boosted(near(self.fields.title, &stem, distance), 0.8));
                ways.push(boosted(near(self.fields.sound, &sound, 1), 0.6));
                ways.push(boosted(near(self.fields.body, &stem, 1), 0.3));
            }
        }
        Ok(any(ways))
    }
}

/// Sorts by the prices of a channel. A part of the index from before the channel was there has none.
struct ByPrice {
    path: String,
}

struct PricesOfPart(Option<Column<u64>>);

impl SortKeyComputer for ByPrice {
    type SortKey = Option<i64>;
    type Child = PricesOfPart;
    type Comparator = NaturalComparator;

    fn segment_sort_key_computer(&self, part: &SegmentReader) -> tantivy::Result<PricesOfPart> {
        Ok(PricesOfPart(part.fast_fields().u64_lenient(&self.path)?.map(|(column, _)| column)))
    }
}

impl SegmentSortKeyComputer for PricesOfPart {
    type SortKey = Option<i64>;
    type SegmentSortKey = Option<u64>;
    type SegmentComparator = NaturalComparator;

    fn segment_sort_key(&mut self, doc: DocId, _: Score) -> Option<u64> {
        self.0.as_ref().and_then(|column| column.first(doc))
    }
    fn convert_segment_sort_key(&self, key: Option<u64>) -> Option<i64> {
        key.map(i64::from_u64)
    }
}

fn by_kind(counts: HashMap<String, u64>) -> BTreeMap<String, Vec<FacetCount>> {
    let mut out: BTreeMap<String, Vec<FacetCount>> = BTreeMap::new();
    for (term, count) in counts {
        if let Some((kind, value)) = term.split_once(MARK) {
            out.entry(kind.to_string()).or_default().push(FacetCount { value: value.to_string(), count });
        }
    }
    out
}

/// Facets that say something, the most frequent values first.
fn shown(mut facets: BTreeMap<String, Vec<FacetCount>>) -> BTreeMap<String, Vec<FacetCount>> {
    for values in facets.values_mut() {
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        values.truncate(VALUES_MAX);
    }
    if facets.len() > FACETS_MAX {
        let mut kinds: Vec<(u64, String)> =
            facets.iter().map(|(k, v)| (v.iter().map(|c| c.count).sum(), k.clone())).collect();
        kinds.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, kind) in kinds.into_iter().skip(FACETS_MAX).filter(|(_, k)| !k.starts_with('@')) {
            facets.remove(&kind);
        }
    }
    facets
}
