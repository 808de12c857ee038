//! What Segment's libraries for browsers and telephones ask for before they send: `/v1/projects/KEY/settings`.
//!
//! The answer names this server as the one that takes events, so that changing the one host (`cdnURL`, or `cdnHost` in
//! apps) suffices. The shape is that of Segment's settings files, as analytics-next reads them.
use super::{bad, json, refuse};
use crate::app::App;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use collect::Refusal;
use hyper::body::Incoming;
use serde_json::json;
use std::sync::Arc;

/// The write key in the path of settings.
pub(super) fn key_in(path: &str) -> Option<&str> {
    let key = path.strip_prefix("/v1/projects/")?.strip_suffix("/settings")?;
    (!key.is_empty() && !key.contains('/')).then_some(key)
}

/// The settings of a source.
pub(super) fn answer(app: &Arc<App>, request: &Request<Incoming>) -> Response {
    let Some(key) = key_in(request.uri().path()) else {
        return refuse(app, &bad(404, "not_found", "there is no such address"));
    };
    let keys = app.sources();
    if keys.sources().of_key(key).is_none() {
        return refuse(app, &Refusal::unknown_key());
    }
    let host = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
    // The configured address first: behind a proxy the header may name an inner host.
    let configured = Some(app.config.public_url.as_str()).filter(|u| !u.is_empty());
    let url = configured.unwrap_or(&app.public_url);
    let (protocol, named) = url.split_once("://").unwrap_or(("https", url));
    let host = if configured.is_some() { named } else { host.unwrap_or(named) };
    let body = json!({
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": format!("{host}/v1"),
                "protocol": protocol,
                "unbundledIntegrations": [],
                "addBundledMetadata": true,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]}
            }
        },
        "plan": {
            "track": {"__default": {"enabled": true, "integrations": {}}},
            "identify": {"__default": {"enabled": true}},
            "group": {"__default": {"enabled": true}}
        },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        // Braid wants no figures about the library itself.
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": []
    });
    let mut response = json(StatusCode::OK, body.to_string().into());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
