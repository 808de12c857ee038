//! Braid's own exports, so that they come in again without a thought (docs/formats/exports.md).
use super::Preset;
use crate::mapping::Kind;

/// What every preset of ours has alike.
const fn own(
    id: &'static str,
    kind: Kind,
    note: &'static str,
    columns: &'static [(&'static str, &'static str)],
) -> Preset {
    Preset { id, system: "Braid", kind, delimiter: ',', columns, constants: &[], statuses: &[], note }
}

pub(super) const CUSTOMERS: Preset = own(
    "braid-customers",
    Kind::Customers,
    "Names, contacts and consents. Whole histories come in by an export of events.",
    &[
        ("person_id", ""),
        ("user_id", "user_id"),
        ("email", "email"),
        ("phone", "phone"),
        ("name", ""),
        ("first_name", "first_name"),
        ("last_name", "last_name"),
        ("patronymic", "patronymic"),
        ("birthday", "birthday"),
        ("gender", "gender"),
        ("language", "language"),
        ("city", "trait:city"),
        ("revenue_by_currency", ""),
        ("first_seen", ""),
        ("last_seen", ""),
        ("last_order_at", ""),
        ("updated_at", "updated_at"),
        ("email_consent", "consent:email"),
        ("sms_consent", "consent:sms"),
        ("viber_consent", "consent:viber"),
        ("demo", ""),
        ("export_mark", ""),
    ],
);

pub(super) const ORDERS: Preset = own(
    "braid-orders",
    Kind::Orders,
    "Orders with their lines.",
    &[
        ("order_id", "order_id"),
        ("event", ""),
        ("status", "status"),
        ("time", "time"),
        ("total", "total"),
        ("subtotal", "subtotal"),
        ("shipping", "shipping"),
        ("tax", "tax"),
        ("discount", "discount"),
        ("currency", "currency"),
        ("coupon", "coupon"),
        ("affiliation", "affiliation"),
        ("store_id", "store_id"),
        ("payment_method", "payment_method"),
        ("shipping_method", "shipping_method"),
        ("user_id", "user_id"),
        ("email", "email"),
        ("phone", "phone"),
        ("name", "name"),
        ("lines", "lines"),
        ("person_id", ""),
        ("profile_id", ""),
        ("message_id", ""),
        ("export_mark", ""),
    ],
);

pub(super) const EVENTS: Preset = own(
    "braid-events",
    Kind::Events,
    "Whole messages, as they were accepted: people, identities, orders and counts come from them.",
    &[
        ("seq", ""),
        ("message_id", "message_id"),
        ("type", ""),
        ("event", ""),
        ("time", "time"),
        ("received_at", ""),
        ("source", ""),
        ("origin", ""),
        ("message", "message"),
        ("export_mark", ""),
    ],
);

pub(super) const CONSENTS: Preset = own(
    "braid-consents",
    Kind::Consents,
    "The ledger of consents.",
    &[
        ("consent_id", ""),
        ("channel", "channel"),
        ("address", "address"),
        ("purpose", "purpose"),
        ("state", "state"),
        ("time", "time"),
        ("recorded_at", ""),
        ("wording", "wording"),
        ("wording_version", ""),
        ("imported", ""),
        ("export_mark", ""),
    ],
);
