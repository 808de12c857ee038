//! Ranges of addresses with their places, sorted, found by halving.
use super::Place;
use std::collections::HashMap;
use std::io::BufRead;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("line {line}: {reason}")]
    Line { line: usize, reason: String },
    #[error("cannot read the table")]
    Read(#[from] std::io::Error),
}

/// A table: 12 bytes a range of IPv4 addresses, 36 of IPv6, each place once.
#[derive(Debug, Default)]
pub struct Places {
    v4: Vec<(u32, u32, u32)>,
    v6: Vec<(u128, u128, u32)>,
    places: Vec<Place>,
}

impl Places {
    /// Reads CSV with the columns `start,end,country,region,city`; DB-IP's city table (eight columns) and IP2Location's DB3
    /// (six, addresses as numbers) are known by their number of columns. A first line of names is passed over.
    ///
    /// Ranges of `country` keep region and city; of others the country is kept, and neighbours become one range, so that
    /// a table of the world takes some megabytes. Ranges need not be sorted; overlapping ones are refused.
    pub fn read(text: impl BufRead, country: &str) -> Result<Self, TableError> {
        let mut out = Self::default();
        let mut numbers: HashMap<(String, String, String), u32> = HashMap::new();
        for (at, line) in text.lines().enumerate() {
            let (line, number) = (line?, at + 1);
            let fields = split(line.trim_end_matches('\r'));
            if line.trim().is_empty() || (at == 0 && address(&fields[0]).is_none()) {
                continue;
            }
            let refuse = |reason: &str| TableError::Line { line: number, reason: reason.to_string() };
            let [start, end, c, region, city] = match fields.len() {
                5 => [0, 1, 2, 3, 4],
                6 => [0, 1, 2, 4, 5],
                8 => [0, 1, 3, 4, 5],
                n => return Err(refuse(&format!("it has {n} columns; 5, 6 or 8 are known"))),
            }
            .map(|i: usize| fields[i].as_str());
            let from = address(start).ok_or_else(|| refuse("the first column is no address"))?;
            let to = address(end).ok_or_else(|| refuse("the second column is no address"))?;
            if c.len() != 2 || c == "ZZ" || c == "--" {
                continue;
            }
            let near = c.eq_ignore_ascii_case(country);
            let key =
                if near { (c.into(), region.into(), city.into()) } else { (c.into(), String::new(), String::new()) };
            let next = numbers.len() as u32;
            let place = *numbers.entry(key).or_insert_with_key(|(c, region, city)| {
                out.places.push(Place::named(&c.to_ascii_uppercase(), region, city));
                next
            });
            match (from, to) {
                (IpAddr::V4(from), IpAddr::V4(to)) if from <= to => out.v4.push((from.to_bits(), to.to_bits(), place)),
                (IpAddr::V6(from), IpAddr::V6(to)) if from <= to => out.v6.push((from.to_bits(), to.to_bits(), place)),
                _ => return Err(refuse("the range ends before it begins")),
            }
        }
        let one_less = |a: u32, b: u32| a.checked_add(1) == Some(b);
        let overlap = joined(&mut out.v4, one_less).or(joined(&mut out.v6, |a, b| a.checked_add(1) == Some(b)));
        match overlap {
            Some(()) => Err(TableError::Line { line: 0, reason: "two ranges overlap".into() }),
            None => Ok(out),
        }
    }

    /// The place of an address.
    pub fn find(&self, ip: IpAddr) -> Option<Place> {
        let place = match ip {
            IpAddr::V4(v4) => within(&self.v4, v4.to_bits()),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => within(&self.v4, v4.to_bits()),
                None => within(&self.v6, v6.to_bits()),
            },
        }?;
        self.places.get(place as usize).cloned()
    }

    /// Ranges and different places.
    pub fn len(&self) -> (usize, usize) {
        (self.v4.len() + self.v6.len(), self.places.len())
    }

    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

fn within<N: Ord + Copy>(ranges: &[(N, N, u32)], ip: N) -> Option<u32> {
    let at = ranges.partition_point(|(from, ..)| *from <= ip).checked_sub(1)?;
    let (_, to, place) = ranges[at];
    (ip <= to).then_some(place)
}

/// Sorts ranges and joins neighbours of one place; `Some` when two overlap.
fn joined<N: Ord + Copy>(ranges: &mut Vec<(N, N, u32)>, follows: impl Fn(N, N) -> bool) -> Option<()> {
    ranges.sort_unstable();
    if ranges.windows(2).any(|pair| pair[1].0 <= pair[0].1) {
        return Some(());
    }
    ranges.dedup_by(|next, kept| {
        let joins = kept.2 == next.2 && follows(kept.1, next.0);
        if joins {
            kept.1 = next.1;
        }
        joins
    });
    ranges.shrink_to_fit();
    None
}

/// An address as text, or as the number that IP2Location writes.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    let number: u128 = text.parse().ok()?;
    Some(match u32::try_from(number) {
        Ok(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4)),
        Err(_) => {
            let v6 = Ipv6Addr::from_bits(number);
            v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
        }
    })
}

/// The fields of a CSV line.
fn split(line: &str) -> Vec<String> {
    let (mut out, mut field, mut quoted) = (Vec::with_capacity(8), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    out.push(field);
    out
}

/// A table that may still be loading: until it is there, addresses have no place.
pub type Loading = Arc<std::sync::OnceLock<Places>>;
