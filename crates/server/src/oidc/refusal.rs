//! Why somebody who came back from the provider does not come in. The reason stands in the address of the sign-in page, which
//! says it in the reader's words; the sentence stands in the audit.
use connect::oidc::{OidcFailure, TokenError};

/// The kind of a refusal, by which the sign-in page chooses its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The provider is not set, or switched off.
    Off,
    /// Too many attempts came back in vain.
    TooOften,
    /// This browser began no attempt, or another one.
    NotBegun,
    /// The attempt is too old.
    TooLate,
    /// The attempt came back before.
    Replayed,
    /// The person said no at the provider.
    Cancelled,
    /// The provider said that something is wrong.
    ProviderRefused,
    /// The provider does not answer as it should.
    ProviderAway,
    /// What the provider said is not believed.
    NotBelieved,
    /// The provider told no address.
    NoEmail,
    /// The provider does not vouch for the address.
    Unverified,
    /// The address is of a domain that is not taken.
    Domain,
    /// Nobody here has the address.
    NoAccount,
    /// The user may not sign in.
    Blocked,
    /// The user is linked to another account of the provider.
    LinkedElsewhere,
    /// There are as many users as there may be.
    Full,
}

impl Reason {
    /// All, for tests that look for words.
    pub const ALL: [Reason; 16] = [
        Reason::Off,
        Reason::TooOften,
        Reason::NotBegun,
        Reason::TooLate,
        Reason::Replayed,
        Reason::Cancelled,
        Reason::ProviderRefused,
        Reason::ProviderAway,
        Reason::NotBelieved,
        Reason::NoEmail,
        Reason::Unverified,
        Reason::Domain,
        Reason::NoAccount,
        Reason::Blocked,
        Reason::LinkedElsewhere,
        Reason::Full,
    ];
    /// The name in the address and in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Off => "off",
            Reason::TooOften => "too_often",
            Reason::NotBegun => "not_begun",
            Reason::TooLate => "too_late",
            Reason::Replayed => "replayed",
            Reason::Cancelled => "cancelled",
            Reason::ProviderRefused => "provider_refused",
            Reason::ProviderAway => "provider_away",
            Reason::NotBelieved => "not_believed",
            Reason::NoEmail => "no_email",
            Reason::Unverified => "unverified",
            Reason::Domain => "domain",
            Reason::NoAccount => "no_account",
            Reason::Blocked => "blocked",
            Reason::LinkedElsewhere => "linked_elsewhere",
            Reason::Full => "full",
        }
    }
}

/// A refusal with what is known of whom it meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind.
    pub reason: Reason,
    /// This case, for the audit.
    pub detail: String,
    /// The address that the provider told, if it told one that is believed.
    pub email: Option<String>,
    /// The user, where there is one.
    pub user: Option<i64>,
}

impl Refusal {
    /// A refusal of nobody in particular.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), email: None, user: None }
    }
}

impl From<OidcFailure> for Refusal {
    fn from(failure: OidcFailure) -> Self {
        let reason = match failure {
            OidcFailure::OtherPerson => Reason::NotBelieved,
            _ => Reason::ProviderAway,
        };
        Self::new(reason, failure.to_string())
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::new(Reason::NotBelieved, error.to_string())
    }
}
