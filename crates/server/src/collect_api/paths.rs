//! The addresses under which events come: ours, which are Segment's, and those of libraries that people bring along.
use collect::Call;

/// Whether a path belongs to the tracking API.
pub fn is_ours(path: &str) -> bool {
    ["/v1/", "/api/s/", "/beacon/v1/"].iter().any(|p| path.starts_with(p))
}

/// The call of a path: `/v1/track`, Jitsu's `/api/s/track` and `/api/s/s2s/track`, RudderStack's `/beacon/v1/batch`.
pub(super) fn call(path: &str) -> Option<Call> {
    let segment = path
        .strip_prefix("/v1/")
        .or_else(|| path.strip_prefix("/api/s/s2s/"))
        .or_else(|| path.strip_prefix("/api/s/"))
        .or_else(|| path.strip_prefix("/beacon/v1/"))?;
    Call::parse(segment)
}

/// `writeKey` in a query: what RudderStack's beacon does, which can set no header either.
pub(super) fn key_in_query(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("writeKey="))?;
    Some(value.to_string())
        .filter(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'))
}
