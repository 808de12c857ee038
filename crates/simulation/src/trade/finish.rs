//! The end of a life of trade: everything is brought to its end, and all must agree; and the damage that must be noticed.
use super::{Defect, Done, Trade};
use crate::checker::When;
use crate::run::Lived;
use base::{HOUR_US, Quantity};
use db::Sync;
use orders::commands;
use orders::model::Serving;
use orders::states::Machine as _;
use orders::states::fulfilment::Fulfilment;
use orders::states::line::Line as Piece;
use orders::states::payment::Action;
use stock::commands::Shortage;
use stock::model::{CUSTOMER, Document, DocumentKind, Move, SUPPLIER};

/// Rounds in which what is open goes on, and from which on it is called off.
const ROUNDS: usize = 8;
const CALL_OFF: usize = 3;

impl Trade {
    pub(super) fn end(mut self) -> Result<Lived, String> {
        if self.armed {
            self.reopen()?;
        }
        self.open_places()?;
        while !self.offline.is_empty() {
            self.tell_late()?;
        }
        for round in 0..ROUNDS {
            self.go_on_with_everything(round).map_err(|e| format!("round {round} of the end: {e}"))?;
        }
        self.settle_money()?;
        // A clock that was set back stands behind what the store did last: it takes a while until holds end.
        for _ in 0..8 {
            self.world.clock.advance(6 * HOUR_US);
            self.tick()?;
        }
        if let Some(defect) = self.life.defect {
            self.damage(defect)?;
            return match self.replay(When::AtTheEnd) {
                Err(_) => Err(format!("{defect:?} was noticed by the checker")),
                Ok(()) => self.sums().map(|()| Lived { reached: self.reached, state: 0 }),
            };
        }
        self.all_ended()?;
        self.sums()?;
        self.replay(When::AtTheEnd)?;
        self.reached.note("logs replayed at the end");
        self.reopen()?;
        self.replay(When::AtTheEnd)?;
        self.world.stop();
        self.world.check()?;
        let state = if self.life.hashed { self.world.fingerprint().map_err(|e| e.to_string())? } else { 0 };
        Ok(Lived { reached: self.reached, state })
    }

    fn all_orders(&self) -> Result<Vec<i64>, String> {
        self.column("SELECT no FROM orders ORDER BY no")
    }

    fn go_on_with_everything(&mut self, round: usize) -> Done {
        for no in self.open_transfers()? {
            self.go_on(no, true)?;
        }
        for no in self.returns.clone() {
            self.go_on_with_return(no, round >= CALL_OFF)?;
        }
        self.refunds(round >= CALL_OFF)?;
        let own = self.orders.clone();
        for no in self.all_orders()? {
            let order = self.order(no)?;
            self.let_go_on(&order)?;
            let parked = order.body.parts.iter().any(|p| p.state == Piece::Parked);
            if parked && !own.contains(&no) {
                self.restock()?;
                let again = move |tx: &mut db::Tx, shop: &commands::Shop| {
                    commands::source_again(tx, no, shop, "agent").map(drop)
                };
                self.ask("orders sourced again", again)?;
            }
            for f in order.body.fulfilments.iter().filter(|f| f.kind != Serving::Supply) {
                let fno = f.no;
                if f.state == Fulfilment::Open {
                    self.ask("accepted", move |tx, _| commands::accept(tx, no, fno, "shop").map(drop))?;
                }
                if f.state == Fulfilment::InProgress {
                    self.leave(&order, f)?;
                }
                if f.kind == Serving::Ship && order.body.parts.iter().any(|p| p.state == Piece::Sent) {
                    let arrive =
                        move |tx: &mut db::Tx, _: &commands::Shop| commands::deliver(tx, no, fno, "carrier").map(drop);
                    self.moving("delivered", no, arrive)?;
                }
            }
            if round >= CALL_OFF && own.contains(&no) {
                self.ask("orders cancelled", move |tx, _| {
                    commands::cancel(tx, no, None, (true, "the end", "agent")).map(drop)
                })?;
            }
        }
        Ok(())
    }

    /// Enough of everything, so that what was given instead can be had.
    fn restock(&mut self) -> Done {
        for good in self.goods.clone() {
            for place in self.places.clone() {
                let paper = self.paper(DocumentKind::Receipt, good, (SUPPLIER, place), 2);
                self.post("receipts", paper, Shortage::Refuse)?;
            }
        }
        Ok(())
    }

    /// Customers pay what they owe, and get what they do not.
    fn settle_money(&mut self) -> Done {
        for no in self.orders.clone() {
            let order = self.order(no)?;
            let left = self.due(&order) - order.sums().captured;
            if left > 0 {
                let payment = self.id("p");
                self.fact(no, ("test", &payment), Action::Capture, left)?;
            }
            self.refund_surplus(no)?;
        }
        Ok(())
    }

    fn all_ended(&mut self) -> Done {
        let ends = [Piece::Delivered, Piece::Cancelled, Piece::Returned, Piece::Lost];
        for no in self.all_orders()? {
            let order = self.order(no)?;
            if let Some(part) = order.body.parts.iter().find(|p| !ends.contains(&p.state)) {
                return Err(format!("order {no} never ends: {part:?} of {:?}", order.body));
            }
            if let Some(f) = order.body.fulfilments.iter().find(|f| !f.state.is_end()) {
                return Err(format!("order {no} never ends: {f:?} of {:?}", order.body));
            }
            self.reached.note(match order.status().as_str() {
                "delivered" => "orders that ended delivered",
                "cancelled" => "orders that ended cancelled",
                "returned" => "orders that ended returned",
                "partly_returned" => "orders that ended partly returned",
                other => return Err(format!("order {no} ends {other}")),
            });
        }
        for (what, sql) in [
            ("returns", "SELECT COUNT(*) FROM returns WHERE state NOT IN ('refunded', 'cancelled', 'fulfilled')"),
            ("refunds", "SELECT COUNT(*) FROM refunds WHERE state NOT IN ('settled', 'credited')"),
            ("claims on goods", "SELECT COUNT(*) FROM reservations WHERE ended_at = 0"),
        ] {
            let open = self.column(sql)?;
            if open != [0] {
                return Err(format!("{open:?} {what} never end"));
            }
        }
        Ok(())
    }

    /// Does what a bug would have done.
    fn damage(&mut self, defect: Defect) -> Done {
        let statement = match defect {
            Defect::MovementLost => {
                "DELETE FROM stock_moves WHERE no = (SELECT MAX(no) FROM stock_moves WHERE to_no = -2)"
            }
            Defect::ClaimKept => {
                "UPDATE reservations SET ended_at = 0 WHERE no = (SELECT MAX(no) FROM reservations WHERE kind = 3)"
            }
            Defect::PaidByItself => {
                return self.spoil(
                    "INSERT INTO payment_facts (provider, external_id, order_no, action, amount_minor, at) \
                     SELECT 'test', 'ghost', MIN(no), 'capture', 100, 1 FROM orders",
                );
            }
            Defect::NotTold => "UPDATE orders SET number = 'X-1' WHERE no = (SELECT MIN(no) FROM orders)",
            Defect::WrongStatus => {
                "UPDATE orders SET status = 'delivered' WHERE no = (SELECT MIN(no) FROM orders WHERE status = 'cancelled')"
            }
            Defect::RefundTooMany => return self.refund_too_many(),
            Defect::SoldTwice => return self.sell_twice(),
            Defect::ClaimForgotten => "DELETE FROM reservations WHERE ended_why = 3 AND kind = 3",
        };
        self.spoil(statement)
    }

    /// A statement behind the program's back.
    fn spoil(&mut self, statement: &str) -> Done {
        self.world.stop();
        let mut engine = self.world.place.location.open(Sync::UnsafeFast, false).map_err(|e| e.to_string())?;
        engine.execute(statement, &[]).map_err(|e| e.to_string())?;
        drop(engine);
        self.world.restart().map_err(|e| e.to_string())
    }

    fn delivered_order(&self) -> Result<Option<i64>, String> {
        Ok(self.column("SELECT no FROM orders WHERE status = 'delivered' ORDER BY no")?.first().copied())
    }

    /// By the real commands, so that only whoever adds up the whole order can see it.
    fn refund_too_many(&mut self) -> Done {
        let Some(no) = self.delivered_order()? else { return Ok(()) };
        let order = self.order(no)?;
        let paid = order.body.payments.iter().find(|p| p.captured_minor > p.refunded_minor && p.provider != "moved");
        let Some(paid) = paid else { return Ok(()) };
        let provider = if paid.provider == "test" { "test" } else { "on_delivery" };
        self.fact(no, (provider, &paid.id), Action::Refund, 1).map(drop)
    }

    fn sell_twice(&mut self) -> Done {
        let Some(no) = self.delivered_order()? else { return Ok(()) };
        self.restock()?;
        let (order, place) = (self.order(no)?, self.places[2]);
        let moved = Move::sellable(order.body.lines[0].variant_no, (place, CUSTOMER), Quantity::units(1), "order");
        let paper = Document {
            kind: DocumentKind::Sale,
            source: "braid".into(),
            external_id: "".into(),
            reference: format!("order:{no}").into(),
            note: "".into(),
            actor: "shop".into(),
            at: self.world.now(),
            moves: vec![moved],
        };
        self.once(move |tx, _| Ok(stock::commands::post(tx, &paper, Shortage::Record).map(drop)?))
            .map_err(|e| e.to_string())
    }
}
