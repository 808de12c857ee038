//! Goods in a life: receipts, sales at tills that were offline, claims, transfers and counts, with the faults of a long life
//! around them, beside a ledger of plain maps that knows no positions, no groups and no memory: only what was told, in order.
//!
//! Drawn from a seed of its own, so that the rest of a life is what it was before there were goods.
use crate::run::{Run, told};
use base::{Quantity, Rng, SECOND_US, Timestamp};
use db::{DbError, Tx};
use std::collections::BTreeMap;
use stock::choice::Wanted;
use stock::commands::{self, LocationInput, Posted, Request, Shortage};
use stock::model::{
    CUSTOMER, Condition, Document, DocumentKind, EndedWhy, LocationKind, Move, ReservationKind, SUPPLIER,
};
use stock::transfers::{self, Arrived, Rest, TransferInput};
use stock::{ReservationTable, StockError, availability};

const VARIANTS: i64 = 4;

/// A claim as the ledger has it.
#[derive(Debug, Clone)]
struct Claim {
    no: i64,
    /// `None`: firm.
    ends: Option<Timestamp>,
    /// Place of the line → variant, place, what is claimed.
    lines: BTreeMap<usize, (i64, i64, Quantity)>,
}

/// A transfer that is not over.
#[derive(Debug, Clone)]
struct Going {
    no: i64,
    from: i64,
    to: i64,
    variant: i64,
    quantity: Quantity,
    left: bool,
}

pub(crate) struct Goods {
    rng: Rng,
    places: Vec<i64>,
    lies: BTreeMap<(i64, i64), Quantity>,
    counted: BTreeMap<(i64, i64), Timestamp>,
    claims: Vec<Claim>,
    going: Vec<Going>,
    /// Papers whose answer was lost, to be told again.
    lost: Vec<(Document, Shortage)>,
    /// Papers that tills tell twice.
    told: Vec<(Document, Shortage)>,
    number: u64,
    received: Quantity,
    sold: Quantity,
}

fn units(n: u64) -> Quantity {
    Quantity::units(n as i64)
}

fn line(variant_no: i64, from_no: i64, to_no: i64, quantity: Quantity) -> Move {
    Move {
        variant_no,
        from_no,
        from_condition: Condition::Sellable,
        to_no,
        to_condition: Condition::Sellable,
        lot: "".into(),
        quantity,
        reason: "simulated".into(),
    }
}

impl Goods {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed ^ 0x600d_600d_600d_600d),
            places: Vec::new(),
            lies: BTreeMap::new(),
            counted: BTreeMap::new(),
            claims: Vec::new(),
            going: Vec::new(),
            lost: Vec::new(),
            told: Vec::new(),
            number: 0,
            received: Quantity::ZERO,
            sold: Quantity::ZERO,
        }
    }
    fn variant(&mut self) -> i64 {
        1 + self.rng.below(VARIANTS as u64) as i64
    }
    fn place(&mut self) -> i64 {
        self.places[self.rng.below(self.places.len() as u64) as usize]
    }
    fn lies(&self, variant: i64, place: i64) -> Quantity {
        self.lies.get(&(variant, place)).copied().unwrap_or_default()
    }
    fn claimed(&self, variant: i64, place: i64, now: Timestamp) -> Quantity {
        let alive = self.claims.iter().filter(|claim| claim.ends.is_none_or(|ends| ends > now));
        let of = alive.flat_map(|claim| claim.lines.values());
        let claims: Quantity = of.filter(|(v, p, _)| (*v, *p) == (variant, place)).map(|(.., q)| *q).sum();
        let going = self.going.iter().filter(|g| !g.left && (g.variant, g.from) == (variant, place));
        claims + going.map(|g| g.quantity).sum()
    }
    fn free(&self, variant: i64, place: i64, now: Timestamp) -> Quantity {
        (self.lies(variant, place) - self.claimed(variant, place, now)).or_none()
    }
    fn change(&mut self, variant: i64, place: i64, at: Timestamp, by: Quantity) {
        if self.counted.get(&(variant, place)).is_none_or(|counted| at >= *counted) {
            *self.lies.entry((variant, place)).or_default() += by;
        }
    }
    fn paper(&mut self, kind: DocumentKind, at: Timestamp, moves: Vec<Move>) -> Document {
        self.number += 1;
        Document {
            kind,
            source: "till".into(),
            external_id: format!("r{}", self.number).into(),
            reference: "".into(),
            note: "".into(),
            actor: "simulation".into(),
            at,
            moves,
        }
    }
}

impl Run {
    pub(crate) fn open_shops(&mut self) -> Result<(), String> {
        for (id, kind) in [("A", LocationKind::Store), ("B", LocationKind::Store), ("W", LocationKind::Warehouse)] {
            let input = LocationInput {
                id: id.into(),
                kind,
                name: id.into(),
                address: String::new(),
                lat_lon_e7: None,
                time_zone: "Europe/Kyiv".into(),
                entity: String::new(),
            };
            let made = self.world.write(move |tx| commands::put_location(tx, &input, None));
            self.goods.places.push(made.map_err(|e| e.to_string())?.1.no);
        }
        Ok(())
    }

    /// Something happens to goods, now and then amid a fault.
    pub(crate) fn goods(&mut self) -> Result<(), String> {
        if !self.world.is_alive() || self.goods.rng.below(3) > 0 {
            return Ok(());
        }
        match self.goods.rng.below(100) {
            0..=17 => self.receive(),
            18..=34 => self.sell(),
            35..=40 => self.tell_again(),
            41..=62 => self.claim(),
            63..=72 => self.settle_claim(),
            73..=84 => self.transfer(),
            85..=92 => self.count_goods(),
            _ => self.compare_goods(),
        }
    }

    /// Posts a paper; the program may end around it, and then the paper is told again later.
    fn tell(&mut self, paper: Document, shortage: Shortage) -> Result<Option<(Posted, Timestamp)>, String> {
        let fault = match self.goods.rng.below(24) {
            0 => Some("crash-before-commit"),
            1 => Some("crash-after-commit"),
            2 => Some("before-commit"),
            3 => Some("after-commit"),
            _ => None,
        };
        if let Some(point) = fault {
            self.reached.note("faults amid goods");
            self.arm(point)?;
        }
        let told = paper.clone();
        let posted = self.world.write(move |tx| Ok::<_, StockError>((commands::post(tx, &told, shortage)?, tx.now())));
        match posted {
            Ok(done) => {
                self.goods.told.push((paper, shortage));
                Ok(Some(done))
            }
            Err(StockError::NotEnough(_)) => Ok(None),
            Err(StockError::Store(_)) => {
                if !self.world.is_alive() {
                    self.reopen()?;
                }
                self.reached.note("papers without an answer");
                self.goods.lost.push((paper, shortage));
                self.tell_lost()?;
                Ok(None)
            }
            Err(e) => Err(e.to_string()),
        }
    }

    /// Tells papers again whose answer was lost. Whether they had arrived or not, they count once from now on.
    fn tell_lost(&mut self) -> Result<(), String> {
        while let Some((paper, shortage)) = self.goods.lost.pop() {
            let told = paper.clone();
            let posted =
                self.world.write(move |tx| Ok::<_, StockError>((commands::post(tx, &told, shortage)?, tx.now())));
            match posted {
                Ok((posted, now)) => {
                    self.reached.add("papers that had arrived", u64::from(posted.repeated));
                    // What it broke when it arrived is not told again: the claims themselves say.
                    self.moved(&paper, &posted, now)?;
                    if posted.repeated {
                        self.look_at_claims()?;
                    }
                    self.goods.told.push((paper, shortage));
                }
                Err(StockError::NotEnough(_)) => {}
                Err(e) => return Err(format!("a paper that is told again is refused: {e}")),
            }
        }
        Ok(())
    }

    /// Follows a paper in the ledger.
    fn moved(&mut self, paper: &Document, posted: &Posted, _now: Timestamp) -> Result<(), String> {
        let goods = &mut self.goods;
        for m in &paper.moves {
            if m.from_no > 0 {
                let before = goods.counted.get(&(m.variant_no, m.from_no)).is_some_and(|counted| paper.at < *counted);
                let lies = goods.lies(m.variant_no, m.from_no);
                if !before && m.quantity > lies {
                    // It moved though it was not on the books.
                    goods.change(m.variant_no, m.from_no, paper.at, m.quantity - lies);
                    self.reached.note("goods found");
                }
                goods.change(m.variant_no, m.from_no, paper.at, -m.quantity);
                goods.sold += m.quantity;
            }
            if m.to_no > 0 {
                goods.change(m.variant_no, m.to_no, paper.at, m.quantity);
                goods.received += m.quantity;
            }
        }
        for broken in &posted.broken {
            self.reached.note("claims broken");
            self.break_claim(broken.reservation_no, broken.line);
        }
        Ok(())
    }

    fn break_claim(&mut self, no: i64, line: usize) {
        for claim in &mut self.goods.claims {
            if claim.no == no {
                claim.lines.remove(&line);
            }
        }
        // A transfer's claim has one line: without it nothing can leave.
        let owner = self.world.read(move |tx| Ok(tx.get::<ReservationTable>(no)?.map(|r| r.owner.to_string())));
        let owner = owner.ok().flatten().unwrap_or_default();
        self.goods.going.retain(|g| owner != format!("transfer:{}", g.no));
    }

    /// Takes over from the store which lines were broken while nobody heard the answer.
    fn look_at_claims(&mut self) -> Result<(), String> {
        for at in 0..self.goods.claims.len() {
            let no = self.goods.claims[at].no;
            let row = self.world.read(move |tx| Ok(tx.get::<ReservationTable>(no)?.cloned())).map_err(told)?;
            let Some(row) = row else { return Err(format!("claim {no} is gone")) };
            let short = |at: &usize| matches!(row.lines[*at].ended, Some((_, EndedWhy::Short)));
            self.goods.claims[at].lines.retain(|line, _| !short(line));
        }
        let going: Vec<i64> = self.goods.going.iter().filter(|g| !g.left).map(|g| g.no).collect();
        for no in going {
            let alive = self.world.write(move |tx| {
                let transfer = transfers::get(tx, no)?;
                let row = tx.get::<ReservationTable>(transfer.reservation_no)?;
                Ok::<_, StockError>(row.is_some_and(|r| r.lines.iter().any(|l| l.ended.is_none())))
            });
            if !alive.map_err(|e| e.to_string())? {
                self.goods.going.retain(|g| g.no != no);
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<(), String> {
        let (variant, place) = (self.goods.variant(), self.goods.place());
        let quantity = units(1 + self.goods.rng.below(9));
        let at = self.world.now();
        let paper = self.goods.paper(DocumentKind::Receipt, at, vec![line(variant, SUPPLIER, place, quantity)]);
        if let Some((posted, now)) = self.tell(paper.clone(), Shortage::Refuse)? {
            self.moved(&paper, &posted, now)?;
            self.reached.note("goods received");
        }
        Ok(())
    }

    /// At the till: what is there, or, told late by one that was offline, whatever was sold.
    fn sell(&mut self) -> Result<(), String> {
        let (variant, place) = (self.goods.variant(), self.goods.place());
        let quantity = units(1 + self.goods.rng.below(4));
        let late = self.goods.rng.below(2) == 0;
        let back = if late { self.goods.rng.below(7200) as i64 } else { 0 };
        let at = self.world.now().plus(-back * SECOND_US);
        let paper = self.goods.paper(DocumentKind::Sale, at, vec![line(variant, place, CUSTOMER, quantity)]);
        let shortage = if late { Shortage::Record } else { Shortage::Refuse };
        match self.tell(paper.clone(), shortage)? {
            Some((posted, now)) => {
                if !late && quantity > self.goods.free(variant, place, now) {
                    return Err(format!("{quantity} of {variant} were sold at {place}, which did not have them"));
                }
                self.moved(&paper, &posted, now)?;
                self.reached.note(if late { "sales told late" } else { "sales" });
            }
            None => self.reached.note("sales refused"),
        }
        Ok(())
    }

    fn tell_again(&mut self) -> Result<(), String> {
        if self.goods.told.is_empty() {
            return Ok(());
        }
        let at = self.goods.rng.below(self.goods.told.len() as u64) as usize;
        let (paper, shortage) = self.goods.told[at].clone();
        let posted = self.world.write(move |tx| commands::post(tx, &paper, shortage)).map_err(|e| e.to_string())?;
        self.reached.note("papers told twice");
        if posted.repeated { Ok(()) } else { Err("a paper that was told before counts again".into()) }
    }

    fn claim(&mut self) -> Result<(), String> {
        let firm = self.goods.rng.below(3) == 0;
        let mut lines = Vec::new();
        for _ in 0..=self.goods.rng.below(2) {
            let named = self.goods.rng.below(4) == 0;
            let location_no = if named { Some(self.goods.place()) } else { None };
            let quantity = units(1 + self.goods.rng.below(4));
            lines.push(Wanted { variant_no: self.goods.variant(), quantity, location_no });
        }
        self.goods.number += 1;
        let request = Request {
            channel: "site".into(),
            kind: if firm { ReservationKind::Order } else { ReservationKind::Cart },
            owner: format!("cart:{}", self.goods.number).into(),
            lines: lines.clone(),
            seconds: Some(1 + self.goods.rng.below(3600) as i64),
            partial: false,
        };
        let made = self.world.write(move |tx| Ok::<_, StockError>((commands::reserve(tx, &request)?, tx.now())));
        match made {
            Ok((made, now)) => {
                let mut of = BTreeMap::new();
                let mut taken: BTreeMap<(i64, i64), Quantity> = BTreeMap::new();
                for (at, chosen) in made.lines.iter().enumerate() {
                    let variant = lines[chosen.line].variant_no;
                    *taken.entry((variant, chosen.location_no)).or_default() += chosen.quantity;
                    of.insert(at, (variant, chosen.location_no, chosen.quantity));
                }
                for ((variant, place), quantity) in taken {
                    if quantity > self.goods.free(variant, place, now) {
                        return Err(format!("{quantity} of {variant} are claimed at {place}: oversold"));
                    }
                }
                let ends = (!firm).then_some(made.expires_at);
                self.goods.claims.push(Claim { no: made.no, ends, lines: of });
                self.reached.note("claims made");
                Ok(())
            }
            Err(StockError::NotEnough(_)) => {
                self.reached.note("claims refused");
                Ok(())
            }
            Err(e) => Err(e.to_string()),
        }
    }

    /// A claim becomes an order, is given back, or its goods are handed over.
    fn settle_claim(&mut self) -> Result<(), String> {
        if self.goods.claims.is_empty() {
            return Ok(());
        }
        let at = self.goods.rng.below(self.goods.claims.len() as u64) as usize;
        let no = self.goods.claims[at].no;
        let alive = |claim: &Claim, now: Timestamp| claim.ends.is_none_or(|ends| ends > now) && !claim.lines.is_empty();
        match self.goods.rng.below(3) {
            0 => {
                let done = self.world.write(move |tx| {
                    let now = tx.now();
                    let done = commands::confirm(tx, no, ReservationKind::Order, "order:1").map(drop);
                    Ok::<_, StockError>((ended(done)?, now))
                });
                let (done, now) = done.map_err(|e| e.to_string())?;
                if done != alive(&self.goods.claims[at], now) {
                    return Err(format!("claim {no} became an order: {done}"));
                }
                self.reached.note(if done { "claims confirmed" } else { "claims that had ended" });
                if done {
                    self.goods.claims[at].ends = None;
                }
            }
            1 => {
                self.world.write(move |tx| commands::release(tx, no, EndedWhy::Released)).map_err(|e| e.to_string())?;
                self.goods.claims.swap_remove(at);
                self.reached.note("claims given back");
            }
            _ => self.hand_over_claim(at)?,
        }
        Ok(())
    }

    /// Goods of a claim leave with the customer: all of its lines.
    fn hand_over_claim(&mut self, at: usize) -> Result<(), String> {
        let claim = self.goods.claims[at].clone();
        let today = self.world.now();
        let moves = claim.lines.values().map(|(v, p, q)| line(*v, *p, CUSTOMER, *q)).collect::<Vec<_>>();
        if moves.is_empty() {
            self.goods.claims.swap_remove(at);
            return Ok(());
        }
        let paper = self.goods.paper(DocumentKind::Sale, today, moves);
        let (told, lines, no) = (paper.clone(), claim.lines.clone(), claim.no);
        let done = self.world.write(move |tx| {
            for (at, (_, _, quantity)) in &lines {
                match ended(commands::fulfil(tx, no, *at, *quantity)) {
                    Ok(true) => {}
                    other => return other.map(|_| None),
                }
            }
            let told = Document { at: tx.now(), ..told.clone() };
            Ok::<_, StockError>(Some((commands::post(tx, &told, Shortage::Claimed)?, tx.now())))
        });
        if let Some((posted, now)) = done.map_err(|e| e.to_string())? {
            self.moved(&Document { at: now, ..paper }, &posted, now)?;
            self.reached.note("claims handed over");
        }
        self.goods.claims.swap_remove(at);
        Ok(())
    }

    fn transfer(&mut self) -> Result<(), String> {
        if self.goods.going.is_empty() || self.goods.rng.below(3) == 0 {
            let (from, to, variant) = (self.goods.place(), self.goods.place(), self.goods.variant());
            if from == to {
                return Ok(());
            }
            let quantity = units(1 + self.goods.rng.below(4));
            let asked = TransferInput {
                from_no: from,
                to_no: to,
                reference: String::new(),
                note: String::new(),
                expected_at: None,
                lines: vec![(variant, quantity)],
            };
            return match self.world.write(move |tx| transfers::request(tx, &asked, "simulation")) {
                Ok(made) => {
                    self.goods.going.push(Going { no: made.no, from, to, variant, quantity, left: false });
                    self.reached.note("transfers");
                    Ok(())
                }
                Err(StockError::NotEnough(_)) => Ok(()),
                Err(e) => Err(e.to_string()),
            };
        }
        let at = self.goods.rng.below(self.goods.going.len() as u64) as usize;
        self.go_on(at)
    }

    /// A transfer leaves, comes in, or is called off.
    fn go_on(&mut self, at: usize) -> Result<(), String> {
        let going = self.goods.going[at].clone();
        let (no, quantity) = (going.no, going.quantity);
        if !going.left {
            if self.goods.rng.below(4) == 0 {
                self.world
                    .write(move |tx| transfers::cancel(tx, no, Rest::Awaited, ("", "simulation")))
                    .map_err(|e| e.to_string())?;
                self.goods.going.swap_remove(at);
                return Ok(());
            }
            let left = self.world.write(move |tx| {
                let at = tx.now();
                transfers::ship(tx, no, &[quantity], "simulation", at).map(|_| at)
            });
            let now = left.map_err(|e| format!("transfer {no} cannot leave: {e}"))?;
            self.goods.change(going.variant, going.from, now, -quantity);
            self.goods.going[at].left = true;
            return Ok(());
        }
        let got = units(self.goods.rng.below((quantity.milli() / 1000) as u64 + 1));
        let come = self.world.write(move |tx| {
            let at = tx.now();
            let arrived = [Arrived { line: 0, received: got, damaged: Quantity::ZERO }];
            transfers::receive(tx, no, &arrived, Rest::Lost, ("lost in the simulation", "simulation"), at).map(|_| at)
        });
        let now = come.map_err(|e| format!("transfer {no} cannot be received: {e}"))?;
        self.goods.change(going.variant, going.to, now, got);
        self.goods.going.swap_remove(at);
        self.reached.note("transfers settled");
        Ok(())
    }

    fn count_goods(&mut self) -> Result<(), String> {
        let (variant, place) = (self.goods.variant(), self.goods.place());
        let counted = units(self.goods.rng.below(9));
        let paper =
            Document { external_id: "".into(), ..self.goods.paper(DocumentKind::Count, Timestamp::default(), vec![]) };
        let done = self.world.write(move |tx| {
            let paper = Document { at: tx.now(), ..paper.clone() };
            Ok::<_, StockError>((commands::count(tx, &paper, place, variant, counted)?, tx.now()))
        });
        let ((posted, variance), now) = done.map_err(|e| e.to_string())?;
        let lies = self.goods.lies(variant, place);
        if variance != counted - lies {
            return Err(format!(
                "{counted} were counted where {lies} should lie: the variance is said to be {variance}"
            ));
        }
        self.goods.lies.insert((variant, place), counted);
        self.goods.counted.insert((variant, place), now);
        for broken in posted.into_iter().flat_map(|p| p.broken) {
            self.break_claim(broken.reservation_no, broken.line);
        }
        self.reached.note("counts");
        Ok(())
    }

    /// A claim is gone without anybody having said so.
    pub(crate) fn forget_claim(&mut self) -> Result<(), String> {
        self.receive()?;
        let (variant_no, location_no) = match self.goods.lies.iter().find(|(_, lies)| lies.is_positive()) {
            Some(((variant, place), _)) => (*variant, Some(*place)),
            None => return Ok(()),
        };
        let lines = vec![Wanted { variant_no, quantity: units(1), location_no }];
        let (channel, owner, kind) = ("site".into(), "cart:forgotten".into(), ReservationKind::Order);
        let request = Request { channel, kind, owner, lines, seconds: None, partial: false };
        let made = self.world.write(move |tx| commands::reserve(tx, &request)).map_err(|e| e.to_string())?;
        let lines = BTreeMap::from([(0, (variant_no, made.lines[0].location_no, units(1)))]);
        self.goods.claims.push(Claim { no: made.no, ends: None, lines });
        self.world.stop();
        let mut engine = self.world.place.location.open(db::Sync::UnsafeFast, false).map_err(told)?;
        engine.execute("DELETE FROM reservations WHERE no = $1", &[made.no.into()]).map_err(told)?;
        drop(engine);
        self.world.restart().map_err(told)
    }

    /// A till's paper is taken for a new one.
    pub(crate) fn paper_twice(&mut self) -> Result<(), String> {
        self.receive()?;
        let Some((paper, shortage)) = self.goods.told.last().cloned() else { return Ok(()) };
        let again = Document { external_id: "another".into(), ..paper };
        self.world.write(move |tx| commands::post(tx, &again, shortage)).map(drop).map_err(|e| e.to_string())
    }

    /// Everything lies where the ledger has it, and the site promises what is free.
    pub(crate) fn compare_goods(&mut self) -> Result<(), String> {
        for variant in 1..=VARIANTS {
            let read = self.world.write(move |tx: &mut Tx| {
                let places = commands::places(tx)?;
                let site = places.channel("site").map(|c| (**c).clone());
                Ok::<_, DbError>((commands::stock(tx, variant)?, site, tx.now()))
            });
            let (stock, site, now) = read.map_err(told)?;
            let stock = stock.unwrap_or_default();
            for place in &self.goods.places {
                let lies = stock.at(*place).map_or(Quantity::ZERO, |p| p.sellable());
                if lies != self.goods.lies(variant, *place) {
                    let wanted = self.goods.lies(variant, *place);
                    return Err(format!("{lies} of {variant} lie at {place}, and {wanted} should"));
                }
            }
            let promised = site.map_or(Quantity::ZERO, |site| availability::for_channel(&stock, &site, now));
            let free: Quantity = self.goods.places.iter().map(|place| self.goods.free(variant, *place, now)).sum();
            if promised != free {
                return Err(format!("{promised} of {variant} are promised, {free} are free"));
            }
        }
        self.reached.note("stock compared");
        Ok(())
    }

    /// The end: whatever is claimed is handed over, given back or ends; whatever is on the way arrives.
    pub(crate) fn end_goods(&mut self) -> Result<(), String> {
        self.tell_lost()?;
        while !self.goods.going.is_empty() {
            self.go_on(0)?;
        }
        while self.goods.claims.iter().any(|claim| claim.ends.is_none()) {
            let at = self.goods.claims.iter().position(|claim| claim.ends.is_none()).unwrap_or(0);
            self.hand_over_claim(at)?;
        }
        self.compare_goods()?;
        // A clock that was set back stands behind what the store did last: it takes a while until holds end.
        for _ in 0..8 {
            self.world.clock.advance(6 * 3600 * SECOND_US);
            self.due(2000)?;
            let alive = self.world.write(|tx| {
                tx.flush_table::<ReservationTable>()?;
                let row = tx.first("SELECT COUNT(*) FROM reservations WHERE ended_at = 0", &[])?;
                row.map_or(Ok(0), |row| row.int(0))
            });
            if alive.map_err(told)? == 0 {
                return Ok(());
            }
        }
        Err("claims never end".into())
    }
}

/// Whether a claim could be acted on; one that has ended is no error.
fn ended(done: Result<(), StockError>) -> Result<bool, StockError> {
    match done {
        Ok(()) => Ok(true),
        Err(StockError::Ended { .. }) => Ok(false),
        Err(e) => Err(e),
    }
}
