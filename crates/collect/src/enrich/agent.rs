//! Device, system and browser by what an agent says of itself. Tables, first match wins; no regular expressions.
//!
//! Agents lie by tradition (every one claims to be Mozilla, most to be Safari), so the order of the tables is their
//! meaning: who imitates stands before who is imitated. Versions are cut to their first number for browsers and to two for
//! systems: more of it would only tell people apart.
use memchr::memmem::Finder;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

/// What kind of device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    Phone,
    Tablet,
    Desktop,
    Tv,
    Console,
    Bot,
    Unknown,
}

impl Device {
    /// The word that conditions compare with.
    pub fn as_str(self) -> &'static str {
        match self {
            Device::Phone => "phone",
            Device::Tablet => "tablet",
            Device::Desktop => "desktop",
            Device::Tv => "tv",
            Device::Console => "console",
            Device::Bot => "bot",
            Device::Unknown => "unknown",
        }
    }
}

/// What an agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    pub device: Device,
    pub os: &'static str,
    /// One or two numbers; empty when it is not said, or said wrongly on purpose.
    pub os_version: String,
    pub browser: &'static str,
    /// The first number.
    pub browser_version: String,
}

/// Words that only programs without a person have in their agent, lower case.
const BOTS: &[&str] = &[
    "bot",
    "crawler",
    "spider",
    "slurp",
    "mediapartners",
    "facebookexternalhit",
    "headlesschrome",
    "phantomjs",
    "lighthouse",
    "pingdom",
    "uptimerobot",
    "curl/",
    "wget/",
    "python-requests",
    "python-urllib",
    "aiohttp",
    "httpx/",
    "go-http-client",
    "okhttp",
    "java/",
    "apache-httpclient",
    "axios/",
    "node-fetch",
    "undici",
    "libwww-perl",
    "scrapy",
    "postmanruntime",
    "whatsapp/",
    "telegrambot",
    "viber/link",
    "skypeuripreview",
    "embedly",
    "preview",
];

/// Browsers: a word of the agent, the name, and the word that the version follows.
const BROWSERS: &[(&str, &str, &str)] = &[
    ("FBAN/", "Facebook", "FBAV/"),
    ("FBAV/", "Facebook", "FBAV/"),
    ("Instagram ", "Instagram", "Instagram "),
    ("Viber/", "Viber", "Viber/"),
    ("musical_ly", "TikTok", "musical_ly_"),
    ("BytedanceWebview", "TikTok", "app_version/"),
    ("EdgA/", "Edge", "EdgA/"),
    ("EdgiOS/", "Edge", "EdgiOS/"),
    ("Edg/", "Edge", "Edg/"),
    ("Edge/", "Edge", "Edge/"),
    ("OPR/", "Opera", "OPR/"),
    ("OPT/", "Opera", "OPT/"),
    ("OPiOS/", "Opera", "OPiOS/"),
    ("Opera Mini/", "Opera Mini", "Opera Mini/"),
    ("Opera/", "Opera", "Version/"),
    ("Vivaldi/", "Vivaldi", "Vivaldi/"),
    ("YaBrowser/", "Yandex Browser", "YaBrowser/"),
    ("SamsungBrowser/", "Samsung Internet", "SamsungBrowser/"),
    ("MiuiBrowser/", "Mi Browser", "MiuiBrowser/"),
    ("UCBrowser/", "UC Browser", "UCBrowser/"),
    ("HuaweiBrowser/", "Huawei Browser", "HuaweiBrowser/"),
    ("DuckDuckGo/", "DuckDuckGo", "DuckDuckGo/"),
    ("Ddg/", "DuckDuckGo", "Ddg/"),
    ("Brave/", "Brave", "Brave/"),
    ("Silk/", "Silk", "Silk/"),
    ("GSA/", "Google app", "GSA/"),
    ("FxiOS/", "Firefox", "FxiOS/"),
    ("Firefox/", "Firefox", "Firefox/"),
    ("CriOS/", "Chrome", "CriOS/"),
    ("; wv)", "Android WebView", "Chrome/"),
    ("Chrome/", "Chrome", "Chrome/"),
    ("Chromium/", "Chrome", "Chromium/"),
    ("Trident/", "Internet Explorer", "rv:"),
    ("MSIE ", "Internet Explorer", "MSIE "),
    ("Android", "Android Browser", "Version/"),
    ("Safari/", "Safari", "Version/"),
    ("AppleWebKit/", "Safari", "Version/"),
];

/// Systems: a word of the agent, the name, the word that the version follows (empty: none is told).
const SYSTEMS: &[(&str, &str, &str)] = &[
    ("Xbox", "Xbox", ""),
    ("PlayStation", "PlayStation", "PlayStation "),
    ("Nintendo", "Nintendo", ""),
    ("Web0S", "webOS", ""),
    ("webOS", "webOS", ""),
    ("Tizen", "Tizen", "Tizen "),
    ("AppleTV", "tvOS", ""),
    ("CrKey", "Chromecast", ""),
    ("Windows Phone", "Windows Phone", "Windows Phone "),
    ("HarmonyOS", "HarmonyOS", "HarmonyOS "),
    ("iPhone OS ", "iOS", "iPhone OS "),
    ("iPad", "iPadOS", "CPU OS "),
    ("iPod", "iOS", "CPU OS "),
    ("iPhone", "iOS", "OS "),
    ("Android", "Android", "Android "),
    ("KAIOS", "KaiOS", "KAIOS/"),
    ("Windows NT", "Windows", "Windows NT "),
    ("Windows", "Windows", ""),
    ("Mac OS X", "macOS", "Mac OS X "),
    ("Macintosh", "macOS", ""),
    ("CrOS", "ChromeOS", ""),
    ("Ubuntu", "Linux", ""),
    ("Linux", "Linux", ""),
    ("X11", "Linux", ""),
];

/// What `userAgentData` adds: browsers that hide details in the agent's text tell them there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hints {
    pub mobile: bool,
    pub platform: String,
    pub platform_version: String,
    pub model: String,
}

/// Reads an agent. Any text is possible; what it does not say is `unknown`.
pub fn parse(agent: &str, hints: Option<&Hints>) -> Agent {
    let lower = agent.to_ascii_lowercase();
    let (mut os, mut os_version) = ("unknown", String::new());
    if let Some((_, name, after)) = SYSTEMS.iter().find(|(word, ..)| agent.contains(word)) {
        os = name;
        os_version = if after.is_empty() { String::new() } else { version(agent, after, 2) };
    }
    let (mut browser, mut browser_version) = ("unknown", String::new());
    if let Some((_, name, after)) = BROWSERS.iter().find(|(word, ..)| agent.contains(word)) {
        browser = name;
        browser_version = version(agent, after, 1);
    }
    if os == "Windows" {
        os_version = windows(&os_version, hints).to_string();
    } else if let Some(hints) =
        hints.filter(|h| os == "Android" && !h.platform_version.is_empty() && h.platform == "Android")
    {
        // Chrome says "Android 10; K" whatever the device is.
        os_version = leading(&hints.platform_version, 1);
    }
    let device = device(agent, &lower, os, hints);
    Agent { device, os, os_version, browser, browser_version }
}

fn device(agent: &str, lower: &str, os: &str, hints: Option<&Hints>) -> Device {
    // "cubot" is a maker of telephones.
    if BOTS.iter().any(|word| lower.contains(word)) && !lower.contains("cubot") {
        return Device::Bot;
    }
    match os {
        "Xbox" | "PlayStation" | "Nintendo" => return Device::Console,
        "webOS" | "Tizen" if lower.contains("tv") || os == "webOS" => return Device::Tv,
        "tvOS" | "Chromecast" => return Device::Tv,
        _ => {}
    }
    if ["smart-tv", "smarttv", "googletv", "android tv", "bravia", "hbbtv", "netcast", " aft", "roku"]
        .iter()
        .any(|w| lower.contains(w))
    {
        return Device::Tv;
    }
    match os {
        "iPadOS" => Device::Tablet,
        "iOS" | "Windows Phone" | "KaiOS" => Device::Phone,
        "Android" | "HarmonyOS" => {
            let told = hints.is_some_and(|h| h.mobile);
            // Makers of tablets leave "Mobile" out; some of their models say it all the same.
            let tablet = ["tablet", "sm-t", "sm-x", "nexus 7", "nexus 10", "lenovo tb", "mediapad", "matepad", "kf"];
            let named = tablet.iter().any(|w| lower.contains(w));
            if !named && (told || agent.contains("Mobile")) { Device::Phone } else { Device::Tablet }
        }
        "Windows" if lower.contains("tablet pc") && lower.contains("touch") => Device::Tablet,
        "Windows" | "macOS" | "Linux" | "ChromeOS" => Device::Desktop,
        _ if agent.contains("Mobile") => Device::Phone,
        _ => Device::Unknown,
    }
}

/// The version that people know: the agent's number stopped at 10.
fn windows(nt: &str, hints: Option<&Hints>) -> &'static str {
    match nt {
        "10.0" => {
            let major = hints.filter(|h| h.platform == "Windows").map(|h| leading(&h.platform_version, 1));
            // Windows 11 reports 13 and above (Microsoft's page on detecting it with client hints).
            if major.and_then(|m| m.parse::<u32>().ok()).is_some_and(|m| m >= 13) { "11" } else { "10" }
        }
        "6.3" => "8.1",
        "6.2" => "8",
        "6.1" => "7",
        "6.0" => "Vista",
        "5.1" | "5.2" => "XP",
        _ => "",
    }
}

/// The first `parts` numbers that follow a word; empty when none do.
fn version(agent: &str, after: &str, parts: usize) -> String {
    agent.split_once(after).map_or(String::new(), |(_, rest)| leading(rest, parts))
}

fn leading(text: &str, parts: usize) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let numbers: Vec<&str> = text[..end].split(['.', '_']).take(parts).collect();
    let joined = numbers.join(".");
    // An absurd length is no version.
    if joined.len() <= 12 { joined.trim_matches('.').to_string() } else { String::new() }
}

impl Agent {
    /// Its part of a derived context: `"device":{…},"os":{…},"browser":{…}`.
    pub fn json(&self) -> String {
        let mut out = format!(r#""device":{{"type":"{0}","class":"{0}"}}"#, self.device.as_str());
        for (name, what, version) in
            [("os", self.os, &self.os_version), ("browser", self.browser, &self.browser_version)]
        {
            if what == "unknown" {
                continue;
            }
            out.push_str(&format!(r#","{name}":{{"name":"{what}""#));
            if !version.is_empty() {
                out.push_str(&format!(r#","version":"{version}""#));
            }
            out.push('}');
        }
        out
    }
}

/// Different agents that a thread remembers; a shop sees some hundreds.
const CACHED_MAX: usize = 4096;

thread_local! {
    static CACHE: RefCell<HashMap<u64, Arc<str>>> = RefCell::default();
}
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
static HINTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"userAgentData\""));

/// The JSON part of an agent, made once per agent and thread. Reading one takes about 2 µs, finding it again 50 ns.
pub(crate) fn described(agent: &str, hints: Option<&str>) -> Arc<str> {
    let key = KEY.hash_one((agent, hints));
    CACHE.with_borrow_mut(|cache| {
        if let Some(known) = cache.get(&key) {
            return known.clone();
        }
        let hints: Option<Hints> = hints.and_then(|h| serde_json::from_str(h).ok());
        let fresh: Arc<str> = parse(agent, hints.as_ref()).json().into();
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert(key, fresh.clone());
        fresh
    })
}

/// The text of `userAgentData` in one of the contexts.
pub(crate) fn hints_of(contexts: &[&str]) -> Option<String> {
    contexts.iter().find_map(|text| {
        let at = HINTS.find(text.as_bytes())? + HINTS.needle().len();
        let rest = text[at..].trim_ascii_start().strip_prefix(':')?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&serde_json::value::RawValue>();
        values.next()?.ok().map(|raw| raw.get().to_string())
    })
}

/// The part of an app's event, which names its device itself.
pub(crate) fn of_app(context: &str) -> Option<Arc<str>> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct App<'a> {
        #[serde(borrow)]
        device: Option<&'a serde_json::value::RawValue>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Named {
        r#type: String,
        model: String,
    }
    let app: App<'_> = serde_json::from_str(context).ok()?;
    let named: Named = serde_json::from_str(app.device?.get()).ok()?;
    let (kind, model) = (named.r#type.to_ascii_lowercase(), named.model.to_ascii_lowercase());
    let class = match kind.as_str() {
        "ios" | "android" if ["ipad", "tab", "sm-t", "sm-x", "pad"].iter().any(|w| model.contains(w)) => Device::Tablet,
        "ios" | "android" => Device::Phone,
        "ipados" => Device::Tablet,
        "tvos" | "androidtv" => Device::Tv,
        "macos" | "windows" | "linux" => Device::Desktop,
        _ => return None,
    };
    // The type is the app's own word, so only the class is added.
    Some(format!(r#""device":{{"class":"{}"}}"#, class.as_str()).into())
}
