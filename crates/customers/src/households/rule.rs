//! What makes two people one household.
use crate::model::Traits;
use base::names::{skeleton, surname_stem, words};
use serde_json::Value;

/// Words of addresses that say what follows and nothing of where it is, as skeletons of themselves.
const FILLERS: [&str; 40] = [
    "вул",
    "вулиця",
    "ул",
    "улица",
    "street",
    "st",
    "str",
    "пр",
    "просп",
    "проспект",
    "avenue",
    "ave",
    "пров",
    "провулок",
    "lane",
    "бул",
    "бульвар",
    "boulevard",
    "blvd",
    "пл",
    "площа",
    "square",
    "буд",
    "будинок",
    "дом",
    "house",
    "кв",
    "квартира",
    "apt",
    "apartment",
    "flat",
    "ap",
    "корп",
    "корпус",
    "building",
    "bldg",
    "м",
    "місто",
    "city",
    "no",
];

/// By what a person is found to live with others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// Surname's stem and address, spelled alike in both alphabets.
    pub home: Option<String>,
    /// The trait `household_id`.
    pub declared: Option<String>,
}

impl Keys {
    /// The texts under which candidates are looked for.
    pub fn texts(&self) -> Vec<String> {
        let home = self.home.iter().map(|home| format!("home {home}"));
        home.chain(self.declared.iter().map(|id| format!("declared {id}"))).collect()
    }
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.home.is_none() && self.declared.is_none()
    }
}

/// Why somebody is in a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// It is the person that was asked about.
    Self_,
    /// Somebody said so.
    Said,
    /// The same `household_id`.
    Declared,
    /// Surname and address.
    Home,
}

impl Because {
    /// On the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Because::Self_ => "self",
            Because::Said => "said",
            Because::Declared => "declared",
            Because::Home => "home",
        }
    }
}

/// Whether two people live together: what a person said goes before what was declared, and that before the address. Who
/// declared different households does not live together, whatever the address says.
pub fn together(a: &Keys, b: &Keys, said: Option<bool>) -> Option<Because> {
    match (said, &a.declared, &b.declared) {
        (Some(said), _, _) => said.then_some(Because::Said),
        (None, Some(a), Some(b)) => (a == b).then_some(Because::Declared),
        _ => (a.home.is_some() && a.home == b.home).then_some(Because::Home),
    }
}

/// By what the person of these traits is found.
pub fn keys_of(traits: &Traits) -> Keys {
    let declared = one(traits, "household_id").map(|id| id.to_lowercase());
    let surname = one(traits, "lastName").or_else(|| one(traits, "last_name")).and_then(|name| surname(&name));
    let home = surname.zip(address(traits)).map(|(surname, address)| format!("{surname} at {address}"));
    Keys { home, declared }
}

/// A text or number, blank ones left out.
fn one(traits: &Traits, name: &str) -> Option<String> {
    let text = match serde_json::from_str(&traits.json(name)?).ok()? {
        Value::String(text) => text.trim().to_string(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|t| !t.is_empty() && t.chars().count() <= 200)
}

/// The stem that a man's and a woman's form of a surname share, in any alphabet.
fn surname(text: &str) -> Option<String> {
    let parts = words(text);
    let stems: Vec<String> = parts.iter().map(|word| surname_stem(&skeleton(word)).to_string()).collect();
    Some(stems.join("-")).filter(|s| s.chars().count() >= 2)
}

/// The words of an address, put in an order; `None` where it does not say a street and a house.
fn address(traits: &Traits) -> Option<String> {
    let mut texts = Vec::new();
    match traits.json("address").and_then(|json| serde_json::from_str::<Value>(&json).ok()) {
        Some(Value::String(text)) => texts.push(text),
        Some(Value::Object(parts)) => {
            let named = ["street", "line1", "line2", "house", "building", "apartment", "flat", "city"];
            texts.extend(named.iter().filter_map(|name| match parts.get(*name) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            }));
        }
        _ => texts.extend(["street", "house", "apartment", "city"].iter().filter_map(|name| one(traits, name))),
    }
    let mut out: Vec<String> = Vec::new();
    for word in texts.iter().flat_map(|text| words(text)).take(24) {
        let plain = skeleton(&word);
        if !FILLERS.contains(&&*word) && !plain.is_empty() {
            out.push(plain);
        }
    }
    let numbers = out.iter().filter(|w| w.starts_with(|c: char| c.is_ascii_digit())).count();
    // A post code is no house: four digits and fewer are.
    let house = out.iter().any(|w| w.starts_with(|c: char| c.is_ascii_digit()) && w.len() <= 4);
    if !house || out.len() == numbers {
        return None;
    }
    out.sort_unstable();
    out.dedup();
    Some(out.join(" "))
}
