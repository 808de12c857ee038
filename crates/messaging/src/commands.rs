//! What can be asked of this crate: edit templates, rules and caps. Each is a function over `&mut Tx` that
//! refuses before its first write and gives what was there before, for the audit.
mod caps;
mod quiet;
mod rules;
mod templates;

pub use caps::put_caps;
pub use quiet::{load_quiet_hours, parse_quiet_hours, put_quiet_hours};
pub use rules::{archive_rule, create_rule, name_made_of, restore_rule, update_rule};
pub use templates::{Preview, archive_template, create_template, preview, restore_template, update_template};

use crate::error::{FieldError, MessagingError};
use db::Tx;

/// The most templates, and the most rules, that are not deleted: lists show them all at once.
pub const DEFINITIONS_MAX: i64 = 1000;

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed<T> {
    /// As it was, `None` for something new.
    pub before: Option<T>,
    pub after: T,
    /// What the person should know although it was saved.
    pub warnings: Vec<FieldError>,
}

fn check_name(name: &str, errors: &mut Vec<FieldError>) {
    let most = crate::templates::NAME_BYTES_MAX;
    if name.trim().is_empty() {
        errors.push(FieldError::new("/name", "give it a name by which people find it"));
    } else if name.len() > most {
        errors.push(FieldError::new("/name", format!("the name is {} bytes long, {most} are allowed", name.len())));
    } else if name.chars().any(char::is_control) {
        errors.push(FieldError::new("/name", "the name holds a control character: write it on one line"));
    }
}

fn check_choice(pointer: &str, value: &str, choices: &[&str], errors: &mut Vec<FieldError>) {
    if !choices.contains(&value) {
        let shown: String = value.chars().take(40).collect();
        errors.push(FieldError::new(pointer, format!("{shown:?} is not known; write one of {}", choices.join(", "))));
    }
}

/// Refuses one definition more than lists can show. `count` counts those that are not deleted.
fn check_room(tx: &mut Tx, what: &'static str, count: &str) -> Result<(), MessagingError> {
    let found = tx.first(count, &[])?.map_or(Ok(0), |r| r.int(0))?;
    if found < DEFINITIONS_MAX {
        return Ok(());
    }
    let detail = format!("there are {found} already and {DEFINITIONS_MAX} are allowed: delete those that nobody uses");
    Err(MessagingError::Invalid { what, errors: vec![FieldError::new("", detail)] })
}
