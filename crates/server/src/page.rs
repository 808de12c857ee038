//! The customer's page as all crates together register it, and what of it somebody may see.
use crate::access::{Act, Area};
use crate::caller::Caller;
use base::page::{Panel, TimelineKind};
use customers::page::OTHER;

/// Every kind of timeline entries. A new crate adds its list here; [`OTHER`] holds what nobody claims and stays the last.
pub fn kinds() -> impl Iterator<Item = &'static TimelineKind> {
    [customers::page::KINDS, messaging::page::KINDS].into_iter().flatten().chain([&OTHER])
}

/// Every panel, from the top.
pub fn panels() -> Vec<&'static Panel> {
    let all = [customers::page::PANELS, segments::page::PANELS, messaging::page::PANELS];
    let mut out: Vec<_> = all.into_iter().flatten().collect();
    out.sort_by_key(|panel| (panel.place, panel.id));
    out
}

/// The kind of an event, by the name under which indexes have it.
pub fn kind_of(name: &str) -> &'static TimelineKind {
    kinds().find(|kind| kind.holds(name)).unwrap_or(&OTHER)
}

/// Whether somebody may see what belongs to an area.
pub fn may_see(caller: &Caller, area: &str) -> bool {
    Area::parse(area).is_some_and(|area| caller.may(Act::Read(area)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    #[test]
    fn every_entry_and_panel_belongs_to_an_area_and_has_an_id_of_its_own() {
        // [A1] A crate that names an area that does not exist would hide its entries from everybody.
        let mut ids: Vec<&str> = kinds().map(|k| k.id).collect();
        let mut panel_ids: Vec<&str> = panels().iter().map(|p| p.id).collect();
        for area in kinds().map(|k| k.area).chain(panels().iter().map(|p| p.area)) {
            assert!(Area::parse(area).is_some(), "{area}");
        }
        for list in [&mut ids, &mut panel_ids] {
            let all = list.len();
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), all);
        }
        assert_eq!(kinds().last(), Some(&OTHER));
    }

    #[test]
    fn an_event_is_of_the_first_kind_that_claims_its_name() {
        let of = |name: &str| kind_of(name).id;
        assert_eq!(of("Order Completed"), "purchases");
        assert_eq!(of("Order Refunded"), "returns");
        assert_eq!(of("Email Opened"), "messages");
        assert_eq!(of("Consent Changed"), "consents");
        assert_eq!(of("Call Started"), "contacts");
        assert_eq!(of("$identify"), "profile");
        assert_eq!((of("Zoomed"), of("")), ("other", "views"));
    }

    #[test]
    fn a_shop_assistant_sees_purchases_and_no_campaigns() {
        // [A1] Each area under its own right.
        let caller = Caller::of_role("somebody", Role::ShopAssistant);
        let seen: Vec<&str> = kinds().filter(|k| may_see(&caller, k.area)).map(|k| k.id).collect();
        assert!(seen.contains(&"purchases") && seen.contains(&"complaints"));
        assert!(!seen.contains(&"messages") && !seen.contains(&"reviews"));
        assert!(!may_see(&caller, "no such area"));
    }
}
