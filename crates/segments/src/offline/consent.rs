//! The ledger of consents in memory, by the rules of `customers::consent`: the newest row of a contact point decides, and
//! in a file the newest is the one that stands last.
use base::Timestamp;
use customers::consent::Standing;
use customers::consent::rule::{self, fits};
use customers::identity::Graph as _;
use customers::identity::memory::MemoryGraph;
use db::event::Event;
use std::collections::HashMap;
use std::convert::Infallible;

/// A contact point, or a profile as such: channel (`*` = all) and address (`#id` = profile).
type Point = (Box<str>, Box<str>);

/// What was granted and denied so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    rows: HashMap<Point, Vec<Standing>>,
    order: i64,
}

/// The ledger as the rules ask it.
struct Asked<'a>(&'a Ledger);

impl rule::Ledger for Asked<'_> {
    type Error = Infallible;
    fn newest(&mut self, channel: &str, address: &str, purpose: &str) -> Result<Option<Standing>, Infallible> {
        let rows = self.0.rows.get(&(channel.into(), address.into())).map_or(&[][..], Vec::as_slice);
        let fits = |row: &&Standing| *row.purpose == *purpose || &*row.purpose == "*";
        Ok(rows.iter().filter(fits).max_by_key(|row| row.id).cloned())
    }
}

impl Ledger {
    /// Adds what an event states; `profile` is where it was placed.
    pub fn record(&mut self, event: &Event, profile: Option<i64>, graph: &mut MemoryGraph) {
        let Some(claim) = &event.consent else { return };
        let carried = event.identifiers.iter().filter(|i| fits(&i.kind, &claim.channel)).map(|i| i.value.clone());
        let known = || {
            let person = profile.map(|profile| graph.person_of(profile));
            let Ok(members) = person.map_or(Ok(Vec::new()), |person| graph.members(person));
            Ok::<_, Infallible>(addresses(&members, &claim.channel, graph))
        };
        let Ok(points) = rule::claimed(claim, carried.collect(), profile, known);
        for address in points {
            self.order += 1;
            let (at, id) = (Timestamp::from_micros(self.order), self.order);
            let row = Standing { purpose: claim.purpose.clone(), granted: claim.granted, at, id };
            let rows = self.rows.entry((claim.channel.clone(), address)).or_default();
            rows.retain(|old| old.purpose != row.purpose);
            rows.push(row);
        }
    }

    /// Whether a person granted: any own address, and none denied. `None` without a row.
    pub fn state(&self, members: &[i64], channel: &str, purpose: &str, graph: &MemoryGraph) -> Option<bool> {
        if self.rows.is_empty() {
            return None;
        }
        let Ok(said) =
            rule::of_person(&mut Asked(self), members, &addresses(members, channel, graph), (channel, purpose));
        said
    }
}

fn addresses(members: &[i64], channel: &str, graph: &MemoryGraph) -> Vec<Box<str>> {
    let identifiers = members.iter().filter_map(|member| graph.identifiers(*member));
    let own = identifiers.flat_map(|identifiers| identifiers.own());
    own.filter(|(key, ..)| fits(&key.kind, channel)).map(|(key, ..)| key.value.clone()).collect()
}
