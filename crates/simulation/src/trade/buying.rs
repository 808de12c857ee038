//! Customers: carts, orders, money, changes of mind.
use super::{Done, Good, Trade};
use base::Quantity;
use catalog::model::{Price, ProductInput, ProductState, VariantInput};
use db::DbError;
use orders::commands::{self, Edit, Fact};
use orders::model::{Contact, Delivery, Order, Serving};
use orders::settings::Settings;
use orders::states::line::Line as Piece;
use orders::states::payment::Action;
use stock::commands::LocationInput;
use stock::model::LocationKind;

/// What a shop sells, and what of it is one product in two sizes.
const GOODS: [(&str, i64); 3] = [("boots-38", 100_000), ("boots-39", 100_000), ("hat", 30_013)];

impl Trade {
    /// Places, goods, first stock, and the rules of this life.
    pub(super) fn open_shop(&mut self) -> Done {
        let kinds = [("A", LocationKind::Store), ("B", LocationKind::Store), ("W", LocationKind::Warehouse)];
        for (id, kind) in kinds {
            let input = LocationInput {
                id: id.into(),
                kind,
                name: id.into(),
                address: String::new(),
                lat_lon_e7: None,
                time_zone: "Europe/Kyiv".into(),
                entity: String::new(),
            };
            let made = self.once(move |tx, _| Ok(stock::commands::put_location(tx, &input, None)?.1.no));
            self.places.push(made.map_err(|e| e.to_string())?);
        }
        let variant = |(sku, minor): (&str, i64)| VariantInput {
            sku: sku.into(),
            price: Some(Price { minor, currency: "UAH".into() }),
            tracked: Some(true),
            attributes: [("size".to_string(), serde_json::json!(sku))].into(),
            ..VariantInput::default()
        };
        let product = |id: &str, axes: &[&str], variants: Vec<VariantInput>| ProductInput {
            id: id.into(),
            name: Some(id.into()),
            state: Some(ProductState::Active),
            axes: Some(axes.iter().map(|a| (*a).to_string()).collect()),
            variants,
            ..ProductInput::default()
        };
        let hat = VariantInput { attributes: Default::default(), ..variant(GOODS[2]) };
        let products =
            [product("boots", &["size"], vec![variant(GOODS[0]), variant(GOODS[1])]), product("hat", &[], vec![hat])];
        let made = self.once(move |tx, _| {
            let (_, rejected) = catalog::commands::put_products(tx, &products)?;
            assert!(rejected.is_empty(), "the simulation's products are taken: {rejected:?}");
            let mut out = Vec::new();
            for (sku, _) in GOODS {
                out.push(Good { no: catalog::variants::find(tx, sku)?.unwrap_or(0) });
            }
            Ok(out)
        });
        self.goods = made.map_err(|e| e.to_string())?;
        let (answer, confirm, hold) = (self.below(2), self.below(3), self.below(2));
        let set = self.once(move |tx, _| {
            let mut settings = Settings::default();
            settings.policy.answer_minutes = if answer == 0 { 180 } else { 0 };
            settings.policy.confirm_above_minor = if confirm == 0 { 250_000 } else { 0 };
            settings.policy.hold_carts = hold == 0;
            settings.policy.prepay_after_unclaimed = 1;
            let mut branch = settings.methods[0].clone();
            branch.id = "branch".into();
            settings.methods.push(branch);
            commands::put_settings(tx, &settings)
        });
        set.map(drop).map_err(|e| e.to_string())?;
        for _ in 0..6 {
            self.receive()?;
        }
        Ok(())
    }

    pub(super) fn fill_cart(&mut self) -> Done {
        let mut lines = Vec::new();
        for good in self.goods.clone() {
            if self.below(2) == 0 {
                lines.push((good.no, Quantity::units(1 + self.rng.below(3) as i64)));
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        let (stores, way) = ([self.places[0], self.places[1]], self.below(4));
        let delivery = match way {
            0 | 1 => Delivery::PickUp { location_no: stores[self.below(2)] },
            2 => Delivery::Ship { option: "courier".into(), price_minor: 9_900 },
            _ => Delivery::Ship { option: "branch".into(), price_minor: 5_500 },
        };
        let (who, try_on, hold) = (self.below(6), self.below(3) == 0, self.below(3) == 0);
        let contact = Contact {
            email: format!("buyer{who}@example.com"),
            phone: if who % 2 == 0 { format!("+38067111220{who}") } else { String::new() },
            name: format!("Buyer Number{who}th"),
            user_id: if who < 3 { format!("buyer{who}") } else { String::new() },
            ..Contact::default()
        };
        let cart = self.ask("carts", move |tx, shop| {
            let cart = commands::create_cart(tx, shop, "site", None)?.no;
            for (variant, quantity) in &lines {
                commands::put_line(tx, cart, *variant, *quantity, false)?;
            }
            Ok(cart)
        })?;
        let Some(cart) = cart else { return Ok(()) };
        self.ask("carts that can be ordered", move |tx, _| {
            commands::put_contact(tx, cart, &contact)?;
            let address = if way > 1 { "Львів, Площа Ринок 1" } else { "" };
            commands::put_delivery(tx, cart, &delivery, (address, None))?;
            if try_on {
                commands::put_try_on(tx, cart, true)?;
            }
            Ok(())
        })?;
        if hold {
            self.ask("carts that hold goods", move |tx, _| commands::hold_cart(tx, cart).map(drop))?;
        }
        self.carts.insert(cart, None);
        if self.below(4) > 0 { self.checkout(cart) } else { Ok(()) }
    }

    pub(super) fn checkout_some(&mut self) -> Done {
        let carts: Vec<i64> = self.carts.keys().copied().collect();
        let recent = carts.len().saturating_sub(6);
        match self.any(&carts[recent..]) {
            Some(cart) => self.checkout(cart),
            None => Ok(()),
        }
    }

    fn checkout(&mut self, cart: i64) -> Done {
        let placed = self.ask("checkouts", move |tx, shop| commands::checkout(tx, cart, shop, "site"))?;
        let Some(order) = placed else {
            self.reached.note("checkouts refused");
            return Ok(());
        };
        match self.carts.insert(cart, Some(order.no)).flatten() {
            Some(before) if before == order.no => self.reached.note("carts ordered twice"),
            Some(before) => return Err(format!("cart {cart} became order {before}, and then {}", order.no)),
            None => self.placed(&order)?,
        }
        Ok(())
    }

    fn placed(&mut self, order: &Order) -> Done {
        self.orders.push(order.no);
        self.reached.note(match (&order.body.delivery, order.body.try_on) {
            (_, true) => "orders to try on",
            (Delivery::PickUp { .. }, _) => "orders to fetch",
            (Delivery::Ship { option, .. }, _) if option == "courier" => "orders by courier",
            _ => "orders to a branch",
        });
        let (some, several) = (order.body.fulfilments.iter(), order.body.fulfilments.len() > 1);
        self.reached
            .add("orders with goods brought to the shop", some.filter(|f| f.kind == Serving::Supply).count() as u64);
        self.reached.add("orders from several places", u64::from(several));
        self.reached.add("orders that wait for a word or a prepayment", order.body.holds.len() as u64);
        if self.below(2) == 0 { self.pay_for(order.no) } else { Ok(()) }
    }

    pub(super) fn pay_some(&mut self) -> Done {
        if self.below(2) == 0
            && let Some((order, provider, payment, minor)) = self.kept.pop()
        {
            // It may be said of an order that was called off meanwhile: then it is refused, or goes back later.
            return self.fact(order, (provider, &payment), Action::Capture, minor).map(drop);
        }
        let orders = self.orders.clone();
        match self.any(&orders) {
            Some(no) => self.pay_for(no),
            None => Ok(()),
        }
    }

    /// What is left to pay, all or half of it, in one of the ways.
    fn pay_for(&mut self, no: i64) -> Done {
        let order = self.order(no)?;
        let left = order.open_minor();
        if left == 0 {
            return Ok(());
        }
        let minor = if self.below(4) == 0 { (left / 2).max(1) } else { left };
        let payment = self.id("p");
        match self.below(5) {
            0 => {
                self.fact(no, ("test", &payment), Action::Decline, minor)?;
                self.reached.note("payments declined");
                Ok(())
            }
            1 => {
                if self.fact(no, ("test", &payment), Action::Authorise, minor)? {
                    self.kept.push((no, "test", payment, minor));
                }
                Ok(())
            }
            2 => {
                if self.fact(no, ("on_delivery", &payment), Action::AgreeOnDelivery, minor)? {
                    self.kept.push((no, "on_delivery", payment, minor));
                }
                Ok(())
            }
            _ => self.fact(no, ("test", &payment), Action::Capture, minor).map(drop),
        }
    }

    /// A provider tells something of a payment, perhaps twice; gives whether it was taken.
    pub(super) fn fact(
        &mut self,
        no: i64,
        (provider, payment): (&'static str, &str),
        action: Action,
        minor: i64,
    ) -> Result<bool, String> {
        let external_id = self.id("m");
        let fact =
            Fact { provider: provider.into(), payment_id: payment.into(), external_id, action, amount_minor: minor };
        let what = match action {
            Action::Capture => "payments captured",
            Action::Refund => "payments refunded",
            Action::Authorise => "payments authorised",
            Action::AgreeOnDelivery => "payments agreed at hand-over",
            _ => "payments that came to nothing",
        };
        let taken = self.ask(what, move |tx, _| commands::pay(tx, no, &fact, "provider").map(drop))?.is_some();
        if taken {
            let (captured, refunded) = self.money.entry(no).or_default();
            match action {
                Action::Capture => *captured += minor,
                Action::Refund => *refunded += minor,
                _ => {}
            }
        }
        Ok(taken)
    }

    /// What the customer owes for what they have, had or wait for: nothing for what was called off or came back unopened.
    pub(super) fn due(&self, order: &Order) -> i64 {
        let pieces = order.body.parts.iter().filter(|p| p.state != Piece::Cancelled);
        let of = pieces.map(|p| order.body.lines[p.line].unit_minor * p.milli / 1000).sum::<i64>();
        let goods = of - self.unopened.get(&order.no).copied().unwrap_or(0);
        if goods > 0 { goods + order.body.shipping_minor } else { 0 }
    }

    pub(super) fn refund_surplus_of_some(&mut self) -> Done {
        let orders = self.orders.clone();
        match self.any(&orders) {
            Some(no) => self.refund_surplus(no),
            None => Ok(()),
        }
    }

    /// Gives back what was paid for what was called off.
    pub(super) fn refund_surplus(&mut self, no: i64) -> Done {
        let order = self.order(no)?;
        let (captured, refunded) = self.money.get(&no).copied().unwrap_or_default();
        // What is on its way back for returned goods is nobody's surplus.
        let sql = "SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) FROM refunds WHERE order_no = $1 AND state IN ('pending', 'failed')";
        let waiting = self.world.write(move |tx| {
            let row = tx.first(sql, &[no.into()])?;
            row.map_or(Ok(0), |row| row.int(0))
        });
        let waiting = waiting.map_err(|e: DbError| e.to_string())?;
        let mut surplus = captured - refunded - self.due(&order) - waiting;
        for paid in &order.body.payments {
            let provider = match paid.provider.as_str() {
                "test" => "test",
                "on_delivery" => "on_delivery",
                _ => continue,
            };
            let minor = (paid.captured_minor - paid.refunded_minor).min(surplus);
            if minor > 0 && self.fact(no, (provider, &paid.id), Action::Refund, minor)? {
                surplus -= minor;
            }
        }
        Ok(())
    }

    pub(super) fn edit(&mut self) -> Done {
        let orders = self.orders.clone();
        let Some(no) = self.any(&orders) else { return Ok(()) };
        let (good, units, place) = (self.good(), 1 + self.rng.below(3) as i64, self.places[self.rng.below(2) as usize]);
        let change = match self.below(3) {
            0 => Edit { delivery: Some(Delivery::PickUp { location_no: place }), ..Edit::default() },
            1 => Edit {
                delivery: Some(Delivery::Ship { option: "courier".into(), price_minor: 9_900 }),
                address: Some("Київ, Хрещатик 1".into()),
                ..Edit::default()
            },
            _ => Edit { lines: Some(vec![(good.no, Quantity::units(units))]), ..Edit::default() },
        };
        self.ask("orders changed", move |tx, shop| commands::edit(tx, no, &change, shop, "agent").map(drop))?;
        Ok(())
    }

    pub(super) fn cancel(&mut self) -> Done {
        let orders = self.orders.clone();
        let Some(no) = self.any(&orders) else { return Ok(()) };
        let order = self.order(no)?;
        let agreed = self.below(2) == 0;
        let some = (self.below(2) == 0).then(|| vec![self.below(order.body.parts.len().max(1))]);
        let what = if some.is_some() { "parts of orders cancelled" } else { "orders cancelled" };
        self.ask(what, move |tx, _| {
            commands::cancel(tx, no, some.as_deref(), (agreed, "no longer wanted", "customer")).map(drop)
        })?;
        Ok(())
    }
}
