//! Names of other systems, mapped to the standard (CONVENTIONS 2). A plan names the presets that it wants, since a word
//! such as `search` may mean anything in a shop's own code.
use super::text::path;
use super::{Action, Rule};

/// The names that a system uses.
pub struct Preset {
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    pub(super) events: &'static [(&'static str, &'static str)],
    /// Event (empty: every one), from, to.
    renames: &'static [(&'static str, &'static str, &'static str)],
    /// Events whose list of one product stands for the product itself.
    lifts: &'static [&'static str],
}

impl Preset {
    /// Its rules for properties.
    pub(super) fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        let event = |e: &str| Some(e.to_string()).filter(|e| !e.is_empty());
        // Paths of the table below are checked by a test.
        let at = |p: &str| path(p).unwrap_or_default();
        let renames = self
            .renames
            .iter()
            .map(move |(e, from, to)| Rule { event: event(e), action: Action::Rename { from: at(from), to: at(to) } });
        let lifts =
            self.lifts.iter().map(move |e| Rule { event: event(e), action: Action::Lift { path: at("products") } });
        renames.chain(lifts)
    }
}

/// All presets.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "ga4",
        title: "Google Analytics 4",
        events: &[
            ("view_item", "Product Viewed"),
            ("view_item_list", "Product List Viewed"),
            ("select_item", "Product Clicked"),
            ("add_to_cart", "Product Added"),
            ("remove_from_cart", "Product Removed"),
            ("view_cart", "Cart Viewed"),
            ("begin_checkout", "Checkout Started"),
            ("add_shipping_info", "Checkout Step Completed"),
            ("add_payment_info", "Payment Info Entered"),
            ("purchase", "Order Completed"),
            ("refund", "Order Refunded"),
            ("search", "Products Searched"),
            ("add_to_wishlist", "Product Added to Wishlist"),
            ("view_promotion", "Promotion Viewed"),
            ("select_promotion", "Promotion Clicked"),
            ("share", "Product Shared"),
            ("generate_lead", "Lead Generated"),
            ("sign_up", "Signed Up"),
            ("login", "Signed In"),
            ("page_view", "Page Viewed"),
            ("screen_view", "Screen Viewed"),
        ],
        renames: &[
            ("", "items", "products"),
            ("", "products[].item_id", "products[].product_id"),
            ("", "products[].item_name", "products[].name"),
            ("", "products[].item_brand", "products[].brand"),
            ("", "products[].item_category", "products[].category"),
            ("", "products[].item_variant", "products[].variant"),
            ("", "products[].index", "products[].position"),
            ("", "transaction_id", "order_id"),
            ("", "search_term", "query"),
            ("", "item_list_id", "list_id"),
            ("", "item_list_name", "category"),
            // Google's value of an order is without tax and delivery, as the standard's revenue is.
            ("Order Completed", "value", "revenue"),
            ("Order Refunded", "value", "revenue"),
        ],
        lifts: &["Product Viewed", "Product Clicked", "Product Added", "Product Removed", "Product Added to Wishlist"],
    },
    Preset {
        name: "esputnik",
        title: "eSputnik (Yespo)",
        events: &[
            ("ProductPage", "Product Viewed"),
            ("CategoryPage", "Product List Viewed"),
            ("StatusCart", "Cart Viewed"),
            ("AddToWishlist", "Product Added to Wishlist"),
            ("PurchasedItems", "Order Completed"),
            ("SearchRequest", "Products Searched"),
            ("MainPage", "Page Viewed"),
            ("orderCreated", "Order Completed"),
        ],
        renames: &[
            ("", "items", "products"),
            ("", "PurchasedItems", "products"),
            ("", "StatusCart", "products"),
            ("", "products[].externalItemId", "products[].product_id"),
            ("", "products[].productKey", "products[].product_id"),
            ("", "products[].cost", "products[].price"),
            ("", "products[].imageUrl", "products[].image_url"),
            ("", "externalOrderId", "order_id"),
            ("", "OrderNumber", "order_id"),
            ("", "totalCost", "total"),
            ("", "taxes", "tax"),
            ("", "productKey", "product_id"),
            ("", "categoryKey", "list_id"),
            ("", "search", "query"),
        ],
        lifts: &[],
    },
    Preset {
        name: "shopify",
        title: "Shopify (web pixels and webhooks)",
        events: &[
            ("product_viewed", "Product Viewed"),
            ("collection_viewed", "Product List Viewed"),
            ("search_submitted", "Products Searched"),
            ("product_added_to_cart", "Product Added"),
            ("product_removed_from_cart", "Product Removed"),
            ("cart_viewed", "Cart Viewed"),
            ("checkout_started", "Checkout Started"),
            ("checkout_shipping_info_submitted", "Checkout Step Completed"),
            ("payment_info_submitted", "Payment Info Entered"),
            ("checkout_completed", "Order Completed"),
            ("page_viewed", "Page Viewed"),
            ("orders/create", "Order Completed"),
            ("orders/cancelled", "Order Cancelled"),
            ("orders/updated", "Order Updated"),
            ("refunds/create", "Order Refunded"),
        ],
        renames: &[
            ("", "line_items", "products"),
            ("", "products[].title", "products[].name"),
            ("", "products[].vendor", "products[].brand"),
            ("", "products[].variant_title", "products[].variant"),
            ("", "total_price", "total"),
            ("", "subtotal_price", "subtotal"),
            ("", "total_tax", "tax"),
            ("", "total_discounts", "discount"),
        ],
        lifts: &[],
    },
    Preset {
        name: "woocommerce",
        title: "WooCommerce",
        events: &[
            ("woocommerce_add_to_cart", "Product Added"),
            ("woocommerce_cart_item_removed", "Product Removed"),
            ("woocommerce_before_checkout_form", "Checkout Started"),
            ("woocommerce_checkout_order_processed", "Order Completed"),
            ("woocommerce_thankyou", "Order Completed"),
            ("woocommerce_order_refunded", "Order Refunded"),
            ("woocommerce_order_status_cancelled", "Order Cancelled"),
            ("order.created", "Order Completed"),
            ("order.updated", "Order Updated"),
        ],
        renames: &[
            ("", "line_items", "products"),
            ("", "total_tax", "tax"),
            ("", "shipping_total", "shipping"),
            ("", "discount_total", "discount"),
        ],
        lifts: &[],
    },
];
