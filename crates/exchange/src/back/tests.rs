use super::*;
use crate::convert::{Context, Out, convert};
use crate::groups::{Groups, Next};
use crate::mapping::Plan;
use crate::rows::Layout;
use base::{Country, Timestamp};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn context() -> Context {
    Context {
        zone: TimeZone::get("Europe/Kyiv").expect("it is known"),
        country: Country::find("UA"),
        currency: "UAH".into(),
        file_time: Timestamp::from_civil(2026, 11, 1, 9, 0, 0),
        now: Timestamp::from_civil(2026, 11, 22, 12, 0, 0),
        source: "a test".into(),
    }
}

/// The messages that a preset makes of a file.
fn read(preset: &Preset, bytes: &[u8]) -> Vec<Value> {
    let layout = Layout::detect(bytes, "f.csv").expect("it has a layout");
    let plan = Plan::new(preset.mapping(&layout.columns), &layout.columns).expect("the preset fits its own file");
    let rows = layout.rows(Box::new(std::io::Cursor::new(bytes.to_vec()))).expect("it is read");
    let mut groups = Groups::new(rows, &plan);
    let mut out = Out::default();
    while let Some(next) = groups.next_group().expect("memory can be read") {
        if let Next::Group(rows) = next {
            convert(&plan, &context(), &rows, &mut out);
        }
    }
    out.made.iter().map(|m| serde_json::from_str(&m.json).expect("JSON")).collect()
}

/// What the messages say of their people and orders, as Braid would keep it.
fn person(message: &Value) -> Customer {
    let said = |pointer: &str| text(message.pointer(pointer));
    let mut who = Customer { user_id: said("/userId"), ..Customer::default() };
    for place in ["/traits", "/context/traits"] {
        who.emails.extend(Some(said(&format!("{place}/email"))).filter(|t| !t.is_empty()));
        who.phones.extend(Some(said(&format!("{place}/phone"))).filter(|t| !t.is_empty()));
    }
    for id in message.pointer("/context/externalIds").and_then(Value::as_array).into_iter().flatten() {
        let (kind, value) = (text(id.get("type")), text(id.get("id")));
        if kind == "phone" { who.phones.push(value) } else { who.external.push((kind, value)) }
    }
    who.traits = message.get("traits").and_then(Value::as_object).cloned().unwrap_or_default();
    who.updated_at = said("/timestamp");
    who
}

/// Writes what was read, the way back.
fn write(preset: &Preset, messages: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut row = |values: Vec<String>| {
        crate::write::csv_row(&mut out, values.iter().map(String::as_str), preset.delimiter).expect("memory takes it");
    };
    row(header(preset).into_iter().map(str::to_string).collect());
    let event = |m: &Value| text(m.get("event"));
    for message in messages {
        match preset.kind {
            Kind::Customers if message["type"] == "identify" => {
                let mut who = person(message);
                for said in messages.iter().filter(|m| event(m).starts_with("Consent ")) {
                    let address = text(said.pointer("/properties/address"));
                    if who.emails.contains(&address) || who.phones.contains(&address) {
                        who.consents
                            .insert(text(said.pointer("/properties/channel")), event(said) == "Consent Granted");
                    }
                }
                row(customer_row(preset, &who));
            }
            Kind::Orders if event(message) != "Order Refunded" => {
                let id = message.pointer("/properties/order_id");
                let refunded =
                    messages.iter().any(|m| event(m) == "Order Refunded" && m.pointer("/properties/order_id") == id);
                let fate = if refunded {
                    "refunded"
                } else if event(message) == "Order Cancelled" {
                    "cancelled"
                } else {
                    "completed"
                };
                let properties = message["properties"].as_object().cloned().unwrap_or_default();
                let time = text(message.get("timestamp"));
                order_rows(preset, &Order { fate: fate.into(), time, who: person(message), properties })
                    .into_iter()
                    .for_each(&mut row);
            }
            Kind::Consents if text(message.pointer("/properties/purpose")) == "marketing" => {
                let said = |name: &str| text(message.pointer(&format!("/properties/{name}")));
                row(opt_out_row(
                    preset,
                    &OptOut {
                        channel: said("channel"),
                        address: said("address"),
                        purpose: said("purpose"),
                        time: text(message.get("timestamp")),
                        wording: String::new(),
                    },
                ));
            }
            _ => {}
        }
    }
    out
}

/// What two readings must agree on: everything but ids, the words of consents, and the file's own time.
fn essence(messages: &[Value]) -> Vec<Value> {
    let mut out: Vec<Value> = messages
        .iter()
        .cloned()
        .map(|mut m| {
            let dated = m["timestamp"] != context().file_time.to_string();
            if let Some(all) = m.as_object_mut() {
                all.remove("messageId");
                if !dated || all.get("type").is_some_and(|t| t == "identify") {
                    all.remove("timestamp");
                }
                if all.get("event").is_some_and(|e| e.as_str().is_some_and(|e| e.starts_with("Consent "))) {
                    all.remove("timestamp");
                    all.remove("context");
                }
            }
            if let Some(properties) = m.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove("wording");
                // Another word for the same: `completed` for what the system called otherwise.
                properties.remove("status");
            }
            m
        })
        .collect();
    out.sort_by_key(Value::to_string);
    out
}

#[test]
fn each_tool_gets_back_what_it_gave() {
    // [AD2] the way back: preset → Braid → preset.
    for preset in PRESETS.iter().filter(|p| !p.is_own()) {
        let path = format!("{}/testdata/{}.csv", env!("CARGO_MANIFEST_DIR"), preset.id);
        let bytes = std::fs::read(&path).expect("each preset has a file");
        let first = read(preset, &bytes);
        let again = read(preset, &write(preset, &first));
        let (mut a, mut b) = (essence(&first), essence(&again));
        if preset.kind == Kind::Consents {
            // What a blacklist says is given back for marketing.
            let marketing = |m: &Value| m.pointer("/properties/purpose").is_some_and(|p| p == "marketing");
            a.retain(marketing);
            b.retain(marketing);
        }
        assert!(!a.is_empty(), "{} reads its own file", preset.id);
        assert_eq!(a, b, "{}\n{}", preset.id, String::from_utf8_lossy(&write(preset, &first)));
    }
}

fn word() -> impl Strategy<Value = String> {
    "[A-Za-zА-Яіїєґ][a-zа-яіїєґ', \"-]{0,10}[a-zа-я]"
}

proptest! {
    /// Whatever stands in a customer, the plain file gives it back, quotes and commas included.
    #[test]
    fn a_plain_file_gives_back_anybody(first in word(), last in word(), city in word(), n in 0u32..9_999_999, granted: Option<bool>) {
        let preset = find("generic-customers").expect("it is there");
        let mut traits = Map::new();
        traits.insert("firstName".into(), first.trim().into());
        traits.insert("lastName".into(), last.trim().into());
        traits.insert("address".into(), serde_json::json!({"city": city.trim()}));
        let who = Customer {
            user_id: format!("u{n}"),
            emails: vec![format!("p{n}@example.com")],
            phones: vec![format!("+38067{n:07}")],
            consents: granted.map(|g| ("email".to_string(), g)).into_iter().collect(),
            traits,
            ..Customer::default()
        };
        let mut file = Vec::new();
        for values in [header(preset).iter().map(|h| (*h).to_string()).collect(), customer_row(preset, &who)] {
            let values: Vec<String> = values;
            crate::write::csv_row(&mut file, values.iter().map(String::as_str), ',').expect("memory takes it");
        }
        let found = read(preset, &file);
        let back = person(&found[0]);
        prop_assert_eq!((&back.user_id, &back.emails, &back.phones), (&who.user_id, &who.emails, &who.phones));
        for name in ["firstName", "lastName", "address"] {
            prop_assert_eq!(back.traits.get(name), who.traits.get(name));
        }
        prop_assert_eq!(found.len(), 1 + usize::from(granted.is_some()));
    }
}
