//! What this crate brings to the customer's page.
use base::page::Panel;

/// Which segments the customer is in, and what the shop computes of them.
pub const PANELS: &[Panel] = &[
    Panel { id: "computed", title: "Computed traits", area: "customers", place: 40 },
    Panel { id: "segments", title: "Segments", area: "segments", place: 70 },
];
