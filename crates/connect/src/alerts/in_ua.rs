//! alerts.in.ua: `GET alerts/active.json` with a bearer token and `If-Modified-Since`.
//!
//! Source: the service's developer documentation and its official Python client. Limits: 8 to 10 requests a minute, 12 at most.
use super::client::{Client, FeedOptions, secret};
use super::value::{FeedAlert, FeedFailure, Polled, Threat, moment};
use reqwest::header::{AUTHORIZATION, HeaderValue, IF_MODIFIED_SINCE};
use serde_json::Value;
use std::time::Duration;

/// A client that remembers what it has seen.
pub struct InUa {
    client: Client,
    key: HeaderValue,
    seen: Option<String>,
}

impl InUa {
    /// Where the service is.
    pub const URL: &'static str = "https://api.alerts.in.ua/v1";
    /// Between two requests: eight a minute.
    pub const SPACING: Duration = Duration::from_millis(7_500);

    /// A client; asks nothing yet.
    pub fn new(options: &FeedOptions) -> Result<Self, FeedFailure> {
        let key = secret(&format!("Bearer {}", options.key))?;
        Ok(Self { client: Client::new(options, Self::SPACING)?, key, seen: None })
    }

    /// Everything that goes on, or that nothing changed. Asked too early it refuses without a request.
    pub async fn poll(&mut self, now_us: i64) -> Result<Polled, FeedFailure> {
        self.client.admit(now_us)?;
        let mut headers = vec![(AUTHORIZATION, self.key.clone())];
        if let Some(seen) = self.seen.as_deref().and_then(|seen| HeaderValue::from_str(seen).ok()) {
            headers.push((IF_MODIFIED_SINCE, seen));
        }
        let got = self.client.get("alerts/active.json", &headers, now_us).await?;
        let Some(body) = got.body else { return Ok(Polled::Same) };
        let alerts = parse(&body)?;
        // Only what could be read counts as seen.
        self.seen = got.last_modified;
        Ok(Polled::Now(alerts))
    }
}

/// Reads the answer. Alerts of a kind or with fields that are not known are kept as far as they can be.
pub(super) fn parse(body: &[u8]) -> Result<Vec<FeedAlert>, FeedFailure> {
    let unreadable = |what: &str| FeedFailure::Unreadable(what.into());
    let document: Value = serde_json::from_slice(body).map_err(|e| unreadable(&e.to_string()))?;
    let alerts = document["alerts"].as_array().ok_or_else(|| unreadable("there is no list of alerts"))?;
    let one = |alert: &Value| {
        // Uids are texts; some copies of the feed have numbers.
        let territory = match &alert["location_uid"] {
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(unreadable("an alert has no location_uid")),
        };
        let began = alert["started_at"].as_str().and_then(moment);
        let threat = match alert["alert_type"].as_str().unwrap_or_default() {
            "air_raid" => Threat::AirRaid,
            "artillery_shelling" => Threat::Artillery,
            "urban_fights" => Threat::UrbanFights,
            "chemical" => Threat::Chemical,
            "nuclear" => Threat::Nuclear,
            _ => Threat::Other,
        };
        let began_us = began.ok_or_else(|| unreadable("an alert has no started_at"))?;
        let ended_us = alert["finished_at"].as_str().and_then(moment);
        Ok(FeedAlert { territory, threat, began_us, ended_us })
    };
    alerts.iter().map(one).collect()
}
