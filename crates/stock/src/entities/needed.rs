//! Which papers an order across legal entities needs: pure.

/// How goods of one entity are sold through another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// Whoever owns the goods sells them to the customer, with a receipt of their own.
    Direct,
    /// Whoever owns the goods sells them to the one who took the order, who sells them to the customer.
    Resale,
}

/// A line of an order: whose goods they are, and what the customer pays for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub line: i64,
    /// The entity of the place that the goods leave.
    pub owner_no: i64,
    /// What the customer pays, with tax.
    pub price_minor: i64,
    /// What they cost the owner, without tax.
    pub cost_minor: i64,
}

/// A paper that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needed {
    /// A receipt of an entity for the customer.
    Receipt { entity_no: i64, lines: Vec<i64>, price_minor: i64 },
    /// A sale of an entity to another, with the seller's and the buyer's paper; at cost, without tax and mark-up.
    Between { seller_no: i64, buyer_no: i64, lines: Vec<i64>, cost_minor: i64 },
}

/// The papers of an order that `taker_no` took; sales between entities before receipts, each kind by entity. Lines keep their
/// order. Within one entity there is one receipt and nothing else.
pub fn documents(lines: &[Line], taker_no: i64, chain: Chain) -> Vec<Needed> {
    let mut owners: Vec<i64> = lines.iter().map(|line| line.owner_no).collect();
    owners.sort_unstable();
    owners.dedup();
    let of = |owner: i64| lines.iter().filter(move |line| line.owner_no == owner);
    let mut out = Vec::new();
    match chain {
        Chain::Direct => {
            for owner in owners {
                let (numbers, price_minor) =
                    (of(owner).map(|l| l.line).collect(), of(owner).map(|l| l.price_minor).sum());
                out.push(Needed::Receipt { entity_no: owner, lines: numbers, price_minor });
            }
        }
        Chain::Resale => {
            for owner in owners.into_iter().filter(|owner| *owner != taker_no) {
                let (numbers, cost_minor) =
                    (of(owner).map(|l| l.line).collect(), of(owner).map(|l| l.cost_minor).sum());
                out.push(Needed::Between { seller_no: owner, buyer_no: taker_no, lines: numbers, cost_minor });
            }
            if !lines.is_empty() {
                let price_minor = lines.iter().map(|line| line.price_minor).sum();
                let lines = lines.iter().map(|line| line.line).collect();
                out.push(Needed::Receipt { entity_no: taker_no, lines, price_minor });
            }
        }
    }
    out
}
