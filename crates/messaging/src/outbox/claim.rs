//! Pending → sending or stopped: one transaction with everything read now.
use super::{Books, message_of, message_sql, why_json};
use crate::facts::{GateFacts, PersonFacts};
use crate::gate::{self, AddressFacts, CapUse, GateInput, GateLine, TemplateFacts, Verdict};
use crate::model::{ANY, Cap, Derived, EMAIL, Message, Rule, Shop, Status};
use crate::templates::{Compiled, Rendered, Source, compile};
use crate::unsubscribe::{self, Secret};
use crate::windows::Window;
use crate::{lists, rules, suppressions};
use base::Timestamp;
use base::mail_service::is_blocked_service;
use db::{DbError, Tx};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

/// How to claim.
#[derive(Debug, Clone, Copy)]
pub struct ClaimOptions<'a> {
    pub shop: &'a Shop,
    /// Messages to look at, at most: the transaction's size.
    pub limit: i64,
    /// How long whoever sends may take; longer than the longest attempt, else a slow server makes messages unknown.
    pub lease_us: i64,
}

/// A message that may be handed to the mail server once, before its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub message_id: i64,
    /// Names this attempt; goes back with its outcome.
    pub attempt: i64,
    pub profile_id: i64,
    pub lease_until: Timestamp,
    pub to: String,
    pub subject: String,
    pub html: Option<String>,
    pub text: String,
    /// `unique@domain` for `Message-ID`, made of the message's key: the same in every attempt.
    pub message_id_header: String,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
}

/// What one call claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedBatch {
    pub claimed: Vec<Claimed>,
    /// To be appended to the log in the same transaction.
    pub derived: Vec<Derived>,
    pub stopped: usize,
    /// Put off: quiet hours.
    pub later: usize,
    /// As many were due as the limit allows: more may be.
    pub more: bool,
}

struct Loaded {
    name: String,
    version: i64,
    compiled: Result<Compiled, String>,
}

/// What is read once a call, since it is the same for all its messages.
struct Desk<'a> {
    options: ClaimOptions<'a>,
    now: Timestamp,
    secret: Secret,
    caps: Vec<(Cap, Window)>,
    templates: HashMap<i64, Option<Loaded>>,
}

const DUE: &str = message_sql!(
    " FROM messages m WHERE m.status = 'pending' AND m.due_at > 0 AND m.due_at <= $1 ORDER BY m.due_at, m.id LIMIT $2"
);

/// Asks the gate about the messages that are due, oldest first, and claims those that pass.
///
/// Each sees what the ones before it did: of two messages under a cap with one place left, the older gets it.
pub fn claim_due(tx: &mut Tx, facts: &mut dyn GateFacts, options: ClaimOptions<'_>) -> Result<ClaimedBatch, DbError> {
    let now = tx.now();
    let due = tx.rows(DUE, &[now.micros().into(), options.limit.into()])?;
    let mut batch = ClaimedBatch { more: due.len() as i64 >= options.limit, ..ClaimedBatch::default() };
    if due.is_empty() {
        return Ok(batch);
    }
    let mut caps = Vec::new();
    for cap in lists::caps_in(tx)? {
        // A window was checked when it was saved; one that cannot be read any more must not let everything through.
        let window = Window::parse(&cap.window).map_err(|e| DbError::damaged("caps", e))?;
        caps.push((cap, window));
    }
    let mut desk = Desk { options, now, secret: unsubscribe::load_secret(tx)?, caps, templates: HashMap::new() };
    let mut books = Books::default();
    for row in &due {
        let mut message = message_of(row)?;
        let rule = rules::find(tx, message.rule_id)?;
        let verdict = ask(tx, facts, &mut desk, &message, rule.as_deref())?;
        if let Some(rule) = &rule {
            // What the message says of itself follows the rule that decided.
            message.purpose.clone_from(&rule.purpose);
            message.channel.clone_from(&rule.channel);
            message.template_id = rule.template_id;
            message.template_version = desk.version(rule.template_id);
        }
        match verdict {
            Verdict::Pass { address, rendered, why } => {
                batch.claimed.push(hand_over(
                    tx,
                    &mut books,
                    &desk,
                    message,
                    rule.as_deref(),
                    address,
                    rendered,
                    &why,
                )?);
            }
            Verdict::Stop { reason, address, why } => {
                batch.stopped += 1;
                stop(tx, &mut books, message, reason, &address, &why)?;
            }
            Verdict::Later { at, address, why } => {
                batch.later += 1;
                let why = why_json(&why);
                let params = [message.id.into(), at.micros().into(), (&address).into(), (&why).into()];
                tx.execute(
                    "UPDATE messages SET due_at = $2, address = $3, why = $4, reason = 'quiet_hours' WHERE id = $1",
                    &params,
                )?;
            }
        }
    }
    batch.derived = books.close(tx)?;
    Ok(batch)
}

impl Desk<'_> {
    fn version(&self, template_id: i64) -> i64 {
        self.templates.get(&template_id).and_then(Option::as_ref).map_or(0, |t| t.version)
    }
    fn load_template(&mut self, tx: &mut Tx, id: i64) -> Result<(), DbError> {
        let Slot::Vacant(slot) = self.templates.entry(id) else { return Ok(()) };
        let found = lists::template_in(tx, id)?.filter(|t| !t.archived);
        slot.insert(found.map(|t| {
            let source = Source { subject: &t.subject, body_html: &t.body_html, body_text: &t.body_text };
            let compiled = compile(source).map_err(|e| e.first().map_or_else(String::new, |e| e.detail.clone()));
            Loaded { version: t.version, compiled, name: t.name }
        }));
        Ok(())
    }
}

/// Reads what the gate wants and asks it. What lies behind a question that is answered with "no" is not read.
fn ask(
    tx: &mut Tx,
    facts: &mut dyn GateFacts,
    desk: &mut Desk<'_>,
    message: &Message,
    rule: Option<&Rule>,
) -> Result<Verdict, DbError> {
    let live = rule.filter(|r| r.enabled && !r.archived);
    let person = if live.is_some() { facts.person(tx, message.profile_id)? } else { None };
    let member = match (live, &person) {
        (Some(rule), Some(person)) => facts.membership(tx, rule.segment_id, person.person_id)?,
        _ => false,
    };
    let (mut addresses, mut caps, mut reached_by, mut event) = (Vec::new(), Vec::new(), None, None);
    let mut choices = Vec::new();
    if let (true, Some(rule), Some(person)) = (member, live, &person) {
        desk.load_template(tx, rule.template_id)?;
        addresses = read_addresses(tx, facts, rule, person)?;
        reached_by = if rule.once { find_reached(tx, message, person, &addresses)? } else { None };
        choices = crate::preferences::of_profiles(tx, &person.members)?;
        caps = count_caps(tx, desk, rule, person)?;
        if message.event_seq > 0 {
            event = facts.event_properties(tx, message.event_seq)?;
        }
    }
    let loaded = rule.and_then(|r| desk.templates.get(&r.template_id)).and_then(Option::as_ref);
    let (secret, shop, id) = (&desk.secret, desk.options.shop, message.id);
    let purpose = rule.map_or(message.purpose.as_str(), |r| r.purpose.as_str());
    let link = |address: &str| unsubscribe::url(shop, &unsubscribe::token(secret, id, address, purpose));
    Ok(gate::verdict(&GateInput {
        now: desk.now,
        shop,
        message_id: id,
        rule,
        person: person.as_ref(),
        member,
        reached_by,
        addresses: &addresses,
        choices: &choices,
        caps: &caps,
        template: loaded.map(|t| TemplateFacts {
            name: &t.name,
            version: t.version,
            compiled: t.compiled.as_ref().map_err(String::as_str),
        }),
        event: event.as_deref(),
        unsubscribe: &link,
    }))
}

fn read_addresses(
    tx: &mut Tx,
    facts: &mut dyn GateFacts,
    rule: &Rule,
    person: &PersonFacts,
) -> Result<Vec<AddressFacts>, DbError> {
    let own: &[String] = if rule.channel == EMAIL { &person.emails } else { &[] };
    let mut out = Vec::with_capacity(own.len());
    let stops_blocked = own.iter().any(|a| is_blocked_service(a)) && lists::stops_blocked_services(tx.engine())?;
    for address in own {
        let consent = facts.consent(tx, &rule.channel, address, &rule.purpose)?;
        let suppressed = suppressions::reason(tx, &rule.channel, address)?;
        let blocked = || is_blocked_service(address) && rule.channel == EMAIL;
        let suppressed = match suppressed {
            None if stops_blocked && blocked() => Some("its mail service is blocked".into()),
            known => known,
        };
        out.push(AddressFacts { address: address.clone(), consent, suppressed });
    }
    Ok(out)
}

/// Another message of the rule that reached a profile of this person, or one of the person's addresses: a profile may have
/// been split off since, but the reader of that mailbox is the same.
fn find_reached(
    tx: &mut Tx,
    message: &Message,
    person: &PersonFacts,
    addresses: &[AddressFacts],
) -> Result<Option<i64>, DbError> {
    for member in &person.members {
        let row = tx.first(
            "SELECT id FROM messages WHERE profile_id = $1 AND rule_id = $2 AND id <> $3 AND status IN ('sending', 'sent', 'unknown') \
             ORDER BY id LIMIT 1",
            &[(*member).into(), message.rule_id.into(), message.id.into()],
        )?;
        if let Some(row) = row {
            return row.int(0).map(Some);
        }
    }
    for own in addresses {
        let row = tx.first(
            "SELECT id FROM messages WHERE address = $1 AND address <> '' AND rule_id = $2 AND id <> $3 \
             AND status IN ('sending', 'sent', 'unknown') ORDER BY id LIMIT 1",
            &[(&own.address).into(), message.rule_id.into(), message.id.into()],
        )?;
        if let Some(row) = row {
            return row.int(0).map(Some);
        }
    }
    Ok(None)
}

/// Caps are read over the component: what each profile of the person got adds up.
fn count_caps(tx: &mut Tx, desk: &Desk<'_>, rule: &Rule, person: &PersonFacts) -> Result<Vec<CapUse>, DbError> {
    let applies = |cap: &Cap| {
        (cap.channel == ANY || cap.channel == rule.channel) && (cap.purpose == ANY || cap.purpose == rule.purpose)
    };
    let mut out = Vec::new();
    for (cap, window) in desk.caps.iter().filter(|(cap, _)| applies(cap)) {
        let after = window.after(desk.now, &desk.options.shop.time_zone);
        let mut used = 0;
        for member in &person.members {
            let row = tx.first(
                "SELECT COUNT(*) FROM sends WHERE profile_id = $1 AND at > $2 AND ($3 = 'any' OR channel = $3) \
                 AND ($4 = 'any' OR purpose = $4)",
                &[(*member).into(), after.micros().into(), (&cap.channel).into(), (&cap.purpose).into()],
            )?;
            used += row.map_or(Ok(0), |r| r.int(0))?;
        }
        out.push(CapUse { cap: cap.clone(), used });
    }
    Ok(out)
}

#[allow(clippy::too_many_arguments, reason = "each is a part of the one step from pending to sending")]
fn hand_over(
    tx: &mut Tx,
    books: &mut Books,
    desk: &Desk<'_>,
    message: Message,
    rule: Option<&Rule>,
    address: String,
    rendered: Rendered,
    why: &[GateLine],
) -> Result<Claimed, DbError> {
    let lease_until = desk.now.plus(desk.options.lease_us);
    tx.execute(
        "UPDATE messages SET status = 'sending', reason = '', why = $2, address = $3, subject = $4, template_id = $5, \
         template_version = $6, channel = $7, purpose = $8, once = $9, attempts = attempts + 1, due_at = $10, \
         first_attempt_at = CASE WHEN first_attempt_at = 0 THEN $11 ELSE first_attempt_at END WHERE id = $1",
        &[
            message.id.into(),
            (&why_json(why)).into(),
            (&address).into(),
            (&rendered.subject).into(),
            message.template_id.into(),
            message.template_version.into(),
            (&message.channel).into(),
            (&message.purpose).into(),
            i64::from(rule.is_some_and(|r| r.once)).into(),
            lease_until.micros().into(),
            desk.now.micros().into(),
        ],
    )?;
    tx.execute(
        "INSERT INTO sends (message_id, profile_id, channel, purpose, address, at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            message.id.into(),
            message.profile_id.into(),
            (&message.channel).into(),
            (&message.purpose).into(),
            (&address).into(),
            desk.now.micros().into(),
        ],
    )?;
    books.moved(&message, Status::Sending);
    let url =
        unsubscribe::url(desk.options.shop, &unsubscribe::token(&desk.secret, message.id, &address, &message.purpose));
    let headers = if gate::is_marketing(&message.purpose) { unsubscribe::headers(&url) } else { Vec::new() };
    Ok(Claimed {
        message_id: message.id,
        attempt: message.attempts + 1,
        profile_id: message.profile_id,
        lease_until,
        to: address,
        subject: rendered.subject,
        html: rendered.html,
        text: rendered.text,
        message_id_header: message_id_header(&message.key, &desk.options.shop.mail_domain),
        headers,
    })
}

fn stop(
    tx: &mut Tx,
    books: &mut Books,
    message: Message,
    reason: &str,
    address: &str,
    why: &[GateLine],
) -> Result<(), DbError> {
    let now = tx.now();
    tx.execute(
        "UPDATE messages SET status = 'stopped', reason = $2, why = $3, address = $4, due_at = 0, settled_at = $5 WHERE id = $1",
        &[message.id.into(), reason.into(), (&why_json(why)).into(), address.into(), now.micros().into()],
    )?;
    books.moved(&message, Status::Stopped);
    books.event("Message Suppressed", &message, reason, now);
    Ok(())
}

/// The key's hash: a mail server that sees the same mail twice can know it, and nobody can read ids from it.
fn message_id_header(key: &str, domain: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let hex: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("{hex}@{domain}")
}
