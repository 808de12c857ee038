//! All definitions together: which counters an event touches, and the counters of one profile.
use super::definition::{Counted, Definition, Keep, Meaning, Occurrence};
use super::filter::FieldPath;
use super::json::Json;
use super::summary::{FIRST, Summary, THEN};
use base::Timestamp;
use db::DbError;
use db::event::{Hit, Scalar};
use db::pack::{Reader, put_u64};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

/// Values that one event may add to one counter; of a longer list the rest is left out.
pub const VALUES_MAX: usize = 1_000;

/// Why definitions do not make a set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// One id stands for two meanings: stored summaries would be read as something else.
    #[error("counter {id} means two things: {one}; {other}")]
    Ambiguous { id: u32, one: String, other: String },
}

/// The counters that are kept now: immutable, shared by all threads.
#[derive(Debug, Default)]
pub struct CounterSet {
    /// Grows with every change, so that a batch knows whether its hits are current.
    pub version: u64,
    /// Ascending by id.
    definitions: Vec<Definition>,
    by_event: HashMap<Box<str>, Watch>,
    contexts: Watch,
    by_meaning: HashMap<Meaning, u32>,
}

/// Who wants to see an event, and what of it.
#[derive(Debug, Default)]
struct Watch {
    /// Names of the outermost fields that any of `posts` looks at.
    roots: Vec<Box<str>>,
    /// Ascending by id.
    posts: Vec<Post>,
}

#[derive(Debug)]
struct Post {
    /// Index of the definition.
    index: usize,
    /// The role in a sequence.
    role: Option<Scalar>,
}

impl CounterSet {
    /// Makes a set. Ids come from outside and stay with their meaning for ever; definitions that mean the same as an
    /// earlier one are left out.
    pub fn build(version: u64, definitions: Vec<Definition>) -> Result<Self, SetError> {
        let mut set = CounterSet { version, ..CounterSet::default() };
        let mut definitions: Vec<_> =
            definitions.into_iter().map(|d| Definition { id: d.id, meaning: d.meaning.normal() }).collect();
        definitions.sort_by_key(|d| d.id);
        for definition in definitions {
            match set.definitions.last() {
                Some(last) if last.id == definition.id && last.meaning != definition.meaning => {
                    let (one, other) = (last.meaning.to_string(), definition.meaning.to_string());
                    return Err(SetError::Ambiguous { id: last.id, one, other });
                }
                _ if set.by_meaning.contains_key(&definition.meaning) => continue,
                _ => set.watch(definition),
            }
        }
        Ok(set)
    }

    fn watch(&mut self, definition: Definition) {
        let index = self.definitions.len();
        match &definition.meaning.counted {
            Counted::Events { what, field, .. } => self.watch_event(what, field.as_ref(), Post { index, role: None }),
            Counted::Context(path) => self.contexts.add(path.root(), Post { index, role: None }),
            Counted::Pair { first, then } => {
                self.watch_event(first, None, Post { index, role: Some(FIRST) });
                self.watch_event(then, None, Post { index, role: Some(THEN) });
            }
        }
        self.by_meaning.insert(definition.meaning.clone(), definition.id);
        self.definitions.push(definition);
    }

    fn watch_event(&mut self, what: &Occurrence, field: Option<&FieldPath>, post: Post) {
        let watch = self.by_event.entry(what.event.clone()).or_default();
        let mut roots: Vec<&str> = field.iter().map(|f| f.root()).collect();
        if let Some(filter) = &what.filter {
            filter.paths(&mut |path| roots.push(path.root()));
        }
        roots.into_iter().for_each(|root| watch.add_root(root));
        watch.posts.push(post);
    }

    /// Whether some counter looks at contexts, so that it is worth putting one together.
    pub fn wants_context(&self) -> bool {
        !self.contexts.posts.is_empty()
    }

    /// The definitions, ascending by id.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// What is kept under an id; `None` for one that is not counted (any more).
    pub fn keep(&self, id: u32) -> Option<Keep> {
        // Ids are mostly dense, so the place is mostly known without a search.
        let guess = self.definitions.get(id as usize).filter(|d| d.id == id);
        let found =
            guess.or_else(|| self.definitions.binary_search_by_key(&id, |d| d.id).ok().map(|at| &self.definitions[at]));
        found.map(|d| d.meaning.keep)
    }

    /// The id under which a meaning is counted.
    pub fn find_id(&self, meaning: &Meaning) -> Option<u32> {
        self.by_meaning.get(&meaning.clone().normal()).copied()
    }

    /// The counters that an event touches, ascending by id, each once, with the values that take part.
    ///
    /// `event` is the name after aliases, empty for calls without one; `properties` and `context` are JSON texts of
    /// objects. Each is read at most once, and only where a counter wants it.
    pub fn hits(&self, event: &str, timestamp: Timestamp, properties: Option<&str>, context: Option<&str>) -> Vec<Hit> {
        let mut hits = Vec::new();
        if let Some(watch) = self.by_event.get(event).filter(|_| !event.is_empty()) {
            let view = View { text: properties, roots: &watch.roots, parsed: OnceCell::new() };
            for post in &watch.posts {
                self.post_hit(post, timestamp, &view, &mut hits);
            }
        }
        if !self.contexts.posts.is_empty()
            && let Some(context) = context.and_then(|text| Json::parse_fields(text, &self.contexts.roots))
        {
            for post in &self.contexts.posts {
                let definition = &self.definitions[post.index];
                if let Counted::Context(path) = &definition.meaning.counted
                    && let Some(values) = values_at(&context, path, definition.meaning.keep)
                {
                    hits.push(Hit { counter: definition.id, values });
                }
            }
            hits.sort_by_key(|hit| hit.counter);
        }
        hits
    }

    fn post_hit(&self, post: &Post, timestamp: Timestamp, view: &View<'_>, hits: &mut Vec<Hit>) {
        let Definition { id, meaning } = &self.definitions[post.index];
        let passes = |what: &Occurrence| what.filter.as_ref().is_none_or(|filter| filter.matches(view.json()));
        let values = match &meaning.counted {
            Counted::Events { what, field, between } => {
                let inside = between.is_none_or(|(from, to)| from <= timestamp && timestamp < to);
                if !inside || !passes(what) {
                    return;
                }
                match field.as_ref().map(|path| values_at(view.json(), path, meaning.keep)) {
                    None => Vec::new(),
                    Some(Some(values)) => values,
                    Some(None) => return,
                }
            }
            Counted::Pair { first, then } => match &post.role {
                Some(role) if passes(if *role == FIRST { first } else { then }) => vec![role.clone()],
                _ => return,
            },
            Counted::Context(_) => return,
        };
        match hits.last_mut().filter(|hit| hit.counter == *id) {
            // An event can play both roles of a sequence.
            Some(hit) => hit.values.extend(values),
            None => hits.push(Hit { counter: *id, values }),
        }
    }
}

impl Watch {
    fn add_root(&mut self, root: &str) {
        if !self.roots.iter().any(|r| **r == *root) {
            self.roots.push(root.into());
        }
    }
    fn add(&mut self, root: &str, post: Post) {
        self.add_root(root);
        self.posts.push(post);
    }
}

/// An event's properties, read when somebody first asks.
struct View<'a> {
    text: Option<&'a str>,
    roots: &'a [Box<str>],
    parsed: OnceCell<Json<'a>>,
}

impl<'a> View<'a> {
    fn json(&self) -> &Json<'a> {
        self.parsed
            .get_or_init(|| self.text.and_then(|text| Json::parse_fields(text, self.roots)).unwrap_or(Json::Null))
    }
}

/// The values at a path that take part; `None` when nothing there counts.
fn values_at(json: &Json<'_>, path: &FieldPath, keep: Keep) -> Option<Vec<Scalar>> {
    let mut values = Vec::new();
    json.any(&path.names, &mut |value| {
        if keep.takes(value) {
            values.push(value.to_scalar());
        }
        values.len() >= VALUES_MAX
    });
    (!values.is_empty() || (keep.takes_bare() && json.exists(&path.names))).then_some(values)
}

/// The counters of one profile: few, so a sorted list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    entries: Vec<(u32, Summary)>,
}

impl Counters {
    /// The summary of a counter; `None` when no event touched it.
    pub fn get(&self, id: u32) -> Option<&Summary> {
        self.entries.binary_search_by_key(&id, |(id, _)| *id).ok().map(|at| &self.entries[at].1)
    }

    /// All, ascending by id.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Summary)> {
        self.entries.iter().map(|(id, summary)| (*id, summary))
    }

    /// Adds what an event touched. Hits of counters that are not in the set are ignored.
    pub fn fold(&mut self, set: &CounterSet, timestamp: Timestamp, message_id: &str, hits: &[Hit]) {
        for hit in hits {
            let Some(keep) = set.keep(hit.counter) else { continue };
            match self.entries.binary_search_by_key(&hit.counter, |(id, _)| *id) {
                Ok(at) => self.entries[at].1.fold(keep, timestamp.micros(), message_id, &hit.values),
                Err(at) => {
                    if let Some(summary) = Summary::of(keep, timestamp.micros(), message_id, &hit.values) {
                        self.entries.insert(at, (hit.counter, summary));
                    }
                }
            }
        }
    }

    /// Adds the counters of a disjoint set of events. Counters that are not in the set of definitions are left out.
    pub fn merge(&mut self, set: &CounterSet, other: &Counters) {
        for (id, summary) in &other.entries {
            let Some(keep) = set.keep(*id) else { continue };
            match self.entries.binary_search_by_key(id, |(id, _)| *id) {
                Ok(at) => self.entries[at].1.merge(keep, summary),
                Err(at) => self.entries.insert(at, (*id, summary.clone())),
            }
        }
    }

    /// Removes what is not counted any more.
    pub fn retain(&mut self, set: &CounterSet) {
        self.entries.retain(|(id, summary)| set.keep(*id).is_some_and(|keep| summary.fits(keep)));
    }

    /// One counter over several profiles, without merging the others. Borrowed where one profile alone has it.
    pub fn merged<'a>(
        keep: Keep,
        id: u32,
        profiles: impl IntoIterator<Item = &'a Counters>,
    ) -> Option<Cow<'a, Summary>> {
        let mut merged: Option<Cow<'a, Summary>> = None;
        for summary in profiles.into_iter().filter_map(|counters| counters.get(id)) {
            match &mut merged {
                None => merged = Some(Cow::Borrowed(summary)),
                Some(held) => held.to_mut().merge(keep, summary),
            }
        }
        merged
    }

    /// Appends the packed form; equal counters give equal bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.entries.len() as u64);
        let mut before = 0;
        for (id, summary) in &self.entries {
            put_u64(out, u64::from(id - before));
            before = *id;
            summary.encode(out);
        }
    }

    /// Reads what [`Counters::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, DbError> {
        let count = reader.u64()?;
        let mut entries = Vec::with_capacity(count.min(256) as usize);
        let mut id = 0u32;
        for at in 0..count {
            let step = u32::try_from(reader.u64()?).ok().filter(|step| at == 0 || *step > 0);
            id = step
                .and_then(|step| id.checked_add(step))
                .ok_or_else(|| DbError::damaged("a profile's counters", "ids do not ascend"))?;
            entries.push((id, Summary::decode(reader)?));
        }
        Ok(Self { entries })
    }

    /// Bytes in memory, roughly.
    pub fn weight(&self) -> usize {
        self.entries.capacity() * size_of::<(u32, Summary)>()
            + self.entries.iter().map(|(_, summary)| summary.weight()).sum::<usize>()
    }
}
