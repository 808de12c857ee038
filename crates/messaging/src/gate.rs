//! The gate: the one function through which every message goes, and the only one that lets it out.
//!
//! Values in, a verdict with its reasons out; no clock, no store. The order of the questions is fixed, the first "no" is the
//! answer, and each line says with data why it was asked and what it found, so that a screen can show the whole way.
use crate::facts::PersonFacts;
use crate::model::{Cap, Rule, Shop};
use crate::preferences::{self, Choice};
use crate::templates::{Compiled, Context, MessageFacts, RenderError, Rendered, ensure_unsubscribe};
use crate::windows::quiet_until;
use base::{Timestamp, normalise_email};
use serde::{Deserialize, Serialize};

/// One question of the gate and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateLine {
    /// `rule`, `person`, `segment`, `once`, `address`, `consent`, `preference`, `suppression`, `quiet_hours`, `cap`, `template`.
    pub gate: String,
    pub passed: bool,
    /// What was found, with its data.
    pub detail: String,
}

/// One of the person's own addresses on the message's channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressFacts {
    pub address: String,
    /// The newest consent row for the message's purpose.
    pub consent: Option<bool>,
    /// Why the address gets nothing any more.
    pub suppressed: Option<String>,
}

/// A cap, and how many messages of its kind the person's profiles got within its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapUse {
    pub cap: Cap,
    pub used: i64,
}

/// The template in force.
#[derive(Debug, Clone, Copy)]
pub struct TemplateFacts<'a> {
    pub name: &'a str,
    pub version: i64,
    /// The error's text if the stored texts do not compile, as after a change of the language itself.
    pub compiled: Result<&'a Compiled, &'a str>,
}

/// Everything that decides, read in the transaction that decides.
pub struct GateInput<'a> {
    pub now: Timestamp,
    pub shop: &'a Shop,
    pub message_id: i64,
    /// The rule as it stands now; `None` when there is none any more.
    pub rule: Option<&'a Rule>,
    /// The person as of now; `None` when nobody is left.
    pub person: Option<&'a PersonFacts>,
    pub member: bool,
    /// Another message of this rule that reached, or may have reached, this person.
    pub reached_by: Option<i64>,
    /// The person's own addresses on the rule's channel, the preferred one first.
    pub addresses: &'a [AddressFacts],
    /// What the person chose, over all profiles.
    pub choices: &'a [Choice],
    pub caps: &'a [CapUse],
    pub template: Option<TemplateFacts<'a>>,
    /// The entering event's properties as JSON text.
    pub event: Option<&'a str>,
    /// Makes the link for leaving, for an address.
    pub unsubscribe: &'a dyn Fn(&str) -> String,
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes out, to this address, with these words.
    Pass { address: String, rendered: Rendered, why: Vec<GateLine> },
    /// It never goes out.
    Stop { reason: &'static str, address: String, why: Vec<GateLine> },
    /// Ask again then.
    Later { at: Timestamp, address: String, why: Vec<GateLine> },
}

enum No {
    Stop(&'static str, String),
    Later(Timestamp, String),
}

type Answer = Result<String, No>;

fn stop<T>(reason: &'static str, detail: impl Into<String>) -> Result<T, No> {
    Err(No::Stop(reason, detail.into()))
}

/// Decides whether a message goes out now.
pub fn verdict(input: &GateInput<'_>) -> Verdict {
    let chosen = choose(input.addresses);
    let address = chosen.map(|a| a.address.clone()).unwrap_or_default();
    let questions: [(&str, &dyn Fn() -> Answer); 10] = [
        ("rule", &|| rule_line(input)),
        ("person", &|| person_line(input)),
        ("segment", &|| segment_line(input)),
        ("once", &|| once_line(input)),
        ("address", &|| address_line(chosen)),
        ("consent", &|| consent_line(input, chosen)),
        ("preference", &|| preference_line(input)),
        ("suppression", &|| suppression_line(input, chosen)),
        ("quiet_hours", &|| quiet_line(input)),
        ("cap", &|| cap_line(input)),
    ];
    let mut why = Vec::with_capacity(questions.len() + 1);
    for (gate, ask) in questions {
        if let Err(no) = note(&mut why, gate, ask()) {
            return refusal(no, address, why);
        }
    }
    match render(input, &address) {
        Ok((rendered, detail)) => {
            why.push(GateLine { gate: "template".into(), passed: true, detail });
            Verdict::Pass { address, rendered, why }
        }
        Err((reason, detail)) => {
            why.push(GateLine { gate: "template".into(), passed: false, detail });
            Verdict::Stop { reason, address, why }
        }
    }
}

fn note(why: &mut Vec<GateLine>, gate: &str, answer: Answer) -> Result<(), No> {
    let (passed, detail) = match &answer {
        Ok(detail) => (true, detail),
        Err(No::Stop(_, detail) | No::Later(_, detail)) => (false, detail),
    };
    why.push(GateLine { gate: gate.into(), passed, detail: detail.clone() });
    answer.map(drop)
}

fn refusal(no: No, address: String, why: Vec<GateLine>) -> Verdict {
    match no {
        No::Stop(reason, _) => Verdict::Stop { reason, address, why },
        No::Later(at, _) => Verdict::Later { at, address, why },
    }
}

/// The address that is written to: one with a grant and no suppression if there is one; otherwise the one whose refusal
/// explains most.
fn choose(addresses: &[AddressFacts]) -> Option<&AddressFacts> {
    let valid = || addresses.iter().filter(|a| normalise_email(&a.address).is_some());
    let granted = |a: &&AddressFacts| a.consent == Some(true);
    valid()
        .filter(granted)
        .find(|a| a.suppressed.is_none())
        .or_else(|| valid().find(granted))
        .or_else(|| valid().next())
}

fn rule_line(input: &GateInput<'_>) -> Answer {
    match input.rule {
        None => stop("rule_disabled", "the rule does not exist any more"),
        Some(rule) if rule.archived => stop("rule_disabled", format!("the rule {:?} was deleted", rule.name)),
        Some(rule) if !rule.enabled => stop("rule_disabled", format!("the rule {:?} is switched off", rule.name)),
        Some(rule) => Ok(format!("the rule {:?} is on (version {})", rule.name, rule.version)),
    }
}

fn person_line(input: &GateInput<'_>) -> Answer {
    match input.person {
        None => stop("person_erased", "there is no such person any more"),
        Some(person) if person.members.len() > 1 => {
            Ok(format!("person {} with {} profiles", person.person_id, person.members.len()))
        }
        Some(person) => Ok(format!("person {}", person.person_id)),
    }
}

fn segment_line(input: &GateInput<'_>) -> Answer {
    let segment = input.rule.map_or(0, |r| r.segment_id);
    if input.member {
        Ok(format!("is in segment {segment} now"))
    } else {
        stop("left_segment", format!("is not in segment {segment} any more"))
    }
}

fn once_line(input: &GateInput<'_>) -> Answer {
    match (input.rule.is_some_and(|r| r.once), input.reached_by) {
        (true, Some(other)) => stop("once", format!("this rule reached the person already, with message {other}")),
        (true, None) => Ok("this rule has not reached the person before".into()),
        (false, _) => Ok("this rule may reach a person again".into()),
    }
}

fn address_line(chosen: Option<&AddressFacts>) -> Answer {
    match chosen {
        Some(a) => Ok(a.address.clone()),
        None => stop("no_address", "the person has no valid address on this channel"),
    }
}

/// An address may be messaged for a purpose iff its newest row is a grant. A denial at any other own address of the person
/// stops the message too: it is the person who said no, and a segment's `consent.email.marketing` reads it the same way.
fn consent_line(input: &GateInput<'_>, chosen: Option<&AddressFacts>) -> Answer {
    let (channel, purpose) = input.rule.map_or(("", ""), |r| (r.channel.as_str(), r.purpose.as_str()));
    if input.person.is_some_and(|p| p.unsubscribed) {
        return stop("unsubscribed", "the person unsubscribed from everything");
    }
    if let Some(denied) = input.addresses.iter().find(|a| a.consent == Some(false)) {
        return stop("no_consent", format!("{channel} for {purpose} is denied at {}", denied.address));
    }
    match chosen.and_then(|a| a.consent) {
        Some(true) => {
            Ok(format!("{channel} for {purpose} is granted at {}", chosen.map_or("", |a| a.address.as_str())))
        }
        _ => stop(
            "no_consent",
            format!(
                "nobody agreed to {channel} for {purpose} at {}",
                chosen.map_or("any address", |a| a.address.as_str())
            ),
        ),
    }
}

/// What the person chose holds marketing back. Service messages answer what the customer just did and are not chosen.
fn preference_line(input: &GateInput<'_>) -> Answer {
    let Some(rule) = input.rule.filter(|r| is_marketing(&r.purpose)) else {
        return Ok("service messages are not chosen".into());
    };
    let about = channel_and_topic(&rule.channel, &rule.topic);
    match preferences::decides(input.choices, &rule.channel, &rule.topic) {
        Some(c) if !c.wanted => stop(
            "not_wanted",
            format!("the person does not want {about} (chose {} {} at {})", c.channel, c.topic, c.at),
        ),
        Some(_) => Ok(format!("the person wants {about}")),
        None => Ok(format!("the person chose nothing about {about}")),
    }
}

fn suppression_line(input: &GateInput<'_>, chosen: Option<&AddressFacts>) -> Answer {
    match chosen.and_then(|a| a.suppressed.as_deref()) {
        Some(reason) => stop("suppressed", format!("the address is suppressed: {reason}")),
        None => Ok(match input.addresses.len() {
            0 | 1 => "the address is not suppressed".into(),
            n => format!("the address is not suppressed (1 of {n} addresses)"),
        }),
    }
}

/// Quiet hours hold marketing back. Service messages answer what the customer just did and go out at once.
fn quiet_line(input: &GateInput<'_>) -> Answer {
    let purpose = input.rule.map_or("", |r| r.purpose.as_str());
    let Some(quiet) = input.shop.quiet_hours else { return Ok("no quiet hours are set".into()) };
    if purpose == "service" {
        return Ok("service messages know no quiet hours".into());
    }
    match quiet_until(quiet, input.now, &input.shop.time_zone) {
        Some(at) => Err(No::Later(at, format!("quiet hours in {} last until {at}", input.shop.time_zone))),
        None => Ok(format!("no quiet hours in {} now", input.shop.time_zone)),
    }
}

fn cap_line(input: &GateInput<'_>) -> Answer {
    let line =
        |c: &CapUse| format!("{} of {} ({} {}) in {}", c.used, c.cap.limit, c.cap.channel, c.cap.purpose, c.cap.window);
    if let Some(full) = input.caps.iter().find(|c| c.used >= c.cap.limit) {
        return stop("cap_reached", format!("{} already used", line(full)));
    }
    if input.caps.is_empty() {
        return Ok("no cap applies".into());
    }
    Ok(format!("{} used", input.caps.iter().map(line).collect::<Vec<_>>().join("; ")))
}

fn render(input: &GateInput<'_>, address: &str) -> Result<(Rendered, String), (&'static str, String)> {
    let (Some(template), Some(rule), Some(person)) = (input.template, input.rule, input.person) else {
        return Err(("template_missing", "the rule's template was deleted".into()));
    };
    let compiled = template.compiled.map_err(|e| ("template_error", e.to_string()))?;
    let message = MessageFacts {
        id: input.message_id,
        channel: &rule.channel,
        purpose: &rule.purpose,
        rule: &rule.name,
        address,
    };
    let url = (input.unsubscribe)(address);
    let context = Context::new(&person.traits, input.event, &message, input.shop, &url);
    let mut rendered = compiled.render(&context).map_err(|e: RenderError| (e.reason(), e.to_string()))?;
    if is_marketing(&rule.purpose) {
        ensure_unsubscribe(&mut rendered, &url, &input.shop.locale);
    }
    Ok((rendered, format!("{:?} version {} renders", template.name, template.version)))
}

/// Whether mail of this purpose carries the means to leave. Everything but answers to the customer's own acts does.
pub fn is_marketing(purpose: &str) -> bool {
    purpose != "service"
}

/// `email`, or `email about news`.
fn channel_and_topic(channel: &str, topic: &str) -> String {
    if topic.is_empty() { channel.to_string() } else { format!("{channel} about {topic}") }
}
