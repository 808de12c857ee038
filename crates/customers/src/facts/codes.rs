//! The words of the standing facts. Codes are stored: only ever add at the end.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $code:literal $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$each])* $variant = $code),* }
        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            /// By its stored code; the first one for a code that is not known.
            pub fn from_code(code: u8) -> Self {
                match code { $($code => $name::$variant,)* _ => Self::ALL[0] }
            }
            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }
    };
}

codes! {
    /// Where a customer deals with the shop.
    Channel {
        /// Not known.
        Other = 0 "other",
        Site = 1 "site",
        App = 2 "app",
        /// A till.
        Shop = 3 "shop",
        Phone = 4 "phone",
        Marketplace = 5 "marketplace",
        Email = 6 "email",
        /// Viber, WhatsApp, Telegram and the like.
        Messenger = 7 "messenger",
        Sms = 8 "sms",
        Push = 9 "push",
    }
}

codes! {
    /// What a customer holds in the hand.
    Device {
        /// Not known, or none.
        None = 0 "none",
        Desktop = 1 "desktop",
        Mobile = 2 "mobile",
        Tablet = 3 "tablet",
    }
}

codes! {
    /// What was done.
    Act {
        Nothing = 0 "nothing",
        /// A page, a screen, the app opened.
        Visited = 1 "visited",
        /// A product looked at.
        Viewed = 2 "viewed",
        Searched = 3 "searched",
        /// Put into the cart.
        Added = 4 "added",
        Ordered = 5 "ordered",
        Returned = 6 "returned",
        /// Something was sent to the customer.
        Sent = 7 "sent",
        Opened = 8 "opened",
        Clicked = 9 "clicked",
        /// The customer wrote, called or answered.
        Contacted = 10 "contacted",
        SwitchedOff = 11 "switched_off",
        Reviewed = 12 "reviewed",
        ComparedPrices = 13 "compared_prices",
        PickedUp = 14 "picked_up",
        Delivered = 15 "delivered",
        InstalledApp = 16 "installed_app",
        Complained = 17 "complained",
        /// The staff's work on a conversation.
        Served = 18 "served",
        /// A contact point was lost.
        Failed = 19 "failed",
    }
}

impl Act {
    /// Whether the customer did it; the rest was done to the customer.
    pub fn is_own(self) -> bool {
        !matches!(self, Act::Nothing | Act::Sent | Act::Served | Act::Failed)
    }
}

codes! {
    /// Why a contact point is lost.
    Reason {
        Unknown = 0 "unknown",
        /// The provider says that the address does not exist.
        HardBounce = 1 "hard_bounce",
        /// The customer marked mail as spam.
        Complaint = 2 "complaint",
        /// The push token is not registered any more.
        TokenGone = 3 "token_gone",
        /// The customer blocked the shop's bot.
        BotBlocked = 4 "bot_blocked",
        /// The app was removed.
        AppRemoved = 5 "app_removed",
    }
}
