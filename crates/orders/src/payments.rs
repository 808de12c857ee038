//! Who takes money, behind one interface: a provider answers a request with facts, which the ledger of payments takes once each.
//!
//! Here are those that need nobody outside: the test provider, cash on delivery, and what a colleague took at a till. Providers on
//! the net implement the same interface; their facts come later, by webhook, through [`crate::commands::pay`].
use crate::states::payment::Action;

/// What is asked of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    pub amount_minor: i64,
    /// What is done.
    pub action: Action,
    /// Whether a colleague asks, not the customer's device.
    pub inside: bool,
}

/// Why a provider takes no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("there is no provider {0:?}; there are {known}", known = NAMES.join(", "))]
    Unknown(String),
    #[error("{0} is for colleagues: the customer's device cannot say that money came")]
    InsideOnly(&'static str),
    #[error("{0} cannot {1}")]
    Cannot(&'static str, Action),
}

/// Somebody who takes money.
pub trait Provider {
    /// As payments name it.
    fn name(&self) -> &'static str;
    /// What becomes of a request, as facts in their order.
    fn ask(&self, ask: Ask) -> Result<Vec<Action>, ProviderError>;
}

const NAMES: [&str; 4] = ["test", "on_delivery", "till", crate::after::credit::PROVIDER];

/// Takes every sum at once, and declines those that end in 13 minor units, so that a shop can try both.
struct Test;
/// The customer pays whoever hands the goods over.
struct OnDelivery;
/// A colleague took the money, or gave it back.
struct Till;
/// Credit that the shop gave: [`crate::after::commands::pay_with_credit`] moves it, since it knows the account.
struct StoreCredit;

impl Provider for Test {
    fn name(&self) -> &'static str {
        "test"
    }
    fn ask(&self, ask: Ask) -> Result<Vec<Action>, ProviderError> {
        match ask.action {
            Action::Capture | Action::Authorise if ask.amount_minor % 100 == 13 => Ok(vec![Action::Decline]),
            Action::Capture | Action::Authorise => Ok(vec![ask.action]),
            Action::Refund | Action::Cancel if ask.inside => Ok(vec![ask.action]),
            Action::Refund | Action::Cancel => Err(ProviderError::InsideOnly("a refund")),
            other => Err(ProviderError::Cannot("test", other)),
        }
    }
}

impl Provider for OnDelivery {
    fn name(&self) -> &'static str {
        "on_delivery"
    }
    fn ask(&self, ask: Ask) -> Result<Vec<Action>, ProviderError> {
        match ask.action {
            // The customer agrees; the money comes later.
            Action::Capture | Action::AgreeOnDelivery if !ask.inside => Ok(vec![Action::AgreeOnDelivery]),
            Action::AgreeOnDelivery | Action::Capture | Action::Cancel => Ok(vec![ask.action]),
            other => Err(ProviderError::Cannot("on_delivery", other)),
        }
    }
}

impl Provider for Till {
    fn name(&self) -> &'static str {
        "till"
    }
    fn ask(&self, ask: Ask) -> Result<Vec<Action>, ProviderError> {
        match ask.action {
            _ if !ask.inside => Err(ProviderError::InsideOnly("a till")),
            Action::Capture | Action::Refund => Ok(vec![ask.action]),
            other => Err(ProviderError::Cannot("till", other)),
        }
    }
}

impl Provider for StoreCredit {
    fn name(&self) -> &'static str {
        crate::after::credit::PROVIDER
    }
    fn ask(&self, ask: Ask) -> Result<Vec<Action>, ProviderError> {
        match ask.action {
            Action::Capture => Ok(vec![Action::Capture]),
            // Money goes back to credit by a return, a claim or a refund, which post both sides.
            other => Err(ProviderError::Cannot(crate::after::credit::PROVIDER, other)),
        }
    }
}

/// A provider by its name.
pub fn provider(name: &str) -> Result<&'static dyn Provider, ProviderError> {
    let all: [&'static dyn Provider; 4] = [&Test, &OnDelivery, &Till, &StoreCredit];
    all.into_iter().find(|p| p.name() == name).ok_or_else(|| ProviderError::Unknown(name.chars().take(60).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customers_device_cannot_say_that_money_came_to_a_till_or_went_back() {
        let ask = |action, inside| Ask { amount_minor: 100, action, inside };
        let test = provider("test").expect("it is there");
        assert_eq!(test.ask(ask(Action::Capture, false)), Ok(vec![Action::Capture]));
        assert_eq!(test.ask(Ask { amount_minor: 1_013, ..ask(Action::Capture, false) }), Ok(vec![Action::Decline]));
        assert!(test.ask(ask(Action::Refund, false)).is_err());
        assert_eq!(test.ask(ask(Action::Refund, true)), Ok(vec![Action::Refund]));
        let till = provider("till").expect("it is there");
        assert!(till.ask(ask(Action::Capture, false)).is_err());
        let on_delivery = provider("on_delivery").expect("it is there");
        assert_eq!(on_delivery.ask(ask(Action::Capture, false)), Ok(vec![Action::AgreeOnDelivery]));
        assert!(provider("bank").is_err_and(|e| e.to_string().contains("test, on_delivery, till, store_credit")));
        for name in NAMES {
            assert_eq!(provider(name).map(|p| p.name()), Ok(name));
        }
    }
}
