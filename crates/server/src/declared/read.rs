//! The settings as they stand.
use super::{Setting, SettingKind};
use crate::policy::Policy;
use crate::shop::Profile;
use crate::sources::{Snapshot, SourceKind};
use customers::derived::Thresholds;
use customers::privacy::purposes;
use customers::rules::{self, RulesData};
use db::{DbError, Tx};
use messaging::{commands as messages, lists};
use pipeline::sources::{observe, versions};
use segments::runtime::{commands as people, definitions};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The value of a thing as fields.
pub(super) fn fields(value: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Whether a setting that stands is as a new shop has it.
pub fn is_pristine(setting: &Setting) -> bool {
    setting.kind == SettingKind::Source
        && setting.value.get("plan").is_none_or(|p| p == "")
        && setting.value["observe_only"] == false
}

/// All settings.
#[derive(Debug, Default)]
pub struct Standing {
    /// In the order of kinds and names.
    pub items: Vec<Setting>,
    /// Names that several things of a kind have, which cannot be told apart by them: left out of the items.
    pub doubles: Vec<(SettingKind, String)>,
}

/// Reads all.
pub fn read(tx: &mut Tx) -> Result<Standing, DbError> {
    let mut out = Vec::new();
    let mut add = |kind, name: &str, value| out.push(Setting { kind, name: name.to_string(), value });
    let shop = Profile::load(tx.engine())?;
    if shop.set {
        add(SettingKind::Shop, "", fields(json!({"name": shop.name, "stores": shop.stores})));
    }
    let policy = Policy::load(tx.engine())?;
    if policy != Policy::default() {
        add(SettingKind::Security, "", fields(policy));
    }
    let thresholds = definitions::current(tx)?.rules.thresholds.clone();
    if thresholds != Thresholds::default() {
        add(SettingKind::Profile, "", fields(thresholds));
    }
    let rules = rules::newest(tx.engine())?.rules;
    if rules != RulesData::default() {
        add(SettingKind::Identity, "", fields(rules));
    }
    let caps = lists::caps_in(tx)?;
    if !caps.is_empty() {
        add(SettingKind::Caps, "", fields(json!({"items": caps})));
    }
    if let Some(hours) = messages::load_quiet_hours(tx)? {
        add(SettingKind::QuietHours, "", fields(hours));
    }
    let sources = Snapshot::load(tx.engine())?;
    for source in sources.all().iter().filter(|s| s.kind != SourceKind::System) {
        let plan = versions(tx.engine(), source.id, i64::MAX, 1)?.pop().map_or(String::new(), |v| v.text);
        let observed = observe::is_observed(tx, source.id)?;
        let value = json!({"kind": source.kind, "observe_only": observed, "plan": plan});
        add(SettingKind::Source, &source.name, fields(value));
    }
    let mut segment_names = HashMap::new();
    for (segment, _) in people::list(tx)? {
        add(SettingKind::Segment, &segment.name, fields(json!({"expression": segment.expression})));
        segment_names.insert(segment.id, segment.name);
    }
    let mut template_names = HashMap::new();
    for t in lists::templates(tx.engine(), false)? {
        let value =
            json!({"channel": t.channel, "subject": t.subject, "body_html": t.body_html, "body_text": t.body_text});
        add(SettingKind::Template, &t.name, fields(value));
        template_names.insert(t.id, t.name);
    }
    for (rule, _) in lists::rules(tx.engine(), false)? {
        // A rule whose segment or template is archived does nothing, and could not be made again.
        let (Some(segment), Some(template)) =
            (segment_names.get(&rule.segment_id), template_names.get(&rule.template_id))
        else {
            continue;
        };
        let name = if rule.name == messages::name_made_of(rule.segment_id, rule.template_id) {
            made_name(segment, template)
        } else {
            rule.name.clone()
        };
        let value = json!({
            "segment": segment, "template": template, "channel": rule.channel, "purpose": rule.purpose,
            "topic": rule.topic, "once": rule.once, "enabled": rule.enabled,
        });
        add(SettingKind::MessageRule, &name, fields(value));
    }
    for p in purposes::list(tx.engine())? {
        let value = json!({
            "ground": p.ground, "categories": p.categories, "retention": p.retention, "recipients": p.recipients,
            "archived": p.archived_at != 0,
        });
        add(SettingKind::Purpose, &p.purpose, fields(value));
    }
    out.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut standing = Standing::default();
    let mut rest = out.into_iter().peekable();
    while let Some(item) = rest.next() {
        let mut alone = true;
        while rest.next_if(|next| next.key() == item.key()).is_some() {
            alone = false;
        }
        if alone {
            standing.items.push(item);
        } else {
            standing.doubles.push((item.kind, item.name));
        }
    }
    Ok(standing)
}

/// How a rule without a name of its own is called in files, where numbers mean nothing.
pub(super) fn made_name(segment: &str, template: &str) -> String {
    format!("{segment} → {template}")
}
