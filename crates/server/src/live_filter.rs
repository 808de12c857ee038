//! What of the live stream one client wants: decided on the server, so that a busy shop's rare events are not lost among the
//! frequent ones, and nothing is sent that nobody looks at.
use std::collections::HashSet;

/// What a client wants to hear of events. Counts, segments and jobs are told to everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// No events at all.
    pub silent: bool,
    /// Only of this source.
    pub source: Option<i64>,
    /// Only of this name, as the list shows it.
    pub event: Option<String>,
    /// Only calls of this kind: `track`, `page`, …; refused items do not say theirs.
    pub kind: Option<String>,
    /// Only taken ones, or only refused ones.
    pub rejected: Option<bool>,
    /// Only refused for this reason.
    pub code: Option<String>,
}

/// What is known of an event that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<'a> {
    pub source: i64,
    pub event: &'a str,
    /// Empty for a refused item.
    pub kind: &'a str,
    /// Why it was refused.
    pub code: Option<&'a str>,
}

impl Wants {
    /// Whether a client is told of an event.
    pub fn takes(&self, told: Told<'_>) -> bool {
        !self.silent
            && self.source.is_none_or(|source| source == told.source)
            && self.event.as_deref().is_none_or(|event| event == told.event)
            && self.kind.as_deref().is_none_or(|kind| kind == told.kind)
            && self.rejected.is_none_or(|rejected| rejected == told.code.is_some())
            && self.code.as_deref().is_none_or(|code| Some(code) == told.code)
    }

    /// Whether taken events are wanted at all.
    fn wants_taken(&self) -> bool {
        !self.silent && self.rejected != Some(true) && self.code.is_none()
    }

    /// Whether only some of the events of a source are wanted: more must be looked at than are told.
    fn is_picky(&self) -> bool {
        self.event.is_some() || self.kind.is_some()
    }
}

/// What all clients together want of the events that were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// `None`: of every source.
    sources: Option<HashSet<i64>>,
    /// Whether somebody looks for few among many.
    pub picky: bool,
}

impl Needs {
    /// Of all who watch.
    pub fn of<'a>(all: impl Iterator<Item = &'a Wants>) -> Self {
        let mut sources = Some(HashSet::new());
        let mut picky = false;
        for wants in all.filter(|w| w.wants_taken()) {
            picky |= wants.is_picky();
            match (wants.source, &mut sources) {
                (Some(source), Some(known)) => drop(known.insert(source)),
                _ => sources = None,
            }
        }
        Self { sources, picky }
    }
    /// Whether anybody wants events of a source.
    pub fn source(&self, source: i64) -> bool {
        self.sources.as_ref().is_none_or(|known| known.contains(&source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Wants {
        Wants::default()
    }

    #[test]
    fn each_part_narrows_alone() {
        let taken = Told { source: 3, event: "Order Completed", kind: "track", code: None };
        let refused = Told { source: 3, event: "Order Completed", kind: "", code: Some("bad_value") };
        for (wants, expected) in [
            (all(), [true, true]),
            (Wants { silent: true, ..all() }, [false, false]),
            (Wants { source: Some(3), ..all() }, [true, true]),
            (Wants { source: Some(4), ..all() }, [false, false]),
            (Wants { event: Some("Order Completed".into()), ..all() }, [true, true]),
            (Wants { event: Some("order completed".into()), ..all() }, [false, false]),
            (Wants { kind: Some("track".into()), ..all() }, [true, false]),
            (Wants { kind: Some("page".into()), ..all() }, [false, false]),
            (Wants { rejected: Some(false), ..all() }, [true, false]),
            (Wants { rejected: Some(true), ..all() }, [false, true]),
            (Wants { code: Some("bad_value".into()), ..all() }, [false, true]),
            (Wants { code: Some("too_large".into()), ..all() }, [false, false]),
        ] {
            assert_eq!([wants.takes(taken), wants.takes(refused)], expected, "{wants:?}");
        }
    }

    #[test]
    fn only_sources_that_somebody_watches_are_read() {
        let of = |list: &[Wants]| Needs::of(list.iter());
        let (one, named) = (Wants { source: Some(1), ..all() }, Wants { event: Some("x".into()), ..all() });
        let nobody = of(&[Wants { silent: true, ..all() }, Wants { rejected: Some(true), ..all() }]);
        assert!(!nobody.source(1) && !nobody.picky);
        let narrow = of(&[one.clone(), Wants { source: Some(2), ..named.clone() }]);
        assert!(narrow.source(1) && narrow.source(2) && !narrow.source(3) && narrow.picky);
        assert!(of(&[one, named]).source(3));
    }
}
