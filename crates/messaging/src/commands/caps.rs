//! Caps and suppressions.
use super::{Changed, check_choice};
use crate::error::{FieldError, MessagingError};
use crate::lists::caps_in;
use crate::model::{ANY, CHANNELS, Cap, EMAIL, PURPOSES};
use crate::windows::Window;
use base::normalise_email;
use db::{Notice, Tx};
use std::collections::HashSet;

/// The most caps that a shop can have: each is counted for every message.
pub const CAPS_MAX: usize = 20;

/// Replaces all caps.
pub fn put_caps(tx: &mut Tx, caps: &[Cap]) -> Result<Changed<Vec<Cap>>, MessagingError> {
    check(caps)?;
    let before = caps_in(tx)?;
    tx.execute("DELETE FROM caps", &[])?;
    for cap in caps {
        tx.execute(
            "INSERT INTO caps (channel, purpose, span, most) VALUES ($1, $2, $3, $4)",
            &[(&cap.channel).into(), (&cap.purpose).into(), cap.window.trim().into(), cap.limit.into()],
        )?;
    }
    tx.notify(Notice::Changed { what: "caps" });
    Ok(Changed { before: Some(before), after: caps_in(tx)?, warnings: Vec::new() })
}

fn check(caps: &[Cap]) -> Result<(), MessagingError> {
    let mut errors = Vec::new();
    if caps.len() > CAPS_MAX {
        errors.push(FieldError::new("/items", format!("{} caps are too many: {CAPS_MAX} are allowed", caps.len())));
    }
    let mut seen = HashSet::new();
    let with_any = |known: &[&'static str]| known.iter().copied().chain([ANY]).collect::<Vec<_>>();
    for (at, cap) in caps.iter().enumerate().take(CAPS_MAX) {
        let pointer = |field: &str| format!("/items/{at}/{field}");
        check_choice(&pointer("channel"), &cap.channel, &with_any(CHANNELS), &mut errors);
        check_choice(&pointer("purpose"), &cap.purpose, &with_any(PURPOSES), &mut errors);
        if !(0..=1_000_000).contains(&cap.limit) {
            errors.push(FieldError::new(&pointer("limit"), "write a limit from 0 (nothing goes out) to 1000000"));
        }
        if let Err(detail) = Window::parse(&cap.window) {
            errors.push(FieldError::new(&pointer("window"), detail));
        }
        if !seen.insert((&cap.channel, &cap.purpose, cap.window.trim())) {
            errors.push(FieldError::new(
                &pointer("window"),
                "there is a cap for this channel, purpose and window already: leave one",
            ));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(MessagingError::Invalid { what: "caps", errors }) }
}

/// Stops everything to an address, whatever it agreed to; the first reason stays.
pub fn suppress(tx: &mut Tx, channel: &str, address: &str, reason: &str) -> Result<(), MessagingError> {
    suppress_by(tx, channel, address, reason, "").map(drop)
}

/// As [`suppress`], by a member of staff. Gives the address as it is kept, and whether it was not suppressed before.
pub fn suppress_by(
    tx: &mut Tx,
    channel: &str,
    address: &str,
    reason: &str,
    actor: &str,
) -> Result<(String, bool), MessagingError> {
    let address = normalised(channel, address)?;
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(200).collect();
    let now = tx.now().micros();
    let new = tx.execute(
        "INSERT INTO suppressions (channel, address, reason, at, actor) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (channel, address) DO NOTHING",
        &[channel.into(), (&address).into(), (&reason).into(), now.into(), actor.into()],
    )?;
    tx.notify(Notice::Changed { what: "suppressions" });
    Ok((address, new > 0))
}

/// Lets an address get messages again, if it agreed to any. Says whether it was suppressed.
pub fn lift(tx: &mut Tx, channel: &str, address: &str) -> Result<bool, MessagingError> {
    let address = normalised(channel, address)?;
    let gone = tx.execute(
        "DELETE FROM suppressions WHERE channel = $1 AND address = $2",
        &[channel.into(), (&address).into()],
    )?;
    tx.notify(Notice::Changed { what: "suppressions" });
    Ok(gone > 0)
}

fn normalised(channel: &str, address: &str) -> Result<String, MessagingError> {
    let mut errors = Vec::new();
    check_choice("/channel", channel, CHANNELS, &mut errors);
    let normal = if channel == EMAIL { normalise_email(address) } else { None };
    match normal {
        Some(address) if errors.is_empty() => Ok(address),
        _ => {
            if errors.is_empty() {
                errors.push(FieldError::new(
                    "/address",
                    "this is no e-mail address: write one such as olena@example.com",
                ));
            }
            Err(MessagingError::Invalid { what: "suppression", errors })
        }
    }
}
