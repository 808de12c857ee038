//! The price that everybody is shown: in feeds, in searches, on shelves. No customer, no segment; what may stand struck through beside it.
use super::history;
use super::model::{Ask, Entry, Kind, PriceList};
use super::select::{Lists, quote};
use crate::model::Price;

/// What is shown of a variant somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// What one piece costs.
    pub minor: i64,
    /// The price before, above `minor`: it is a sale.
    pub before: Option<i64>,
}

/// The lists that everybody meets: none of a store, a segment or a customer.
pub fn is_public(list: &PriceList) -> bool {
    let scope = &list.scope;
    scope.stores.is_empty() && scope.segments.is_empty() && scope.customers.is_empty()
}

/// What is shown: the price of [`quote`], else the variant's own `base` in the currency that is asked for.
///
/// Beside it stands what the entry says is struck through; for a list of sale prices without one, what would be asked without
/// such lists. Where the law wants the lowest price of `lowest_days` before the reduction, nothing above that is shown.
pub fn shown(
    lists: &Lists,
    entries: &[Entry],
    ask: &Ask,
    base: Option<&Price>,
    lowest_days: Option<i64>,
) -> Option<Shown> {
    let ask = Ask { customer: None, segments: Vec::new(), ..ask.clone() };
    let base = base.filter(|price| price.currency == ask.currency).map(|price| price.minor);
    let Some(held) = quote(lists, entries, &ask) else { return base.map(|minor| Shown { minor, before: None }) };
    let struck = match held.compare_at {
        Some(struck) => Some(struck),
        None if held.sale => {
            let regular: Vec<Entry> = entries
                .iter()
                .filter(|entry| lists.find(entry.list).is_none_or(|list| list.kind == Kind::Regular))
                .cloned()
                .collect();
            quote(lists, &regular, &ask).map(|quote| quote.minor).or(base)
        }
        None => None,
    };
    let lowest = lowest_days.and_then(|days| history::reduction(lists, entries, &ask, days)).map(|r| r.lowest);
    let before = struck.map(|struck| lowest.map_or(struck, |lowest| struck.min(lowest)));
    Some(Shown { minor: held.minor, before: before.filter(|before| *before > held.minor) })
}
