//! One id for a request, in its answer, in its log lines and in a problem's detail: the caller's own (W3C Trace Context), or
//! a new one.
use axum::http::HeaderMap;
use tracing::Instrument;

tokio::task_local! {
    static CURRENT: String;
}

/// What a request is traced by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// 32 hexadecimal digits.
    pub id: String,
}

/// The trace of a request: of its `traceparent` header (W3C Trace Context, level 1, section 3.2), else a fresh one.
pub fn of(headers: &HeaderMap) -> Trace {
    let given = headers.get("traceparent").and_then(|v| v.to_str().ok()).and_then(parse);
    Trace { id: given.unwrap_or_else(|| crate::secrets::hex(&base::random_bytes::<16>())) }
}

fn parse(header: &str) -> Option<String> {
    let mut parts = header.trim().split('-');
    let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let zero = |text: &str| text.bytes().all(|b| b == b'0');
    // Version 00 has exactly four parts; ff is forbidden; later ones may have more.
    let sound = hex(version, 2) && version != "ff" && hex(id, 32) && hex(parent, 16) && hex(flags, 2);
    let whole = version != "00" || parts.next().is_none();
    (sound && whole && !zero(id) && !zero(parent)).then(|| id.to_string())
}

/// Runs a request under its trace.
pub async fn within<F: Future>(trace: &Trace, span: tracing::Span, future: F) -> F::Output {
    CURRENT.scope(trace.id.clone(), future).instrument(span).await
}

/// The id of the present request, if there is one.
pub fn current() -> Option<String> {
    CURRENT.try_with(String::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of the recommendation's own example, and what it forbids.
    #[test]
    fn a_traceparent_is_taken_as_the_recommendation_says() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(parse(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        assert_eq!(parse(&format!("cc-{id}-00f067aa0ba902b7-01-what-the-future-will-be-like")).as_deref(), Some(id));
        for bad in [
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
            format!("00-{id}-0000000000000000-01"),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01".into(),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            "nonsense".into(),
            String::new(),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn who_sends_none_gets_one() {
        let (one, two) = (of(&HeaderMap::new()), of(&HeaderMap::new()));
        assert_ne!(one, two);
        assert_eq!(one.id.len(), 32);
    }
}
