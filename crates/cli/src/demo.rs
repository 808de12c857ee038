//! `braid demo`: a shop that is nice to look at.
mod alive;
pub mod people;
mod retail;

use crate::client::{Client, said};
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base64::Engine as _;
use people::somebody;
use serde_json::{Value, json};

/// Fills a shop with made-up people to look at.
#[derive(Debug, clap::Subcommand)]
pub enum Demo {
    /// Gives 500 customers a name and an address, makes a segment, a template and a rule, and prints keys for a demo shop.
    ///
    /// Example: braid demo seed shop --json
    Seed(Seed),
    /// Lives the newest of real invoices again: catalogue, shops, stock and prices from them, and orders up to this moment.
    ///
    /// Example: braid demo retail shop examples/online_retail_ii/year_2009_2010.csv.gz
    Retail(alive::Retail),
}

/// Fills the shop whose server runs.
#[derive(Debug, clap::Args)]
pub struct Seed {
    #[command(flatten)]
    shop: ShopArgs,
    /// How many customers get a name.
    #[arg(long, default_value_t = 500)]
    customers: usize,
    /// Other seeds make other people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

const SEGMENT: &str = "Bought lately";
const EXPRESSION: &str = "count(\"Order Completed\" in last 30 days) >= 1";
const WORDING: &str = "Надсилайте мені новини та пропозиції електронною поштою";
const SUBJECT: &str = "Дякуємо за покупку{% if customer.firstName is defined %}, {{ customer.firstName }}{% endif %}!";
const HTML: &str = "<p>Вітаємо{% if customer.firstName is defined %}, {{ customer.firstName }}{% endif %}!</p>\
<p>Дякуємо, що купуєте в нас. Ось що зʼявилося цього тижня.</p>\
<p style=\"color:#667\"><a href=\"{{ links.unsubscribe }}\">Відписатися</a></p>";
const TEXT: &str =
    "Вітаємо!\n\nДякуємо, що купуєте в нас. Ось що зʼявилося цього тижня.\n\nВідписатися: {{ links.unsubscribe }}\n";

/// Runs it.
pub fn run(demo: &Demo, printer: &mut Printer) -> Outcome {
    let seed = match demo {
        Demo::Seed(seed) => seed,
        Demo::Retail(retail) => return alive::run(retail, printer),
    };
    let shop = Shop::find(&seed.shop, Vec::new())?;
    let (url, token) = running_server(&shop)?.ok_or_else(|| {
        Stop::failed(anyhow!("no server runs for {}", shop.folder.display()))
            .hint(format!("braid serve {}", shop.folder.display()))
    })?;
    let mut admin = Client::new(&url, format!("Bearer {token}"))?;
    let shop_key = source(&mut admin, "Demo shop", "browser")?;
    let till_key = source(&mut admin, "Demo till", "server")?;
    let api = admin.must("POST", "/api/v1/api-keys", Some(&json!({"name": "Demo till", "role": "analyst"})))?;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{till_key}:"));
    let mut till = Client::new(&url, format!("Basic {basic}"))?;
    let named = name_customers(&mut admin, &mut till, seed)?;
    let segment =
        named_thing(&mut admin, "/api/v1/segments", SEGMENT, json!({"name": SEGMENT, "expression": EXPRESSION}))?;
    let template = json!({"name": "Дякуємо за покупку", "channel": "email", "subject": SUBJECT, "body_html": HTML, "body_text": TEXT});
    let template = named_thing(&mut admin, "/api/v1/templates", "Дякуємо за покупку", template)?;
    let rule = json!({"name": "Thank for a purchase", "segment_id": segment, "template_id": template, "channel": "email",
        "purpose": "marketing", "once": true, "enabled": true});
    named_thing(&mut admin, "/api/v1/message-rules", "Thank for a purchase", rule)?;
    let keys = json!({"shop_write_key": shop_key, "till_write_key": till_key, "api_key": api["key"]});
    if seed.json {
        return printer.json(&keys);
    }
    printer.line(format!("{named} customers have a name now; keys for the demo shop, shown once:"))?;
    for name in ["shop_write_key", "till_write_key", "api_key"] {
        printer.line(format!("  {name}  {}", keys[name].as_str().unwrap_or_default()))?;
    }
    Ok(())
}

/// A source of this name with a fresh key; an older one's key is replaced.
fn source(admin: &mut Client, name: &str, kind: &str) -> anyhow::Result<String> {
    let body = json!({"name": name, "kind": kind}).to_string();
    let made = admin.send("POST", "/api/v1/sources", Some(&body))?;
    let made = match made.status {
        201 => made.body,
        409 => {
            let id = find(admin, "/api/v1/sources", name)?.with_context(|| format!("the source {name} is gone"))?;
            admin.must("POST", &format!("/api/v1/sources/{id}/rotate"), None)?
        }
        status => anyhow::bail!("the source {name} was refused: {status} {}", said(&made.body)),
    };
    made["write_key"].as_str().map(str::to_string).context("the server gave no write key")
}

fn find(admin: &mut Client, list: &str, name: &str) -> anyhow::Result<Option<String>> {
    let all = admin.must("GET", list, None)?;
    let items = all["items"].as_array().cloned().unwrap_or_default();
    Ok(items.iter().find(|i| i["name"] == name).and_then(|i| i["id"].as_str()).map(str::to_string))
}

/// The id of a thing of this name, made if there is none.
fn named_thing(admin: &mut Client, list: &str, name: &str, body: Value) -> anyhow::Result<String> {
    if let Some(id) = find(admin, list, name)? {
        return Ok(id);
    }
    let made = admin.must("POST", list, Some(&body))?;
    made["id"].as_str().map(str::to_string).with_context(|| format!("{list} gave no id"))
}

/// Names the customers with the most orders; gives how many.
fn name_customers(admin: &mut Client, till: &mut Client, seed: &Seed) -> anyhow::Result<usize> {
    let mut ids = best_customers(admin, seed.customers)?;
    if ids.is_empty() {
        ids = (1..=seed.customers).map(|n| format!("demo-{n}")).collect();
    }
    let mut events = Vec::new();
    for (at, user) in ids.iter().enumerate() {
        let p = somebody(seed.seed, at);
        let traits = json!({"name": format!("{} {}", p.first, p.last), "firstName": p.first, "lastName": p.last,
            "email": p.email, "phone": p.phone, "city": p.city, "demo": true});
        let id = format!("demo:{}:{user}", seed.seed);
        events.push(json!({"type": "identify", "messageId": id, "userId": user, "traits": traits}));
        if p.agrees {
            let properties =
                json!({"channel": "email", "purpose": "marketing", "address": p.email, "wording": WORDING});
            events.push(json!({"type": "track", "event": "Consent Granted", "messageId": format!("{id}:consent"),
                "userId": user, "properties": properties}));
        }
    }
    for piece in events.chunks(100) {
        till.must("POST", "/v1/batch", Some(&json!({"batch": piece})))?;
    }
    Ok(ids.len())
}

/// User ids of the customers with the most orders.
fn best_customers(admin: &mut Client, wanted: usize) -> anyhow::Result<Vec<String>> {
    // Lists follow the log within seconds: right after an import the last rows may be on their way.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(15);
    while std::time::Instant::now() < until {
        let home = admin.must("GET", "/api/v1/home", None)?;
        let people = home["counts"]["people"].as_i64().unwrap_or(0);
        let page = admin.must("GET", "/api/v1/customers?sort=orders&limit=1", None)?;
        let listed = page["items"].as_array().is_some_and(|items| !items.is_empty());
        let all = page["total"].as_i64().is_none_or(|total| total >= people);
        if people == 0 || (listed && all) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let mut out = Vec::new();
    let mut cursor: Option<String> = None;
    while out.len() < wanted {
        let after = cursor.as_ref().map_or(String::new(), |c| format!("&cursor={c}"));
        let page = admin.must("GET", &format!("/api/v1/customers?sort=orders&limit=100{after}"), None)?;
        for row in page["items"].as_array().into_iter().flatten() {
            let Some(person) = row["person_id"].as_str() else { continue };
            let person = admin.must("GET", &format!("/api/v1/customers/{person}"), None)?;
            let identifiers = person["identifiers"].as_array().cloned().unwrap_or_default();
            let user = identifiers.iter().find(|i| i["kind"] == "user_id").and_then(|i| i["value"].as_str());
            out.extend(user.map(str::to_string));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_string()),
            None => break,
        }
    }
    out.truncate(wanted);
    Ok(out)
}
