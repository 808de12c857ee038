//! The hours in which no marketing goes out: one setting, absent by default.
use super::Changed;
use crate::error::{FieldError, MessagingError};
use crate::model::QuietHours;
use db::{DbError, Notice, Tx};

const SETTING: &str = "messaging.quiet_hours";

/// Reads `21:00-09:00` as people write it.
pub fn parse_quiet_hours(text: &str) -> Result<QuietHours, MessagingError> {
    let minute = |part: &str| {
        let (hour, minute) = part.trim().split_once(':')?;
        let digits = |d: &str| d.len() == 2 && d.bytes().all(|b| b.is_ascii_digit());
        let (hour, minute) =
            (digits(hour).then(|| hour.parse::<u16>().ok())??, digits(minute).then(|| minute.parse::<u16>().ok())??);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let parsed = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    match parsed {
        Some((from_minute, to_minute)) if from_minute != to_minute => Ok(QuietHours { from_minute, to_minute }),
        _ => {
            let detail = "write two different times of day, such as 21:00-09:00";
            let errors = vec![FieldError::new("/quiet_hours", detail)];
            Err(MessagingError::Invalid { what: "quiet hours", errors })
        }
    }
}

/// The quiet hours in force, for [`crate::model::Shop::quiet_hours`].
pub fn load_quiet_hours(tx: &mut Tx) -> Result<Option<QuietHours>, DbError> {
    let Some(row) = tx.first("SELECT value FROM settings WHERE name = $1", &[SETTING.into()])? else { return Ok(None) };
    parse_quiet_hours(row.text(0)?).map(Some).map_err(|e| DbError::damaged(SETTING, e))
}

/// Sets the quiet hours, or lets every hour be.
pub fn put_quiet_hours(tx: &mut Tx, hours: Option<QuietHours>) -> Result<Changed<Option<QuietHours>>, MessagingError> {
    let text = hours.map(|h| {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        format!("{}-{}", clock(h.from_minute), clock(h.to_minute))
    });
    if let Some(text) = &text {
        parse_quiet_hours(text)?;
    }
    let before = load_quiet_hours(tx)?;
    tx.execute("DELETE FROM settings WHERE name = $1", &[SETTING.into()])?;
    if let Some(text) = &text {
        tx.execute("INSERT INTO settings (name, value) VALUES ($1, $2)", &[SETTING.into(), text.into()])?;
    }
    tx.notify(Notice::Changed { what: "quiet_hours" });
    Ok(Changed { before: Some(before), after: hours, warnings: Vec::new() })
}
