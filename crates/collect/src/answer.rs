//! What the sender hears, to the letter of the contract.
use crate::{Received, Refusal, RetryAfter};
use serde::Serialize;

/// The answer to every request that was taken, without `?strict=1`.
pub const SUCCESS: &str = r#"{"success": true}"#;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Accepted,
    /// The writer had seen it before.
    Duplicate,
    Rejected,
}

/// One line of the answer to `?strict=1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemResult {
    pub index: u32,
    /// Missing only when a rejected message does not name itself.
    pub message_id: Option<String>,
    pub status: Status,
    /// Why it was rejected.
    pub code: Option<&'static str>,
    /// JSON Pointer within the request's body.
    pub pointer: Option<String>,
}

impl Received {
    /// What became of each message so far, by index. To be asked before the batch goes to the writer, and only for
    /// `?strict=1`: it copies every message id.
    pub fn items(&self) -> Vec<ItemResult> {
        let accepted = self.batch.events.iter().map(|e| ItemResult {
            index: e.index,
            message_id: Some(e.message_id.to_string()),
            status: Status::Accepted,
            code: None,
            pointer: None,
        });
        let rejected = self.rejects.iter().map(|r| ItemResult {
            index: r.index,
            message_id: r.message_id.clone(),
            status: Status::Rejected,
            code: Some(r.code),
            pointer: Some(r.pointer.clone()),
        });
        let mut items: Vec<ItemResult> = accepted.chain(rejected).collect();
        items.sort_unstable_by_key(|i| i.index);
        items
    }
}

/// The answer to `?strict=1`: `items` as [`Received::items`] gave them, and the indexes that the writer dropped as
/// duplicates.
pub fn strict(mut items: Vec<ItemResult>, duplicates: &[u32]) -> String {
    #[derive(Serialize)]
    struct Answer {
        success: bool,
        items: Vec<ItemResult>,
    }
    for index in duplicates {
        if let Ok(at) = items.binary_search_by_key(index, |i| i.index)
            && items[at].status == Status::Accepted
        {
            items[at].status = Status::Duplicate;
        }
    }
    serde_json::to_string(&Answer { success: true, items }).expect("numbers and texts always serialize")
}

impl Refusal {
    /// 400: nothing of the body can be taken.
    pub fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self { status: 400, code, detail: detail.into(), retry_after_s: None }
    }

    /// 401: the write key is missing or belongs to nobody.
    pub fn unknown_key() -> Self {
        let detail = "the write key is missing or unknown: it goes as user of HTTP Basic, as bearer token, or as writeKey in the body";
        Self { status: 401, code: "unknown_key", detail: detail.into(), retry_after_s: None }
    }

    /// 429: the source sends faster than its limit.
    pub fn too_fast(retry_after: RetryAfter) -> Self {
        let detail = "this source sends more events a second than its limit allows";
        Self { status: 429, code: "too_fast", detail: detail.into(), retry_after_s: Some(retry_after.seconds) }
    }

    /// 503: nothing was stored; the same request can be sent again after a while.
    pub fn unavailable(code: &'static str, detail: impl Into<String>, retry_after_s: u32) -> Self {
        Self { status: 503, code, detail: detail.into(), retry_after_s: Some(retry_after_s.max(1)) }
    }

    /// The answer's body: `{"success": false, "code", "detail"}`.
    pub fn body(&self) -> String {
        #[derive(Serialize)]
        struct Answer<'a> {
            success: bool,
            code: &'a str,
            detail: &'a str,
        }
        let answer = Answer { success: false, code: self.code, detail: &self.detail };
        serde_json::to_string(&answer).expect("texts always serialize")
    }
}
