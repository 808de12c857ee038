//! Making the shop as the settings say, in one transaction: all of it or nothing.
use super::read::{fields, made_name};
use super::{Action, Setting, SettingKind, Standing, decide, is_pristine, read};
use crate::api::messages as wire;
use crate::change::Line;
use crate::policy::Policy;
use crate::problem::{BAD_INPUT, CHANGED_MEANWHILE, CONFLICT, FieldError, Problem};
use crate::shop::{Profile, Store};
use crate::sources::{self, SourceKind};
use customers::derived::Thresholds;
use customers::privacy::purposes;
use customers::rules::{self, RulesData};
use db::Tx;
use messaging::commands as messages;
use messaging::lists;
use messaging::model::{Cap, QuietHours, RuleDraft, Template, TemplateDraft};
use pipeline::Preparer;
use pipeline::facts::Facts;
use pipeline::sources::{PutError, observe, put};
use segments::runtime::commands::{self as people, SegmentError};
use segments::runtime::definitions;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What somebody wants.
pub struct Wanted {
    pub items: Vec<Setting>,
    /// Hashes of what stood in the shop when the items were written.
    pub base: BTreeMap<(SettingKind, String), String>,
    /// Changes that others made meanwhile are written over.
    pub force: bool,
    /// What the items do not name goes, where it can.
    pub prune: bool,
    /// Who wants it.
    pub actor: String,
}

/// What was done with each item, what went besides, and the lines for the audit.
pub type Applied = (Vec<Action>, Vec<(SettingKind, String)>, Vec<Line>);

/// Decides about each item and, where no decision is a conflict, does it. A refusal may come after writes: the transaction
/// that it stands in must be undone then.
pub fn apply(tx: &mut Tx, wanted: &Wanted, preparer: &Arc<Preparer>) -> Result<Applied, Problem> {
    let Standing { items: there, doubles } = read(tx)?;
    let mut seen = HashSet::new();
    if let Some(at) = wanted.items.iter().position(|item| !seen.insert(item.key())) {
        return Err(at_item(at, &wanted.items[at], BAD_INPUT.because("it is there twice")));
    }
    let unclear = |item: &Setting| doubles.iter().any(|(kind, name)| item.key() == (*kind, name));
    if let Some(at) = wanted.items.iter().position(unclear) {
        let why = "there are several of this name in the shop: give them names of their own first";
        return Err(at_item(at, &wanted.items[at], CONFLICT.because(why)));
    }
    let decided: Vec<Action> = wanted
        .items
        .iter()
        .map(|item| {
            let known = there.iter().find(|t| t.key() == item.key());
            let (hash, base) = (known.map(Setting::hash), wanted.base.get(&(item.kind, item.name.clone())));
            let pristine = known.is_some_and(is_pristine);
            decide(hash.as_deref(), &item.hash(), base.map(String::as_str), pristine, wanted.force)
        })
        .collect();
    let moved = decided.iter().enumerate().filter(|(_, a)| **a == Action::Conflict).map(|(at, _)| at);
    let errors: Vec<FieldError> = moved
        .map(|at| FieldError {
            pointer: format!("/items/{at}"),
            detail: format!("{} was changed in the shop since it was pulled", wanted.items[at].shown()),
            offset: None,
            line: None,
        })
        .collect();
    if !errors.is_empty() {
        let detail = errors.iter().map(|e| e.detail.clone()).collect::<Vec<_>>().join("; ");
        return Err(Problem { errors, ..CHANGED_MEANWHILE.because(detail) });
    }
    let gone = super::prune::unnamed(wanted, &there)?;
    tx.will_write();
    let mut lines = Vec::new();
    let mut open: Vec<usize> = (0..wanted.items.len()).filter(|at| decided[*at] != Action::Same).collect();
    open.sort_by_key(|at| wanted.items[*at].kind);
    // A segment may name one that comes later: as long as something was done, what had to wait is tried again.
    while !open.is_empty() {
        let (before, mut waiting, mut reason) = (open.len(), Vec::new(), None);
        for at in open {
            let item = &wanted.items[at];
            match one(tx, item, preparer, &wanted.actor) {
                Ok(()) => {
                    let known = there.iter().find(|t| t.key() == item.key());
                    lines.push(Line {
                        what: (if known.is_some() { "update" } else { "create" }, item.kind.as_str()),
                        subject: item.name.clone(),
                        before: known.map(|k| Value::Object(k.value.clone())),
                        after: Some(Value::Object(item.value.clone())),
                    });
                }
                Err(Stuck::Wait(problem)) => {
                    reason.get_or_insert((at, problem));
                    waiting.push(at);
                }
                Err(Stuck::Refused(problem)) => return Err(at_item(at, item, problem)),
            }
        }
        if let Some((at, problem)) = reason.filter(|_| waiting.len() == before) {
            return Err(at_item(at, &wanted.items[at], problem));
        }
        open = waiting;
    }
    // Last, so that what pointed at something that goes points elsewhere by now.
    lines.extend(super::prune::archive(tx, &gone)?);
    preparer.follow(tx)?;
    Ok((decided, gone.into_iter().map(|s| (s.kind, s.name.clone())).collect(), lines))
}

/// The problem with the place of its item before its own.
fn at_item(at: usize, item: &Setting, problem: Problem) -> Problem {
    let place = |pointer: &str| format!("/items/{at}/value{pointer}");
    let mut errors: Vec<FieldError> =
        problem.errors.iter().map(|e| FieldError { pointer: place(&e.pointer), ..e.clone() }).collect();
    if errors.is_empty() {
        errors.push(FieldError { pointer: place(""), detail: problem.detail.clone(), offset: None, line: None });
    }
    Problem { errors, detail: format!("{}: {}", item.shown(), problem.detail), ..problem }
}

enum Stuck {
    /// It names something that may come later.
    Wait(Problem),
    Refused(Problem),
}

impl From<Problem> for Stuck {
    fn from(problem: Problem) -> Self {
        Stuck::Refused(problem)
    }
}

impl From<db::DbError> for Stuck {
    fn from(error: db::DbError) -> Self {
        Stuck::Refused(error.into())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopValue {
    name: String,
    #[serde(default)]
    stores: Vec<Store>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapsValue {
    items: Vec<Cap>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceValue {
    kind: SourceKind,
    #[serde(default)]
    observe_only: bool,
    #[serde(default)]
    plan: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentValue {
    expression: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateValue {
    channel: String,
    subject: String,
    #[serde(default)]
    body_html: String,
    #[serde(default)]
    body_text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleValue {
    segment: String,
    template: String,
    channel: String,
    purpose: String,
    #[serde(default)]
    topic: String,
    once: bool,
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PurposeValue {
    ground: String,
    categories: String,
    retention: String,
    recipients: String,
    #[serde(default)]
    archived: bool,
}

fn value<T: DeserializeOwned>(item: &Setting) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(item.value.clone())).map_err(|e| {
        let pointer = format!("/{}", e.path().to_string().replace('.', "/"));
        BAD_INPUT.at(if pointer == "//" { "" } else { &pointer }, e.inner().to_string())
    })
}

/// Brings one setting to the shop.
fn one(tx: &mut Tx, item: &Setting, preparer: &Arc<Preparer>, actor: &str) -> Result<(), Stuck> {
    if item.kind.is_single() != item.name.is_empty() {
        let why = if item.kind.is_single() { "there is one of this kind, without a name" } else { "it has no name" };
        return Err(BAD_INPUT.because(why).into());
    }
    match item.kind {
        SettingKind::Shop => {
            let ShopValue { name, stores } = value(item)?;
            let fresh = Profile { name, stores, set: true };
            fresh.check().map_err(|(at, why)| BAD_INPUT.at(&at, why))?;
            fresh.store(tx.engine())?;
        }
        SettingKind::Security => {
            let fresh: Policy = value(item)?;
            fresh.check().map_err(|(at, why)| BAD_INPUT.at(at, why))?;
            fresh.store(tx.engine())?;
        }
        SettingKind::Profile => {
            let fresh: Thresholds = value(item)?;
            fresh.check().map_err(|bad| BAD_INPUT.at(&format!("/{}", bad.field), bad.detail))?;
            let text = Value::Object(fields(&fresh)).to_string();
            db::settings::set(tx.engine(), definitions::THRESHOLDS, &text)?;
            definitions::reload(tx)?;
            people::refill_facts(tx)?;
        }
        SettingKind::Identity => {
            let fresh: RulesData = value(item)?;
            fresh.check().map_err(|e| BAD_INPUT.at(&e.pointer, e.detail))?;
            rules::set(tx, &fresh, actor)?;
        }
        SettingKind::Caps => {
            let CapsValue { items } = value(item)?;
            messages::put_caps(tx, &items).map_err(wire::refused)?;
        }
        SettingKind::QuietHours => {
            let hours: QuietHours = value(item)?;
            messages::put_quiet_hours(tx, Some(hours)).map_err(wire::refused)?;
        }
        SettingKind::Source => source(tx, item, actor)?,
        SettingKind::Segment => segment(tx, item)?,
        SettingKind::Template => template(tx, item)?,
        SettingKind::MessageRule => rule(tx, item, preparer)?,
        SettingKind::Purpose => purpose(tx, item)?,
    }
    Ok(())
}

fn source(tx: &mut Tx, item: &Setting, actor: &str) -> Result<(), Problem> {
    let SourceValue { kind, observe_only, plan } = value(item)?;
    if kind == SourceKind::System || item.name.chars().count() > 200 {
        return Err(
            BAD_INPUT.at("/kind", "a source is for browser, server or import, with a name of 200 characters at most")
        );
    }
    let known = match sources::find(tx, &item.name)? {
        Some(known) if known.kind == kind => known,
        Some(known) => {
            return Err(BAD_INPUT.at(
                "/kind",
                format!("the source in the shop is for {}, which cannot be changed", known.kind.as_str()),
            ));
        }
        None => {
            // Nobody has seen this key: a new one is made on the page Sources when it is needed.
            let key = (kind != SourceKind::Import).then(|| crate::secrets::new_key("wk"));
            let made = sources::add(tx, &item.name, kind, key.as_ref())?;
            made.ok_or_else(|| BAD_INPUT.because("the name is taken"))?
        }
    };
    observe::set(tx, known.id, observe_only)?;
    let newest =
        pipeline::sources::versions(tx.engine(), known.id, i64::MAX, 1)?.pop().map_or(String::new(), |v| v.text);
    if newest != plan {
        put(tx, known.id, &plan, actor, None).map_err(|e| match e {
            PutError::Store(e) => e.into(),
            other => BAD_INPUT.at("/plan", other.to_string()),
        })?;
    }
    Ok(())
}

fn segment(tx: &mut Tx, item: &Setting) -> Result<(), Stuck> {
    let SegmentValue { expression } = value(item)?;
    let known = people::list(tx)?.into_iter().find(|(s, _)| s.name == item.name);
    let done = match known {
        Some((known, _)) => people::update(tx, known.id, &item.name, &expression),
        None => people::create(tx, &item.name, &expression),
    };
    match done {
        Ok(_) => Ok(()),
        Err(e @ SegmentError::Unknown(_)) => Err(Stuck::Wait(crate::api::segments::refused(e))),
        Err(e) => Err(crate::api::segments::refused(e).into()),
    }
}

fn template(tx: &mut Tx, item: &Setting) -> Result<(), Problem> {
    let TemplateValue { channel, subject, body_html, body_text } = value(item)?;
    let draft = TemplateDraft { name: item.name.clone(), channel, subject, body_html, body_text };
    let known = lists::templates(tx.engine(), false)?.into_iter().find(|t| t.name == item.name);
    match known {
        Some(known) => messages::update_template(tx, known.id, &draft, None).map_err(wire::refused)?,
        None => messages::create_template(tx, &draft).map_err(wire::refused)?,
    };
    Ok(())
}

/// The rule of a name, if there is one.
pub(super) fn rule_named(tx: &mut Tx, item: &Setting) -> Result<Option<i64>, Problem> {
    let RuleValue { segment, template, .. } = value(item)?;
    let segment_id = people::list(tx)?.into_iter().find(|(s, _)| s.name == segment).map(|(s, _)| s.id);
    let template_id = lists::templates(tx.engine(), false)?.into_iter().find(|t| t.name == template).map(|t| t.id);
    let made = item.name == made_name(&segment, &template);
    let rules = lists::rules(tx.engine(), false)?.into_iter().map(|(r, _)| r);
    let mut found = rules.filter(|r| {
        r.name == item.name
            || (made && r.name == messages::name_made_of(r.segment_id, r.template_id))
                && (Some(r.segment_id), Some(r.template_id)) == (segment_id, template_id)
    });
    Ok(found.next().map(|r| r.id))
}

fn rule(tx: &mut Tx, item: &Setting, preparer: &Arc<Preparer>) -> Result<(), Problem> {
    let RuleValue { segment, template, channel, purpose, topic, once, enabled } = value(item)?;
    let segment_id = people::list(tx)?.into_iter().find(|(s, _)| s.name == segment).map(|(s, _)| s.id);
    let segment_id = segment_id.ok_or_else(|| BAD_INPUT.at("/segment", format!("there is no segment {segment:?}")))?;
    let mut templates = lists::templates(tx.engine(), false)?;
    templates.retain(|t| t.name == template);
    let [Template { id: template_id, .. }] = templates[..] else {
        let several = if templates.is_empty() { "no template" } else { "more than one template" };
        return Err(BAD_INPUT.at("/template", format!("there is {several} {template:?}")));
    };
    let made = item.name == made_name(&segment, &template);
    let name = if made { String::new() } else { item.name.clone() };
    let found = rule_named(tx, item)?;
    let draft = RuleDraft { name, segment_id, template_id, channel, purpose, topic, once, enabled };
    let facts = &mut Facts { preparer };
    match found {
        Some(known) => messages::update_rule(tx, facts, known, &draft, None).map_err(wire::refused)?,
        None => messages::create_rule(tx, facts, &draft).map_err(wire::refused)?,
    };
    Ok(())
}

fn purpose(tx: &mut Tx, item: &Setting) -> Result<(), Problem> {
    let PurposeValue { ground, categories, retention, recipients, archived } = value(item)?;
    purposes::ensure(tx)?;
    let known = purposes::list(tx.engine())?.into_iter().find(|p| p.purpose == item.name);
    let text = |at: &str, t: &str| crate::api::privacy::text(at, t, true);
    let (id, version) = match &known {
        Some(known) => (known.id, known.version + 1),
        None => (tx.next_id(), 1),
    };
    let kept = known.map_or(0, |k| k.archived_at);
    let fresh = purposes::Purpose {
        id,
        purpose: text("/name", &item.name)?,
        ground: text("/ground", &ground)?,
        categories: text("/categories", &categories)?,
        retention: text("/retention", &retention)?,
        recipients: text("/recipients", &recipients)?,
        version,
        archived_at: if !archived {
            0
        } else if kept != 0 {
            kept
        } else {
            tx.now().micros()
        },
    };
    purposes::put(tx, &fresh);
    Ok(())
}
