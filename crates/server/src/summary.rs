//! One line that says what an event was about.
use pipeline::timeline::StoredEvent;
use serde_json::Value;

/// Longest line, in characters.
const CHARS_MAX: usize = 120;

/// What an event was about, as far as a glance can tell.
pub fn of(event: &StoredEvent) -> String {
    let parse =
        |text: &Option<String>| text.as_deref().and_then(|t| serde_json::from_str::<Value>(t).ok()).unwrap_or_default();
    let properties = parse(&event.properties);
    let text = |name: &str| match &properties[name] {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let parts: Vec<String> = if event.name.starts_with("Order ") {
        let amount =
            text("total").or_else(|| text("revenue")).map(|a| format!("{a} {}", text("currency").unwrap_or_default()));
        [text("order_id").map(|o| format!("#{o}")), amount].into_iter().flatten().collect()
    } else if event.kind == db::event::EventKind::Identify {
        let traits = parse(&event.traits);
        traits.as_object().map(|t| t.keys().take(6).cloned().collect()).unwrap_or_default()
    } else {
        let first = ["name", "title", "query", "path", "url", "category", "product_id", "sku", "subject", "reason"];
        first.iter().find_map(|name| text(name)).into_iter().collect()
    };
    parts.join(" · ").trim().chars().take(CHARS_MAX).collect()
}
