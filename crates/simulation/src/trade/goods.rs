//! Goods that come, are sold at tills, counted and thrown away; tills that were offline tell late, out of order, and twice.
use super::{Done, Good, Trade};
use base::{Quantity, SECOND_US, Timestamp};
use orders::commands::{self, claims_lost};
use stock::commands::Shortage;
use stock::model::{CUSTOMER, Document, DocumentKind, LOSS, Move, SUPPLIER};

impl Trade {
    pub(super) fn place(&mut self) -> i64 {
        self.places[self.rng.below(self.places.len() as u64) as usize]
    }

    pub(super) fn paper(
        &mut self,
        kind: DocumentKind,
        good: Good,
        (from_no, to_no): (i64, i64),
        units: i64,
    ) -> Document {
        let moved = Move::sellable(good.no, (from_no, to_no), Quantity::units(units), "simulated");
        Document {
            kind,
            source: "till".into(),
            external_id: self.id("d").into(),
            reference: "".into(),
            note: "".into(),
            actor: "till".into(),
            at: self.world.now(),
            moves: vec![moved],
        }
    }

    /// What can be sold of a variant at a place, and when it was counted.
    fn position(&self, good: i64, place: i64) -> Result<(Quantity, Timestamp), String> {
        let read = self.world.read(move |tx| {
            let stock = stock::commands::stock(tx, good)?;
            Ok(stock.and_then(|s| s.at(place).map(|p| (p.sellable(), p.counted_at))).unwrap_or_default())
        });
        read.map_err(|e| e.to_string())
    }

    /// Tells a paper; claims that it breaks are served elsewhere in the same transaction. The plain sums follow: what happened before a
    /// count changes nothing, and what was sold though it was not on the books was found.
    pub(super) fn post(&mut self, what: &'static str, paper: Document, shortage: Shortage) -> Result<bool, String> {
        let (m, at) = (paper.moves[0].clone(), paper.at);
        let place = if m.from_no > 0 { m.from_no } else { m.to_no };
        let (lies, counted) = self.position(m.variant_no, place)?;
        let told = paper.clone();
        let posted = self.ask(what, move |tx, shop| {
            let posted = stock::commands::post(tx, &told, shortage)?;
            claims_lost(tx, &posted.broken, shop, "till")?;
            Ok((posted.repeated, posted.broken.len()))
        })?;
        let Some((_, broken)) = posted else {
            let happened = shortage == Shortage::Record;
            return if happened { Err("a paper of what happened is refused".into()) } else { Ok(false) };
        };
        self.reached.add("claims of orders broken", broken as u64);
        if at >= counted {
            let ours = self.ours.entry(m.variant_no).or_default();
            match m.from_no > 0 {
                true => *ours -= m.quantity.min(lies),
                false => *ours += m.quantity,
            }
            self.reached.add("goods sold that nobody had on the books", u64::from(m.from_no > 0 && m.quantity > lies));
        }
        self.told.push(paper);
        Ok(true)
    }

    pub(super) fn receive(&mut self) -> Done {
        let (good, place, units) = (self.good(), self.place(), 1 + self.rng.below(5) as i64);
        let paper = self.paper(DocumentKind::Receipt, good, (SUPPLIER, place), units);
        self.post("receipts", paper, Shortage::Refuse).map(drop)
    }

    /// At a till that is online only what nobody has a claim on; one that is offline keeps its papers.
    pub(super) fn sell_at_till(&mut self) -> Done {
        let (good, place, units) = (self.good(), self.place(), 1 + self.rng.below(2) as i64);
        let mut paper = self.paper(DocumentKind::Sale, good, (place, CUSTOMER), units);
        if self.below(2) == 0 {
            paper.at = paper.at.plus(-(self.rng.below(7200) as i64) * SECOND_US);
            self.offline.push(paper);
            return Ok(());
        }
        let free = self.world.read(move |tx| {
            let stock = stock::commands::stock(tx, good.no)?.unwrap_or_default();
            let (now, at) = (tx.now(), stock.at(place).cloned());
            Ok(at.map_or(Quantity::ZERO, |p| {
                let holds = p.holds.iter().filter(|h| h.at > now).map(|h| h.quantity).sum::<Quantity>();
                p.sellable() - p.firm - holds
            }))
        });
        let free = free.map_err(|e| e.to_string())?;
        let (counted, at) = (self.position(good.no, place)?.1, paper.at);
        match self.post("sales at a till", paper, Shortage::Refuse)? {
            true if Quantity::units(units) > free && at >= counted => {
                Err(format!("{units} of {} were sold at a till where {free} are free", good.no))
            }
            true => Ok(()),
            false => {
                self.reached.note("sales refused at a till");
                Ok(())
            }
        }
    }

    /// Tills that were offline tell what they sold, in any order.
    pub(super) fn tell_late(&mut self) -> Done {
        for _ in 0..=self.below(3) {
            if self.offline.is_empty() {
                return Ok(());
            }
            let at = self.below(self.offline.len());
            let paper = self.offline.swap_remove(at);
            self.post("sales told late", paper, Shortage::Record)?;
        }
        Ok(())
    }

    /// A paper that was told before changes nothing.
    pub(super) fn tell_again(&mut self) -> Done {
        let told = self.told.clone();
        let Some(paper) = self.any(&told) else { return Ok(()) };
        let again = self.ask("papers of tills told twice", move |tx, _| {
            Ok(stock::commands::post(tx, &paper, Shortage::Record)?.repeated)
        })?;
        if again == Some(true) { Ok(()) } else { Err("a paper that was told before counts again".into()) }
    }

    pub(super) fn write_off(&mut self) -> Done {
        let (good, place) = (self.good(), self.place());
        if self.position(good.no, place)?.0 < Quantity::units(1) {
            return Ok(());
        }
        let paper = self.paper(DocumentKind::Adjustment, good, (place, LOSS), 1);
        self.post("goods written off", paper, Shortage::Record).map(drop)
    }

    /// Somebody counts, and perhaps finds more or less than there should be.
    pub(super) fn count(&mut self) -> Done {
        let (good, place) = (self.good(), self.place());
        let (lies, counted_at) = self.position(good.no, place)?;
        let by = self.rng.below(4) as i64 - 2;
        let counted = (lies + Quantity::units(by)).or_none();
        let paper = Document { moves: vec![], ..self.paper(DocumentKind::Count, good, (place, LOSS), 1) };
        let broken = self.ask("counts of goods", move |tx, shop| {
            let paper = Document { at: tx.now(), ..paper.clone() };
            let (posted, _) = stock::commands::count(tx, &paper, place, good.no, counted)?;
            let broken = posted.map(|p| p.broken).unwrap_or_default();
            commands::claims_lost(tx, &broken, shop, "count")?;
            Ok(broken.len())
        })?;
        self.reached.add("claims of orders broken", broken.unwrap_or(0) as u64);
        let after = self.position(good.no, place)?;
        if after.1 > counted_at && after.0 != counted {
            return Err(format!("{counted} were counted, and {} lie there", after.0));
        }
        *self.ours.entry(good.no).or_default() += after.0 - lies;
        Ok(())
    }
}
