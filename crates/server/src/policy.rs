//! The shop's rules of access that an owner may change while it runs.
use base::DAY_US;
use db::{DbError, Engine, settings};
use serde::{Deserialize, Serialize};

const NAME: &str = "access.policy";

/// How the shop guards itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecuritySettings)]
pub struct Policy {
    /// Minutes of rest after which a session ends.
    pub idle_minutes: i64,
    /// Days after which a session ends however busy it is.
    pub session_days: i64,
    /// Different customers in an hour from which looking at them may be unusual.
    pub views_alarm: i64,
    /// Different customers in an hour after which a user has to wait for the next hour.
    pub views_limit: i64,
    /// Rows with personal data that one person may export alone.
    pub export_rows: i64,
    /// Whether owners must have a second factor before they may do anything else.
    pub owners_need_second_factor: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            idle_minutes: 3 * DAY_US / base::MINUTE_US,
            session_days: 14,
            views_alarm: 150,
            views_limit: 1000,
            export_rows: 500,
            owners_need_second_factor: false,
        }
    }
}

impl Policy {
    /// What is wrong with it, with the place.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let within = |name: &'static str, value: i64, least: i64, most: i64| {
            let wrong = || (name, format!("a number from {least} to {most}"));
            (least..=most).contains(&value).then_some(()).ok_or_else(wrong)
        };
        within("/idle_minutes", self.idle_minutes, 5, 60 * 24 * 30)?;
        within("/session_days", self.session_days, 1, 90)?;
        within("/views_alarm", self.views_alarm, 1, 100_000)?;
        within("/views_limit", self.views_limit, self.views_alarm, 1_000_000)?;
        within("/export_rows", self.export_rows, 0, 1_000_000)
    }
    /// Reads it; what was never set is as at first.
    pub fn load(db: &mut Engine) -> Result<Self, DbError> {
        let damaged = |e: serde_json::Error| DbError::damaged("settings", e);
        let Some(text) = settings::get(db, NAME)? else { return Ok(Self::default()) };
        // What a later program added has its first value.
        let mut all = serde_json::to_value(Self::default()).map_err(damaged)?;
        let stored: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).map_err(damaged)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(stored);
        }
        serde_json::from_value(all).map_err(damaged)
    }
    /// Writes it.
    pub fn store(&self, db: &mut Engine) -> Result<(), DbError> {
        let text = serde_json::to_string(self).map_err(|e| DbError::damaged("settings", e))?;
        settings::set(db, NAME, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_stays_within_reason() {
        let sound = Policy::default();
        assert_eq!(sound.check(), Ok(()));
        let cases: [(Policy, &str); 4] = [
            (Policy { idle_minutes: 1, ..sound }, "/idle_minutes"),
            (Policy { session_days: 365, ..sound }, "/session_days"),
            (Policy { views_limit: 10, ..sound }, "/views_limit"),
            (Policy { export_rows: -1, ..sound }, "/export_rows"),
        ];
        for (bad, place) in cases {
            assert_eq!(bad.check().expect_err("refused").0, place);
        }
    }
}
