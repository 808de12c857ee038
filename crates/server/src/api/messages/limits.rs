//! Limits of messaging that people set: suppressed addresses, quiet hours, and what a customer wants to get.
use super::refused;
use crate::app::App;
use crate::caller::{ReadConsents, ReadMessages, WriteConsents, WriteMessages};
use crate::change::Done;
use crate::input::{Id, Input, Params, limit};
use crate::problem::{BAD_CURSOR, BAD_INPUT, BAD_QUERY, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::Tx;
use messaging::preferences::{self, ANY, CHOICES_MAX, Choice};
use messaging::suppressions::{self, By};
use messaging::{commands, lists};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Lines of one list that is pasted: more would hold events up while they are written.
const LINES_MAX: usize = 10_000;
/// Bad lines that the report names.
const BAD_MAX: usize = 200;

/// An address that gets nothing any more.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Suppression {
    channel: String,
    /// Nothing for the address of an erased person: only its hash is kept.
    address: Option<String>,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who entered it; nothing when the mail server or the person did.
    actor: Option<String>,
}

/// Suppressed addresses.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SuppressionList {
    items: Vec<Suppression>,
    next_cursor: Option<String>,
    /// How many there are of the channel.
    total: i64,
    /// How many there are of each channel.
    totals: BTreeMap<String, i64>,
    /// Channels on which addresses can be suppressed.
    channels: Vec<String>,
}

/// Which addresses.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SuppressionsQuery {
    /// `email` (without it), `sms`, `viber`, `whatsapp`, `telegram`, `instagram`, `facebook` or `call`.
    channel: Option<String>,
    /// How the address begins.
    query: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists suppressed addresses in their order.
#[utoipa::path(get, path = "/api/v1/suppressions", tag = "limits", params(SuppressionsQuery),
    responses((status = 200, body = SuppressionList)))]
pub async fn list_suppressions(
    State(app): State<Arc<App>>,
    _: ReadMessages,
    Params(q): Params<SuppressionsQuery>,
) -> Result<Json<SuppressionList>, Problem> {
    let limit = limit(q.limit)? as usize;
    let after = match q.cursor.as_deref() {
        None => String::new(),
        Some(text) => URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|text| !text.contains('\0'))
            .ok_or_else(|| BAD_CURSOR.because("pass next_cursor as it came"))?,
    };
    let channel = q.channel.unwrap_or_else(|| messaging::model::EMAIL.into());
    if suppressions::kinds(&channel).is_empty() {
        return Err(BAD_QUERY.because("there is no such channel"));
    }
    let prefix = q.query.as_deref().unwrap_or("").trim();
    // Ids of accounts keep their letters as they are.
    let prefix = if channel == messaging::model::EMAIL { prefix.to_lowercase() } else { prefix.to_string() };
    if prefix.contains('\0') {
        return Err(BAD_QUERY.because("query is the beginning of an address"));
    }
    let asked = channel.clone();
    let (mut found, totals) = app
        .query(move |db| Ok((lists::suppressions(db, &asked, &prefix, &after, limit + 1)?, lists::suppressed(db)?)))
        .await?;
    let totals: BTreeMap<String, i64> = totals.into_iter().collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|s| URL_SAFE_NO_PAD.encode(&s.address));
    let items = found.into_iter().map(|s| Suppression {
        channel: s.channel,
        address: Some(s.address).filter(|a| !a.starts_with("erased:")),
        reason: s.reason,
        at: s.at,
        actor: Some(s.actor).filter(|a| !a.is_empty()),
    });
    let total = totals.get(&channel).copied().unwrap_or(0);
    let channels = suppressions::CHANNELS.iter().map(|(name, _)| (*name).to_string()).collect();
    Ok(Json(SuppressionList { items: items.collect(), next_cursor, total, totals, channels }))
}

/// An address that shall get nothing any more.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppression {
    /// As in the list.
    channel: String,
    /// An e-mail address, a telephone as people write it, or the id of an account: whatever the channel reaches.
    address: String,
    reason: String,
}

fn reason(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 {
        return Err(BAD_INPUT.at("/reason", "say why, in 1 to 200 characters"));
    }
    Ok(text.to_string())
}

/// Suppresses an address: it gets nothing any more, whatever it agreed to.
#[utoipa::path(post, path = "/api/v1/suppressions", tag = "limits", request_body = NewSuppression,
    responses((status = 201, body = Suppression)))]
pub async fn add_suppression(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    input: Input<NewSuppression>,
) -> Result<Response, Problem> {
    let new = input.value;
    let reason = reason(&new.reason)?;
    let (actor, country) = (caller.actor.clone(), app.domain.settings().country);
    app.change(&caller, input.request, move |tx| {
        let by = By { reason: &reason, actor: &actor, country };
        let (address, _) = suppressions::block(tx, &new.channel, &new.address, by).map_err(refused)?;
        let after = json!({"channel": new.channel, "address": address, "reason": reason});
        let body = Suppression {
            channel: new.channel.clone(),
            address: Some(address),
            reason: reason.clone(),
            at: tx.now(),
            actor: Some(actor.clone()),
        };
        Ok(Done::created(body).noted(("suppress", "address"), &new.channel, None, Some(after)))
    })
    .await
}

/// Which address.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftSuppression {
    channel: String,
    address: String,
    /// Why it may be written to again: a complaint is not lifted lightly.
    reason: String,
}

/// Lets an address get messages again, if it agreed to any.
#[utoipa::path(post, path = "/api/v1/suppressions/lift", tag = "limits", request_body = LiftSuppression,
    responses((status = 204, description = "Done")))]
pub async fn lift_suppression(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    input: Input<LiftSuppression>,
) -> Result<Response, Problem> {
    let lift = input.value;
    let reason = reason(&lift.reason)?;
    let country = app.domain.settings().country;
    app.change(&caller, input.request, move |tx| {
        let (address, lifted) = suppressions::lift(tx, &lift.channel, &lift.address, country).map_err(refused)?;
        if !lifted {
            return Err(NOT_FOUND.because("this address is not suppressed"));
        }
        let before = json!({"channel": lift.channel, "address": address});
        let after = json!({"reason": reason});
        Ok(Done::nothing().noted(("lift", "address"), &lift.channel, Some(before), Some(after)))
    })
    .await
}

/// A list as it is pasted from a file or from an old tool.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionImport {
    /// A line an address; after a comma, semicolon or tab a reason may follow. A heading is passed over.
    text: String,
    /// For lines without a reason of their own.
    reason: String,
    /// Where they get nothing, as in the list; several for telephones that neither get texts nor are called. Without it `email`.
    #[serde(default = "email_only")]
    channels: Vec<String>,
}

fn email_only() -> Vec<String> {
    vec![messaging::model::EMAIL.into()]
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct BadLine {
    /// From 1.
    line: i64,
    reason: String,
}

/// What became of a list.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SuppressionReport {
    lines: i64,
    /// Suppressed from now on, on any of the channels.
    added: i64,
    /// Suppressed before on all of them, or named twice.
    known: i64,
    /// Lines without an address; of many the first.
    bad: Vec<BadLine>,
    bad_count: i64,
}

/// The lines of a list: number, address, reason of its own. Empty lines are left out, and a first line that is no address where
/// another line is one: a heading.
fn lines(text: &str, is_address: &dyn Fn(&str) -> bool) -> Vec<(i64, String, String)> {
    let clean = |cell: &str| cell.trim().trim_matches('"').trim().to_string();
    let text = text.trim_start_matches('\u{feff}');
    let numbered = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let mut out: Vec<(i64, String, String)> = numbered
        .map(|(number, line)| {
            let mut cells = line.splitn(2, [',', ';', '\t']);
            let (address, rest) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
            let own = rest.split([',', ';', '\t']).next().unwrap_or("");
            (number, clean(address), clean(own))
        })
        .collect();
    // Any word may be the id of an account, so that headings are known by what tools call them.
    let heading = |word: &str| {
        let word = word.to_lowercase();
        !is_address(&word) || ["account", "address", "chat_id", "id", "username"].contains(&word.as_str())
    };
    if out.len() > 1 && heading(&out[0].1) && out[1..].iter().any(|(_, address, _)| is_address(address)) {
        out.remove(0);
    }
    out
}

/// Suppresses a list of addresses, and reports line by line what was no address.
#[utoipa::path(post, path = "/api/v1/suppressions/import", tag = "limits", request_body = SuppressionImport,
    responses((status = 200, body = SuppressionReport)))]
pub async fn import_suppressions(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    input: Input<SuppressionImport>,
) -> Result<Response, Problem> {
    let reason = reason(&input.value.reason)?;
    let (channels, country) = (input.value.channels, app.domain.settings().country);
    let unknown = channels.iter().any(|c| suppressions::kinds(c).is_empty());
    let known: BTreeSet<&String> = channels.iter().collect();
    if channels.is_empty() || unknown || known.len() < channels.len() {
        let names: Vec<&str> = suppressions::CHANNELS.iter().map(|(name, _)| *name).collect();
        return Err(BAD_INPUT.at("/channels", format!("name one or more of {}, each once", names.join(", "))));
    }
    // Of several channels it must be an address on each, or a word could be an account on one and a mistake on the others.
    let is_address = |text: &str| channels.iter().all(|c| suppressions::address(c, text, country).is_some());
    let lines = lines(&input.value.text, &is_address);
    if lines.is_empty() {
        return Err(BAD_INPUT.at("/text", "paste at least one address"));
    }
    if lines.len() > LINES_MAX {
        let detail = format!("{} lines are too many at once: paste {LINES_MAX} at a time", lines.len());
        return Err(BAD_INPUT.at("/text", detail));
    }
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let mut report =
            SuppressionReport { lines: lines.len() as i64, added: 0, known: 0, bad: Vec::new(), bad_count: 0 };
        for (line, address, own) in &lines {
            let why = if own.is_empty() { &reason } else { own };
            let by = By { reason: why, actor: &actor, country };
            let mut added = None;
            if channels.iter().all(|c| suppressions::address(c, address, country).is_some()) {
                for channel in &channels {
                    let (_, new) = suppressions::block(tx, channel, address, by).map_err(refused)?;
                    added = Some(added == Some(true) || new);
                }
            }
            match added {
                Some(true) => report.added += 1,
                Some(false) => report.known += 1,
                None => {
                    report.bad_count += 1;
                    if report.bad.len() < BAD_MAX {
                        let why = suppressions::no_address(&channels[0]).to_string();
                        report.bad.push(BadLine { line: *line, reason: why });
                    }
                }
            }
        }
        let after = json!({"lines": report.lines, "added": report.added, "known": report.known, "bad": report.bad_count,
            "reason": reason, "channels": channels});
        Ok(Done::ok(report).noted(("import", "suppressions"), channels.join(" "), None, Some(after)))
    })
    .await
}

/// The hours in which no marketing goes out.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// `21:00-09:00`, in the shop's zone; nothing allows every hour.
    hours: Option<String>,
}

fn written(hours: Option<messaging::model::QuietHours>) -> Option<String> {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    hours.map(|h| format!("{}-{}", clock(h.from_minute), clock(h.to_minute)))
}

/// Shows the quiet hours.
#[utoipa::path(get, path = "/api/v1/quiet-hours", tag = "limits", responses((status = 200, body = QuietHours)))]
pub async fn get_quiet_hours(State(app): State<Arc<App>>, _: ReadMessages) -> Result<Json<QuietHours>, Problem> {
    let hours = app.read(|tx| Ok(commands::load_quiet_hours(tx)?)).await?;
    Ok(Json(QuietHours { hours: written(hours) }))
}

/// Sets the quiet hours. Marketing that falls into them waits for their end; service messages go out at any hour.
#[utoipa::path(put, path = "/api/v1/quiet-hours", tag = "limits", request_body = QuietHours,
    responses((status = 200, body = QuietHours)))]
pub async fn put_quiet_hours(
    State(app): State<Arc<App>>,
    WriteMessages(caller): WriteMessages,
    input: Input<QuietHours>,
) -> Result<Response, Problem> {
    let wanted = input.value.hours.as_deref().map(commands::parse_quiet_hours).transpose();
    let wanted = wanted.map_err(refused)?;
    app.change(&caller, input.request, move |tx| {
        let changed = commands::put_quiet_hours(tx, wanted).map_err(refused)?;
        let before = json!({"hours": written(changed.before.flatten())});
        let after = json!({"hours": written(changed.after)});
        let body = QuietHours { hours: written(changed.after) };
        Ok(Done::ok(body).noted(("update", "quiet_hours"), "", Some(before), Some(after)))
    })
    .await
}

/// What a customer wants to get, or not.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferenceChoice {
    /// `email`, …; `*` = every channel.
    channel: String,
    /// A topic of message rules, such as `news`; `*` = everything.
    topic: String,
    wanted: bool,
}

/// A choice as it stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Preference {
    channel: String,
    topic: String,
    wanted: bool,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who entered it; nothing when the customer did.
    actor: Option<String>,
}

/// What a customer chose.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Preferences {
    person_id: Id,
    items: Vec<Preference>,
    /// Topics that message rules have.
    topics: Vec<String>,
}

/// What a customer chooses from now on, in whole.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreferencesInput {
    items: Vec<PreferenceChoice>,
}

fn present(tx: &mut Tx, person: i64, members: &[i64]) -> Result<Preferences, Problem> {
    let items = preferences::of_profiles(tx, members)?.into_iter().map(|c| Preference {
        channel: c.channel,
        topic: c.topic,
        wanted: c.wanted,
        at: c.at,
        actor: Some(c.actor).filter(|a| !a.is_empty()),
    });
    let sql =
        "SELECT DISTINCT topic FROM message_rules WHERE archived_at = 0 AND topic <> '' ORDER BY topic LIMIT 1000";
    let topics = tx.rows(sql, &[])?.iter().map(|r| Ok(r.text(0)?.to_string())).collect::<Result<_, db::DbError>>()?;
    Ok(Preferences { person_id: Id(person), items: items.collect(), topics })
}

fn members(tx: &mut Tx, id: i64) -> Result<(i64, Vec<i64>), Problem> {
    let person = tx.get::<customers::profiles::Profiles>(id)?.map(|p| p.person).filter(|p| *p != 0);
    let person = person.ok_or_else(|| NOT_FOUND.because(format!("nobody has the id {id}")))?;
    Ok((person, customers::commands::members_of(tx, person)?))
}

/// Shows what a customer wants to get.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/preferences", tag = "limits", params(("person_id" = String, Path)),
    responses((status = 200, body = Preferences)))]
pub async fn get_preferences(
    State(app): State<Arc<App>>,
    _: ReadConsents,
    Path(id): Path<String>,
) -> Result<Json<Preferences>, Problem> {
    let id = Id::in_path(&id)?;
    let found = app.read(move |tx| {
        let (person, members) = members(tx, id)?;
        present(tx, person, &members)
    });
    Ok(Json(found.await?))
}

/// Sets what a customer wants to get. Marketing that the customer does not want is stopped at the gate.
#[utoipa::path(put, path = "/api/v1/customers/{person_id}/preferences", tag = "limits", params(("person_id" = String, Path)),
    request_body = PreferencesInput, responses((status = 200, body = Preferences)))]
pub async fn put_preferences(
    State(app): State<Arc<App>>,
    WriteConsents(caller): WriteConsents,
    Path(id): Path<String>,
    input: Input<PreferencesInput>,
) -> Result<Response, Problem> {
    let (id, items) = (Id::in_path(&id)?, input.value.items);
    if items.len() > CHOICES_MAX {
        return Err(BAD_INPUT.at("/items", format!("more than {CHOICES_MAX} choices")));
    }
    for (at, item) in items.iter().enumerate() {
        if item.channel != ANY && !preferences::is_word(&item.channel) {
            return Err(BAD_INPUT.at(&format!("/items/{at}/channel"), "name a channel such as email, or * for all"));
        }
        if item.topic != ANY && !preferences::is_word(&item.topic) {
            return Err(BAD_INPUT.at(&format!("/items/{at}/topic"), "name a topic such as news, or * for all"));
        }
        if items[..at].iter().any(|other| (&other.channel, &other.topic) == (&item.channel, &item.topic)) {
            return Err(BAD_INPUT.at(&format!("/items/{at}"), "this channel and topic are there already"));
        }
    }
    crate::scope::check(&app, &caller, id).await?;
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let (person, members) = members(tx, id)?;
        let old = preferences::of_profiles(tx, &members)?;
        let now = tx.now();
        let choice = |i: &PreferenceChoice| {
            let known = old.iter().find(|o| (&o.channel, &o.topic, o.wanted) == (&i.channel, &i.topic, i.wanted));
            // What did not change keeps its moment and its author.
            known.cloned().unwrap_or_else(|| Choice {
                channel: i.channel.clone(),
                topic: i.topic.clone(),
                wanted: i.wanted,
                at: now,
                actor: actor.clone(),
            })
        };
        let choices: Vec<Choice> = items.iter().map(choice).collect();
        preferences::replace(tx, &members, &choices)?;
        tx.notify(db::Notice::Person { person_id: person });
        let noted = |all: &[Choice]| {
            let one = |c: &Choice| (format!("{} {}", c.channel, c.topic), json!(c.wanted));
            Some(serde_json::Value::Object(all.iter().map(one).collect()))
        };
        let (before, after) = (noted(&old), noted(&choices));
        Ok(Done::ok(present(tx, person, &members)?).noted(("update", "preferences"), person, before, after))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_pasted_list_is_read_as_people_paste_it() {
        let text =
            "\u{feff}E-mail;Reason\r\n\"ann@example.com\";\"spam, twice\"\r\n\r\nbob@example.com\tbounced\tx\nnobody\n";
        let mail = |text: &str| text.contains('@');
        let read: Vec<(i64, String, String)> = lines(text, &mail);
        let read: Vec<(i64, &str, &str)> = read.iter().map(|(n, a, r)| (*n, &**a, &**r)).collect();
        assert_eq!(read, [(2, "ann@example.com", "spam"), (4, "bob@example.com", "bounced"), (5, "nobody", "")]);
        assert_eq!(lines("nobody", &mail).len(), 1, "a single line is no heading");
        assert!(lines(" \n\n", &mail).is_empty());
        let any = |text: &str| !text.contains(' ');
        assert_eq!(lines("chat_id\n77001\n77002", &any).len(), 2);
        assert_eq!(lines("olena_k\n77001", &any).len(), 2, "an account may be a word");
    }
}
