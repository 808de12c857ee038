//! What screens and the API read. Everything here is committed state, read beside the writer.
use crate::model::{Cap, Counts, Message, Rule, Status, Template};
use crate::outbox::{message_of, message_sql};
use crate::rules::{RULE_COLUMNS, rule_of};
use base::Timestamp;
use db::{DbError, Engine, Row, Tx, Value};
use std::collections::HashMap;

/// The most rows that one page gives.
pub const PAGE_MAX: usize = 200;

/// A page of a list; `next` goes back as the cursor of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<i64>,
}

/// Which messages a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Every profile of a person; empty for everybody.
    pub profiles: Vec<i64>,
    pub rule_id: Option<i64>,
    pub status: Option<Status>,
    /// Continues below this id: lists run from new to old.
    pub before: Option<i64>,
}

/// A message with the names that a screen shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageItem {
    pub message: Message,
    pub rule_name: String,
    pub template_name: String,
}

/// A query over messages with the names that a screen shows.
macro_rules! item_sql {
    ($rest:literal) => {
        message_sql!(
            ", COALESCE(r.name, ''), COALESCE(t.name, '') FROM messages m LEFT JOIN message_rules r ON r.id = m.rule_id \
             LEFT JOIN templates t ON t.id = m.template_id ",
            $rest
        )
    };
}

const OF_PROFILE: &str = item_sql!(
    "WHERE m.id < $1 AND m.profile_id = $3 AND (CAST($4 AS BIGINT) = 0 OR m.rule_id = $4) AND (CAST($5 AS TEXT) = '' OR m.status = $5) \
     ORDER BY m.id DESC LIMIT $2"
);
const OF_RULE_IN_STATUS: &str =
    item_sql!("WHERE m.id < $1 AND m.rule_id = $3 AND m.status = $4 ORDER BY m.id DESC LIMIT $2");
const OF_RULE: &str = item_sql!("WHERE m.id < $1 AND m.rule_id = $3 ORDER BY m.id DESC LIMIT $2");
const IN_STATUS: &str = item_sql!("WHERE m.id < $1 AND m.status = $3 ORDER BY m.id DESC LIMIT $2");
const ALL: &str = item_sql!("WHERE m.id < $1 ORDER BY m.id DESC LIMIT $2");

/// Messages, newest first.
pub fn messages(db: &mut Engine, filter: &MessageFilter, limit: usize) -> Result<Page<MessageItem>, DbError> {
    let limit = limit.clamp(1, PAGE_MAX);
    let before: Value<'_> = filter.before.unwrap_or(i64::MAX).into();
    let most: Value<'_> = (limit as i64 + 1).into();
    let rule: Value<'_> = filter.rule_id.unwrap_or(0).into();
    let status: Value<'_> = filter.status.map_or("", Status::as_str).into();
    let mut rows: Vec<Row> = Vec::new();
    if !filter.profiles.is_empty() {
        // A person is a handful of profiles: a page of each, merged, needs no list of parameters.
        for profile in &filter.profiles {
            rows.extend(db.rows(OF_PROFILE, &[before, most, (*profile).into(), rule, status])?);
        }
    } else {
        rows = match (filter.rule_id, filter.status) {
            (Some(_), Some(_)) => db.rows(OF_RULE_IN_STATUS, &[before, most, rule, status])?,
            (Some(_), None) => db.rows(OF_RULE, &[before, most, rule])?,
            (None, Some(_)) => db.rows(IN_STATUS, &[before, most, status])?,
            (None, None) => db.rows(ALL, &[before, most])?,
        };
    }
    let mut items = rows.iter().map(item_of).collect::<Result<Vec<_>, _>>()?;
    items.sort_by_key(|i| std::cmp::Reverse(i.message.id));
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|i| i.message.id);
    Ok(Page { items, next })
}

/// A message by id.
pub fn message(db: &mut Engine, id: i64) -> Result<Option<MessageItem>, DbError> {
    let row = db.first(item_sql!("WHERE m.id = $1"), &[id.into()])?;
    row.as_ref().map(item_of).transpose()
}

fn item_of(row: &Row) -> Result<MessageItem, DbError> {
    Ok(MessageItem { message: message_of(row)?, rule_name: row.text(20)?.into(), template_name: row.text(21)?.into() })
}

/// Templates by name, archived ones only when asked for.
pub fn templates(db: &mut Engine, archived: bool) -> Result<Vec<Template>, DbError> {
    let sql = format!("{TEMPLATE_COLUMNS} WHERE (t.archived_at > 0) = ($1 > 0) ORDER BY t.name, t.id LIMIT 1000");
    let rows = db.rows(&sql, &[i64::from(archived).into()])?;
    rows.iter().map(template_of).collect()
}

/// A template by id with the version in force, archived or not.
pub fn template(db: &mut Engine, id: i64) -> Result<Option<Template>, DbError> {
    let row = db.first(&format!("{TEMPLATE_COLUMNS} WHERE t.id = $1"), &[id.into()])?;
    row.as_ref().map(template_of).transpose()
}

/// A template's texts as they were in a version.
pub fn template_version(db: &mut Engine, id: i64, version: i64) -> Result<Option<Template>, DbError> {
    let sql = "SELECT t.id, t.name, t.channel, v.subject, v.body_html, v.body_text, v.version, t.created_at, v.created_at, t.archived_at \
               FROM templates t JOIN template_versions v ON v.template_id = t.id WHERE t.id = $1 AND v.version = $2";
    let row = db.first(sql, &[id.into(), version.into()])?;
    row.as_ref().map(template_of).transpose()
}

pub(crate) const TEMPLATE_COLUMNS: &str = "SELECT t.id, t.name, t.channel, v.subject, v.body_html, v.body_text, t.version, \
    t.created_at, t.updated_at, t.archived_at FROM templates t JOIN template_versions v ON v.template_id = t.id AND v.version = t.version";

/// As [`template`], inside a transaction.
pub fn template_in(tx: &mut Tx, id: i64) -> Result<Option<Template>, DbError> {
    let row = tx.first(&format!("{TEMPLATE_COLUMNS} WHERE t.id = $1"), &[id.into()])?;
    row.as_ref().map(template_of).transpose()
}

fn template_of(row: &Row) -> Result<Template, DbError> {
    Ok(Template {
        id: row.int(0)?,
        name: row.text(1)?.into(),
        channel: row.text(2)?.into(),
        subject: row.text(3)?.into(),
        body_html: row.text(4)?.into(),
        body_text: row.text(5)?.into(),
        version: row.int(6)?,
        created_at: Timestamp::from_micros(row.int(7)?),
        updated_at: Timestamp::from_micros(row.int(8)?),
        archived: row.int(9)? > 0,
    })
}

/// Rules by name with their counts, archived ones only when asked for.
pub fn rules(db: &mut Engine, archived: bool) -> Result<Vec<(Rule, Counts)>, DbError> {
    let sql = format!("{RULE_COLUMNS} WHERE (archived_at > 0) = ($1 > 0) ORDER BY name, id LIMIT 1000");
    let rows = db.rows(&sql, &[i64::from(archived).into()])?;
    let counts: HashMap<i64, Counts> = all_counts(db)?.into_iter().collect();
    rows.iter()
        .map(rule_of)
        .map(|r| r.map(|r| (counts.get(&r.id).copied().unwrap_or_default(), r)).map(|(c, r)| (r, c)))
        .collect()
}

/// A rule by id with its counts, archived or not.
pub fn rule(db: &mut Engine, id: i64) -> Result<Option<(Rule, Counts)>, DbError> {
    let Some(row) = db.first(&format!("{RULE_COLUMNS} WHERE id = $1"), &[id.into()])? else { return Ok(None) };
    let counts = db.first(&format!("{COUNT_COLUMNS} WHERE rule_id = $1"), &[id.into()])?;
    Ok(Some((rule_of(&row)?, counts.as_ref().map(counts_of).transpose()?.map_or_else(Counts::default, |(_, c)| c))))
}

const COUNT_COLUMNS: &str =
    "SELECT rule_id, intended, pending, stopped, sending, sent, refused, unknown FROM message_counts";

/// The counts of every rule that ever intended a message.
pub fn all_counts(db: &mut Engine) -> Result<Vec<(i64, Counts)>, DbError> {
    db.rows(&format!("{COUNT_COLUMNS} ORDER BY rule_id"), &[])?.iter().map(counts_of).collect()
}

/// The counts of all rules together: `intended` is the number of messages, `pending + sending` what the outbox holds.
pub fn totals(db: &mut Engine) -> Result<Counts, DbError> {
    let mut total = Counts::default();
    for (_, c) in all_counts(db)? {
        total.intended += c.intended;
        for status in Status::ALL {
            let mut c = c;
            *total.of(status) += *c.of(status);
        }
    }
    Ok(total)
}

fn counts_of(row: &Row) -> Result<(i64, Counts), DbError> {
    let counts = Counts {
        intended: row.int(1)?,
        pending: row.int(2)?,
        stopped: row.int(3)?,
        sending: row.int(4)?,
        sent: row.int(5)?,
        refused: row.int(6)?,
        unknown: row.int(7)?,
    };
    Ok((row.int(0)?, counts))
}

/// Messages handed over since a moment that the server took.
pub fn sent_since(db: &mut Engine, since: Timestamp) -> Result<i64, DbError> {
    let sql =
        "SELECT COUNT(*) FROM sends s JOIN messages m ON m.id = s.message_id WHERE s.at >= $1 AND m.status = 'sent'";
    db.first(sql, &[since.micros().into()])?.map_or(Ok(0), |r| r.int(0))
}

const CAPS: &str = "SELECT channel, purpose, span, most FROM caps ORDER BY channel, purpose, span";

/// All caps.
pub fn caps(db: &mut Engine) -> Result<Vec<Cap>, DbError> {
    db.rows(CAPS, &[])?.iter().map(cap_of).collect()
}

/// As [`caps`], inside a transaction.
pub fn caps_in(tx: &mut Tx) -> Result<Vec<Cap>, DbError> {
    tx.rows(CAPS, &[])?.iter().map(cap_of).collect()
}

fn cap_of(row: &Row) -> Result<Cap, DbError> {
    Ok(Cap {
        channel: row.text(0)?.into(),
        purpose: row.text(1)?.into(),
        window: row.text(2)?.into(),
        limit: row.int(3)?,
    })
}

/// An address that gets nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    pub channel: String,
    /// Of an erased person: what hides it.
    pub address: String,
    pub reason: String,
    pub at: Timestamp,
    /// Who entered it; empty when the mail server or the person did.
    pub actor: String,
}

/// Suppressed addresses of a channel that begin with `prefix`, in their order, after `after`.
pub fn suppressions(
    db: &mut Engine,
    channel: &str,
    prefix: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Suppression>, DbError> {
    let sql = "SELECT channel, address, reason, at, actor FROM suppressions WHERE channel = $1 AND address > $2 AND address >= $3 \
               AND address < $4 ORDER BY address LIMIT $5";
    // Text is ordered by its bytes on both engines, and no address holds the last letter that there is.
    let end = format!("{prefix}\u{10ffff}");
    let most = limit.clamp(1, PAGE_MAX + 1) as i64;
    let rows = db.rows(sql, &[channel.into(), after.into(), prefix.into(), (&end).into(), most.into()])?;
    rows.iter()
        .map(|r| {
            let at = Timestamp::from_micros(r.int(3)?);
            let [channel, address, reason, actor] = [0, 1, 2, 4].map(|c| r.text(c).map(str::to_string));
            Ok(Suppression { channel: channel?, address: address?, reason: reason?, at, actor: actor? })
        })
        .collect()
}

/// The setting that says what becomes of mail to blocked services.
pub const BLOCKED_SERVICES: &str = "messages.blocked_services";

/// Whether mail to services that are blocked in Ukraine is held back: so it is, unless the shop says `send`.
pub fn stops_blocked_services(db: &mut Engine) -> Result<bool, DbError> {
    Ok(db::settings::get(db, BLOCKED_SERVICES)?.as_deref() != Some("send"))
}

/// How many addresses are suppressed, by channel.
pub fn suppressed(db: &mut Engine) -> Result<Vec<(String, i64)>, DbError> {
    let sql = "SELECT channel, COUNT(*) FROM suppressions GROUP BY channel ORDER BY channel";
    db.rows(sql, &[])?.iter().map(|r| Ok((r.text(0)?.to_string(), r.int(1)?))).collect()
}
