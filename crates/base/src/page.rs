//! What the customer's page can show: kinds of timeline entries and panels, as each crate registers its own.
//!
//! A crate that brings something to the page has a list of [`TimelineKind`]s and [`Panel`]s; the server joins the lists, and
//! its API tells the console what to draw. Each names the area of the back office that somebody must be allowed to read:
//! who is not, sees neither the panel nor the entries.
/// A kind of entries on a timeline, told by the names of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelineKind {
    /// On the wire, and the key of the console's texts.
    pub id: &'static str,
    /// In English, for whoever has no texts.
    pub title: &'static str,
    /// A name of the console's icons.
    pub icon: &'static str,
    /// The area whose readers see it.
    pub area: &'static str,
    /// Whole names of events, as indexes have them: `$identify` for the call.
    pub names: &'static [&'static str],
    /// Beginnings of names.
    pub prefixes: &'static [&'static str],
}

impl TimelineKind {
    /// Whether an event of this name is of the kind.
    pub fn holds(&self, name: &str) -> bool {
        self.names.contains(&name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// A panel of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panel {
    /// On the wire, and the key of the console's texts.
    pub id: &'static str,
    pub title: &'static str,
    /// The area whose readers see it.
    pub area: &'static str,
    /// Where it stands, ascending from the top.
    pub place: u32,
}
