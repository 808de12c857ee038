//! ukrainealarm.com: `GET alerts/status` for an index that grows with every change, `GET alerts` when it did.
//!
//! Source: generated clients of the service's OpenAPI document. The key stands in `Authorization` as it is, without a scheme.
//! The index is a number of .NET ticks above 2⁵³ and never read through a float.
use super::client::{Client, FeedOptions, secret};
use super::value::{FeedAlert, FeedFailure, Polled, Threat, moment};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::Value;
use std::time::Duration;

/// This feed's id of Crimea; it is told as 29, as the other feed says.
pub const ANY_REGION_OF_CRIMEA: &str = "9999";

/// A client that remembers what it has seen.
pub struct UkraineAlarm {
    client: Client,
    key: HeaderValue,
    index: Option<u64>,
}

impl UkraineAlarm {
    /// Where the service is.
    pub const URL: &'static str = "https://api.ukrainealarm.com/api/v3";
    /// Between two looks.
    pub const SPACING: Duration = Duration::from_secs(10);

    /// A client; asks nothing yet.
    pub fn new(options: &FeedOptions) -> Result<Self, FeedFailure> {
        Ok(Self { client: Client::new(options, Self::SPACING)?, key: secret(&options.key)?, index: None })
    }

    /// Everything that goes on, or that nothing changed. Asked too early it refuses without a request.
    pub async fn poll(&mut self, now_us: i64) -> Result<Polled, FeedFailure> {
        self.client.admit(now_us)?;
        let headers = [(AUTHORIZATION, self.key.clone())];
        let unreadable = |what: &str| FeedFailure::Unreadable(what.into());
        let empty = || unreadable("a status without body");
        let status = self.client.get("alerts/status", &headers, now_us).await?.body.ok_or_else(empty)?;
        let status: Value = serde_json::from_slice(&status).map_err(|e| unreadable(&e.to_string()))?;
        let index = match &status["lastActionIndex"] {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let index = index.ok_or_else(|| unreadable("there is no lastActionIndex"))?;
        if self.index == Some(index) {
            return Ok(Polled::Same);
        }
        let body = self.client.get("alerts", &headers, now_us).await?.body.ok_or_else(empty)?;
        let alerts = parse(&body)?;
        self.index = Some(index);
        Ok(Polled::Now(alerts))
    }
}

/// What a word of this feed means.
pub(super) fn threat(word: &str) -> Threat {
    match word {
        "AIR" => Threat::AirRaid,
        "ARTILLERY" => Threat::Artillery,
        "URBAN_FIGHTS" => Threat::UrbanFights,
        "CHEMICAL" => Threat::Chemical,
        "NUCLEAR" => Threat::Nuclear,
        _ => Threat::Other,
    }
}

/// The uid that both feeds share; `None` for the test region.
pub(super) fn territory(id: &Value) -> Option<String> {
    let id = id.as_str().map(str::to_string).or_else(|| id.as_u64().map(|n| n.to_string()))?;
    match id.as_str() {
        "0" | "" => None,
        ANY_REGION_OF_CRIMEA => Some("29".into()),
        _ => Some(id),
    }
}

/// Reads the list. Where an alert has levels, one without any is over.
pub(super) fn parse(body: &[u8]) -> Result<Vec<FeedAlert>, FeedFailure> {
    let unreadable = |what: &str| FeedFailure::Unreadable(what.into());
    let document: Value = serde_json::from_slice(body).map_err(|e| unreadable(&e.to_string()))?;
    let regions = document.as_array().ok_or_else(|| unreadable("this is no list of regions"))?;
    let mut out = Vec::new();
    for region in regions {
        let active = region["activeAlerts"].as_array().ok_or_else(|| unreadable("a region has no activeAlerts"))?;
        for alert in active {
            let id = if alert["regionId"].is_null() { &region["regionId"] } else { &alert["regionId"] };
            let Some(territory) = territory(id) else { continue };
            if alert["activeAlertLevels"].as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            let first = alert["activeAlertLevels"].as_array().into_iter().flatten();
            let first = first.filter_map(|level| level["createdAt"].as_str().and_then(moment)).min();
            let began = first.or_else(|| alert["lastUpdate"].as_str().and_then(moment));
            let began_us = began.ok_or_else(|| unreadable("an alert has no lastUpdate"))?;
            let threat = threat(alert["type"].as_str().unwrap_or_default());
            out.push(FeedAlert { territory, threat, began_us, ended_us: None });
        }
    }
    Ok(out)
}
