//! What an event adds to the standing facts: a pure function of the event itself, so that folding the log again, a file, or
//! a store whose sources were renamed meanwhile all give the same.
//!
//! The channel is decided by the first of these that speaks:
//! 1. the event's name, where it names a channel (`Email Opened`, `Push Notification Tapped`, `Application Opened`, `Call …`);
//! 2. `properties.channel`, where its word is known (`store`, `viber`, `marketplace`, …);
//! 3. a marketplace's name in `properties.marketplace`, or a known one in `properties.affiliation`;
//! 4. a till's marks: `register_id` or `receipt_id`, or `store_id` without a way of delivery;
//! 5. a `screen` call, `context.app`, or `channel` = `mobile`: the app;
//! 6. a `page` call, `context.page`, `context.userAgent`, or `channel` = `browser`: the site;
//! 7. otherwise `other`.
//!
//! A source's kind is not asked: it can be edited later, an import has none of its own, and the log's bodies must be enough.
use super::codes::{Act, Channel, Device, Reason};
use crate::counters::json::fields;
use db::event::{EventKind, Identifier, Loss, Touch};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The parts of an event that are asked.
#[derive(Debug, Clone, Copy)]
pub struct Signs<'a> {
    pub kind: EventKind,
    /// After aliases.
    pub name: &'a str,
    pub properties: Option<&'a str>,
    /// Values of the context as JSON text.
    pub channel: Option<&'a str>,
    pub app: bool,
    pub page: bool,
    /// The whole object.
    pub device: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub user_agent_data: Option<&'a str>,
    pub identifiers: &'a [Identifier],
    /// Whether Braid wrote it itself.
    pub derived: bool,
}

/// Texts of the values that are asked.
#[derive(Default)]
struct Properties<'a> {
    channel: Option<&'a str>,
    marketplace: Option<&'a str>,
    affiliation: Option<&'a str>,
    register_id: Option<&'a str>,
    receipt_id: Option<&'a str>,
    store_id: Option<&'a str>,
    shipping_method: Option<&'a str>,
    product_id: Option<&'a str>,
    sku: Option<&'a str>,
    category: Option<&'a str>,
    order_id: Option<&'a str>,
    reason: Option<&'a str>,
    bounce_type: Option<&'a str>,
    handling_seconds: Option<&'a str>,
}

impl<'a> Properties<'a> {
    /// Most events are read here, so their values are passed over and not built.
    fn read(text: &'a str) -> Self {
        let mut out = Self::default();
        let mut visit = |name: &str, value: &'a str| {
            let field = match name {
                "channel" => &mut out.channel,
                "marketplace" => &mut out.marketplace,
                "affiliation" => &mut out.affiliation,
                "register_id" => &mut out.register_id,
                "receipt_id" => &mut out.receipt_id,
                "store_id" => &mut out.store_id,
                "shipping_method" | "delivery_method" | "delivery_type" | "fulfillment" | "fulfilment" => {
                    &mut out.shipping_method
                }
                "product_id" => &mut out.product_id,
                "sku" => &mut out.sku,
                "category" => &mut out.category,
                "order_id" => &mut out.order_id,
                "reason" => &mut out.reason,
                "bounce_type" | "type" => &mut out.bounce_type,
                "handling_seconds" | "handling_time" | "duration_seconds" | "duration" => &mut out.handling_seconds,
                _ => return,
            };
            if value != "null" {
                *field = Some(value);
            }
        };
        fields(text, &mut visit).map(|()| out).unwrap_or_default()
    }
}

/// What the event adds; nothing for events that say nothing about habits.
pub fn touch(signs: &Signs<'_>) -> Touch {
    let (act, named) = act_of(signs);
    if act == Act::Nothing {
        return Touch::default();
    }
    // A page without properties of interest is most of the traffic: nothing of it is read.
    let properties: Properties<'_> = match signs.properties {
        Some(text) if act != Act::Visited => Properties::read(text),
        _ => Properties::default(),
    };
    let channel = channel_of(signs, named, &properties);
    let mut out = Touch { act: act as u8, channel: channel as u8, ..Touch::default() };
    if !signs.derived && act.is_own() {
        out.device = device_of(signs, channel) as u8;
    }
    match act {
        Act::Viewed => {
            out.item = text(properties.product_id.or(properties.sku));
            out.group = text(properties.category);
        }
        Act::Ordered => {
            out.item = text(properties.order_id);
            out.also = handed_over(channel, &properties) as u8;
        }
        Act::Served => out.seconds = seconds(&properties),
        Act::Contacted => out.seconds = if signs.name.ends_with("Ended") { seconds(&properties) } else { 0 },
        _ => {}
    }
    if let Some(reason) = lost_by(signs.name, &properties) {
        out.lost = Some(Box::new(Loss { address: address_of(signs, channel), reason: reason as u8 }));
    } else if act == Act::Failed {
        return Touch::default();
    }
    out
}

fn act_of(signs: &Signs<'_>) -> (Act, Option<Channel>) {
    match signs.kind {
        EventKind::Page => return (Act::Visited, None),
        EventKind::Screen => return (Act::Visited, Some(Channel::App)),
        EventKind::Track => {}
        EventKind::Identify | EventKind::Group | EventKind::Alias => return (Act::Nothing, None),
    }
    let act = match signs.name {
        "Page Viewed" | "Product List Viewed" | "Cart Viewed" | "Promotion Viewed" => Act::Visited,
        "Application Opened" | "Application Foregrounded" => return (Act::Visited, Some(Channel::App)),
        "Application Installed" => return (Act::InstalledApp, Some(Channel::App)),
        "Application Uninstalled" => return (Act::SwitchedOff, Some(Channel::App)),
        "Store Visited" => return (Act::Visited, Some(Channel::Shop)),
        "Product Viewed" | "Product Clicked" => Act::Viewed,
        "Products Searched" => Act::Searched,
        "Product Added" | "Checkout Started" | "Product Added to Wishlist" => Act::Added,
        "Order Completed" => Act::Ordered,
        "Order Refunded" => Act::Returned,
        "Order Picked Up" => Act::PickedUp,
        "Order Delivered" => Act::Delivered,
        "Product Reviewed" | "Review Submitted" | "Store Reviewed" => Act::Reviewed,
        "Products Compared" | "Prices Compared" | "Price Drop Subscribed" => Act::ComparedPrices,
        "Product List Filtered" if sorts_by_price(signs.properties) => Act::ComparedPrices,
        "Product List Filtered" => Act::Visited,
        "Email Delivered" => return (Act::Sent, Some(Channel::Email)),
        "Email Opened" => return (Act::Opened, Some(Channel::Email)),
        "Email Link Clicked" => return (Act::Clicked, Some(Channel::Email)),
        "Email Bounced" => return (Act::Failed, Some(Channel::Email)),
        "Email Marked as Spam" => return (Act::SwitchedOff, Some(Channel::Email)),
        "Push Notification Received" => return (Act::Sent, Some(Channel::Push)),
        "Push Notification Tapped" => return (Act::Clicked, Some(Channel::Push)),
        "Push Notification Bounced" => return (Act::Failed, Some(Channel::Push)),
        "Push Notification Disabled" => return (Act::SwitchedOff, Some(Channel::Push)),
        "Message Sent" => Act::Sent,
        "Message Opened" | "Message Read" => Act::Opened,
        "Message Clicked" => Act::Clicked,
        "Message Replied" | "Message Received" => Act::Contacted,
        "Message Failed" => Act::Failed,
        "Bot Blocked" => return (Act::SwitchedOff, Some(Channel::Messenger)),
        "Unsubscribed" => return (Act::SwitchedOff, None),
        "Call Started" | "Call Received" | "Call Ended" => return (Act::Contacted, Some(Channel::Phone)),
        "Conversation Started" | "Chat Started" => Act::Contacted,
        "Conversation Closed" | "Chat Ended" | "Ticket Closed" | "Work Logged" => Act::Served,
        "Complaint Created" | "Complaint Received" => Act::Complained,
        _ => Act::Nothing,
    };
    (act, None)
}

fn channel_of(signs: &Signs<'_>, named: Option<Channel>, properties: &Properties<'_>) -> Channel {
    if let Some(channel) = named {
        return channel;
    }
    if let Some(channel) = text(properties.channel).and_then(|word| channel_named(&word)) {
        return channel;
    }
    if signs.name == "Unsubscribed" {
        return Channel::Email;
    }
    let affiliation = text(properties.affiliation).map(|a| a.to_lowercase());
    if is_stated(properties.marketplace) || affiliation.is_some_and(|a| MARKETPLACES.iter().any(|m| a.contains(m))) {
        return Channel::Marketplace;
    }
    let at_till = is_stated(properties.register_id) || is_stated(properties.receipt_id);
    if at_till
        || (is_stated(properties.store_id) && !is_stated(properties.shipping_method) && !signs.page && !signs.app)
    {
        return Channel::Shop;
    }
    match signs.channel.map(unquoted) {
        _ if signs.app => Channel::App,
        Some("mobile") => Channel::App,
        _ if signs.page || signs.kind == EventKind::Page || signs.user_agent.is_some() => Channel::Site,
        Some("browser") => Channel::Site,
        _ => Channel::Other,
    }
}

/// Marketplaces that shops in Ukraine sell on.
const MARKETPLACES: [&str; 10] =
    ["rozetka", "prom.ua", "allo", "kasta", "epicentr", "maudau", "amazon", "ebay", "etsy", "olx"];

/// The channel that a word means.
pub fn channel_named(word: &str) -> Option<Channel> {
    Some(match word.trim().to_lowercase().as_str() {
        "site" | "web" | "website" | "online" | "browser" => Channel::Site,
        "app" | "mobile_app" | "mobile" => Channel::App,
        "shop" | "store" | "pos" | "till" | "offline" | "retail" => Channel::Shop,
        "phone" | "call" | "call_center" | "telephony" => Channel::Phone,
        "marketplace" => Channel::Marketplace,
        "email" | "e-mail" | "mail" => Channel::Email,
        "messenger" | "viber" | "whatsapp" | "telegram" | "instagram" | "facebook" | "chat" => Channel::Messenger,
        "sms" => Channel::Sms,
        "push" | "web_push" | "mobile_push" => Channel::Push,
        _ => return None,
    })
}

fn device_of(signs: &Signs<'_>, channel: Channel) -> Device {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Stated<'a> {
        #[serde(rename = "type", borrow)]
        kind: Option<&'a RawValue>,
    }
    let stated = signs.device.and_then(|d| serde_json::from_str::<Stated<'_>>(d).ok()).and_then(|d| d.kind);
    if let Some(device) = stated.and_then(|kind| device_named(&unquoted(kind.get()).to_ascii_lowercase())) {
        return device;
    }
    if let Some(agent) = signs.user_agent {
        if agent.contains("iPad")
            || agent.contains("Tablet")
            || (agent.contains("Android") && !agent.contains("Mobile"))
        {
            return Device::Tablet;
        }
        if agent.contains("Mobile") || agent.contains("iPhone") || agent.contains("Android") {
            return Device::Mobile;
        }
        if ["Windows NT", "Macintosh", "X11", "CrOS"].iter().any(|system| agent.contains(system)) {
            return Device::Desktop;
        }
    }
    match signs.user_agent_data {
        Some(data) if data.contains("\"mobile\":true") => Device::Mobile,
        Some(data) if data.contains("\"mobile\":false") => Device::Desktop,
        _ if channel == Channel::App => Device::Mobile,
        _ => Device::None,
    }
}

/// The device that a word means.
pub fn device_named(word: &str) -> Option<Device> {
    Some(match word {
        "desktop" | "pc" | "computer" | "laptop" => Device::Desktop,
        "mobile" | "phone" | "smartphone" | "android" | "ios" => Device::Mobile,
        "tablet" | "ipad" => Device::Tablet,
        _ => return None,
    })
}

/// How an order from outside a shop reaches the customer.
fn handed_over(channel: Channel, properties: &Properties<'_>) -> Act {
    let Some(method) = text(properties.shipping_method).map(|m| m.to_lowercase()) else { return Act::Nothing };
    let says = |words: &[&str]| words.iter().any(|w| method.contains(w));
    if channel != Channel::Shop
        && says(&["pickup", "pick up", "pick-up", "click", "bopis", "in store", "самовив", "магазин"])
    {
        return Act::PickedUp;
    }
    if says(&["courier", "home", "door", "address", "кур'єр", "кур’єр", "адрес"]) {
        return Act::Delivered;
    }
    Act::Nothing
}

fn sorts_by_price(properties: Option<&str>) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sorts<'a> {
        #[serde(borrow)]
        sorts: Option<&'a RawValue>,
    }
    let sorts: Sorts<'_> = properties.and_then(|p| serde_json::from_str(p).ok()).unwrap_or_default();
    sorts.sorts.is_some_and(|s| s.get().to_lowercase().contains("price"))
}

fn lost_by(name: &str, properties: &Properties<'_>) -> Option<Reason> {
    let reason = || text(properties.reason).map(|r| r.to_lowercase()).unwrap_or_default();
    match name {
        "Email Marked as Spam" => Some(Reason::Complaint),
        "Push Notification Bounced" => Some(Reason::TokenGone),
        "Bot Blocked" => Some(Reason::BotBlocked),
        "Application Uninstalled" => Some(Reason::AppRemoved),
        "Email Bounced" => {
            let kind = text(properties.bounce_type).map(|k| k.to_lowercase()).unwrap_or_default();
            let passing = ["soft", "transient", "blocked", "delayed", "full"].iter().any(|w| kind.contains(w));
            (!passing).then_some(Reason::HardBounce)
        }
        "Message Failed" => {
            let reason = reason();
            let says = |words: &[&str]| words.iter().any(|w| reason.contains(w));
            if says(&["blocked by the user", "bot was blocked", "bot_blocked", "user_blocked"]) {
                Some(Reason::BotBlocked)
            } else if says(&["unregistered", "invalid token", "token_gone", "not registered"]) {
                Some(Reason::TokenGone)
            } else if says(&["5.1.1", "5.1.6", "5.1.10", "5.2.1", "user unknown", "no such user", "hard_bounce"]) {
                Some(Reason::HardBounce)
            } else {
                None
            }
        }
        _ => None,
    }
}

fn address_of(signs: &Signs<'_>, channel: Channel) -> Box<str> {
    let fits = |kind: &str| match channel {
        Channel::Email => kind == "email",
        Channel::Push => kind.ends_with("push_token"),
        Channel::Sms | Channel::Phone => kind == "phone",
        _ => false,
    };
    signs.identifiers.iter().find(|i| fits(&i.kind)).map(|i| i.value.clone()).unwrap_or_default()
}

fn seconds(properties: &Properties<'_>) -> u32 {
    let number = properties.handling_seconds.and_then(|raw| unquoted(raw).parse::<f64>().ok());
    // A day is more than any conversation takes.
    number.map_or(0, |n| n.clamp(0.0, 86_400.0) as u32)
}

fn is_stated(raw: Option<&str>) -> bool {
    raw.is_some_and(|r| !matches!(r, "null" | "\"\"" | "false"))
}

/// A string's text or a number's; of a list the first.
fn text(raw: Option<&str>) -> Option<Box<str>> {
    let raw = raw?;
    let text: Cow<'_, str> = match raw.as_bytes().first()? {
        // With escapes or much of it: rare, so that its time does not matter.
        b'"' if raw.len() > 128 || raw.contains('\\') => serde_json::from_str(raw).map(Cow::Owned).ok()?,
        b'"' => {
            let plain = raw[1..].strip_suffix('"')?.trim();
            return (!plain.is_empty()).then(|| plain.into());
        }
        b'0'..=b'9' | b'-' => Cow::Borrowed(raw),
        b'[' => {
            let list: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            return text(list.first().map(|r| r.get()).filter(|r| !r.starts_with('[')));
        }
        _ => return None,
    };
    let text = text.trim();
    let cut: String = text.chars().filter(|c| *c != '\0').take(128).collect();
    (!cut.is_empty()).then(|| cut.into())
}

fn unquoted(raw: &str) -> &str {
    raw.trim().trim_matches('"')
}
