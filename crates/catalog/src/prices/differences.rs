//! Prices that differ between channels without a reason.
use super::model::{Ask, Entry, Quote};
use super::select::{Lists, quote};
use std::collections::BTreeMap;

/// A place that asks prices.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    pub channel: String,
    pub region: Option<String>,
    pub store: Option<String>,
}

/// A price that differs from what most places ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub variant: i64,
    pub place: Place,
    /// `None`: not for sale there.
    pub quote: Option<Quote>,
    /// What most places ask, and how many of them.
    pub usual_minor: i64,
    pub usual_places: usize,
    /// The reason that the list gives; without one nobody has explained it.
    pub explained: Option<String>,
}

/// Compares what places ask for one variant, everybody's price of one piece. What most places ask is usual; of equals the base
/// price, then the higher one. A difference is explained by the reason of the list that makes it.
pub fn of_variant(lists: &Lists, entries: &[Entry], ask: &Ask, places: &[Place]) -> Vec<Difference> {
    let quotes: Vec<(Place, Option<Quote>)> = places
        .iter()
        .map(|place| {
            let there = Ask {
                channel: Some(place.channel.clone()),
                region: place.region.clone(),
                store: place.store.clone(),
                customer: None,
                segments: Vec::new(),
                ..ask.clone()
            };
            (place.clone(), quote(lists, entries, &there))
        })
        .collect();
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for quote in quotes.iter().filter_map(|(_, quote)| quote.as_ref()) {
        *counts.entry(quote.minor).or_default() += 1;
    }
    let base = quotes.iter().find_map(|(_, q)| q.as_ref().and_then(|q| q.base_minor));
    let Some((usual, among)) = counts.into_iter().max_by_key(|(minor, count)| (*count, Some(*minor) == base, *minor))
    else {
        return Vec::new();
    };
    let differs = |quote: &Option<Quote>| quote.as_ref().is_none_or(|q| q.minor != usual);
    quotes
        .into_iter()
        .filter(|(_, quote)| differs(quote))
        .map(|(place, quote)| {
            let list = quote.as_ref().and_then(|q| lists.find(q.list));
            let explained = list.map(|l| l.reason.trim().to_string()).filter(|reason| !reason.is_empty());
            Difference { variant: ask.variant, place, quote, usual_minor: usual, usual_places: among, explained }
        })
        .collect()
}
