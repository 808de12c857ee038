//! What events are called.

/// The event of a `page` call.
pub(crate) const PAGE: &str = "Page Viewed";
/// The event of a `screen` call.
pub(crate) const SCREEN: &str = "Screen Viewed";
