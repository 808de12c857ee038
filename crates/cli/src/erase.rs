//! `braid erase`: forgets a person, by the server if one runs, else by itself.
use crate::client::Client;
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server, store_hint};
use crate::stop::{Outcome, Stop};
use anyhow::anyhow;
use base::SystemClock;
use pipeline::erasure::{self, EraseError, manifest};
use serde_json::json;
use server::domain::{Domain, Start};
use std::sync::Arc;

/// Forgets a person: profiles, events, messages, searches. It cannot be undone.
///
/// Example: braid erase shop --email ann@example.com --reason "request 12" --yes
#[derive(Debug, clap::Args)]
pub struct Erase {
    #[command(flatten)]
    shop: ShopArgs,
    /// The person's e-mail.
    #[arg(long, group = "who")]
    email: Option<String>,
    /// The person's telephone, in any spelling.
    #[arg(long, group = "who")]
    phone: Option<String>,
    /// The person's user id.
    #[arg(long, group = "who")]
    user_id: Option<String>,
    /// The number of the person, or of any of its profiles.
    #[arg(long, group = "who")]
    id: Option<i64>,
    /// Why, for the audit. Name nobody here.
    #[arg(long, default_value = "erased on the command line")]
    reason: String,
    /// Erases; without it only says who would be.
    #[arg(long)]
    yes: bool,
    /// Only ends erasures that were begun: the log, the tables, the disk.
    #[arg(long)]
    finish: bool,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(erase: &Erase, printer: &mut Printer) -> Outcome {
    let shop = Shop::find(&erase.shop, Vec::new())?;
    let given = [("email", &erase.email), ("phone", &erase.phone), ("user_id", &erase.user_id)];
    let by = given.iter().find_map(|(kind, value)| Some((*kind, value.as_ref()?.as_str())));
    if by.is_none() && erase.id.is_none() && !erase.finish {
        return Err(Stop::bad_input(anyhow!("say who: --email, --phone, --user-id or --id")));
    }
    match running_server(&shop)? {
        Some((url, token)) => by_server(erase, by, Client::new(&url, format!("Bearer {token}"))?, printer),
        None => alone(erase, by, &shop, printer),
    }
}

fn by_server(erase: &Erase, by: Option<(&str, &str)>, mut server: Client, printer: &mut Printer) -> Outcome {
    if erase.finish {
        return Err(Stop::failed(anyhow!("the server ends erasures by itself; stop it to write the database anew")));
    }
    let id = match (erase.id, by) {
        (Some(id), _) => id.to_string(),
        (None, Some((kind, value))) => {
            let value = percent(value);
            let found = server.must("GET", &format!("/api/v1/customers/lookup?{kind}={value}"), None)?;
            found["person_id"].as_str().unwrap_or_default().to_string()
        }
        (None, None) => return Ok(()),
    };
    if !erase.yes {
        return would(&id, erase.json, printer);
    }
    let body = json!({"reason": erase.reason});
    let done = server.must("POST", &format!("/api/v1/customers/{id}/erasure"), Some(&body))?;
    say(&id, done["job_id"].as_str().unwrap_or_default(), None, erase.json, printer)
}

/// A value as it stands in an address.
pub fn percent(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    value.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn would(id: &str, json: bool, printer: &mut Printer) -> Outcome {
    if json {
        return printer.json(&json!({"person_id": id, "erased": false}));
    }
    printer.line(format!("person {id} would be erased; add --yes to do it"))
}

fn say(id: &str, job: &str, left: Option<usize>, json: bool, printer: &mut Printer) -> Outcome {
    if json {
        return printer.json(&json!({"person_id": id, "erased": true, "job_id": job, "left_on_disk": left}));
    }
    printer.line(match left {
        None => format!("person {id} is erased; job {job} goes through the log and the disk"),
        Some(0) => format!("person {id} is erased, and nothing is left on the disk"),
        Some(left) => format!("person {id} is erased; {left} values are still found in the database's files"),
    })
}

fn alone(erase: &Erase, by: Option<(&str, &str)>, shop: &Shop, printer: &mut Printer) -> Outcome {
    let start = Start::new(&shop.config, shop.location()?, shop.sync, Arc::new(SystemClock), "braid erase");
    let domain = Domain::open(start).map_err(|e| {
        let hint = store_hint(&shop.folder, &e);
        Stop { hint, ..Stop::failed(e) }
    })?;
    let file = shop.folder.join(manifest::FILE);
    manifest::catch_up(domain.core(), &file).map_err(Stop::failed)?;
    let mut erased = None;
    if let Some(id) = find(erase, by, &domain)? {
        if !erase.yes {
            domain.close();
            return would(&id.to_string(), erase.json, printer);
        }
        let (preparer, reason) = (domain.preparer().clone(), erase.reason.clone());
        let job = domain.store().write(move |tx| {
            let job = erasure::begin(tx, &preparer, id)?;
            let after = json!({"job": job.to_string(), "reason": reason});
            server::audit::note(tx, "this machine", ("erase", "customer"), &id.to_string(), None, Some(&after))?;
            Ok::<_, EraseError>(job)
        });
        let job = job.map_err(Stop::failed)?;
        manifest::catch_up(domain.core(), &file).map_err(Stop::failed)?;
        erased = Some((id, job));
    }
    let found = erasure::finish(domain.core()).map_err(Stop::failed)?;
    domain.close();
    match erased {
        Some((id, job)) => say(&id.to_string(), &job.to_string(), Some(found.left), erase.json, printer),
        None if erase.json => printer.json(&json!({"left_on_disk": found.left})),
        None => printer.line(format!("{} values are left in the database's files", found.left)),
    }
}

fn find(erase: &Erase, by: Option<(&str, &str)>, domain: &Domain) -> Result<Option<i64>, Stop> {
    if erase.id.is_some() {
        return Ok(erase.id);
    }
    let Some((kind, value)) = by else { return Ok(None) };
    let (kind, value) = (kind.to_string(), value.to_string());
    let country = domain.settings().country;
    let found = domain
        .store()
        .read(move |tx| Ok::<_, db::DbError>(customers::lookup(tx, &kind, &value, country)?.map(|(person, _)| person)));
    match found.map_err(Stop::failed)? {
        Some(person) => Ok(Some(person)),
        None => Err(Stop::bad_input(anyhow!("nobody has this value"))),
    }
}
