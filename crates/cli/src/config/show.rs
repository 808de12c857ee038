//! Effective settings of `braid.toml`, the environment and flags, with their origin.
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs};
use crate::stop::Outcome;
use serde_json::{Map, Value, json};
use server::config::{Effective, KEYS};
use std::path::PathBuf;

/// Shows every setting, its value and where it comes from. Passwords are not shown.
///
/// Example: braid config shop --json
#[derive(Debug, clap::Args)]
pub struct Show {
    // Not flattened: an optional group is there only when one of its own arguments is.
    /// The shop's folder.
    dir: PathBuf,
    /// The database instead of the one in braid.toml: sqlite:FILE or postgres://…
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(show: &Show, printer: &mut Printer) -> Outcome {
    let args = ShopArgs { dir: show.dir.clone(), database: show.database.clone(), unsafe_fast: false };
    let shop = Shop::find(&args, Vec::new())?;
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
