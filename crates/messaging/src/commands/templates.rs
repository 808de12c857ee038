//! Templates: each save is a new version that never changes, so that what was sent can be shown for ever.
use super::{Changed, check_choice, check_name, check_room};
use crate::error::{FieldError, MessagingError};
use crate::lists::template_in;
use crate::model::{CHANNELS, Shop, Template, TemplateDraft};
use crate::templates::{Compiled, Context, MessageFacts, Rendered, Source, compile, ensure_unsubscribe, warnings};
use db::{DbError, Notice, Tx};
use serde_json::{Map, Value};

/// Makes a template; warns about what a person should know.
pub fn create_template(tx: &mut Tx, draft: &TemplateDraft) -> Result<Changed<Template>, MessagingError> {
    let warnings = check(draft)?;
    check_room(tx, "template", "SELECT COUNT(*) FROM templates WHERE archived_at = 0")?;
    let (id, now) = (tx.next_id(), tx.now().micros());
    tx.execute(
        "INSERT INTO templates (id, name, channel, version, created_at, updated_at, archived_at) VALUES ($1, $2, $3, 1, $4, $4, 0)",
        &[id.into(), draft.name.trim().into(), (&draft.channel).into(), now.into()],
    )?;
    write_version(tx, id, 1, draft)?;
    done(tx, id, None, warnings)
}

/// Saves a new version. `expected` is the version that the change was made to, if the caller knows it.
pub fn update_template(
    tx: &mut Tx,
    id: i64,
    draft: &TemplateDraft,
    expected: Option<i64>,
) -> Result<Changed<Template>, MessagingError> {
    let before = get(tx, id)?;
    check_version(&before, expected)?;
    let warnings = check(draft)?;
    let now = tx.now().micros();
    tx.execute(
        "UPDATE templates SET name = $2, channel = $3, version = $4, updated_at = $5 WHERE id = $1",
        &[id.into(), draft.name.trim().into(), (&draft.channel).into(), (before.version + 1).into(), now.into()],
    )?;
    write_version(tx, id, before.version + 1, draft)?;
    done(tx, id, Some(before), warnings)
}

/// Takes a template out of use; refused while a rule that is not deleted names it.
pub fn archive_template(tx: &mut Tx, id: i64) -> Result<Changed<Template>, MessagingError> {
    let before = get(tx, id)?;
    let using = "SELECT name FROM message_rules WHERE template_id = $1 AND archived_at = 0 ORDER BY id";
    let rules = tx.rows(using, &[id.into()])?;
    if let Some(rule) = rules.first() {
        return Err(MessagingError::InUse { id, count: rules.len() as i64, rule: rule.text(0)?.into() });
    }
    let now = tx.now().micros();
    tx.execute("UPDATE templates SET archived_at = $2, updated_at = $2 WHERE id = $1", &[id.into(), now.into()])?;
    done(tx, id, Some(before), Vec::new())
}

/// Brings an archived template back.
pub fn restore_template(tx: &mut Tx, id: i64) -> Result<Changed<Template>, MessagingError> {
    let before = get(tx, id)?;
    let now = tx.now().micros();
    tx.execute("UPDATE templates SET archived_at = 0, updated_at = $2 WHERE id = $1", &[id.into(), now.into()])?;
    done(tx, id, Some(before), Vec::new())
}

/// A draft as one person would see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub rendered: Rendered,
    pub warnings: Vec<FieldError>,
}

/// Renders a draft for a person and an event (JSON text) without keeping or sending anything. A value that is missing for
/// this person is an error here too, as it would be at the gate.
pub fn preview(
    draft: &TemplateDraft,
    traits: &Map<String, Value>,
    event: Option<&str>,
    shop: &Shop,
) -> Result<Preview, MessagingError> {
    let (compiled, mut found) = compile_draft(draft)?;
    let message = MessageFacts { id: 0, channel: &draft.channel, purpose: "marketing", rule: &draft.name, address: "" };
    let url = format!("{}/u/preview", shop.public_url.trim_end_matches('/'));
    let context = Context::new(traits, event, &message, shop, &url);
    let mut rendered = compiled.render(&context).map_err(|e| {
        let pointer = match &e {
            crate::templates::RenderError::MissingValue { part, .. }
            | crate::templates::RenderError::Failed { part, .. }
            | crate::templates::RenderError::TooLarge { part } => format!("/{part}"),
            _ => "/subject".to_string(),
        };
        let line = match &e {
            crate::templates::RenderError::MissingValue { line, .. }
            | crate::templates::RenderError::Failed { line, .. } => u32::try_from(*line).ok(),
            _ => None,
        };
        let error = FieldError { pointer, detail: e.to_string(), line, column: None };
        MessagingError::Invalid { what: "template", errors: vec![error] }
    })?;
    ensure_unsubscribe(&mut rendered, &url, &shop.locale);
    found.truncate(10);
    Ok(Preview { rendered, warnings: found })
}

fn check(draft: &TemplateDraft) -> Result<Vec<FieldError>, MessagingError> {
    let mut errors = Vec::new();
    check_name(&draft.name, &mut errors);
    check_choice("/channel", &draft.channel, CHANNELS, &mut errors);
    match compile_draft(draft) {
        Ok((_, warnings)) if errors.is_empty() => return Ok(warnings),
        Ok(_) => {}
        Err(MessagingError::Invalid { errors: more, .. }) => errors.extend(more),
        Err(e) => return Err(e),
    }
    Err(MessagingError::Invalid { what: "template", errors })
}

fn compile_draft(draft: &TemplateDraft) -> Result<(Compiled, Vec<FieldError>), MessagingError> {
    let source = Source { subject: &draft.subject, body_html: &draft.body_html, body_text: &draft.body_text };
    let compiled = compile(source).map_err(|errors| MessagingError::Invalid { what: "template", errors })?;
    let found = warnings(source, &compiled);
    Ok((compiled, found))
}

fn get(tx: &mut Tx, id: i64) -> Result<Template, MessagingError> {
    template_in(tx, id)?.ok_or(MessagingError::NotFound { what: "template", id })
}

fn check_version(template: &Template, expected: Option<i64>) -> Result<(), MessagingError> {
    match expected {
        Some(expected) if expected != template.version => {
            Err(MessagingError::Stale { what: "template", id: template.id, expected, current: template.version })
        }
        _ => Ok(()),
    }
}

fn write_version(tx: &mut Tx, id: i64, version: i64, draft: &TemplateDraft) -> Result<(), DbError> {
    let now = tx.now().micros();
    tx.execute(
        "INSERT INTO template_versions (template_id, version, subject, body_html, body_text, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[id.into(), version.into(), (&draft.subject).into(), (&draft.body_html).into(), (&draft.body_text).into(), now.into()],
    )?;
    Ok(())
}

fn done(
    tx: &mut Tx,
    id: i64,
    before: Option<Template>,
    warnings: Vec<FieldError>,
) -> Result<Changed<Template>, MessagingError> {
    tx.notify(Notice::Changed { what: "templates" });
    Ok(Changed { before, after: get(tx, id)?, warnings })
}
