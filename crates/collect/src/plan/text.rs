//! The text of a plan: one statement a line; properties of an event stand indented below it.
use super::{Action, EventPlan, Expected, Kind, Mode, PRESETS, Path, Plan, Rule, Segment};
use crate::limits::NAME_CHARS_MAX;
use std::fmt::Write;

/// Bytes of a plan's text.
pub const TEXT_MAX: usize = 256 << 10;
/// Aliases, rules, events, and properties of one event, each.
const ENTRIES_MAX: usize = 500;
/// Steps of a path.
const STEPS_MAX: usize = 6;
/// Consent is stated by whoever has it: no other event becomes one, and none becomes another.
const CONSENT: [&str; 3] = ["Consent Granted", "Consent Revoked", "Unsubscribed"];

/// Why a text is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {detail}")]
pub struct PlanError {
    /// From 1.
    pub line: usize,
    pub detail: String,
}

impl Plan {
    /// Reads a plan's text.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        if text.len() > TEXT_MAX {
            return Err(PlanError { line: 1, detail: format!("the plan is larger than {} KiB", TEXT_MAX >> 10) });
        }
        let mut plan = Plan::default();
        let mut current: Option<String> = None;
        for (at, line) in text.lines().enumerate() {
            let said = |detail: String| PlanError { line: at + 1, detail };
            let indented = line.starts_with([' ', '\t']);
            let tokens = tokens(line).map_err(said)?;
            if tokens.is_empty() {
                continue;
            }
            if indented {
                let event = current.as_ref().ok_or_else(|| said("a property stands below an event".into()))?;
                let event = plan.events.entry(event.clone()).or_default();
                let expected = property(&tokens).map_err(said)?;
                if event.properties.iter().any(|p| p.name == expected.name) {
                    return Err(said(format!("{} stands twice below this event", expected.name)));
                }
                if event.properties.len() >= ENTRIES_MAX {
                    return Err(said(format!("an event may have {ENTRIES_MAX} properties")));
                }
                event.properties.push(expected);
                continue;
            }
            current = statement(&mut plan, &tokens).map_err(said)?;
            if plan.aliases.len().max(plan.rules.len()).max(plan.events.len()) > ENTRIES_MAX {
                return Err(said(format!("a plan may have {ENTRIES_MAX} aliases, rules and events each")));
            }
        }
        Ok(plan)
    }

    /// The plan as a text, which reads as the same plan.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "unknown events {}", self.unknown.as_str());
        let _ = writeln!(out, "required missing over {} %", self.missing_percent);
        for preset in &self.presets {
            let _ = writeln!(out, "preset {preset}");
        }
        for (from, to) in &self.aliases {
            let _ = writeln!(out, "alias {} = {}", quoted(from), quoted(to));
        }
        for rule in &self.rules {
            let event = rule.event.as_ref().map_or("*".to_string(), |e| quoted(e));
            let _ = match &rule.action {
                Action::Rename { from, to } => writeln!(out, "rename {event} {} -> {}", path_text(from), path_text(to)),
                Action::Set { path, value } => writeln!(out, "set {event} {} = {value}", path_text(path)),
                Action::Divide { path, by } => writeln!(out, "divide {event} {} by {by}", path_text(path)),
                Action::Lift { path } => writeln!(out, "lift {event} {}", path_text(path)),
            };
        }
        for (name, event) in &self.events {
            let _ = writeln!(out, "event {} {}", quoted(name), event.mode.as_str());
            for p in &event.properties {
                let required = if p.required { " required" } else { "" };
                let _ = writeln!(out, "  {} {}{required}", word(&p.name), p.kind.as_str());
            }
        }
        out
    }
}

/// A word, or a JSON string in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
}

impl Token {
    fn word(&self) -> &str {
        match self {
            Token::Word(w) => w,
            Token::Text(_) => "",
        }
    }
    fn value(&self) -> &str {
        match self {
            Token::Word(v) | Token::Text(v) => v,
        }
    }
}

fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() && !rest.starts_with('#') {
        if rest.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let text = values.next().and_then(Result::ok).ok_or("a quoted text does not end")?;
            if text.contains('\0') {
                return Err("a text holds U+0000".into());
            }
            rest = &rest[values.byte_offset()..];
            out.push(Token::Text(text));
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            out.push(Token::Word(rest[..end].to_string()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(out)
}

/// Takes a statement in; gives the event whose properties may follow.
fn statement(plan: &mut Plan, tokens: &[Token]) -> Result<Option<String>, String> {
    let words: Vec<&str> = tokens.iter().map(Token::word).collect();
    match words.as_slice() {
        ["unknown", "events", mode] => plan.unknown = a_mode(mode)?,
        ["required", "missing", "over", rest @ ..] => {
            let text = rest.concat();
            let percent = text.strip_suffix('%').and_then(|n| n.parse().ok()).filter(|n| *n <= 100);
            plan.missing_percent = percent.ok_or("write: required missing over 5 %")?;
        }
        ["preset", name] => {
            if !PRESETS.iter().any(|p| p.name == *name) {
                let known: Vec<&str> = PRESETS.iter().map(|p| p.name).collect();
                return Err(format!("{name} is no preset; there are {}", known.join(", ")));
            }
            if !plan.presets.iter().any(|p| p == name) {
                plan.presets.push((*name).to_string());
            }
        }
        ["alias", _, "=", _] => {
            let (from, to) = (name(&tokens[1])?, name(&tokens[3])?);
            if let Some(consent) = [&from, &to].into_iter().find(|n| CONSENT.contains(&n.as_str())) {
                return Err(format!("{consent} is about consent, which a source must state by itself"));
            }
            if plan.aliases.insert(from.clone(), to).is_some() {
                return Err(format!("{from} has an alias already"));
            }
        }
        ["event", _, rest @ ..] => {
            let event = name(&tokens[1])?;
            let mode = match rest {
                [] => Mode::Observe,
                [mode] => a_mode(mode)?,
                _ => return Err("write: event \"Name\" observe, warn or block".into()),
            };
            if plan.events.insert(event.clone(), EventPlan { mode, properties: Vec::new() }).is_some() {
                return Err(format!("{event} stands twice in the plan"));
            }
            return Ok(Some(event));
        }
        ["rename" | "set" | "divide" | "lift", ..] => plan.rules.push(rule(tokens)?),
        _ => {
            return Err(
                "a line begins with unknown, required, preset, alias, rename, set, divide, lift or event".into()
            );
        }
    }
    Ok(None)
}

fn rule(tokens: &[Token]) -> Result<Rule, String> {
    let event = match tokens.get(1) {
        Some(Token::Word(w)) if w == "*" => None,
        Some(token @ Token::Text(_)) => Some(name(token)?),
        _ => return Err("the event stands in quotes, or * for every event".into()),
    };
    if let Some(consent) = event.as_deref().filter(|e| CONSENT.contains(e)) {
        return Err(format!("{consent} is about consent, which a source must state by itself"));
    }
    let words: Vec<&str> = tokens.iter().map(Token::word).collect();
    let action = match (words[0], words.get(2..).unwrap_or_default()) {
        ("rename", [from, "->", to]) => {
            let (from, to) = (path(from)?, path(to)?);
            let lists = |p: &Path| p.iter().rposition(|s| s.each).map(|at| p[..=at].to_vec());
            if lists(&from) != lists(&to) || from.last().is_some_and(|s| s.each) || to.last().is_some_and(|s| s.each) {
                return Err("up to the last [] both paths must be the same; rename the list itself first".into());
            }
            if from == to {
                return Err("both paths are the same".into());
            }
            Action::Rename { from, to }
        }
        ("set", [at, "=", ..]) if tokens.len() == 5 => {
            let value = match &tokens[4] {
                Token::Text(text) => quoted(text),
                Token::Word(w) => serde_json::from_str::<&serde_json::value::RawValue>(w)
                    .map(|raw| raw.get().to_string())
                    .map_err(|_| format!("{w} is no JSON value; a text stands in quotes"))?,
            };
            Action::Set { path: path(at)?, value }
        }
        ("divide", [at, "by", by]) => match by.parse() {
            Ok(by @ (10 | 100 | 1000)) => Action::Divide { path: path(at)?, by },
            _ => return Err("money is divided by 10, 100 or 1000".into()),
        },
        ("lift", [at]) => Action::Lift { path: path(at)? },
        ("rename", _) => return Err("write: rename \"Event\" from -> to".into()),
        ("set", _) => return Err("write: set \"Event\" property = value".into()),
        ("divide", _) => return Err("write: divide \"Event\" property by 100".into()),
        _ => return Err("write: lift \"Event\" list".into()),
    };
    Ok(Rule { event, action })
}

fn property(tokens: &[Token]) -> Result<Expected, String> {
    let usage = "write: name text, number, bool, list, object or any, and perhaps required";
    let [name, kind, rest @ ..] = tokens else { return Err(usage.into()) };
    let required = match rest {
        [] => false,
        [Token::Word(w)] if w == "required" => true,
        _ => return Err(usage.into()),
    };
    let kind = Kind::parse(kind.word()).ok_or(usage)?;
    let name = name.value().to_string();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(format!("a property's name has 1 to {NAME_CHARS_MAX} characters"));
    }
    Ok(Expected { name, kind, required })
}

fn a_mode(word: &str) -> Result<Mode, String> {
    Mode::parse(word).ok_or_else(|| format!("{word:.40} is not observe, warn or block"))
}

fn name(token: &Token) -> Result<String, String> {
    let Token::Text(text) = token else { return Err("an event's name stands in quotes".into()) };
    if text.trim().is_empty() || text.chars().count() > NAME_CHARS_MAX {
        return Err(format!("an event's name has 1 to {NAME_CHARS_MAX} characters"));
    }
    Ok(text.clone())
}

pub(super) fn path(text: &str) -> Result<Path, String> {
    let steps: Path = text
        .split('.')
        .map(|step| match step.strip_suffix("[]") {
            Some(name) => Segment { name: name.into(), each: true },
            None => Segment { name: step.into(), each: false },
        })
        .collect();
    let plain = |s: &Segment| !s.name.is_empty() && !s.name.contains(['[', ']', '"', '#', '*']) && s.name.len() <= 200;
    if steps.len() > STEPS_MAX || !steps.iter().all(plain) || text.is_empty() {
        return Err(format!("{text:.60} is no path; write total, address.city or products[].price"));
    }
    Ok(steps)
}

fn path_text(path: &Path) -> String {
    let step = |s: &Segment| format!("{}{}", s.name, if s.each { "[]" } else { "" });
    path.iter().map(step).collect::<Vec<_>>().join(".")
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".into())
}

/// A property's name, in quotes where it is no plain word.
fn word(name: &str) -> String {
    let plain = name.chars().all(|c| !c.is_whitespace() && c != '"' && c != '#');
    if plain { name.to_string() } else { quoted(name) }
}
