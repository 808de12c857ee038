//! Who somebody of the provider is here: a pure rule.
use super::refusal::{Reason, Refusal};
use super::settings::Settings;
use crate::accounts::User;
use crate::invitations::Invitation;
use connect::oidc::Claims;

/// What is known here about somebody of whom the provider tells.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The user who is linked with the provider's subject.
    pub linked: Option<User>,
    /// The user with the address that the provider told.
    pub by_email: Option<User>,
    /// Whether that user is linked with another subject of this provider.
    pub linked_elsewhere: bool,
    /// An invitation for the address that waits.
    pub invited: Option<Invitation>,
}

/// How somebody comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// As the user who is linked.
    Enter(User),
    /// As the user with the address, who is linked from now on.
    Link(User),
    /// By an invitation that was sent to the address.
    Join(Invitation),
    /// As somebody new.
    Create {
        /// Normalised address.
        email: String,
        /// As they are shown.
        name: String,
    },
}

/// The address that the provider told, in its one form.
pub fn address(claims: &Claims) -> Option<String> {
    claims.email.as_deref().and_then(base::normalise_email)
}

/// Decides. The subject comes first, so that a changed address stays the same person; an address counts only where the
/// provider vouches for it, and only until somebody is linked.
pub fn decide(settings: &Settings, claims: &Claims, known: Known) -> Result<Decision, Refusal> {
    let email = address(claims);
    let refuse = |reason, detail: String, user: Option<&User>| {
        Err(Refusal { reason, detail, email: email.clone(), user: user.map(|u| u.id) })
    };
    if let Some(user) = &known.linked
        && !user.active
    {
        return refuse(Reason::Blocked, format!("{} may not sign in", user.email), Some(user));
    }
    let outside = email.as_deref().filter(|e| !takes(settings, e));
    if let Some(outside) = outside {
        let domain = outside.rsplit('@').next().unwrap_or_default();
        return refuse(Reason::Domain, format!("addresses of {domain} are not taken"), known.linked.as_ref());
    }
    if let Some(user) = known.linked {
        return Ok(Decision::Enter(user));
    }
    let Some(email) = &email else {
        return refuse(Reason::NoEmail, "the provider told no e-mail address".into(), None);
    };
    let user = known.by_email;
    if !claims.email_verified {
        return refuse(Reason::Unverified, format!("the provider does not vouch for {email}"), user.as_ref());
    }
    match user {
        Some(user) if !user.active => refuse(Reason::Blocked, format!("{email} may not sign in"), Some(&user)),
        Some(user) if known.linked_elsewhere => {
            let detail = format!("{email} is linked with another account of the provider");
            refuse(Reason::LinkedElsewhere, detail, Some(&user))
        }
        Some(user) => Ok(Decision::Link(user)),
        None => match known.invited {
            Some(invitation) => Ok(Decision::Join(invitation)),
            None if settings.create => {
                let name = claims.name.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| email.clone());
                Ok(Decision::Create { email: email.clone(), name })
            }
            None => refuse(Reason::NoAccount, format!("nobody here has the address {email}"), None),
        },
    }
}

/// Whether an address is of a domain that is taken.
fn takes(settings: &Settings, email: &str) -> bool {
    let domain = email.rsplit('@').next().unwrap_or_default();
    settings.domains.is_empty() || settings.domains.iter().any(|d| d == domain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use base::Timestamp;

    fn user(email: &str, active: bool) -> User {
        let at = Timestamp::from_micros(0);
        User {
            id: 7,
            email: email.into(),
            name: "Ann".into(),
            role: Role::Agent,
            stores: Vec::new().into(),
            active,
            totp: false,
            created_at: at,
            password_at: at,
            has_password: true,
        }
    }

    fn invited() -> Invitation {
        let at = Timestamp::from_micros(0);
        Invitation {
            id: 3,
            user: 0,
            email: "ann@shop.ua".into(),
            name: "Ann".into(),
            role: Role::Marketer,
            stores: Vec::new(),
            created_by: "o".into(),
            created_at: at,
            expires_at: at,
            used_at: None,
        }
    }

    fn claims(email: &str, verified: bool) -> Claims {
        Claims {
            subject: "s".into(),
            email: Some(email.to_string()).filter(|e| !e.is_empty()),
            email_verified: verified,
            name: None,
        }
    }

    #[test]
    fn who_somebody_is_follows_from_subject_then_address_then_invitation_then_domain() {
        let open = Settings::default();
        let own = Settings { domains: vec!["shop.ua".into()], create: true, ..Settings::default() };
        let ann = || user("ann@shop.ua", true);
        let (linked, by_email) = (
            || Known { linked: Some(ann()), ..Known::default() },
            || Known { by_email: Some(ann()), ..Known::default() },
        );
        let new = Decision::Create { email: "ann@shop.ua".into(), name: "ann@shop.ua".into() };
        let off = || Known { linked: Some(user("ann@shop.ua", false)), ..Known::default() };
        let off_by_email = Known { by_email: Some(user("ann@shop.ua", false)), ..Known::default() };
        let waits = || Known { invited: Some(invited()), ..Known::default() };
        let cases: Vec<(&Settings, Claims, Known, Result<Decision, Reason>)> = vec![
            (&open, claims("ann@shop.ua", true), by_email(), Ok(Decision::Link(ann()))),
            (&open, claims("ANN@Shop.ua", true), by_email(), Ok(Decision::Link(ann()))),
            (&open, claims("new@shop.ua", false), linked(), Ok(Decision::Enter(ann()))),
            (&open, claims("", false), linked(), Ok(Decision::Enter(ann()))),
            (&open, claims("ann@shop.ua", true), off(), Err(Reason::Blocked)),
            (&open, claims("ann@shop.ua", true), off_by_email, Err(Reason::Blocked)),
            (&open, claims("ann@shop.ua", false), by_email(), Err(Reason::Unverified)),
            (&open, claims("", true), Known::default(), Err(Reason::NoEmail)),
            (&open, claims("not an address", true), Known::default(), Err(Reason::NoEmail)),
            (&open, claims("ann@shop.ua", true), Known::default(), Err(Reason::NoAccount)),
            (&open, claims("ann@shop.ua", true), waits(), Ok(Decision::Join(invited()))),
            (&open, claims("ann@shop.ua", false), waits(), Err(Reason::Unverified)),
            (
                &open,
                claims("ann@shop.ua", true),
                Known { linked_elsewhere: true, ..by_email() },
                Err(Reason::LinkedElsewhere),
            ),
            (&own, claims("ann@shop.ua", true), Known::default(), Ok(new)),
            (&own, claims("ann@shop.ua", false), Known::default(), Err(Reason::Unverified)),
            (&own, claims("ann@sub.shop.ua", true), Known::default(), Err(Reason::Domain)),
            (&own, claims("ann@shop.ua.evil.example", true), by_email(), Err(Reason::Domain)),
            (&own, claims("ann@gmail.com", true), linked(), Err(Reason::Domain)),
            (&own, claims("ann@shop.ua", true), waits(), Ok(Decision::Join(invited()))),
        ];
        for (n, (settings, claims, known, wanted)) in cases.into_iter().enumerate() {
            let found = decide(settings, &claims, known).map_err(|r| r.reason);
            assert_eq!(found, wanted, "case {n}: {claims:?}");
        }
    }
}
