//! From which places a claim is served.
//!
//! A hold wants an answer in microseconds and says nothing of parcels and routes: that is sourcing, which may move the claim
//! when the order is placed. So the choice is simple: one place for everything if there is one, else one place a line, else
//! as few places a line as can be.
use crate::availability::{available, serving};
use crate::error::Short;
use crate::model::VariantStock;
use crate::places::Channel;
use base::{Quantity, Timestamp};

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub variant_no: i64,
    /// More than nothing.
    pub quantity: Quantity,
    /// The place it must come from; `None`: any that serves the channel.
    pub location_no: Option<i64>,
}

/// What a line gets from a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The line's place among what was wanted.
    pub line: usize,
    pub location_no: i64,
    pub quantity: Quantity,
}

/// The stock of the variants that are wanted.
pub type Views<'a> = [(i64, Option<&'a VariantStock>)];

struct Books<'a> {
    views: &'a Views<'a>,
    channel: &'a Channel,
    now: Timestamp,
    /// What lines before took: two lines may want the same variant.
    taken: Vec<(i64, i64, Quantity)>,
}

impl Books<'_> {
    fn stock(&self, variant_no: i64) -> Option<&VariantStock> {
        self.views.iter().find(|(no, _)| *no == variant_no).and_then(|(_, stock)| *stock)
    }
    fn taken(&self, variant_no: i64, location_no: i64) -> Quantity {
        let of = |(v, l, _): &&(i64, i64, Quantity)| *v == variant_no && *l == location_no;
        self.taken.iter().filter(of).map(|(_, _, quantity)| *quantity).sum()
    }
    fn at(&self, variant_no: i64, location_no: i64) -> Quantity {
        let position = self.stock(variant_no).and_then(|stock| stock.at(location_no));
        let free = position.map_or(Quantity::ZERO, |p| available(p, self.channel.buffer, self.now));
        (free - self.taken(variant_no, location_no)).or_none()
    }
    /// What each place that serves the channel has, most first, then by number.
    fn places(&self, variant_no: i64) -> Vec<(i64, Quantity)> {
        let Some(stock) = self.stock(variant_no) else { return Vec::new() };
        let mut out: Vec<(i64, Quantity)> = serving(stock, self.channel)
            .map(|p| (p.location_no, available(p, self.channel.buffer, self.now)))
            .collect();
        if !self.taken.is_empty() {
            for (location_no, free) in &mut out {
                *free = (*free - self.taken(variant_no, *location_no)).or_none();
            }
        }
        out.retain(|(_, free)| free.is_positive());
        out.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        out
    }
}

/// Chooses places for all lines. Without `partial`, either every line is served whole or nothing is, and what is short is
/// told, once a variant and place. With it, each line gets what there is.
pub fn choose(
    wanted: &[Wanted],
    views: &Views<'_>,
    channel: &Channel,
    now: Timestamp,
    partial: bool,
) -> Result<(Vec<Chosen>, Vec<Short>), Vec<Short>> {
    let mut books = Books { views, channel, now, taken: Vec::new() };
    let mut out: Vec<Chosen> = Vec::with_capacity(wanted.len());
    let mut short: Vec<Short> = Vec::new();
    let mut missing = |want: &Wanted, got: Quantity| {
        let same = short.iter_mut().find(|s| s.variant_no == want.variant_no && s.location_no == want.location_no);
        match same {
            Some(known) => {
                known.wanted += want.quantity;
                known.available += got;
            }
            None => short.push(Short {
                variant_no: want.variant_no,
                location_no: want.location_no,
                wanted: want.quantity,
                available: got,
            }),
        }
    };
    // Places that were named go first: nobody else may take what is only there.
    for (line, want) in wanted.iter().enumerate() {
        let Some(location_no) = want.location_no else { continue };
        let got = books.at(want.variant_no, location_no).min(want.quantity);
        if got < want.quantity {
            missing(want, got);
        }
        if got.is_positive() {
            books.taken.push((want.variant_no, location_no, got));
            out.push(Chosen { line, location_no, quantity: got });
        }
    }
    let free: Vec<(usize, &Wanted)> = wanted.iter().enumerate().filter(|(_, w)| w.location_no.is_none()).collect();
    let common = common_place(&books, &free);
    for (line, want) in free {
        let mut left = want.quantity;
        let places = match common {
            Some(location_no) => vec![(location_no, want.quantity)],
            None => fewest(books.places(want.variant_no), want.quantity),
        };
        for (location_no, free) in places {
            let got = free.min(left);
            books.taken.push((want.variant_no, location_no, got));
            out.push(Chosen { line, location_no, quantity: got });
            left -= got;
            if left.is_zero() {
                break;
            }
        }
        if left.is_positive() {
            missing(want, want.quantity - left);
        }
    }
    if !short.is_empty() && !partial {
        return Err(short);
    }
    out.sort_by_key(|chosen| chosen.line);
    Ok((out, short))
}

/// A place that can serve all free lines whole: the one with most of the first line's goods.
fn common_place(books: &Books<'_>, free: &[(usize, &Wanted)]) -> Option<i64> {
    let (_, first) = free.first()?;
    // Demand is summed a variant: two lines that want the same must not both count on the same piece.
    let demand = |variant_no: i64| -> Quantity {
        free.iter().filter(|(_, w)| w.variant_no == variant_no).map(|(_, w)| w.quantity).sum()
    };
    if let [_] = free {
        // The usual case, without sorting: most goods, then the smaller number.
        let stock = books.stock(first.variant_no)?;
        let mut best: Option<(Quantity, i64)> = None;
        for position in serving(stock, books.channel) {
            let free = available(position, books.channel.buffer, books.now)
                - books.taken(first.variant_no, position.location_no);
            if free >= first.quantity && best.is_none_or(|(most, _)| free > most) {
                best = Some((free, position.location_no));
            }
        }
        return best.map(|(_, location_no)| location_no);
    }
    books
        .places(first.variant_no)
        .into_iter()
        .map(|(location_no, _)| location_no)
        .find(|location_no| free.iter().all(|(_, w)| books.at(w.variant_no, *location_no) >= demand(w.variant_no)))
}

/// As few places as can be: the smallest that has all of it, else those with most.
fn fewest(places: Vec<(i64, Quantity)>, quantity: Quantity) -> Vec<(i64, Quantity)> {
    match places.iter().rfind(|(_, free)| *free >= quantity) {
        Some(one) => vec![*one],
        None => places,
    }
}
