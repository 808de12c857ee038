//! Which price holds, and why.
use super::model::{Ask, BASE, Entry, Kind, PriceList, Quote, Scope};
use base::Timestamp;
use std::collections::HashMap;

/// Price lists, indexed by the narrowest thing that each names, so that a question meets only those that it touches.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// In the order in which they are asked: position, then id.
    lists: Vec<PriceList>,
    ids: HashMap<i64, u32>,
    always: Vec<u32>,
    /// Customers, stores, segments, regions, channels.
    by: [HashMap<String, Vec<u32>>; 5],
}

impl Lists {
    /// Makes lists ready.
    pub fn new(mut lists: Vec<PriceList>) -> Self {
        lists.sort_by_key(|list| (list.position, list.id));
        let mut out = Self { lists, ..Self::default() };
        for (at, list) in out.lists.iter().enumerate() {
            out.ids.insert(list.id, at as u32);
            let Scope { channels, regions, stores, segments, customers } = &list.scope;
            let parts = [customers, stores, segments, regions, channels];
            match parts.iter().position(|names| !names.is_empty()) {
                None => out.always.push(at as u32),
                Some(part) => {
                    for name in parts[part] {
                        out.by[part].entry(name.clone()).or_default().push(at as u32);
                    }
                }
            }
        }
        out
    }

    /// All lists, in the order in which they are asked.
    pub fn all(&self) -> &[PriceList] {
        &self.lists
    }

    /// A list by id.
    pub fn find(&self, id: i64) -> Option<&PriceList> {
        self.ids.get(&id).map(|at| &self.lists[*at as usize])
    }

    /// The lists that hold for a question, the first that has a price wins.
    pub fn asked(&self, ask: &Ask) -> Vec<&PriceList> {
        let mut found = self.always.clone();
        let mut look = |part: usize, name: &str| {
            if let Some(of) = (!self.by[part].is_empty()).then(|| self.by[part].get(name)).flatten() {
                found.extend(of);
            }
        };
        ask.customer.iter().for_each(|name| look(0, name));
        ask.store.iter().for_each(|name| look(1, name));
        ask.segments.iter().for_each(|name| look(2, name));
        ask.region.iter().for_each(|name| look(3, name));
        ask.channel.iter().for_each(|name| look(4, name));
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|at| &self.lists[at as usize]).filter(|list| holds(list, ask)).collect()
    }

    /// Moments at which some list begins or ends.
    pub fn moments(&self) -> impl Iterator<Item = Timestamp> {
        self.lists.iter().flat_map(|list| [list.starts_at, list.ends_at])
    }
}

/// Whether a list holds for a question.
pub fn holds(list: &PriceList, ask: &Ask) -> bool {
    let fits = |names: &[String], name: Option<&String>| names.is_empty() || name.is_some_and(|n| names.contains(n));
    let scope = &list.scope;
    list.currency == ask.currency
        && list.starts_at <= ask.at
        && ask.at < list.ends_at
        && fits(&scope.channels, ask.channel.as_ref())
        && fits(&scope.regions, ask.region.as_ref())
        && fits(&scope.stores, ask.store.as_ref())
        && fits(&scope.customers, ask.customer.as_ref())
        && (scope.segments.is_empty() || ask.segments.iter().any(|s| scope.segments.contains(s)))
}

/// The price that holds: of the lists that fit, by position, the first that has a price for this variant, currency and
/// quantity; else the base price. `None`: not for sale in this currency here.
///
/// `entries` are all of the variant, sorted by [`order`]. Of several quantities the greatest that is reached counts.
pub fn quote(lists: &Lists, entries: &[Entry], ask: &Ask) -> Option<Quote> {
    let base = in_list(entries, BASE, ask);
    let base_minor = base.and_then(|entry| entry.minor);
    for list in lists.asked(ask) {
        let Some((entry, minor)) = in_list(entries, list.id, ask).and_then(|e| e.minor.map(|minor| (e, minor))) else {
            continue;
        };
        return Some(Quote {
            minor,
            list: list.id,
            entry: entry.id,
            base_minor,
            compare_at: entry.compare_at,
            sale: list.kind == Kind::Sale,
            personal: !list.scope.customers.is_empty(),
            reason: reason(list, entry),
        });
    }
    let (entry, minor) = base.and_then(|e| e.minor.map(|minor| (e, minor)))?;
    Some(Quote {
        minor,
        list: BASE,
        entry: entry.id,
        base_minor,
        compare_at: entry.compare_at,
        sale: false,
        personal: false,
        reason: format!("base price{}", from_quantity(entry)),
    })
}

/// The order in which [`quote`] wants entries.
pub fn order(a: &Entry, b: &Entry) -> std::cmp::Ordering {
    (a.list, a.min_quantity, a.starts_at, a.id).cmp(&(b.list, b.min_quantity, b.starts_at, b.id))
}

/// The entry of a list that holds for a question: of the greatest quantity that is reached. An entry that says that there is
/// no price ends the search of its quantity only.
fn in_list<'e>(entries: &'e [Entry], list: i64, ask: &Ask) -> Option<&'e Entry> {
    let from = entries.partition_point(|e| e.list < list);
    let until = from + entries[from..].partition_point(|e| e.list == list && e.min_quantity <= ask.quantity);
    entries[from..until].iter().rev().find(|e| e.currency == ask.currency && e.minor.is_some() && e.holds(ask.at))
}

fn from_quantity(entry: &Entry) -> String {
    match entry.min_quantity {
        0..=1000 => String::new(),
        more => format!(", from {} pieces", more / 1000),
    }
}

fn reason(list: &PriceList, entry: &Entry) -> String {
    let scope = &list.scope;
    let mut parts = Vec::new();
    for (word, names) in [
        ("channel", &scope.channels),
        ("region", &scope.regions),
        ("store", &scope.stores),
        ("segment", &scope.segments),
    ] {
        match names.as_slice() {
            [] => {}
            [one] => parts.push(format!("{word} {one}")),
            many => parts.push(format!("{word} {} and {} more", many[0], many.len() - 1)),
        }
    }
    if !scope.customers.is_empty() {
        parts.push("this customer".into());
    }
    let held = if parts.is_empty() { String::new() } else { format!(" for {}", parts.join(", ")) };
    let because = if list.reason.is_empty() { String::new() } else { format!(": {}", list.reason) };
    format!("price list {:?}{held}{}{because}", list.name, from_quantity(entry))
}
