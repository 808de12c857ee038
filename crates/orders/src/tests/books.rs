//! The check of the books notices what must never be so.
use super::world::World;
use crate::doctor;
use crate::model::Delivery;
use stock::model::LocationKind::Store;

/// Breaks the books of a store with one order by bare SQL, and gives what is found.
fn found_after(world: &World, damage: &'static str) -> Vec<(&'static str, String)> {
    world.write(move |tx| Ok(tx.engine().batch(damage)?)).expect("the damage is done");
    let found = world.store().query(doctor::check).expect("orders can be read");
    found.into_iter().map(|finding| (finding.check, finding.subject)).collect()
}

#[test]
fn damage_is_found_and_named() {
    for (damage, check) in [
        ("UPDATE reservations SET ended_at = 1 WHERE kind = 3", "order_claim"),
        ("UPDATE reservations SET owner = 'order:77' WHERE kind = 3", "order_claim"),
        ("UPDATE reservations SET quantity = quantity + 1 WHERE kind = 3", "order_claim"),
        ("UPDATE fulfilments SET state = 'closed'", "order_work"),
        ("DELETE FROM fulfilments", "order_work"),
        ("UPDATE orders SET status = 'sent'", "order_status"),
        ("UPDATE orders SET total_minor = total_minor - 1", "order_total"),
    ] {
        for place in db::testing::Place::all() {
            let world = World::new(place);
            let lviv = world.location("lviv-1", Store);
            let shoe = world.goods("shoe", 200_000, true);
            world.receive(shoe, lviv, 2);
            let order =
                world.checkout(world.cart(&[(shoe, 1)], Delivery::PickUp { location_no: lviv })).expect("ordered");
            world.assert_sound();
            let found = found_after(&world, damage);
            let wanted = vec![(check, format!("order {}", order.no))];
            assert_eq!(found, wanted, "{damage}");
        }
    }
}
