//! Pull, diff and push against a running server.
use super::Server;
use super::compare::{Line, lines};
use super::files::{self, Filed, Folder, Key, Pulled};
use crate::client::{Client, said};
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, running_server};
use crate::stop::{Outcome, Stop};
use anyhow::{Context, anyhow};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A setting as the server has it.
struct Standing {
    value: Map<String, Value>,
    hash: String,
}

type There = BTreeMap<Key, Standing>;

fn connect(server: &Server) -> Result<Client, Stop> {
    if let (Some(url), Some(key)) = (&server.server, &server.key) {
        return Client::trusting(url, format!("Bearer {key}"), server.ca.as_deref());
    }
    let dir = server.dir.clone().unwrap_or_default();
    let shop = Shop::find(&ShopArgs { dir, database: None, unsafe_fast: false }, Vec::new())?;
    let Some((url, token)) = running_server(&shop)? else {
        let folder = shop.folder.display();
        return Err(Stop::failed(anyhow!("no server of {folder} runs")).hint(format!("braid serve {folder}")));
    };
    Client::trusting(&url, format!("Bearer {}", token.trim()), server.ca.as_deref())
}

fn standing(client: &mut Client, printer: &mut Printer) -> anyhow::Result<There> {
    let answer = client.must("GET", "/api/v1/configuration", None)?;
    for double in answer["doubles"].as_array().into_iter().flatten() {
        let word = |name: &str| double[name].as_str().unwrap_or_default().to_string();
        printer.note(format!("left out: there are several of {}", shown(&(word("kind"), word("name")))));
    }
    let mut out = There::new();
    for item in answer["items"].as_array().context("the server sent no list")? {
        let word =
            |name: &str| item[name].as_str().map(str::to_string).with_context(|| format!("a setting without {name}"));
        let value = item["value"].as_object().cloned().context("a setting without fields")?;
        out.insert((word("kind")?, word("name")?), Standing { value, hash: word("hash")? });
    }
    Ok(out)
}

fn shown(key: &Key) -> String {
    if key.1.is_empty() { key.0.clone() } else { format!("{} {:?}", key.0, key.1) }
}

fn read(folder: &Path) -> Result<Folder, Stop> {
    if !folder.is_dir() {
        let error = anyhow!("there is no folder {}", folder.display());
        return Err(Stop::bad_input(error).hint("braid config pull shop --to FOLDER"));
    }
    files::read(folder).map_err(Stop::bad_input)
}

/// Whether a file still says what the last pull wrote.
fn is_as_pulled(folder: &Folder, key: &Key, filed: &Filed) -> bool {
    folder.pulled.get(key).is_some_and(|p| p.text == files::text(&key.1, &filed.value))
}

/// Writes the server's settings into a folder.
pub fn pull(server: &Server, to: &Path, force: bool, printer: &mut Printer) -> Outcome {
    let mut client = connect(server)?;
    let there = standing(&mut client, printer)?;
    let known = if to.exists() { read(to)? } else { Folder::default() };
    let mut edited: Vec<String> = Vec::new();
    for (key, filed) in &known.settings {
        let as_there =
            there.get(key).is_some_and(|s| files::text(&key.1, &s.value) == files::text(&key.1, &filed.value));
        if !as_there && !is_as_pulled(&known, key, filed) {
            edited.push(to.join(&filed.path).display().to_string());
        }
    }
    if !edited.is_empty() && !force {
        let error = anyhow!("changed since the last pull: {}", edited.join(", "));
        return Err(Stop::failed(error).hint("push them first, pull into another folder, or add --force"));
    }
    let mut taken: BTreeSet<PathBuf> = known.settings.values().map(|f| f.path.clone()).collect();
    let (mut pulled, mut written) = (Vec::new(), 0);
    for (key, setting) in &there {
        let path = match known.settings.get(key) {
            Some(filed) => filed.path.clone(),
            None => files::place(key, &taken)?,
        };
        taken.insert(path.clone());
        let text = files::text(&key.1, &setting.value);
        if known.settings.get(key).is_none_or(|f| files::text(&key.1, &f.value) != text) {
            files::write(to, &path, &text)?;
            written += 1;
        }
        pulled.push(Pulled { kind: key.0.clone(), name: key.1.clone(), hash: setting.hash.clone(), text });
    }
    let mut removed = 0;
    for (key, filed) in known.settings.iter().filter(|(key, _)| !there.contains_key(*key)) {
        // Pulled before, gone from the shop now. A file that was never pushed stays: it is somebody's draft.
        if known.pulled.contains_key(key) {
            std::fs::remove_file(to.join(&filed.path))?;
            removed += 1;
        }
    }
    files::remember(to, &pulled)?;
    printer.line(format!("{} settings, {written} files written, {removed} removed", there.len()))?;
    Ok(())
}

/// What differs, as lines; empty when nothing does.
fn differences(folder: &Folder, there: &There) -> Vec<String> {
    let mut out = Vec::new();
    let keys: BTreeSet<&Key> = folder.settings.keys().chain(there.keys()).collect();
    for key in keys {
        match (there.get(key), folder.settings.get(key)) {
            (Some(_), None) => {
                out.push(format!("- {} (only in the shop; a push leaves it, unless --prune)", shown(key)))
            }
            (None, Some(filed)) => out.push(format!("+ {} ({})", shown(key), filed.path.display())),
            (Some(setting), Some(filed)) => {
                let (old, new) = (files::text(&key.1, &setting.value), files::text(&key.1, &filed.value));
                if old == new {
                    continue;
                }
                let moved = folder.pulled.get(key).is_some_and(|p| p.hash != setting.hash);
                let note = if moved { ", and changed in the shop since the pull" } else { "" };
                out.push(format!("~ {} ({}{note})", shown(key), filed.path.display()));
                out.extend(lines(&old, &new).into_iter().filter_map(|line| match line {
                    Line::Same(_) => None,
                    Line::Gone(text) => Some(format!("    - {text}")),
                    Line::New(text) => Some(format!("    + {text}")),
                }));
            }
            (None, None) => {}
        }
    }
    out
}

/// Says how a folder differs from the server.
pub fn diff(server: &Server, from: &Path, printer: &mut Printer) -> Outcome {
    let folder = read(from)?;
    let there = standing(&mut connect(server)?, printer)?;
    let found = differences(&folder, &there);
    for line in &found {
        printer.line(line)?;
    }
    if found.is_empty() { Ok(()) } else { Err(Stop::silent(1)) }
}

/// How a push is made.
#[derive(Debug, Clone, Copy)]
pub struct Push {
    pub dry_run: bool,
    pub force: bool,
    /// What the folder does not hold is archived.
    pub prune: bool,
    /// Nobody is asked.
    pub yes: bool,
}

/// A step of a push, as the server says it.
struct Step {
    action: String,
    key: Key,
}

/// Makes the server as a folder says.
pub fn push(server: &Server, from: &Path, how: Push, printer: &mut Printer) -> Outcome {
    let folder = read(from)?;
    let mut client = connect(server)?;
    if how.prune && !how.dry_run && !how.yes {
        let planned = send(&mut client, &folder, Push { dry_run: true, ..how })?;
        let gone: Vec<&Step> = planned.iter().filter(|s| s.action == "archive").collect();
        for step in &planned {
            printer.line(format!("{} {}", step.action, shown(&step.key)))?;
        }
        if !gone.is_empty() && !agreed(gone.len())? {
            let error = anyhow!("nothing was changed: {} would be archived", gone.len());
            return Err(Stop::failed(error).hint("add --yes to do it without a question"));
        }
    }
    let steps = send(&mut client, &folder, how)?;
    // What was shown before the question is not shown twice.
    if how.dry_run || !how.prune || how.yes {
        for step in &steps {
            printer.line(format!("{} {}", step.action, shown(&step.key)))?;
        }
    }
    printer.line(match (steps.len(), how.dry_run) {
        (0, _) => "the shop is as the folder says".to_string(),
        (n, true) => format!("{n} would change; nothing was changed"),
        (n, false) => format!("{n} changed"),
    })?;
    if !how.dry_run {
        // What stands now is what later changes are held against.
        let there = standing(&mut client, printer)?;
        let now = |(key, s): (&Key, &Standing)| Pulled {
            kind: key.0.clone(),
            name: key.1.clone(),
            hash: s.hash.clone(),
            text: files::text(&key.1, &s.value),
        };
        let ours =
            there.iter().filter(|(key, _)| folder.settings.contains_key(*key) || folder.pulled.contains_key(*key));
        files::remember(from, &ours.map(now).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Sends a folder; gives what changes, or would.
fn send(client: &mut Client, folder: &Folder, how: Push) -> Result<Vec<Step>, Stop> {
    let keys: Vec<&Key> = folder.settings.keys().collect();
    let item = |(key, filed): (&Key, &Filed)| json!({"kind": key.0, "name": key.1, "value": filed.value});
    let base = |p: &Pulled| json!({"kind": p.kind, "name": p.name, "hash": p.hash});
    let body = json!({
        "items": folder.settings.iter().map(item).collect::<Vec<_>>(),
        "base": folder.pulled.values().map(base).collect::<Vec<_>>(),
        "dry_run": how.dry_run, "force": how.force, "prune": how.prune,
    });
    let answer = client.send("POST", "/api/v1/configuration", Some(&body.to_string()))?;
    if !(200..300).contains(&answer.status) {
        return Err(refused(&answer.body, answer.status, &keys, folder));
    }
    let step = |step: &Value| {
        let word = |name: &str| step[name].as_str().unwrap_or_default().to_string();
        Step { action: word("action"), key: (word("kind"), word("name")) }
    };
    let steps = answer.body["items"].as_array().into_iter().flatten().map(step);
    Ok(steps.filter(|s| s.action != "same").collect())
}

/// Asks whether so many things may go; where nobody can answer, they may not.
fn agreed(count: usize) -> Result<bool, Stop> {
    use std::io::{IsTerminal, Write};
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Ok(false);
    }
    let mut question = std::io::stderr();
    write!(question, "Archive {count} that the folder does not hold? [y/N] ").and_then(|()| question.flush())?;
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A refusal with the files that it is about.
fn refused(body: &Value, status: u16, keys: &[&Key], folder: &Folder) -> Stop {
    let place = |error: &Value| -> Option<String> {
        let mut parts = error["pointer"].as_str()?.split('/').skip(1);
        let at: usize = parts.nth(1)?.parse().ok()?;
        let field = parts.skip(1).collect::<Vec<_>>().join(".");
        let file = folder.settings.get(*keys.get(at)?)?.path.display();
        let detail = error["detail"].as_str().unwrap_or_default();
        let line = error["line"].as_i64().map(|l| format!(" line {l}")).unwrap_or_default();
        Some(if field.is_empty() { format!("{file}: {detail}") } else { format!("{file}: {field}{line}: {detail}") })
    };
    let places: Vec<String> = body["errors"].as_array().into_iter().flatten().filter_map(place).collect();
    let text = if places.is_empty() { said(body) } else { places.join("\n") };
    let error = anyhow!("nothing was changed\n{text}");
    match status {
        412 => Stop::failed(error).hint("braid config pull into another folder and compare, or push with --force"),
        401 | 403 => Stop::failed(error).hint("this needs an owner's key"),
        400..=499 => Stop::bad_input(error),
        _ => Stop::failed(error),
    }
}
