//! Rules: on entering a segment, send a template. A rule speaks to who enters after it was made, never to who is there.
use super::{Changed, check_choice, check_name, check_room};
use crate::error::{FieldError, MessagingError};
use crate::facts::GateFacts;
use crate::lists::template_in;
use crate::model::{CHANNELS, PURPOSES, Rule, RuleDraft};
use crate::rules::{self, Rules};
use db::{Notice, Tx};

/// Makes a rule.
pub fn create_rule(tx: &mut Tx, facts: &mut dyn GateFacts, draft: &RuleDraft) -> Result<Changed<Rule>, MessagingError> {
    check(tx, facts, draft)?;
    check_room(tx, "rule", "SELECT COUNT(*) FROM message_rules WHERE archived_at = 0")?;
    let now = tx.now();
    let rule = Rule {
        id: tx.next_id(),
        name: name_of(draft),
        segment_id: draft.segment_id,
        template_id: draft.template_id,
        channel: draft.channel.clone(),
        purpose: draft.purpose.clone(),
        topic: draft.topic.clone(),
        once: draft.once,
        enabled: draft.enabled,
        version: 1,
        created_at: now,
        updated_at: now,
        archived: false,
    };
    tx.execute(
        "INSERT INTO message_rules (id, name, segment_id, template_id, channel, purpose, once, enabled, version, created_at, updated_at, \
         archived_at, topic) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9, 0, $10)",
        &[
            rule.id.into(),
            (&rule.name).into(),
            rule.segment_id.into(),
            rule.template_id.into(),
            (&rule.channel).into(),
            (&rule.purpose).into(),
            i64::from(rule.once).into(),
            i64::from(rule.enabled).into(),
            now.micros().into(),
            (&rule.topic).into(),
        ],
    )?;
    done(tx, None, rule)
}

/// Changes a rule; messages that wait are decided by the rule as it stands then. `expected` is the version that the change
/// was made to, if the caller knows it.
pub fn update_rule(
    tx: &mut Tx,
    facts: &mut dyn GateFacts,
    id: i64,
    draft: &RuleDraft,
    expected: Option<i64>,
) -> Result<Changed<Rule>, MessagingError> {
    let before = get(tx, id)?;
    if let Some(expected) = expected.filter(|e| *e != before.version) {
        return Err(MessagingError::Stale { what: "rule", id, expected, current: before.version });
    }
    check(tx, facts, draft)?;
    let after = Rule {
        name: name_of(draft),
        segment_id: draft.segment_id,
        template_id: draft.template_id,
        channel: draft.channel.clone(),
        purpose: draft.purpose.clone(),
        topic: draft.topic.clone(),
        once: draft.once,
        enabled: draft.enabled,
        ..before.clone()
    };
    store(tx, before, after)
}

/// Deletes a rule so that it can be restored: nothing more goes out, its messages stay.
pub fn archive_rule(tx: &mut Tx, id: i64) -> Result<Changed<Rule>, MessagingError> {
    let before = get(tx, id)?;
    let after = Rule { archived: true, ..before.clone() };
    store(tx, before, after)
}

/// Brings a deleted rule back; refused when its template is deleted.
pub fn restore_rule(tx: &mut Tx, facts: &mut dyn GateFacts, id: i64) -> Result<Changed<Rule>, MessagingError> {
    let before = get(tx, id)?;
    let draft = RuleDraft {
        name: before.name.clone(),
        segment_id: before.segment_id,
        template_id: before.template_id,
        channel: before.channel.clone(),
        purpose: before.purpose.clone(),
        topic: before.topic.clone(),
        once: before.once,
        enabled: before.enabled,
    };
    check(tx, facts, &draft)?;
    let after = Rule { archived: false, ..before.clone() };
    store(tx, before, after)
}

fn check(tx: &mut Tx, facts: &mut dyn GateFacts, draft: &RuleDraft) -> Result<(), MessagingError> {
    let mut errors = Vec::new();
    if !draft.name.is_empty() {
        check_name(&draft.name, &mut errors);
    }
    check_choice("/channel", &draft.channel, CHANNELS, &mut errors);
    check_choice("/purpose", &draft.purpose, PURPOSES, &mut errors);
    if !draft.topic.is_empty() && !crate::preferences::is_word(&draft.topic) {
        errors.push(FieldError::new("/topic", "a topic is a word such as news: small letters, digits, - and _"));
    }
    if !facts.segment_exists(tx, draft.segment_id)? {
        errors.push(FieldError::new(
            "/segment_id",
            format!("there is no segment {}: choose one from the list of segments", draft.segment_id),
        ));
    }
    match template_in(tx, draft.template_id)? {
        Some(t) if t.archived => {
            errors.push(FieldError::new(
                "/template_id",
                format!("the template {:?} was deleted: restore it or choose another", t.name),
            ));
        }
        Some(t) if t.channel != draft.channel => {
            errors.push(FieldError::new(
                "/template_id",
                format!("the template {:?} is for {}, the rule for {}", t.name, t.channel, draft.channel),
            ));
        }
        Some(_) => {}
        None => errors.push(FieldError::new(
            "/template_id",
            format!("there is no template {}: make one first", draft.template_id),
        )),
    }
    if errors.is_empty() { Ok(()) } else { Err(MessagingError::Invalid { what: "rule", errors }) }
}

/// The name of a rule to which nobody gave one.
pub fn name_made_of(segment_id: i64, template_id: i64) -> String {
    format!("Segment {segment_id} → template {template_id}")
}

fn name_of(draft: &RuleDraft) -> String {
    let name = draft.name.trim();
    if name.is_empty() { name_made_of(draft.segment_id, draft.template_id) } else { name.to_string() }
}

fn get(tx: &mut Tx, id: i64) -> Result<Rule, MessagingError> {
    rules::find(tx, id)?.map(|r| (*r).clone()).ok_or(MessagingError::NotFound { what: "rule", id })
}

fn store(tx: &mut Tx, before: Rule, mut after: Rule) -> Result<Changed<Rule>, MessagingError> {
    let now = tx.now();
    after.version = before.version + 1;
    after.updated_at = now;
    let archived_at = if after.archived { now.micros() } else { 0 };
    tx.execute(
        "UPDATE message_rules SET name = $2, segment_id = $3, template_id = $4, channel = $5, purpose = $6, once = $7, enabled = $8, \
         version = $9, updated_at = $10, archived_at = $11, topic = $12 WHERE id = $1",
        &[
            after.id.into(),
            (&after.name).into(),
            after.segment_id.into(),
            after.template_id.into(),
            (&after.channel).into(),
            (&after.purpose).into(),
            i64::from(after.once).into(),
            i64::from(after.enabled).into(),
            after.version.into(),
            now.micros().into(),
            archived_at.into(),
            (&after.topic).into(),
        ],
    )?;
    done(tx, Some(before), after)
}

fn done(tx: &mut Tx, before: Option<Rule>, after: Rule) -> Result<Changed<Rule>, MessagingError> {
    tx.memory::<Rules>()?.put(after.clone());
    tx.notify(Notice::Changed { what: "message_rules" });
    Ok(Changed { before, after, warnings: Vec::new() })
}
