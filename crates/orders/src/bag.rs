//! Which orders go into one bag: what one customer fetches at one place, or gets by one way at one address (N8). A pure rule.
use crate::model::{Delivery, Fulfilling, Order, Serving};
use crate::states::Machine as _;

/// What orders of one bag share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Phone, e-mail or account: the first that the order has.
    pub who: String,
    pub location_no: i64,
    /// The way and the address of what is sent; nothing for what is fetched.
    pub to: Option<(String, String)>,
}

/// What a part of an order has to share to go into one bag with another's. `None`: it goes alone, since nobody is known by name, it
/// goes to another place of ours, it is tried on first (who keeps what is asked for each), something stops it, or it is over.
pub fn key(order: &Order, f: &Fulfilling) -> Option<Key> {
    if f.state.is_end() || order.body.try_on || !order.body.holds.is_empty() || f.asked_at.micros() == 0 {
        return None;
    }
    let contact = &order.contact;
    let who = [&contact.phone, &contact.email, &contact.user_id].into_iter().find(|text| !text.is_empty())?;
    let to = match (f.kind, &order.body.delivery) {
        (Serving::PickUp, _) => None,
        (Serving::Ship, Delivery::Ship { option, .. }) => Some((option.clone(), plain(&contact.address))),
        _ => return None,
    };
    Some(Key { who: who.to_lowercase(), location_no: f.location_no, to })
}

/// An address without what people write differently each time: case, blanks, commas and dots.
fn plain(address: &str) -> String {
    let small = address.to_lowercase();
    let words = small.split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ';')).filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn an_address_is_the_same_however_it_is_spaced() {
        assert_eq!(plain("Львів, Площа Ринок  1"), plain("львів площа ринок, 1."));
        assert_ne!(plain("Ринок 1"), plain("Ринок 11"));
    }
}
