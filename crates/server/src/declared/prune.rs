//! What goes when a list is to be all that there is: segments, templates, rules and purposes that it does not name. Sources keep
//! their events and are never taken away; of kinds of which there is one nothing goes either.
use super::apply::Wanted;
use super::{Action, Setting, SettingKind, decide_unnamed};
use crate::api::messages as wire;
use crate::change::Line;
use crate::problem::{CHANGED_MEANWHILE, CONFLICT, FieldError, Problem};
use customers::privacy::purposes;
use db::Tx;
use messaging::{commands as messages, lists};
use segments::runtime::commands::{self as people, SegmentError};
use serde_json::Value;
use std::collections::BTreeSet;

/// What the list does not name and can go, in the order in which it goes: rules before what they name.
pub fn unnamed<'t>(wanted: &Wanted, there: &'t [Setting]) -> Result<Vec<&'t Setting>, Problem> {
    if !wanted.prune {
        return Ok(Vec::new());
    }
    let named: BTreeSet<(SettingKind, &str)> = wanted.items.iter().map(Setting::key).collect();
    let order = |kind| match kind {
        SettingKind::MessageRule => Some(0),
        SettingKind::Template => Some(1),
        SettingKind::Segment => Some(2),
        SettingKind::Purpose => Some(3),
        _ => None,
    };
    let archived = |s: &Setting| s.value.get("archived").and_then(Value::as_bool).unwrap_or(false);
    let mut out: Vec<&Setting> =
        there.iter().filter(|s| order(s.kind).is_some() && !named.contains(&s.key()) && !archived(s)).collect();
    out.sort_by_key(|s| order(s.kind));
    let base = |s: &Setting| wanted.base.get(&(s.kind, s.name.clone())).map(String::as_str);
    let moved = out.iter().filter(|s| decide_unnamed(&s.hash(), base(s), wanted.force) == Action::Conflict);
    let errors: Vec<FieldError> = moved
        .map(|s| FieldError {
            pointer: String::new(),
            detail: format!(
                "{} is not in the folder, and was made or changed in the shop since it was pulled",
                s.shown()
            ),
            offset: None,
            line: None,
        })
        .collect();
    if !errors.is_empty() {
        let detail = errors.iter().map(|e| e.detail.clone()).collect::<Vec<_>>().join("; ");
        return Err(Problem { errors, ..CHANGED_MEANWHILE.because(detail) });
    }
    Ok(out)
}

/// Archives them; gives the lines for the audit.
pub fn archive(tx: &mut Tx, gone: &[&Setting]) -> Result<Vec<Line>, Problem> {
    let mut open: Vec<&Setting> = gone.to_vec();
    let mut lines = Vec::new();
    while !open.is_empty() {
        let (before, mut waiting, mut needed) = (open.len(), Vec::new(), String::new());
        for setting in open {
            // A segment goes after those that ask for it.
            match one(tx, setting)? {
                None => lines.push(Line {
                    what: ("archive", setting.kind.as_str()),
                    subject: setting.name.clone(),
                    before: Some(Value::Object(setting.value.clone())),
                    after: None,
                }),
                Some(by) => {
                    needed = format!("{} cannot go: {by:?} needs it", setting.shown());
                    waiting.push(setting);
                }
            }
        }
        if waiting.len() == before {
            return Err(CONFLICT.because(needed));
        }
        open = waiting;
    }
    Ok(lines)
}

/// Archives one; gives the name of what still needs it.
fn one(tx: &mut Tx, setting: &Setting) -> Result<Option<String>, Problem> {
    match setting.kind {
        SettingKind::Segment => {
            let found = people::list(tx)?.into_iter().find(|(s, _)| s.name == setting.name).map(|(s, _)| s.id);
            match found.map(|id| people::archive(tx, id)) {
                Some(Err(SegmentError::Needed(by))) => return Ok(Some(by)),
                Some(Err(error)) => return Err(crate::api::segments::refused(error)),
                Some(Ok(())) | None => {}
            }
        }
        SettingKind::Template => {
            let found = lists::templates(tx.engine(), false)?.into_iter().find(|t| t.name == setting.name);
            if let Some(template) = found {
                messages::archive_template(tx, template.id).map_err(wire::refused)?;
            }
        }
        SettingKind::MessageRule => {
            if let Some(rule) = super::apply::rule_named(tx, setting)? {
                messages::archive_rule(tx, rule).map_err(wire::refused)?;
            }
        }
        SettingKind::Purpose => {
            let found = purposes::list(tx.engine())?.into_iter().find(|p| p.purpose == setting.name);
            if let Some(known) = found {
                let (version, archived_at) = (known.version + 1, tx.now().micros());
                purposes::put(tx, &purposes::Purpose { version, archived_at, ..known });
            }
        }
        _ => {}
    }
    Ok(None)
}
