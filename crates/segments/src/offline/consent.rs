//! The ledger of consents in memory, by the rules of `customers::consent`: the newest row of a contact point decides, and
//! in a file the newest is the one that stands last.
use customers::identity::Graph as _;
use customers::identity::memory::MemoryGraph;
use customers::prepare::address_kind;
use db::event::{ConsentClaim, Event};
use std::collections::HashMap;

/// A contact point, or a profile as such: channel (`*` = all) and address (`#id` = profile).
type Point = (Box<str>, Box<str>);

#[derive(Debug, Clone)]
struct Row {
    purpose: Box<str>,
    granted: bool,
    order: u64,
}

/// What was granted and denied so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    rows: HashMap<Point, Vec<Row>>,
    order: u64,
}

impl Ledger {
    /// Adds what an event states; `profile` is where it was placed.
    pub fn record(&mut self, event: &Event, profile: Option<i64>, graph: &mut MemoryGraph) {
        let Some(claim) = &event.consent else { return };
        for address in claimed(event, claim, profile, graph) {
            self.order += 1;
            let row = Row { purpose: claim.purpose.clone(), granted: claim.granted, order: self.order };
            let rows = self.rows.entry((claim.channel.clone(), address)).or_default();
            rows.retain(|old| old.purpose != row.purpose);
            rows.push(row);
        }
    }

    fn newest(&self, channel: &str, address: &str, purpose: &str) -> Option<&Row> {
        let rows = self.rows.get(&(channel.into(), address.into()))?;
        rows.iter().filter(|row| *row.purpose == *purpose || &*row.purpose == "*").max_by_key(|row| row.order)
    }

    /// Whether a person granted: any own address, and none denied. `None` without a row.
    pub fn state(&self, members: &[i64], channel: &str, purpose: &str, graph: &MemoryGraph) -> Option<bool> {
        if self.rows.is_empty() {
            return None;
        }
        let profiles: Vec<String> = members.iter().map(|member| format!("#{member}")).collect();
        let of_profiles = |channel: &str| {
            profiles.iter().filter_map(|p| self.newest(channel, p, purpose)).max_by_key(|row| row.order)
        };
        let denied_all = profiles.iter().filter_map(|p| self.newest("*", p, purpose)).any(|row| !row.granted);
        let mut state = None;
        for address in addresses(members, channel, graph) {
            let rows =
                [self.newest(channel, &address, purpose), self.newest("*", &address, purpose), of_profiles(channel)];
            match rows.into_iter().flatten().max_by_key(|row| row.order) {
                _ if denied_all => return Some(false),
                Some(row) if !row.granted => return Some(false),
                Some(_) => state = Some(true),
                None => {}
            }
        }
        let denied =
            || denied_all || profiles.iter().filter_map(|p| self.newest(channel, p, purpose)).any(|r| !r.granted);
        if state.is_none() && denied() { Some(false) } else { state }
    }
}

/// Which contact points a claim is about.
fn claimed(event: &Event, claim: &ConsentClaim, profile: Option<i64>, graph: &mut MemoryGraph) -> Vec<Box<str>> {
    let channel = &*claim.channel;
    if let Some(address) = &claim.address {
        return vec![address.clone()];
    }
    let mut out: Vec<Box<str>> =
        event.identifiers.iter().filter(|i| fits(&i.kind, channel)).map(|i| i.value.clone()).collect();
    // A revocation that names no address is about everything that is known of the person.
    if !claim.granted
        && (out.is_empty() || channel == "*")
        && let Some(profile) = profile
    {
        let person = graph.person_of(profile);
        let Ok(members) = graph.members(person);
        out.extend(addresses(&members, channel, graph));
        out.push(format!("#{profile}").into());
        out.sort_unstable();
        out.dedup();
    }
    out
}

fn addresses(members: &[i64], channel: &str, graph: &MemoryGraph) -> Vec<Box<str>> {
    let identifiers = members.iter().filter_map(|member| graph.identifiers(*member));
    let own = identifiers.flat_map(|identifiers| identifiers.own());
    own.filter(|(key, ..)| fits(&key.kind, channel)).map(|(key, ..)| key.value.clone()).collect()
}

fn fits(kind: &str, channel: &str) -> bool {
    match channel {
        "*" => matches!(kind, "email" | "phone") || kind.ends_with(".push_token"),
        "push" => kind.ends_with(".push_token"),
        _ => kind == address_kind(channel),
    }
}
