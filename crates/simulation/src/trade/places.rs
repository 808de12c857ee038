//! Places that serve orders: take them, decline, miss pieces, pack, hand over, go down; transfers that bring goods.
use super::{Done, Trade};
use base::Quantity;
use orders::commands::{self, Proof};
use orders::model::{Fulfilling, Order, Serving};
use orders::states::fulfilment::Fulfilment;
use orders::states::line::Line as Piece;
use std::collections::BTreeMap;
use stock::model::LocationState;
use stock::transfers::{self, Arrived, Rest, TransferState};

/// What the customer has, or is on its way to them: by line.
fn outside(order: &Order) -> BTreeMap<usize, i64> {
    let mut out = BTreeMap::new();
    for part in order.body.parts.iter().filter(|p| matches!(p.state, Piece::Sent | Piece::Delivered)) {
        *out.entry(part.line).or_default() += part.milli;
    }
    out
}

impl Trade {
    /// Something is done with an order that may move its goods; the plain sums follow.
    pub(super) fn moving<F>(&mut self, what: &'static str, no: i64, f: F) -> Result<Option<()>, String>
    where
        F: FnMut(&mut db::Tx, &commands::Shop) -> Result<(), orders::OrderError> + Send + Clone + 'static,
    {
        let before = self.order(no)?;
        let done = self.ask(what, f)?;
        let after = self.order(no)?;
        let (had, has) = (outside(&before), outside(&after));
        for (line, of) in after.body.lines.iter().enumerate() {
            let more = has.get(&line).copied().unwrap_or(0) - had.get(&line).copied().unwrap_or(0);
            *self.ours.entry(of.variant_no).or_default() -= Quantity::from_milli(more);
            if more < 0 {
                *self.unopened.entry(no).or_default() += of.unit_minor * -more / 1000;
            }
        }
        Ok(done)
    }

    pub(super) fn work(&mut self) -> Done {
        let recent: Vec<i64> = self.orders.iter().rev().take(12).copied().collect();
        let Some(no) = self.any(&recent) else { return Ok(()) };
        let order = self.order(no)?;
        let Some(f) = self.any(&order.body.fulfilments) else { return Ok(()) };
        let fno = f.no;
        let what = match f.state {
            // Mostly what comes next; now and then anything.
            Fulfilment::Open if self.below(4) > 0 => [0, 0, 0, 0, 5, 11][self.below(6)],
            Fulfilment::InProgress if self.below(4) > 0 => [6, 7, 7, 7, 12, 12][self.below(6)],
            _ => self.below(16),
        };
        match what {
            0..=4 if f.state == Fulfilment::Open => {
                self.ask("accepted", move |tx, _| commands::accept(tx, no, fno, "shop").map(drop))?;
            }
            5 => {
                let decline = move |tx: &mut db::Tx, shop: &commands::Shop| {
                    commands::decline(tx, no, fno, shop, ("busy", "shop")).map(drop)
                };
                self.ask("declined", decline)?;
            }
            6 => {
                let missing = (self.below(order.body.lines.len()), Quantity::units(1));
                let short = move |tx: &mut db::Tx, shop: &commands::Shop| {
                    commands::report_short(tx, no, fno, missing, shop, "shop").map(drop)
                };
                self.ask("pieces that a place misses", short)?;
            }
            7 | 8 => {
                self.ask("ready", move |tx, _| commands::ready(tx, no, fno, "shop").map(drop))?;
            }
            9 => {
                self.ask("held", move |tx, _| commands::hold(tx, no, "a word", "agent").map(drop))?;
            }
            10 => return self.let_go_on(&order),
            11 => {
                let all = move |tx: &mut db::Tx, _: &commands::Shop| commands::hand_over_all(tx, no, "shop").map(drop);
                self.moving("handed over all at once", no, all)?;
            }
            _ => return self.leave(&order, &f),
        }
        Ok(())
    }

    /// Whatever holds an order is over.
    pub(super) fn let_go_on(&mut self, order: &Order) -> Done {
        let no = order.no;
        for hold in order.body.holds.clone() {
            self.ask("released", move |tx, _| commands::release_hold(tx, no, &hold, "agent").map(drop))?;
        }
        Ok(())
    }

    /// Pieces go to the customer, or come back from the way.
    pub(super) fn leave(&mut self, order: &Order, f: &Fulfilling) -> Done {
        let (no, fno, try_on) = (order.no, f.no, order.body.try_on);
        match (f.kind, self.below(4)) {
            (Serving::PickUp, n) => {
                // What of each line they keep, of what they tried on.
                let mut kept: Vec<(usize, Quantity)> = Vec::new();
                for part in order.body.parts.iter().filter(|p| p.fulfilment == Some(fno) && p.state == Piece::Released)
                {
                    let units = self.rng.below((part.milli / 1000) as u64 + 1) as i64;
                    if n < 2 && units > 0 && !kept.iter().any(|(line, _)| *line == part.line) {
                        kept.push((part.line, Quantity::units(units)));
                    }
                }
                let kept = (try_on && n < 3).then_some(kept);
                let what = match &kept {
                    None => "collected",
                    Some(kept) if kept.is_empty() => "tried on and nothing kept",
                    Some(_) => "tried on and some kept",
                };
                let code = self.below(2) == 0;
                self.moving(what, no, move |tx, _| {
                    let proof = match code {
                        true => Proof::Code(commands::pick_up_code(tx.hash_key(), no)),
                        false => Proof::Seen("passport".into()),
                    };
                    commands::collect(tx, no, fno, (&proof, kept.as_deref()), "shop").map(drop)
                })?;
            }
            (Serving::Ship, 0) => {
                self.moving("delivered", no, move |tx, _| commands::deliver(tx, no, fno, "carrier").map(drop))?;
            }
            (Serving::Ship, 1) => {
                let back = move |tx: &mut db::Tx, _: &commands::Shop| {
                    commands::bring_back(tx, no, fno, None, "carrier").map(drop)
                };
                self.moving("brought back", no, back)?;
            }
            (Serving::Ship, _) => {
                self.moving("sent", no, move |tx, _| commands::dispatch(tx, no, fno, "2045", "shop").map(drop))?;
            }
            (Serving::Supply, _) => {}
        }
        Ok(())
    }

    pub(super) fn source_again(&mut self) -> Done {
        let orders = self.orders.clone();
        for no in orders.into_iter().rev().take(8) {
            if self.order(no)?.body.parts.iter().any(|p| p.state == Piece::Parked) {
                self.reached.note("orders parked");
                let again = move |tx: &mut db::Tx, shop: &commands::Shop| {
                    commands::source_again(tx, no, shop, "agent").map(drop)
                };
                self.ask("orders sourced again", again)?;
            }
        }
        Ok(())
    }

    /// A shop goes down: what it has not taken goes elsewhere; it opens again, now or when another goes down.
    pub(super) fn place_goes_down(&mut self) -> Done {
        let at = self.below(2);
        let (id, no) = (["A", "B"][at], self.places[at]);
        let moved = self.ask("places that went down", move |tx, shop| {
            stock::commands::set_state(tx, id, LocationState::Paused, "no light")?;
            Ok(commands::leave_place(tx, no, shop, (50, "no light", "agent"))?.0)
        })?;
        self.reached.add("orders of places that went down", moved.unwrap_or(0) as u64);
        if self.below(2) == 0 {
            self.work()?;
        }
        self.open_places()
    }

    pub(super) fn open_places(&mut self) -> Done {
        for id in ["A", "B"] {
            let open =
                self.once(move |tx, _| Ok(stock::commands::set_state(tx, id, LocationState::Open, "").map(drop)?));
            match open {
                Err(_) if self.armed => self.recover()?,
                other => other.map_err(|e| e.to_string())?,
            }
        }
        Ok(())
    }

    pub(super) fn request_transfer(&mut self) -> Done {
        let (from, to, good) = (self.below(3), self.below(3), self.good());
        if from == to {
            return Ok(());
        }
        let asked = transfers::TransferInput {
            from_no: self.places[from],
            to_no: self.places[to],
            reference: String::new(),
            note: String::new(),
            expected_at: None,
            lines: vec![(good.no, Quantity::units(1 + self.rng.below(3) as i64))],
        };
        self.ask("transfers asked for", move |tx, _| Ok(transfers::request(tx, &asked, "hub").map(drop)?))?;
        Ok(())
    }

    pub(super) fn open_transfers(&self) -> Result<Vec<i64>, String> {
        self.column(
            "SELECT no FROM transfers WHERE state IN ('requested', 'in_transit', 'partly_received') ORDER BY no",
        )
    }

    pub(super) fn go_on_with_transfers(&mut self) -> Done {
        let open = self.open_transfers()?;
        match self.any(&open) {
            Some(no) => self.go_on(no, false),
            None => Ok(()),
        }
    }

    /// A transfer leaves, or comes: what is brought for an order whole, another one perhaps in part. In the end all of it comes.
    pub(super) fn go_on(&mut self, no: i64, end: bool) -> Done {
        let read = move |tx: &mut db::Tx| transfers::get(tx, no);
        let before = self.world.write(read).map_err(|e| e.to_string())?;
        let requested = before.state == TransferState::Requested;
        let part = !end && before.reference.is_empty() && self.below(2) == 0;
        let what = match (requested, part) {
            (true, _) => "transfers that left",
            (false, true) => "transfers that came in part",
            _ => "transfers that came",
        };
        let call_off = requested && !end && self.below(5) == 0;
        let done = self.ask(what, move |tx, _| {
            let at = tx.now();
            let transfer = transfers::get(tx, no)?;
            if transfer.state == TransferState::Requested {
                if call_off && transfer.reference.is_empty() {
                    transfers::cancel(tx, no, Rest::Awaited, ("", "hub"))?;
                    return Ok(());
                }
                let all: Vec<Quantity> = transfer.lines.iter().map(|l| l.requested).collect();
                transfers::ship(tx, no, &all, "hub", at)?;
                return Ok(());
            }
            let half = |q: Quantity| if part { Quantity::units(q.milli() / 2000) } else { q };
            let came = transfer.lines.iter().enumerate().map(|(line, l)| Arrived {
                line,
                received: half(l.on_the_way()),
                damaged: Quantity::ZERO,
            });
            let came: Vec<Arrived> = came.collect();
            let (rest, why) = if part { (Rest::Lost, "it never came") } else { (Rest::Awaited, "") };
            transfers::receive(tx, no, &came, rest, (why, "shop"), at)?;
            commands::arrived(tx, no, "shop")?;
            Ok(())
        })?;
        if done.is_none() && end {
            // Its goods were sold meanwhile.
            self.ask("transfers called off", move |tx, _| {
                Ok(transfers::cancel(tx, no, Rest::Back, ("nothing of it is there", "hub")).map(drop)?)
            })?;
        }
        let after = self.world.write(read).map_err(|e| e.to_string())?;
        for (was, is) in before.lines.iter().zip(&after.lines) {
            *self.ours.entry(is.variant_no).or_default() -= is.lost - was.lost;
        }
        Ok(())
    }
}
