//! What events are called.

/// The event of a `page` call.
pub(crate) const PAGE: &str = "Page Viewed";
/// The event of a `screen` call.
pub(crate) const SCREEN: &str = "Screen Viewed";

/// The present name of an event: names of the first ecommerce specification become those of the second (CONVENTIONS 2).
/// Case-sensitive; other names stay as they are.
pub fn canonical(name: &str) -> &str {
    match name {
        "Viewed Product Category" => "Product List Viewed",
        "Viewed Product" => "Product Viewed",
        "Clicked Product" => "Product Clicked",
        "Added Product" => "Product Added",
        "Removed Product" => "Product Removed",
        "Completed Order" => "Order Completed",
        "Viewed Promotion" => "Promotion Viewed",
        "Clicked Promotion" => "Promotion Clicked",
        other => other,
    }
}
