//! The six typical traits of a customer of several channels (A11). They look at everything that is known.
use super::{Answer, Asked, Derived, Kind, Window, count};
use crate::facts::{Act, Channel, Reason};
use db::event::Scalar;

macro_rules! omnichannel {
    ($const:ident, $name:literal, $doc:literal, $consents:expr, $function:expr) => {
        pub(super) const $const: Derived = Derived {
            name: $name,
            kind: Kind::Bool,
            unit: "",
            options: &[],
            doc: $doc,
            consents: $consents,
            traits: &[],
            by_time: false,
            function: $function,
        };
    };
}

/// Channels of marketing whose consent makes a subscriber.
const SUBSCRIPTIONS: &[&str] = &["email", "sms", "viber", "telegram", "whatsapp", "push"];

omnichannel!(BOPIS, "omnichannel.bopis", "Orders online and collects in a shop.", &[], |asked| {
    did(asked, "orders collected in a shop", Act::PickedUp)
});
omnichannel!(HOME_DELIVERY, "omnichannel.home_delivery", "Has orders brought home by courier.", &[], |asked| {
    did(asked, "orders brought home", Act::Delivered)
});
omnichannel!(
    PRICE_COMPARING,
    "omnichannel.price_comparing",
    "Compares products, sorts by price, or waits for a lower one.",
    &[],
    |asked| did(asked, "comparisons", Act::ComparedPrices)
);
omnichannel!(LEAVES_REVIEWS, "omnichannel.leaves_reviews", "Leaves reviews.", &[], |asked| {
    did(asked, "reviews", Act::Reviewed)
});
omnichannel!(
    APP_INSTALLED,
    "omnichannel.app_installed",
    "Has the app, as far as its last sign of life says.",
    &[],
    app
);
omnichannel!(
    SUBSCRIBED,
    "omnichannel.subscribed",
    "Agreed to marketing by at least one channel.",
    SUBSCRIPTIONS,
    subscribed
);

fn did(asked: &Asked<'_>, what: &str, act: Act) -> Answer {
    let times = count(asked, true, |a, _| a == act);
    Answer::of(Scalar::Bool(times > 0), Window::Ever, times).because(asked, || format!("{times} {what}"))
}

fn app(asked: &Asked<'_>) -> Answer {
    let times = count(asked, true, |act, channel| channel == Channel::App && act != Act::SwitchedOff);
    let last = asked.state.facts.spans.iter().find(|s| s.channel == Channel::App as u8).map(|s| s.last);
    let lost = asked.state.facts.rare().lost.iter().filter(|l| l.reason == Reason::AppRemoved as u8);
    let removed = lost.map(|l| l.at).max();
    // The removal is the last that was heard of the app, or it was installed anew since.
    let installed = times > 0 && last > removed;
    Answer::of(Scalar::Bool(installed), Window::Ever, times).because(asked, || match removed {
        Some(at) if !installed => format!("the app was removed on {at}"),
        _ => format!("{times} acts in the app"),
    })
}

fn subscribed(asked: &Asked<'_>) -> Answer {
    let granted: Vec<&str> =
        SUBSCRIPTIONS.iter().copied().filter(|c| (asked.consent)(c, "marketing") == Some(true)).collect();
    Answer::of(Scalar::Bool(!granted.is_empty()), Window::Ever, granted.len() as u64).because(asked, || {
        if granted.is_empty() { "no consent to marketing".into() } else { format!("agreed by {}", granted.join(", ")) }
    })
}
