//! Goods: what lies where is the sum of the movements, never less than nothing, and every claim ends in a sale or is given back.
use super::{CUSTOMER, Claim, Disagreement, Ended, Log, NOWHERE, TRANSIT, Tables, When};
use std::collections::BTreeMap;

/// By variant, place and condition.
pub(super) type Lies = BTreeMap<(i64, i64, i64), i64>;

/// Lets the movements happen again, paper by paper.
pub(super) fn replay(log: &Log, found: &mut Vec<Disagreement>) -> Lies {
    let mut lies = Lies::new();
    let mut at = 0;
    while at < log.movements.len() {
        let document = log.movements[at].document;
        let paper = log.movements[at..].iter().take_while(|m| m.document == document);
        for m in paper {
            at += 1;
            if m.quantity <= 0 || m.from == m.to || [m.from.0, m.to.0].iter().all(|place| NOWHERE.contains(place)) {
                found.push(Disagreement { what: "movement", detail: format!("{m:?} moves nothing") });
            }
            for ((place, condition), by) in [(m.from, -m.quantity), (m.to, m.quantity)] {
                if !NOWHERE.contains(&place) {
                    *lies.entry((m.variant, place, condition)).or_default() += by;
                }
            }
        }
        if let Some((key, level)) = lies.iter().find(|(_, level)| **level < 0) {
            let detail = format!("after paper {document} {level} of variant {} lie at {}", key.0, key.1);
            found.push(Disagreement { what: "oversold", detail });
            lies.retain(|_, level| *level >= 0);
        }
    }
    lies
}

/// What the tables have of it.
pub(super) fn compare(lies: &Lies, tables: &Tables, when: When, found: &mut Vec<Disagreement>) {
    let mut left = lies.clone();
    for ((variant, place), conditions) in &tables.positions {
        for (condition, has) in conditions.iter().enumerate() {
            let should = left.remove(&(*variant, *place, condition as i64)).unwrap_or(0);
            if should != *has {
                let detail = format!("{has} of variant {variant} lie at {place} ({condition}), {should} moved there");
                found.push(Disagreement { what: "stock", detail });
            }
        }
    }
    for ((variant, place, _), level) in left.iter().filter(|(_, level)| **level != 0) {
        let detail = format!("{level} of variant {variant} moved to {place}, which has no such goods");
        found.push(Disagreement { what: "stock", detail });
    }
    if when == When::AtTheEnd
        && let Some(((variant, ..), level)) = lies.iter().find(|((_, place, _), n)| *place == TRANSIT && **n != 0)
    {
        let detail = format!("{level} of variant {variant} never arrive");
        found.push(Disagreement { what: "stock", detail });
    }
}

/// Claims that are alive find their goods; those that ended as sold have a movement; in the end none is left.
pub(super) fn claims(log: &Log, lies: &Lies, when: When, found: &mut Vec<Disagreement>) {
    let mut alive: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for claim in log.claims.iter().filter(|c| c.ended.is_none()) {
        match when {
            When::AtTheEnd => {
                let detail = format!("claim {}/{} of {} is never ended", claim.no, claim.line, claim.owner);
                found.push(Disagreement { what: "claim", detail });
            }
            When::At(now) if claim.expires > now => {
                *alive.entry((claim.variant, claim.place)).or_default() += claim.quantity;
            }
            When::At(_) => {}
        }
    }
    for ((variant, place), claimed) in alive {
        let there = lies.get(&(variant, place, 0)).copied().unwrap_or(0);
        if claimed > there {
            let detail = format!("{claimed} of variant {variant} are promised at {place}, where {there} lie");
            found.push(Disagreement { what: "oversold", detail });
        }
    }
    let firm = |c: &Claim| c.expires == i64::MAX;
    for claim in log.claims.iter().filter(|c| firm(c) && c.ended == Some(Ended::Expired)) {
        let detail = format!("claim {} of {} ended by itself, and it is firm", claim.no, claim.owner);
        found.push(Disagreement { what: "claim", detail });
    }
    sales(log, found);
}

/// What left for an order or with a transfer left because it was claimed for it, and what is said to have left did.
fn sales(log: &Log, found: &mut Vec<Disagreement>) {
    // Fulfilled, and whether anything of the same ended otherwise: a claim that was served in part shows how its rest ended.
    let mut ended: BTreeMap<(&str, i64, i64), (i64, bool)> = BTreeMap::new();
    for claim in &log.claims {
        let (fulfilled, mixed) = ended.entry((&claim.owner, claim.variant, claim.place)).or_default();
        match claim.ended {
            Some(Ended::Fulfilled) => *fulfilled += claim.quantity,
            _ => *mixed = true,
        }
    }
    let mut left: BTreeMap<(&str, i64, i64), i64> = BTreeMap::new();
    for m in &log.movements {
        let goes = match m.reference.split_once(':') {
            Some(("order", _)) => m.to.0 == CUSTOMER,
            Some(("transfer", _)) => m.to.0 == TRANSIT,
            _ => false,
        };
        if goes && !NOWHERE.contains(&m.from.0) {
            *left.entry((&m.reference, m.variant, m.from.0)).or_default() += m.quantity;
        }
    }
    let owners = ended.keys().filter(|(owner, ..)| owner.starts_with("order:") || owner.starts_with("transfer:"));
    let mut keys: Vec<(&str, i64, i64)> = owners.copied().chain(left.keys().copied()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let (fulfilled, mixed) = ended.get(&key).copied().unwrap_or_default();
        let left = left.get(&key).copied().unwrap_or(0);
        if left < fulfilled || (left > fulfilled && !mixed) {
            let (owner, variant, place) = key;
            let detail = format!(
                "{fulfilled} of variant {variant} at {place} were claimed by {owner} and handed over, {left} left for it"
            );
            found.push(Disagreement { what: "sale", detail });
        }
    }
}

/// Pieces of an order and variant that left for the customer, and that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sold {
    pub left: i64,
    pub back: i64,
}

/// By order and variant.
pub(super) fn sold(log: &Log) -> BTreeMap<(i64, i64), Sold> {
    let mut out: BTreeMap<(i64, i64), Sold> = BTreeMap::new();
    for m in &log.movements {
        let number = |text: &str| text.parse::<i64>().ok();
        let order = match m.reference.split_once(':') {
            Some(("order", no)) => number(no),
            Some(("return", no)) => number(no).and_then(|no| log.returns.get(&no).copied()),
            _ => None,
        };
        let Some(order) = order else { continue };
        let sold = out.entry((order, m.variant)).or_default();
        if m.to.0 == CUSTOMER {
            sold.left += m.quantity;
        }
        if m.from.0 == CUSTOMER {
            sold.back += m.quantity;
        }
    }
    out
}
