//! A row about a customer: one `identify` with what the row knows, and the consents that it tells.
use super::{Context, Out, Person, State, content_id, moment, money, person, push, state};
use crate::mapping::Plan;
use crate::rows::Row;
use crate::values;
use base::Timestamp;
use serde_json::{Map, Value};

pub(super) fn convert(plan: &Plan, context: &Context, row: &Row, out: &mut Out) {
    // When the row was true: its own word, else the file's date. What is newer in Braid stays.
    let Ok(own_time) = moment(plan, context, row, "updated_at", out) else { return };
    let who = person(plan, context, row, out);
    if who.is_nobody() {
        return out.refuse(plan, row, "", "the row has no id, e-mail address or phone number that can be used");
    }
    let mut traits = Map::new();
    for (at, meaning) in &plan.meant {
        let value = row.get(*at);
        if !value.is_empty() {
            read_trait(plan, context, row, (meaning, value), &mut traits, out);
        }
    }
    for (meaning, value) in &plan.mapping.constants {
        if let Some(name) = meaning.strip_prefix("trait:") {
            traits.insert(name.into(), money::scalar(value));
        }
    }
    if let Some(email) = &who.email {
        traits.insert("email".into(), email.clone().into());
    }
    if let Some(phone) = who.phones.first() {
        traits.insert("phone".into(), phone.clone().into());
    }
    let mut message = Map::new();
    message.insert("type".into(), "identify".into());
    let mut ids = who.clone();
    // The first e-mail and phone stand among the traits already.
    (ids.email, ids.external) = (None, who.external.clone());
    if !ids.phones.is_empty() {
        ids.external.extend(ids.phones.drain(..).skip(1).map(|p| ("phone".to_string(), p)));
    }
    ids.into_message(&mut message);
    message.insert("traits".into(), traits.into());
    let id = content_id("customer", &message, own_time);
    let time = own_time.unwrap_or(context.file_time);
    push(out, message, id, time);
    consents(plan, context, row, (&who, own_time), out);
}

fn read_trait(
    plan: &Plan,
    context: &Context,
    row: &Row,
    (meaning, value): (&str, &str),
    traits: &mut Map<String, Value>,
    out: &mut Out,
) {
    let order = plan.mapping.date_order;
    match meaning {
        "first_name" => drop(traits.insert("firstName".into(), value.into())),
        "last_name" => drop(traits.insert("lastName".into(), value.into())),
        "patronymic" | "name" | "language" | "company" | "website" => drop(traits.insert(meaning.into(), value.into())),
        "birthday" => match values::date(value.split([' ', 'T']).next().unwrap_or_default(), order) {
            Some(day)
                if day
                    > jiff::Timestamp::from_microsecond(context.now.micros())
                        .map_or(day, |t| t.to_zoned(context.zone.clone()).date()) =>
            {
                out.drop_value(plan, row, meaning, "the birthday lies in the future");
            }
            Some(day) => drop(traits.insert("birthday".into(), day.to_string().into())),
            None => out.drop_value(plan, row, meaning, "this is no date from 1900 to 2100"),
        },
        "gender" => drop(traits.insert("gender".into(), gender(value).into())),
        "created_at" => match values::moment(value, order, &context.zone) {
            Some(at) => drop(traits.insert("createdAt".into(), at.to_string().into())),
            None => out.drop_value(plan, row, meaning, "this is no date and time from 1900 to 2100"),
        },
        "tags" => {
            let tags: Vec<Value> =
                value.split([',', ';', '|']).map(str::trim).filter(|t| !t.is_empty()).map(Value::from).collect();
            traits.insert("tags".into(), tags.into());
        }
        _ => {
            if let Some(name) = meaning.strip_prefix("address.") {
                let address = traits.entry("address").or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(address) = address {
                    address.insert(name.into(), value.into());
                }
            } else if let Some(name) = meaning.strip_prefix("trait:") {
                traits.insert(name.into(), money::scalar(value));
            } else if let Some(name) = meaning.strip_prefix("money:") {
                match values::money(value) {
                    Some(amount) => drop(traits.insert(name.into(), money::number(amount))),
                    None => out.drop_value(plan, row, meaning, "this is no amount"),
                }
            } else if let Some(name) = meaning.strip_prefix("bool:") {
                match values::yes(value) {
                    Some(yes) => drop(traits.insert(name.into(), yes.into())),
                    None => out.drop_value(plan, row, meaning, "this is neither yes nor no"),
                }
            }
        }
    }
}

/// `female` and `male` in the words of exports; anything else as it is.
fn gender(value: &str) -> &str {
    match value.to_lowercase().as_str() {
        "f" | "female" | "woman" | "ж" | "жіноча" | "жіночий" | "женский" | "жінка" | "женщина" => {
            "female"
        }
        "m" | "male" | "man" | "ч" | "м" | "чоловіча" | "чоловічий" | "мужской" | "чоловік" | "мужчина" => {
            "male"
        }
        _ => value,
    }
}

fn consents(plan: &Plan, context: &Context, row: &Row, (who, own_time): (&Person, Option<Timestamp>), out: &mut Out) {
    let Ok(at) = moment(plan, context, row, "consent_at", out) else { return };
    let purpose = plan.value(row, "purpose").to_lowercase();
    for (column, meaning) in &plan.meant {
        let Some(channel) = meaning.strip_prefix("consent:") else { continue };
        let value = row.get(*column);
        if value.is_empty() {
            continue;
        }
        let contact = if channel == "email" { who.email.as_ref() } else { who.phones.first() };
        let Some(contact) = contact else { continue };
        let Some(state) = state(value) else {
            out.drop_value(plan, row, meaning, "this is neither yes nor no");
            continue;
        };
        let words = format!("{}: {value}", plan.columns[*column]);
        consent(
            context,
            who,
            &Stated { channel, contact, state, purpose: &purpose, words: &words },
            at.or(own_time),
            out,
        );
    }
}

/// One consent as a file tells it.
pub(super) struct Stated<'a> {
    pub channel: &'a str,
    pub contact: &'a str,
    pub state: State,
    /// `marketing` when nothing is said.
    pub purpose: &'a str,
    pub words: &'a str,
}

pub(super) fn consent(
    context: &Context,
    who: &Person,
    stated: &Stated<'_>,
    own_time: Option<Timestamp>,
    out: &mut Out,
) {
    let own = if stated.purpose.is_empty() { "marketing" } else { stated.purpose };
    // Whoever bounced or complained gets nothing at all, whatever it is for.
    let purposes: &[&str] = match stated.state {
        State::Unsaid => return,
        State::Blocked => &["marketing", "service"],
        State::Granted | State::Revoked => &[own],
    };
    for purpose in purposes {
        let mut message = Map::new();
        message.insert("type".into(), "track".into());
        let granted = stated.state == State::Granted;
        message.insert("event".into(), if granted { "Consent Granted" } else { "Consent Revoked" }.into());
        who.clone().into_message(&mut message);
        let wording = format!("imported from {}: {}", context.source, stated.words);
        let wording: String = wording.chars().take(500).collect();
        let properties = serde_json::json!({"channel": stated.channel, "purpose": purpose, "address": stated.contact,
            "wording": wording.trim_end_matches([':', ' '])});
        message.insert("properties".into(), properties);
        let id = content_id("consent", &message, own_time);
        push(out, message, id, own_time.unwrap_or(context.file_time));
    }
}
