//! `braid export person`: everything that is held of one person, by the server if one runs, else by itself.
use crate::client::Client;
use crate::erase::percent;
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server, store_hint};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use base::{Clock, SystemClock};
use serde_json::json;
use server::domain::{Domain, Start};
use server::personal::{self, Form, Language, Wanted};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Whose data, and where to.
#[derive(Debug, clap::Args)]
pub struct Person {
    #[command(flatten)]
    shop: ShopArgs,
    /// The number of the person, or of any of its profiles.
    #[arg(group = "whom", required = true)]
    id: Option<i64>,
    /// The person's e-mail.
    #[arg(long, group = "whom")]
    email: Option<String>,
    /// The person's telephone, in any spelling.
    #[arg(long, group = "whom")]
    phone: Option<String>,
    /// The person's user id.
    #[arg(long, group = "whom")]
    user_id: Option<String>,
    /// Writes a page for people instead of JSON.
    #[arg(long)]
    html: bool,
    /// The page's language: en or uk; the shop's without it.
    #[arg(long, value_parser = ["en", "uk"])]
    language: Option<String>,
    /// Writes here instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Person {
    fn by(&self) -> Option<(&'static str, &str)> {
        let given = [("email", &self.email), ("phone", &self.phone), ("user_id", &self.user_id)];
        given.into_iter().find_map(|(kind, value)| Some((kind, value.as_deref()?)))
    }
}

/// Runs it.
pub fn run(person: &Person, printer: &mut Printer) -> Outcome {
    let shop = Shop::find(&person.shop, Vec::new())?;
    match &person.out {
        None => write(person, &shop, printer.out()),
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            let mut out = BufWriter::new(file);
            write(person, &shop, &mut out)?;
            out.flush()?;
            Ok(())
        }
    }
}

fn write(person: &Person, shop: &Shop, out: &mut dyn Write) -> Outcome {
    match running_server(shop)? {
        Some((url, token)) => by_server(person, Client::new(&url, format!("Bearer {token}"))?, out),
        None => alone(person, shop, out),
    }
}

fn by_server(person: &Person, mut server: Client, out: &mut dyn Write) -> Outcome {
    let id = match (person.id, person.by()) {
        (Some(id), _) => id.to_string(),
        (None, Some((kind, value))) => {
            let found = server.must("GET", &format!("/api/v1/customers/lookup?{kind}={}", percent(value)), None)?;
            found["person_id"].as_str().unwrap_or_default().to_string()
        }
        (None, None) => return Err(Stop::bad_input(anyhow!("say who: a number, --email, --phone or --user-id"))),
    };
    let form = if person.html { "html" } else { "json" };
    let language = person.language.as_ref().map_or(String::new(), |l| format!("&language={l}"));
    Ok(server.download(&format!("/api/v1/customers/{id}/export?format={form}{language}"), out)?)
}

fn alone(person: &Person, shop: &Shop, out: &mut dyn Write) -> Outcome {
    let start = Start::new(&shop.config, shop.location()?, shop.sync, Arc::new(SystemClock), "braid export person");
    let domain = Domain::open(start).map_err(|e| {
        let hint = store_hint(&shop.folder, &e);
        Stop { hint, ..Stop::failed(e) }
    })?;
    let done = from(person, shop, &domain, out);
    domain.close();
    done
}

fn from(person: &Person, shop: &Shop, domain: &Domain, out: &mut dyn Write) -> Outcome {
    let id = match (person.id, person.by()) {
        (Some(id), _) => id,
        (None, by) => {
            let (kind, value) = by.map(|(k, v)| (k, v.to_string())).unwrap_or_default();
            let country = domain.settings().country;
            let found = domain.store().read(move |tx| {
                Ok::<_, db::DbError>(customers::lookup(tx, kind, &value, country)?.map(|(person, _)| person))
            });
            found.map_err(Stop::failed)?.ok_or_else(|| Stop::bad_input(anyhow!("nobody has this value")))?
        }
    };
    let form = if person.html { Form::Html } else { Form::Json };
    let language = Language::of(person.language.as_deref().unwrap_or(&shop.config.locale));
    let noted = domain.store().write(move |tx| {
        tx.flush_table::<customers::profiles::Profiles>()?;
        tx.flush_table::<segments::runtime::Memberships>()?;
        let Some(person) = tx.get::<customers::profiles::Profiles>(id)?.map(|p| p.person).filter(|p| *p != 0) else {
            return Ok(None);
        };
        let after = json!({"format": form.as_str(), "request": null});
        server::audit::note(tx, "this machine", ("export", "customer"), &person.to_string(), None, Some(&after))?;
        Ok::<_, db::DbError>(Some(person))
    });
    let Some(id) = noted.map_err(Stop::failed)? else {
        return Err(Stop::bad_input(anyhow!("nobody has the id {id}")));
    };
    let store = domain.store();
    let mut tx = personal::snapshot(store.location(), store.sync(), SystemClock.now()).map_err(Stop::failed)?;
    personal::write(&mut tx, domain.preparer(), Wanted { id, form, language }, out).map_err(Stop::failed)?;
    Ok(())
}
