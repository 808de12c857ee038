//! Blocked addresses: e-mail addresses, telephones and accounts at messengers that get nothing, whatever they agreed to.
//!
//! An address is blocked on a channel. What can be an address there is one of the kinds of identifiers that the channel uses: a
//! text message goes to a telephone, Viber reaches a telephone or an account.
use crate::error::{FieldError, MessagingError};
use base::{Country, normalise_email, normalise_phone};
use db::{DbError, Notice, Tx};

/// Channels on which addresses can be blocked, with the kinds of identifiers that are addresses there, the usual one first.
pub const CHANNELS: &[(&str, &[&str])] = &[
    ("email", &["email"]),
    ("sms", &["phone"]),
    ("viber", &["phone", "viber"]),
    ("whatsapp", &["phone", "whatsapp"]),
    ("telegram", &["telegram"]),
    ("instagram", &["instagram"]),
    ("facebook", &["facebook"]),
    ("call", &["phone"]),
];
/// Characters of an account's id, at most.
const ACCOUNT_MAX: usize = 200;

/// The kinds of identifiers that are addresses on a channel; none for a channel that is none.
pub fn kinds(channel: &str) -> &'static [&'static str] {
    CHANNELS.iter().find(|(name, _)| *name == channel).map_or(&[], |(_, kinds)| kinds)
}

/// An address as it is kept, if it is one on the channel. `country` reads telephones without a code.
pub fn address(channel: &str, written: &str, country: Country) -> Option<String> {
    let written = written.trim();
    kinds(channel).iter().find_map(|kind| match *kind {
        "email" => normalise_email(written),
        "phone" => normalise_phone(written, country),
        _ => account(written),
    })
}

/// The id of an account at a messenger: one word that is no mistyped e-mail or telephone.
fn account(written: &str) -> Option<String> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@' || c == ',';
    let name = written.strip_prefix('@').unwrap_or(written);
    let fits = !name.is_empty() && name.chars().count() <= ACCOUNT_MAX && !name.contains(odd);
    (fits && !written.starts_with('+')).then(|| name.to_string())
}

/// Why an address gets nothing on a channel. That of somebody who was erased goes on being blocked under its hidden form.
pub fn reason(tx: &mut Tx, channel: &str, address: &str) -> Result<Option<String>, DbError> {
    let hidden = db::erase::hidden_address(tx.hash_key(), channel, address);
    let sql = "SELECT reason FROM suppressions WHERE channel = $1 AND address IN ($2, $3)";
    tx.first(sql, &[channel.into(), address.into(), (&hidden).into()])?
        .map(|r| r.text(0).map(str::to_string))
        .transpose()
}

/// Whoever blocks an address, and why.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub reason: &'a str,
    /// Empty = the mail server's answer or the person.
    pub actor: &'a str,
    pub country: Country,
}

/// Stops everything to an address, whatever it agreed to; the first reason stays. Gives the address as it is kept, and whether it
/// was not blocked before.
pub fn block(tx: &mut Tx, channel: &str, written: &str, by: By<'_>) -> Result<(String, bool), MessagingError> {
    let address = checked(channel, written, by.country)?;
    let reason: String = by.reason.chars().filter(|c| !c.is_control()).take(200).collect();
    let now = tx.now().micros();
    let new = tx.execute(
        "INSERT INTO suppressions (channel, address, reason, at, actor) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, address) DO NOTHING",
        &[channel.into(), (&address).into(), (&reason).into(), now.into(), by.actor.into()],
    )?;
    tx.notify(Notice::Changed { what: "suppressions" });
    Ok((address, new > 0))
}

/// Lets an address get messages again, if it agreed to any. Gives it as it is kept, and whether it was blocked.
pub fn lift(tx: &mut Tx, channel: &str, written: &str, country: Country) -> Result<(String, bool), MessagingError> {
    let address = checked(channel, written, country)?;
    let sql = "DELETE FROM suppressions WHERE channel = $1 AND address = $2";
    let gone = tx.execute(sql, &[channel.into(), (&address).into()])?;
    tx.notify(Notice::Changed { what: "suppressions" });
    Ok((address, gone > 0))
}

fn checked(channel: &str, written: &str, country: Country) -> Result<String, MessagingError> {
    let refused = |pointer: &str, detail: String| MessagingError::Invalid {
        what: "suppression",
        errors: vec![FieldError::new(pointer, detail)],
    };
    if kinds(channel).is_empty() {
        let known: Vec<&str> = CHANNELS.iter().map(|(name, _)| *name).collect();
        return Err(refused("/channel", format!("the channel is one of {}", known.join(", "))));
    }
    address(channel, written, country).ok_or_else(|| refused("/address", no_address(channel).into()))
}

/// What is wrong with something that is no address on a channel.
pub fn no_address(channel: &str) -> &'static str {
    match kinds(channel) {
        ["email", ..] => "this is no e-mail address: write one such as olena@example.com",
        ["phone"] => "this is no telephone: write one such as +380671234567",
        ["phone", ..] => "this is neither a telephone, such as +380671234567, nor the id of an account",
        _ => "this is no id of an account: write it as one word",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_a_kind_that_its_channel_uses() {
        let read = |channel: &str, written: &str| address(channel, written, Country::find("UA"));
        for (channel, written, kept) in [
            ("email", " Ann@Example.com", Some("ann@example.com")),
            ("email", "0671234567", None),
            ("sms", "067 123-45-67", Some("+380671234567")),
            ("sms", "ann@example.com", None),
            ("call", "+44 20 7946 0018", Some("+442079460018")),
            ("viber", "0671234567", Some("+380671234567")),
            ("viber", "abc==", Some("abc==")),
            ("viber", "ann@example.com", None),
            ("telegram", "@olena_k", Some("olena_k")),
            ("telegram", "77001", Some("77001")),
            ("telegram", "two words", None),
            ("telegram", "+380671234567", None),
            ("pigeon", "coo", None),
        ] {
            assert_eq!(read(channel, written).as_deref(), kept, "{channel} {written}");
        }
        assert!(CHANNELS.iter().all(|(name, kinds)| !kinds.is_empty() && no_address(name).starts_with("this is")));
    }
}
