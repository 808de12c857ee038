//! Why an order is sent from where it is sent, in words that a shop understands.
//!
//! The reason is data ([`Reason`]); the console puts it into its reader's language, [`sentence`] into English.
use super::model::{Network, Order, OrderPlan, Park};
use base::currency_exponent;

/// One parcel of a reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sender {
    /// Id of the place.
    pub location: String,
    /// Its kind.
    pub kind: String,
    /// Who carries.
    pub carrier: String,
    /// How long.
    pub days: u32,
    /// Pieces.
    pub pieces: i64,
}

/// What the plan is compared with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Against {
    /// The cheapest other place that could have sent everything as one parcel.
    Place {
        /// Its id.
        location: String,
        /// What the plan saves; negative never.
        saves_minor: i64,
    },
    /// No other place has everything.
    Nothing,
}

/// Why an order is sourced so.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// The parcels, biggest first.
    pub from: Vec<Sender>,
    /// Days until the last has come.
    pub days: u32,
    /// What it is compared with.
    pub against: Against,
    /// Lines that are parked, with the word of the reason.
    pub parked: Vec<(String, &'static str)>,
    /// ISO 4217.
    pub currency: String,
}

/// The reason of a plan.
pub fn reason(network: &Network, order: &Order, plan: &OrderPlan) -> Reason {
    let lanes = network.lanes(&order.zone);
    let mut from: Vec<(usize, i64)> = Vec::new();
    for assignment in &plan.assignments {
        match from.iter_mut().find(|(lane, _)| *lane == assignment.lane) {
            Some((_, pieces)) => *pieces += assignment.quantity,
            None => from.push((assignment.lane, assignment.quantity)),
        }
    }
    from.sort_by_key(|(lane, pieces)| (std::cmp::Reverse(*pieces), *lane));
    let sender = |(lane, pieces): (usize, i64)| {
        let lane = &lanes[lane];
        let location = &network.locations[lane.from as usize];
        let (id, kind, carrier) = (location.id.clone(), location.kind.clone(), lane.carrier.clone());
        Sender { location: id, kind, carrier, days: lane.days, pieces }
    };
    let against = plan.other.map_or(Against::Nothing, |other| Against::Place {
        location: network.locations[other.location as usize].id.clone(),
        saves_minor: ((other.exact_milli - plan.exact_milli) / 1_000).max(0),
    });
    Reason {
        from: from.into_iter().map(sender).collect(),
        days: plan.days,
        against,
        parked: plan.parked.iter().map(|(line, why)| (order.lines[*line].id.clone(), why.word())).collect(),
        currency: network.currency.clone(),
    }
}

/// A reason in English.
pub fn sentence(reason: &Reason) -> String {
    let mut out = String::new();
    let place = |sender: &Sender| match sender.kind.as_str() {
        "store" => format!("the shop {}", sender.location),
        "" => sender.location.clone(),
        kind => format!("the {kind} {}", sender.location),
    };
    match reason.from.as_slice() {
        [] => out.push_str("nothing can be sent"),
        [one] => out.push_str(&format!("from {} by {}: {}", place(one), one.carrier, arrives(one.days))),
        more => {
            let each: Vec<String> =
                more.iter().map(|s| format!("{} pieces from {} by {}", s.pieces, place(s), s.carrier)).collect();
            out.push_str(&format!("in {} parcels, {}: {}", more.len(), each.join(", "), arrives(reason.days)));
        }
    }
    match &reason.against {
        _ if reason.from.is_empty() => {}
        Against::Place { location, saves_minor: 0 } => out.push_str(&format!(", as cheap as all from {location}")),
        Against::Place { location, saves_minor } => {
            out.push_str(&format!(", saves {} against all from {location}", money(*saves_minor, &reason.currency)));
        }
        Against::Nothing => out.push_str(", no other single place has everything"),
    }
    for (line, word) in &reason.parked {
        let why = match *word {
            w if w == Park::NoLane.word() => "nobody delivers there",
            w if w == Park::NoStock.word() => "too few pieces where deliveries come from",
            w if w == Park::NoCapacity.word() => "the places that have it can pick no more that day",
            w if w == Park::Forbidden.word() => "rules leave no place",
            w if w == Park::OneParcel.word() => "one parcel is wanted and no place has everything",
            _ => "other lines or orders got what there is",
        };
        out.push_str(&format!("; line {line} waits: {why}"));
    }
    out
}

fn arrives(days: u32) -> String {
    match days {
        0 => "arrives today".into(),
        1 => "arrives tomorrow".into(),
        days => format!("arrives in {days} days"),
    }
}

fn money(minor: i64, currency: &str) -> String {
    let places = currency_exponent(currency);
    let unit = 10i64.pow(places);
    match places {
        0 => format!("{minor} {currency}"),
        _ => format!("{}.{:0width$} {currency}", minor / unit, minor % unit, width = places as usize),
    }
}
