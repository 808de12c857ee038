//! Effective settings of `braid.toml`, the environment and flags, with their origin.
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs};
use crate::stop::Outcome;
use serde_json::{Map, Value, json};
use server::config::{Effective, KEYS};

/// Shows every setting, its value and where it comes from. Passwords are not shown.
pub fn run(shop: &ShopArgs, json: bool, printer: &mut Printer) -> Outcome {
    let shop = Shop::find(shop, Vec::new())?;
    let entries = shop.effective.entries();
    if json {
        let mut out = Map::new();
        for entry in entries {
            let value = json!({"value": Effective::shown(entry), "origin": entry.origin.to_string()});
            let section = out.entry(entry.section).or_insert_with(|| Value::Object(Map::new()));
            if let Some(section) = section.as_object_mut() {
                section.insert(entry.name.into(), value);
            }
        }
        return printer.json(&out);
    }
    for (entry, key) in entries.iter().zip(KEYS) {
        let name = format!("{}.{}", entry.section, entry.name);
        printer.line(format!(
            "{name:<26} {:<28} {:<24} {}",
            Effective::shown(entry),
            entry.origin.to_string(),
            key.doc
        ))?;
    }
    Ok(())
}
