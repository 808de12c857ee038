//! After the sale: returns, exchanges, complaints, and the money that goes back.
use super::{Done, Trade};
use base::Quantity;
use orders::after::commands::{self as after, Ask, ClaimAsk, Got, Pay, Taken};
use orders::after::model::{ClaimLine, Grade, Instead, Reason, Resolution, Return, Stage, Wanted, Way};
use orders::model::Order;
use orders::states::line::Line as Piece;
use std::sync::Arc;

impl Trade {
    pub(super) fn after_sale(&mut self) -> Done {
        match self.below(8) {
            0 | 1 => self.ask_to_return(),
            2 | 3 if self.claims.len() < 8 && self.below(2) == 0 => self.complain(),
            3 => self.answer_claim(),
            4 => self.refunds(false),
            _ => {
                let returns = self.returns.clone();
                let recent = returns.len().saturating_sub(5);
                match self.any(&returns[recent..]) {
                    Some(no) => self.go_on_with_return(no, false),
                    None => Ok(()),
                }
            }
        }
    }

    /// An order that the customer has some of and paid for all of, a line of it, and how many pieces they have.
    fn delivered(&mut self) -> Result<Option<(Arc<Order>, usize, i64)>, String> {
        let mut some = Vec::new();
        for no in self.orders.iter().rev().take(25) {
            let order = self.order(*no)?;
            if order.open_minor() > 0 {
                continue;
            }
            for at in 0..order.body.lines.len() {
                let has = order.body.parts.iter().filter(|p| p.line == at && p.state == Piece::Delivered);
                let units = has.map(|p| p.milli).sum::<i64>() / 1000;
                if units > 0 {
                    some.push((order.clone(), at, units));
                }
            }
        }
        Ok(self.any(&some))
    }

    fn ask_to_return(&mut self) -> Done {
        let Some((order, line, units)) = self.delivered()? else { return Ok(()) };
        let variant = order.body.lines[line].variant_no;
        let swap = self.below(3) == 0;
        let units = if swap { 1 } else { units };
        let other = self.goods[usize::from(self.goods[0].no == variant)].no;
        let instead = if swap { vec![Instead { of: 0, variant_no: other, milli: 1000 }] } else { vec![] };
        let reason = [Reason::TooSmall, Reason::NotLiked, Reason::Defect][self.below(3)];
        let wanted = Wanted { line: Some(line), variant_no: 0, quantity: Quantity::units(units), reason };
        let ask = Ask {
            order_no: Some(order.no),
            lines: vec![wanted],
            instead,
            key: self.id("k"),
            channel: "site".into(),
            ..Ask::default()
        };
        let what = if swap { "exchanges asked for" } else { "returns asked for" };
        let asked = self.ask(what, move |tx, shop| Ok(after::request(tx, shop, &ask, "agent")?.no))?;
        if let Some(no) = asked
            && !self.returns.contains(&no)
        {
            self.returns.push(no);
        }
        Ok(())
    }

    fn row(&self, no: i64) -> Result<Arc<Return>, String> {
        let row = self.world.read(move |tx| Ok(tx.get::<orders::after::ReturnTable>(no)?.cloned()));
        row.map_err(|e| e.to_string())?.ok_or_else(|| format!("return {no} is gone"))
    }

    /// The next step of a return or exchange. In the end nobody brings goods any more that did not come.
    pub(super) fn go_on_with_return(&mut self, no: i64, end: bool) -> Done {
        let row = self.row(no)?;
        if row.stage.is_over() {
            return Ok(());
        }
        let exchange = matches!(row.stage, Stage::Exchange(_));
        let came = row.body.lines.iter().any(|line| line.arrived_milli() > 0);
        match row.stage.as_str() {
            "requested" => {
                if end || self.below(4) == 0 {
                    self.ask("returns denied", move |tx, _| after::deny(tx, no, "too late", "agent").map(drop))?;
                } else {
                    let yes = move |tx: &mut db::Tx, shop: &orders::commands::Shop| {
                        after::approve(tx, shop, no, "a good customer", "agent").map(drop)
                    };
                    self.ask("returns approved by a person", yes)?;
                }
                Ok(())
            }
            "approved" if end || self.below(8) == 0 => {
                self.ask("returns called off", move |tx, _| after::cancel(tx, no, "customer").map(drop)).map(drop)
            }
            "approved" | "partly_received" => {
                let ungraded = row.body.lines[0].arrived.iter().position(|a| a.grade.is_none());
                if let Some(nth) = ungraded {
                    return self.grade(no, nth);
                }
                if came && (end || self.below(2) == 0) {
                    self.ask("returns closed short", move |tx, _| after::close_short(tx, no, "shop").map(drop))?;
                    return Ok(());
                }
                self.take_in(&row, exchange)
            }
            "received" if exchange => self.fulfil_exchange(&row),
            "received" if row.body.refunds.is_empty() => {
                let way = if self.below(4) == 0 { Way::Credit } else { Way::Payments };
                let how = Pay { way, paid_out: self.below(2) == 0, ..Pay::default() };
                let what = if way == Way::Credit { "returns paid as credit" } else { "returns paid back" };
                self.ask(what, move |tx, _| after::refund(tx, no, &how, "agent").map(drop))?;
                Ok(())
            }
            _ => self.refunds(end),
        }
    }

    /// What of a return lies somewhere of ours.
    fn lies(row: &Return) -> i64 {
        let arrived = row.body.lines.iter().flat_map(|line| &line.arrived);
        arrived.filter(|a| a.grade != Some(Grade::WriteOff)).map(|a| a.milli).sum()
    }

    /// Does something with a return; the plain sums follow what came and was not thrown away.
    fn with_return<F>(&mut self, what: &'static str, no: i64, f: F) -> Done
    where
        F: FnMut(&mut db::Tx, &orders::commands::Shop) -> Result<(), orders::OrderError> + Send + Clone + 'static,
    {
        let before = Self::lies(&*self.row(no)?);
        self.ask(what, f)?;
        let row = self.row(no)?;
        let more = Self::lies(&row) - before;
        *self.ours.entry(row.body.lines[0].variant_no).or_default() += Quantity::from_milli(more);
        Ok(())
    }

    fn take_in(&mut self, row: &Return, exchange: bool) -> Done {
        let line = &row.body.lines[0];
        let open = (line.milli - line.arrived_milli()) / 1000;
        let units = if exchange || self.below(2) == 0 { open } else { 1 };
        let grade = match self.below(if exchange { 3 } else { 4 }) {
            0 => Some(Grade::Outlet),
            1 => Some(Grade::WriteOff),
            2 => Some(Grade::Sellable),
            _ => None,
        };
        let got = Got { line: 0, quantity: Quantity::units(units), grade, lot: String::new() };
        let location_no = self.place();
        let (no, taken) = (row.no, Taken { location_no, key: self.id("t"), lines: vec![got] });
        let what = if exchange { "exchanged goods that came back" } else { "goods that came back" };
        self.with_return(what, no, move |tx, shop| after::receive(tx, shop, no, &taken, "shop").map(drop))
    }

    fn grade(&mut self, no: i64, nth: usize) -> Done {
        let grade = if self.below(3) == 0 { Grade::WriteOff } else { Grade::Sellable };
        let look =
            move |tx: &mut db::Tx, _: &orders::commands::Shop| after::grade(tx, no, (0, nth), grade, "shop").map(drop);
        self.with_return("goods graded later", no, look)
    }

    /// The others are handed over, once what they cost more is paid; where they are not to be had, it becomes a return.
    fn fulfil_exchange(&mut self, row: &Return) -> Done {
        let no = row.no;
        let Some(other) = row.body.exchange.as_ref().and_then(|e| e.order_no) else {
            let turn =
                move |tx: &mut db::Tx, _: &orders::commands::Shop| after::turn_into_return(tx, no, "agent").map(drop);
            self.ask("exchanges turned into returns", turn)?;
            return Ok(());
        };
        self.refunds(true)?;
        let order = self.order(other)?;
        let left = order.open_minor();
        if left > 0 {
            let payment = self.id("p");
            self.fact(other, ("test", &payment), orders::states::payment::Action::Capture, left)?;
        }
        if order.body.parts.iter().any(|p| p.state == Piece::Parked) {
            self.receive()?;
            let again = move |tx: &mut db::Tx, shop: &orders::commands::Shop| {
                orders::commands::source_again(tx, other, shop, "agent").map(drop)
            };
            self.ask("orders sourced again", again)?;
        }
        self.moving("exchanges fulfilled", other, move |tx, _| after::fulfil(tx, no, true, "shop").map(drop))?;
        Ok(())
    }

    fn complain(&mut self) -> Done {
        let Some((order, line, units)) = self.delivered()? else { return Ok(()) };
        let milli = 1000 * (1 + self.rng.below(units as u64) as i64);
        let ask = ClaimAsk {
            order_no: order.no,
            lines: vec![ClaimLine { line, milli, reason: Reason::Defect }],
            key: self.id("c"),
            channel: "site".into(),
            ..ClaimAsk::default()
        };
        let opened = self.ask("complaints", move |tx, shop| Ok(after::claim_by_customer(tx, shop, &ask)?.no))?;
        if let Some(no) = opened
            && !self.claims.contains(&no)
        {
            self.claims.push(no);
        }
        Ok(())
    }

    pub(super) fn answer_claim(&mut self) -> Done {
        let claims = self.claims.clone();
        let Some(no) = self.any(&claims) else { return Ok(()) };
        if self.below(3) == 0 {
            let no_to_it = move |tx: &mut db::Tx, shop: &orders::commands::Shop| {
                after::deny_claim(tx, shop, no, "it is not so", "agent").map(drop)
            };
            self.ask("complaints denied", no_to_it)?;
            return Ok(());
        }
        let amount = (self.below(2) == 0).then_some(2_500);
        self.ask("complaints paid", move |tx, _| {
            after::approve_claim(tx, no, (Resolution::Refund, amount), "sorry", "agent").map(drop)
        })?;
        Ok(())
    }

    /// Banks settle refunds, or fail to; then they are asked again, or the customer takes credit. In the end all arrive.
    pub(super) fn refunds(&mut self, end: bool) -> Done {
        for no in self.column("SELECT no FROM refunds WHERE state = 'failed' ORDER BY no")? {
            if !end && self.below(2) == 0 {
                self.ask("refunds taken as credit", move |tx, _| {
                    after::credit_refund(tx, no, true, "agent").map(drop)
                })?;
            } else {
                self.ask("refunds asked for again", move |tx, _| after::retry_refund(tx, no).map(drop))?;
            }
        }
        for no in self.column("SELECT no FROM refunds WHERE state = 'pending' ORDER BY no")? {
            if !end && self.below(4) == 0 {
                self.ask("refunds that failed", move |tx, _| after::fail_refund(tx, no, "closed").map(drop))?;
            } else {
                self.ask("refunds settled", move |tx, _| after::settle_refund(tx, no, "", "bank").map(drop))?;
            }
        }
        Ok(())
    }
}
