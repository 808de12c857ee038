//! Rules that name categories: of sourcing and of prices, by what the catalogue says of the goods.
use super::world::{World, q, shop};
use crate::commands;
use crate::model::Delivery;
use crate::settings::Settings;
use crate::sourcing::{Condition, Effect, Rule};
use catalog::model::{Price, ProductInput, ProductState, VariantInput};
use stock::model::LocationKind::{Store, Warehouse};

fn filed(world: &World, sku: &'static str, category: &'static str) -> i64 {
    let variant = VariantInput {
        sku: sku.into(),
        price: Some(Price { minor: 10_000, currency: "UAH".into() }),
        tracked: Some(true),
        ..VariantInput::default()
    };
    let product = ProductInput {
        id: format!("p-{sku}"),
        name: Some(sku.into()),
        state: Some(ProductState::Active),
        categories: Some(vec![category.into()]),
        variants: vec![variant],
        ..ProductInput::default()
    };
    let made = world.write(move |tx| {
        let (_, rejected) = catalog::commands::put_products(tx, std::slice::from_ref(&product))?;
        assert_eq!(rejected, []);
        Ok(catalog::variants::find(tx, sku)?.expect("it was made"))
    });
    made.expect("it is made")
}

#[test]
fn a_rule_about_a_category_holds_for_all_below_it() {
    // [N9]
    World::each(|world| {
        let (lviv, hub) = (world.location("Lviv-1", Store), world.location("W", Warehouse));
        let (drill, shirt) = (filed(world, "drill", "Tools > Drills"), filed(world, "shirt", "Clothes"));
        for goods in [drill, shirt] {
            world.receive(goods, lviv, 5);
            world.receive(goods, hub, 5);
        }
        let tools =
            world.write(|tx| Ok(catalog::schema::held(tx)?.categories.iter().map(|c| c.code.clone()).collect()));
        let tools: Vec<String> = tools.expect("read");
        let root = tools.iter().find(|code| code.to_lowercase().contains("tools")).expect("it was made").clone();
        let from = |goods: i64| {
            let way = Delivery::Ship { option: "courier".into(), price_minor: 0 };
            let order = world.checkout(world.cart(&[(goods, 1)], way)).expect("it is ordered");
            order.body.parts[0].location_no
        };
        let set = |rules: Vec<Rule>| {
            let changed = world.write(move |tx| {
                let mut settings: Settings = (*commands::settings(tx)?.1).clone();
                settings.sourcing.rules = rules.clone();
                commands::put_settings(tx, &settings)
            });
            changed.expect("it is set");
        };
        let rule = |places: &str, then: Effect| Rule {
            id: "tools".into(),
            when: Condition { categories: vec![root.clone()], locations: vec![places.into()], ..Condition::default() },
            then,
        };
        set(vec![rule("Lviv-1", Effect::Forbid)]);
        assert_eq!((from(drill), from(drill)), (hub, hub), "shops send no tools");
        set(vec![rule("W", Effect::Forbid)]);
        assert_eq!(from(drill), lviv);
        let free = from(shirt);
        set(vec![]);
        assert_eq!(from(shirt), free, "the rule says nothing of clothes");
        assert_eq!(world.available(drill), q(7));
        let _ = shop();
    });
}
