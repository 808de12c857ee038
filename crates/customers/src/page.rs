//! What this crate brings to the customer's page, see [`base::page`].
use base::page::{Panel, TimelineKind};

/// The kind of an event that no other kind holds. It must come last.
pub const OTHER: TimelineKind =
    TimelineKind { id: "other", title: "Other", icon: "dot", area: "customers", names: &[], prefixes: &[""] };

/// Kinds of this crate. An event is of the first kind that holds it.
pub const KINDS: &[TimelineKind] = &[
    TimelineKind {
        id: "views",
        title: "Views",
        icon: "eye",
        area: "customers",
        names: &[
            "",
            "Product Viewed",
            "Product List Viewed",
            "Products Searched",
            "Page Viewed",
            "Cart Viewed",
            "Promotion Viewed",
            "Promotion Clicked",
            "Product Clicked",
            "Time On Page",
            "Element Clicked",
        ],
        prefixes: &["Application ", "Form "],
    },
    TimelineKind {
        id: "cart",
        title: "Cart and checkout",
        icon: "cart",
        area: "customers",
        names: &["Product Added", "Product Removed", "Product Added to Wishlist", "Product Removed from Wishlist"],
        prefixes: &["Checkout ", "Cart ", "Coupon ", "Wishlist ", "Payment Info "],
    },
    TimelineKind {
        id: "returns",
        title: "Returns",
        icon: "return",
        area: "orders",
        names: &["Order Refunded", "Order Returned"],
        prefixes: &["Return ", "Refund "],
    },
    TimelineKind {
        id: "purchases",
        title: "Purchases",
        icon: "receipt",
        area: "orders",
        names: &[],
        prefixes: &["Order ", "Receipt "],
    },
    TimelineKind {
        id: "complaints",
        title: "Complaints",
        icon: "complaint",
        area: "service",
        names: &[],
        prefixes: &["Complaint "],
    },
    TimelineKind {
        id: "contacts",
        title: "Contacts",
        icon: "talk",
        area: "service",
        names: &[],
        prefixes: &["Conversation ", "Call ", "Chat ", "Ticket "],
    },
    TimelineKind {
        id: "reviews",
        title: "Reviews",
        icon: "star",
        area: "reviews",
        names: &["Product Reviewed", "Store Reviewed"],
        prefixes: &["Review "],
    },
    TimelineKind {
        id: "consents",
        title: "Consents",
        icon: "consent",
        area: "consents",
        names: &["Unsubscribed"],
        prefixes: &["Consent "],
    },
    TimelineKind {
        id: "profile",
        title: "Profile",
        icon: "person",
        area: "customers",
        names: &["$identify", "$group", "$alias"],
        prefixes: &["Customer "],
    },
];

/// Panels of this crate.
pub const PANELS: &[Panel] = &[
    Panel { id: "contacts", title: "Contacts", area: "customers", place: 10 },
    Panel { id: "traits", title: "Traits", area: "customers", place: 20 },
    Panel { id: "known", title: "Habits and stage", area: "customers", place: 30 },
    Panel { id: "household", title: "Household", area: "customers", place: 50 },
    Panel { id: "consents", title: "Consents", area: "consents", place: 60 },
    Panel { id: "identities", title: "Identities", area: "identity", place: 80 },
];
