//! What an event tells between its lines: device, system and browser from the agent's text, a coarse place from the address
//! or from coordinates, the campaign and click ids from the page's address.
//!
//! Found once, when the event comes, and stored beside the body (ADR 0017): tables of agents and addresses change, and what
//! was decided stays decided. The body itself stays as it came.
pub mod agent;
mod campaign;
pub(crate) mod extra;
mod network;
pub mod place;

use crate::enrich::place::Places;
use memchr::memmem::Finder;
pub use network::{mask, truncated};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// What is known of the other end of the connection. Counts only for browsers: a server speaks for others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    pub ip: Option<IpAddr>,
    /// The header `User-Agent`.
    pub agent: Option<Arc<str>>,
}

/// What is left of addresses in stored bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepIp {
    /// The network: 24 bits of an IPv4 address, 48 of an IPv6 one.
    #[default]
    Network,
    /// Everything.
    Whole,
}

static AGENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"userAgent\""));
static IP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"ip\""));
static LATITUDE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"latitude\""));
static DEVICE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"device\""));

/// Finds what the events of one body tell, each different answer once.
pub(crate) struct Enricher<'a> {
    places: Option<&'a Places>,
    /// Of a browser only.
    client: Option<&'a Client>,
    /// The body with masked addresses, which is what is read, and the one that came: of one length.
    masked: Option<(&'a str, &'a str)>,
    texts: Vec<Arc<str>>,
    known: HashMap<Arc<str>, u32>,
    last: Option<(Parts, u32)>,
    /// The agent that was described last: most bodies have one.
    last_agent: Option<(String, Option<String>, Arc<str>)>,
    /// Per accepted item: index and number of its text.
    pub(crate) of_items: Vec<(u32, u32)>,
}

/// What makes two answers the same without building them.
#[derive(PartialEq)]
struct Parts {
    agent: Option<Arc<str>>,
    place: Option<place::Place>,
    campaign: Option<String>,
}

impl<'a> Enricher<'a> {
    pub(crate) fn new(
        places: Option<&'a Places>,
        client: Option<&'a Client>,
        masked: Option<(&'a str, &'a str)>,
    ) -> Self {
        Self {
            places,
            client,
            masked,
            texts: Vec::new(),
            known: HashMap::new(),
            last: None,
            last_agent: None,
            of_items: Vec::new(),
        }
    }

    /// The number of the text that an event with these contexts tells, from 1; 0 for nothing. `page` are the properties of a
    /// page call, which carry its address too.
    pub(crate) fn find(&mut self, own: Option<&RawValue>, shared: Option<&RawValue>, page: Option<&RawValue>) -> u32 {
        let texts = [own.map_or("", RawValue::get), shared.map_or("", RawValue::get)];
        let agent = texts.iter().find_map(|t| string_after(t, &AGENT));
        let agent = agent.or_else(|| self.client.and_then(|c| c.agent.as_deref()).map(Cow::Borrowed));
        let agent = match agent {
            Some(agent) if !agent.is_empty() => Some(described(&mut self.last_agent, &agent, &texts)),
            _ => texts.iter().find(|t| DEVICE.find(t.as_bytes()).is_some()).and_then(|t| agent::of_app(t)),
        };
        let place = self.place(&texts);
        let page = page.map_or("", RawValue::get);
        let campaign = campaign::of(&[texts[0], texts[1]], page);
        if agent.is_none() && place.is_none() && campaign.is_none() {
            return 0;
        }
        let parts = Parts { agent, place, campaign };
        if let Some((last, number)) = &self.last
            && *last == parts
        {
            return *number;
        }
        let mut text = String::with_capacity(256);
        let place = parts.place.as_ref().map(place::Place::json);
        for part in [parts.agent.as_deref(), place.as_deref(), parts.campaign.as_deref()].into_iter().flatten() {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(part);
        }
        text.push('}');
        let number = self.number(text.into());
        self.last = Some((parts, number));
        number
    }

    /// A piece of the body as it came.
    fn unmasked<'t>(&self, piece: &'t str) -> &'t str
    where
        'a: 't,
    {
        let Some((masked, whole)) = self.masked else { return piece };
        let at = (piece.as_ptr() as usize).checked_sub(masked.as_ptr() as usize);
        at.and_then(|at| whole.get(at..at + piece.len())).unwrap_or(piece)
    }

    fn number(&mut self, text: Arc<str>) -> u32 {
        if let Some(number) = self.known.get(&text) {
            return *number;
        }
        self.texts.push(text.clone());
        let number = self.texts.len() as u32;
        self.known.insert(text, number);
        number
    }

    fn place(&self, texts: &[&str; 2]) -> Option<place::Place> {
        if let Some(point) =
            texts.iter().filter(|t| LATITUDE.find(t.as_bytes()).is_some()).find_map(|t| place::point(t))
        {
            return place::nearest(point);
        }
        let places = self.places?;
        let ip = texts
            .iter()
            .find_map(|t| string_after(self.unmasked(t), &IP))
            .and_then(|ip| ip.trim().parse::<IpAddr>().ok());
        places.find(ip.or_else(|| self.client.and_then(|c| c.ip))?)
    }

    pub(crate) fn text(&self, number: u32) -> Option<&str> {
        self.texts.get((number as usize).checked_sub(1)?).map(|t| &**t)
    }

    /// What is stored beside the body; empty when no event told anything.
    pub(crate) fn pack(&self, count: u32) -> Vec<u8> {
        extra::pack(&self.texts, &self.of_items, count)
    }
}

/// The part of an agent, from the last one or from the thread's cache.
fn described(last: &mut Option<(String, Option<String>, Arc<str>)>, agent: &str, contexts: &[&str; 2]) -> Arc<str> {
    let hints = agent::hints_of(contexts);
    if let Some((known, known_hints, part)) = last
        && *known == *agent
        && *known_hints == hints
    {
        return part.clone();
    }
    let part = agent::described(agent, hints.as_deref());
    *last = Some((agent.to_string(), hints, part.clone()));
    part
}

/// The string that stands under a name, the first one in the text: contexts are flat, and a whole parse costs ten times as
/// much as this.
fn string_after<'t>(text: &'t str, name: &Finder<'_>) -> Option<Cow<'t, str>> {
    let at = name.find(text.as_bytes())? + name.needle().len();
    let rest = text[at..].trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
    let inner = rest.strip_prefix('"')?;
    let end = memchr::memchr2(b'"', b'\\', inner.as_bytes())?;
    if inner.as_bytes()[end] == b'"' {
        return Some(Cow::Borrowed(&inner[..end]));
    }
    // With escapes: rare enough for the real parser.
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    values.next()?.ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests;
