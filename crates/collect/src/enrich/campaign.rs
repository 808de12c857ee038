//! The campaign and the click ids in a page's address (CONVENTIONS 5).
use memchr::memchr;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::LazyLock;

// Asked for every event: to build a searcher takes longer than to search.
static UTM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("utm_"));
static ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("id="));
static CAMPAIGN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"campaign\""));

/// Ids that advertisers append to a click, and our own signed one.
const CLICK_IDS: &[&str] =
    &["gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "yclid", "twclid", "li_fat_id", "mid"];
/// Characters of a value that are kept.
const VALUE_MAX: usize = 200;
/// Different `utm_` names of one address that are kept.
const NAMES_MAX: usize = 12;

/// The part of a derived context that an address tells: `"campaign":{…},"click_ids":{…}`; `None` for nothing.
///
/// A campaign that the sender states itself is not made again.
pub(crate) fn of(contexts: &[&str; 2], page_properties: &str) -> Option<String> {
    let texts = [contexts[0], contexts[1], page_properties];
    let likely = |t: &str| {
        memchr(b'?', t.as_bytes()).is_some_and(|at| {
            let rest = &t.as_bytes()[at..];
            UTM.find(rest).is_some() || ID.find(rest).is_some()
        })
    };
    if !texts.iter().any(|t| likely(t)) {
        return None;
    }
    let stated = contexts.iter().any(|t| CAMPAIGN.find(t.as_bytes()).is_some());
    let query = contexts.iter().find_map(|t| in_context(t)).or_else(|| in_page(page_properties))?;
    let (mut campaign, mut clicks) = (BTreeMap::new(), BTreeMap::new());
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value: String = decode(value).chars().filter(|c| !c.is_control()).take(VALUE_MAX).collect();
        if value.is_empty() {
            continue;
        }
        let name = name.to_ascii_lowercase();
        if let Some(rest) = name.strip_prefix("utm_").filter(|r| !r.is_empty() && r.len() <= 40) {
            let key = if rest == "campaign" { "name" } else { rest };
            let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if plain && campaign.len() < NAMES_MAX {
                campaign.entry(key.to_string()).or_insert(value);
            }
        } else if CLICK_IDS.contains(&name.as_str()) {
            clicks.entry(name).or_insert(value);
        }
    }
    let text = |map: &BTreeMap<String, String>| serde_json::to_string(map).unwrap_or_else(|_| "{}".into());
    let mut parts = Vec::new();
    if !campaign.is_empty() && !stated {
        parts.push(format!("\"campaign\":{}", text(&campaign)));
    }
    if !clicks.is_empty() {
        parts.push(format!("\"click_ids\":{}", text(&clicks)));
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Context<'a> {
    #[serde(borrow)]
    page: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page {
    url: Option<serde_json::Value>,
    search: Option<serde_json::Value>,
}

fn in_context(text: &str) -> Option<String> {
    let context: Context<'_> = serde_json::from_str(text).ok()?;
    in_page(context.page?.get())
}

/// The query of `search`, or else of `url`.
fn in_page(text: &str) -> Option<String> {
    let page: Page = serde_json::from_str(text).ok()?;
    let text = |v: &Option<serde_json::Value>| v.as_ref().and_then(|v| v.as_str()).map(str::to_string);
    if let Some(search) = text(&page.search).filter(|s| s.len() > 1) {
        return Some(search.trim_start_matches('?').to_string());
    }
    let url = text(&page.url)?;
    let (_, query) = url.split_once('?')?;
    Some(query.split('#').next().unwrap_or_default().to_string())
}

/// Percent signs and plus signs of a query; what is no UTF-8 becomes U+FFFD.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |b: u8| (b as char).to_digit(16);
        match (bytes[at], bytes.get(at + 1).copied().and_then(hex), bytes.get(at + 2).copied().and_then(hex)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
