//! Caps.
use super::{Changed, check_choice};
use crate::error::{FieldError, MessagingError};
use crate::lists::caps_in;
use crate::model::{ANY, CHANNELS, Cap, PURPOSES};
use crate::windows::Window;
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
