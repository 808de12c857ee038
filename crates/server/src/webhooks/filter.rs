//! What goes to which endpoint: a pure function over what an endpoint wants and what happened.
use super::kinds;
use serde::{Deserialize, Serialize};

/// Names of events, and segments, that a filter lists at most.
pub const LISTED_MAX: usize = 200;

/// What an endpoint wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Types, of [`kinds::KINDS`]; none: it wants nothing.
    pub types: Vec<String>,
    /// For `event.tracked`: names of events; none: every name.
    #[serde(default)]
    pub event_names: Vec<String>,
    /// For `segment.…`: numbers of segments; none: every segment.
    #[serde(default)]
    pub segment_ids: Vec<i64>,
    /// Whether events that a file brought in are told too. The past of ten years is no news.
    #[serde(default)]
    pub imported: bool,
}

/// Of what happened, all that a filter asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About<'a> {
    /// The type.
    pub kind: &'a str,
    /// The event's name; empty for what is none.
    pub event: &'a str,
    /// The segment; 0 for what is about none.
    pub segment_id: i64,
    /// Whether a file brought it.
    pub imported: bool,
}

impl Filter {
    /// Whether this goes there.
    pub fn wants(&self, about: About<'_>) -> bool {
        let typed = self.types.iter().any(|t| t == about.kind);
        let named = about.kind != kinds::EVENT
            || self.event_names.is_empty()
            || self.event_names.iter().any(|name| name == about.event);
        let segment =
            about.segment_id == 0 || self.segment_ids.is_empty() || self.segment_ids.contains(&about.segment_id);
        typed && named && segment && (self.imported || !about.imported)
    }
    /// Whether anything of the log goes there; if not, no body need be opened for it.
    pub fn wants_log(&self) -> bool {
        self.types.iter().any(|t| t == kinds::EVENT || t.starts_with("message."))
    }
    /// The same with each value once, in order; so that equal filters are equal.
    pub fn tidied(mut self) -> Self {
        self.types.sort_unstable();
        self.types.dedup();
        self.event_names.sort_unstable();
        self.event_names.dedup();
        self.segment_ids.sort_unstable();
        self.segment_ids.dedup();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(kind: &str) -> About<'_> {
        About { kind, event: "", segment_id: 0, imported: false }
    }

    #[test]
    fn a_filter_takes_what_it_lists() {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let all = Filter { types: texts(&[kinds::EVENT, kinds::SEGMENT_ENTERED]), ..Filter::default() };
        let named = Filter { event_names: texts(&["Order Completed"]), segment_ids: vec![4], ..all.clone() };
        let event = |name| About { event: name, ..about(kinds::EVENT) };
        let entered = |segment_id| About { segment_id, ..about(kinds::SEGMENT_ENTERED) };
        assert!(all.wants(event("Anything")) && all.wants(entered(9)));
        assert!(named.wants(event("Order Completed")) && !named.wants(event("Order completed")));
        assert!(named.wants(entered(4)) && !named.wants(entered(9)));
        assert!(!all.wants(about(kinds::SEGMENT_LEFT)) && !all.wants(about(kinds::PERSON_MERGED)));
        let old = About { imported: true, ..event("Order Completed") };
        assert!(!named.wants(old) && Filter { imported: true, ..named.clone() }.wants(old));
        assert!(!Filter::default().wants(about(kinds::TEST)), "no list, nothing");
        assert!(all.wants_log() && !Filter { types: texts(&[kinds::PERSON_SPLIT]), ..Filter::default() }.wants_log());
    }

    #[test]
    fn every_kind_has_a_type_by_the_specification_and_an_example() {
        for kind in kinds::KINDS {
            let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(kind.name.split('.').all(part) && kind.name.contains('.'), "{}", kind.name);
            assert!(
                serde_json::from_str::<serde_json::Value>(kind.example).is_ok_and(|v| v.is_object()),
                "{}",
                kind.name
            );
            assert_eq!(kinds::find(kind.name).map(|k| k.name), Some(kind.name));
        }
        let words = |e| kinds::of_message(e);
        assert_eq!((words("Message Sent"), words("Order Completed")), (Some(kinds::MESSAGE_SENT), None));
    }
}
